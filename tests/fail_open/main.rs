//! Fail-open, cell by cell: whatever breaks, a pod is admitted and scheduled as if Eco-Pulse were not there, the failure
//! is counted and recorded, and the next request is answered as ever.
//!
//! The layer and the endpoints are the real ones; `faulty` puts a fault between the two. Each test that takes an
//! [`Endpoint`](eco_pulse::audit::entry::Endpoint) runs for all three.

#![allow(clippy::unwrap_used, missing_debug_implementations, reason = "tests")]
#![allow(
    clippy::float_cmp,
    reason = "counters hold whole numbers, and readings come back as they were given"
)]

mod answers;
mod bad_input;
mod bodies;
mod body_not_had;
#[path = "../process/client.rs"]
mod client;
mod deadline;
mod defects;
mod faulty;
mod no_data;
mod over_tls;
mod overload;
#[path = "../process/prometheus_text.rs"]
mod prometheus_text;
mod rig;
mod undecodable;
