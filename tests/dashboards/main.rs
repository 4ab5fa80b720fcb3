//! Dashboards, rules and the cookbook of queries: their form, and what a real Prometheus that scrapes a real server says to
//! every expression in them. Without `prometheus` and `promtool` in the PATH those parts say `skipped`.
#![allow(clippy::unwrap_used, missing_debug_implementations, reason = "tests")]

#[path = "../process/client.rs"]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod client;
#[path = "../process/command.rs"]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod command;
#[path = "../accounts/expected.rs"]
#[allow(dead_code, reason = "shared with the tests of the accounts")]
mod expected;
#[path = "../process/mount.rs"]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod mount;
#[path = "../accounts/rig.rs"]
#[allow(dead_code, reason = "shared with the tests of the accounts")]
mod rig;
#[path = "../process/server.rs"]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod server;
#[path = "../accounts/week.rs"]
#[allow(dead_code, reason = "shared with the tests of the accounts")]
mod week;

mod expression;
mod files;
mod live;
mod prometheus;
mod rules;
mod structure;
mod workload;
