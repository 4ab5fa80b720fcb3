//! The store's contract, kept by the one in memory and by the one on a real Redis; and what Redis alone can do wrong.
#![expect(clippy::unwrap_used, reason = "tests")]

mod access;
mod contract;
mod foreign;
mod outages;
mod past;
#[path = "../support/redis.rs"]
mod redis;
mod rig;
mod sharing;
#[path = "../support/slow_proxy.rs"]
mod slow_proxy;
mod topology;
