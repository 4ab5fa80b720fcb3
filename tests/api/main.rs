//! Decision, webhook and extender as Kubernetes meets them: recorded 1.36.2 traffic and pods derived from it go in as
//! bytes through the real routes, and what comes out is judged by an independent JSON Patch implementation, by the
//! Kubernetes types, and by arithmetic done here.
#![expect(clippy::unwrap_used, reason = "tests")]

mod allowed_regions;
mod annotations;
mod arithmetic;
mod books;
mod choice;
#[path = "../support/entry.rs"]
mod entry;
mod equation;
mod filter;
mod filter_marks;
mod honest_numbers;
mod limits;
mod mutate;
mod patch_properties;
#[path = "../support/patched.rs"]
mod patched;
mod policies;
mod preferences;
mod prioritize;
mod readings;
mod scheduler_mix;
mod selectors;
mod support;
