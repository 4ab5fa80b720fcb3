//! The mutating webhook: an AdmissionReview in, the same review answered out, always allowed.
//!
//! Patches only what a decision asks for, only by `add`, and never what a user wrote. Reads memory only.

pub mod mutate;
pub mod patch;
pub mod review;
