//! What is known of a cluster, watched on a stand-in for its API server.
#![allow(clippy::unwrap_used, missing_debug_implementations, reason = "tests")]
#![allow(clippy::float_cmp, reason = "counters hold whole numbers")]

#[path = "../support/api_server.rs"]
mod api_server;
mod away;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/client.rs"]
mod client;
mod large;
mod rig;
mod watching;
