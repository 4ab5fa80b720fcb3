//! The stored ledger: real files, a real Redis, and processes that are restarted, killed, out of disk and out of store.
//! Whatever is done to what is kept, `report --verify` finds it; whatever happens to where it is kept, pods are answered.

#![allow(clippy::unwrap_used, missing_debug_implementations, reason = "tests")]

#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/command.rs"]
mod command;
mod damage;
#[path = "../support/entry.rs"]
mod entry;
mod files;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/mount.rs"]
mod mount;
mod processes;
#[path = "../support/redis.rs"]
mod redis;
mod rig;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/server.rs"]
mod server;
mod streams;
