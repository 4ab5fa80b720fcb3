//! Dashboards, rules and the cookbook of queries: their form, and what a real Prometheus says to every expression in
//! them after the workload of the demo. Without `prometheus`, `promtool` and `redis-server` in the PATH those parts say `skipped`.
#![allow(clippy::unwrap_used, missing_debug_implementations, reason = "tests")]

#[path = "../support/api_server.rs"]
mod api_server;
#[path = "../process/client.rs"]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod client;
#[path = "../readme/markdown.rs"]
#[allow(dead_code, reason = "shared with the tests of the documents")]
mod markdown;
#[path = "../support/metric_names.rs"]
#[allow(dead_code, reason = "each test crate uses a part of it")]
mod metric_names;
#[path = "../support/redis.rs"]
mod redis;

mod files;
mod live;
mod prometheus;
mod rules;
mod structure;
#[path = "../support/waiting.rs"]
mod waiting;
mod workload;
