//! The built binary, as an operator runs it: its listeners, records, exit codes and messages, its end, and its memory
//! under load.

#![allow(clippy::unwrap_used, missing_debug_implementations, reason = "tests")]
#![allow(
    clippy::float_cmp,
    reason = "counters hold whole numbers, and readings come back as they were given"
)]

mod certificates;
mod chain;
mod client;
mod command;
mod explain;
mod listeners;
mod load;
mod mount;
mod prometheus_text;
mod records;
mod refusals;
mod reload;
mod server;
mod shutdown;
mod standard_error;
mod standard_output;
