//! Several replicas on one real Redis: who collects, what the provider sees of it, and what pods see when Redis is
//! killed, asleep, slow, flushed, closed to us, or holds something else. And what else changes while a replica runs.
//!
//! Where a lock period has to pass, replicas run in this process on shorter times; what only a process can show (a
//! `kill -9`, its log, its exit code) is shown by processes.

#![allow(clippy::unwrap_used, missing_debug_implementations, reason = "tests")]
#![allow(clippy::float_cmp, reason = "counters hold whole numbers")]

mod accounts;
#[path = "../support/api_server.rs"]
mod api_server;
mod callers;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/command.rs"]
mod command;
mod grid;
mod handover;
mod killed;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/mount.rs"]
mod mount;
mod outages;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/prometheus_text.rs"]
mod prometheus_text;
#[path = "../support/redis.rs"]
mod redis;
mod replay;
mod replicas;
mod requests;
mod roles;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/server.rs"]
mod server;
#[path = "../support/slow_proxy.rs"]
mod slow_proxy;
mod slowness;
mod takeover;
mod token;
mod trimming;
mod unusable;
#[path = "../support/upstream.rs"]
mod upstream;
#[path = "../support/waiting.rs"]
mod waiting;
