//! Live grid data through the whole process: what a provider says, well and badly, and what pods, `/snapshot`, metrics,
//! records, logs and commands make of it.
//!
//! The provider is a real HTTP server on this machine that answers as each test wants.

#![allow(clippy::unwrap_used, missing_debug_implementations, reason = "tests")]
#![allow(clippy::float_cmp, reason = "counters hold whole numbers, and readings come back as they were said")]

mod bad_answers;
mod check;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/command.rs"]
mod command;
mod explain;
mod great_britain;
mod lapses;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/mount.rs"]
mod mount;
mod outlook;
mod places;
mod plan;
mod planted;
mod pods;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/prometheus_text.rs"]
mod prometheus_text;
#[path = "../support/redis.rs"]
mod redis;
mod reload;
mod requests;
mod running;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/server.rs"]
mod server;
mod silence;
mod stand_in;
mod token;
#[path = "../support/upstream.rs"]
mod upstream;
