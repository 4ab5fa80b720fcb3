//! The unplug test: one thing after the other is broken while pods keep coming, and no pod may be refused, changed wrongly or held
//! up for it.
//!
//! The program is the built one, on a real Redis, with a grid API and a Kubernetes API server on loopback, and callers that behave as
//! kube-apiserver and kube-scheduler do. `cargo test --test chaos` tries every fault with few pods and judges no time, since a build
//! for tests is slow; `scripts/chaos.sh` tries the optimised program and judges the budgets too.
#![allow(clippy::unwrap_used, missing_debug_implementations, reason = "tests")]

#[path = "../support/api_server.rs"]
mod api_server;
mod callers;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/command.rs"]
mod command;
mod faults;
#[allow(dead_code, reason = "shared with the tests of several replicas")]
#[path = "../shared/grid.rs"]
mod grid;
mod judge;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/mount.rs"]
mod mount;
#[path = "../support/patched.rs"]
mod patched;
mod pods;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/prometheus_text.rs"]
mod prometheus_text;
#[path = "../support/redis.rs"]
mod redis;
mod scene;
#[allow(dead_code, reason = "shared with the tests of the process")]
#[path = "../process/server.rs"]
mod server;
#[path = "../support/slow_proxy.rs"]
mod slow_proxy;
mod soak;
mod stream;
mod table;
mod trial;
#[path = "../support/upstream.rs"]
mod upstream;

use std::process::ExitCode;
use std::time::Duration;

use faults::{Fault, Manner, Trying};

/// Judges time budgets too.
const TIMED: &str = "--timed";
const LIST: &str = "--list";
/// Then for how many minutes: `scripts/soak.sh`.
const SOAK: &str = "--soak=";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let timed = arguments.iter().any(|argument| argument == TIMED);
    // What is no option names faults; those of the usual test harness mean nothing here.
    let named: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let chosen: Vec<&'static Fault> = faults::all()
        .filter(|fault| named.is_empty() || named.iter().any(|name| fault.name.contains(name.as_str())))
        .collect();
    if arguments.iter().any(|argument| argument == LIST) {
        for fault in chosen {
            println!("{:<24}{}", fault.name, fault.broken);
        }
        return ExitCode::SUCCESS;
    }
    if chosen.is_empty() {
        eprintln!("no fault is called so: --list shows those there are");
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // On a thread of the runtime, where waiting for something else is allowed.
    let run = |trying: Trying| runtime.block_on(async { tokio::spawn(trying).await.unwrap() });
    if let Some(minutes) = arguments.iter().find_map(|argument| argument.strip_prefix(SOAK)) {
        let Ok(minutes) = minutes.parse::<u64>() else {
            eprintln!("{SOAK}\"{minutes}\": a number of minutes");
            return ExitCode::from(2);
        };
        println!("\nsoak");
        return match run(Box::pin(soak::run(Duration::from_secs(60 * minutes)))) {
            Some(row) => {
                table::show_problems(&row);
                ExitCode::from(u8::from(!row.problems.is_empty()))
            }
            None => ExitCode::SUCCESS,
        };
    }
    let how = Manner { pods: if timed { 60 } else { 10 }, timed };
    let (mut rows, mut skipped) = (Vec::new(), Vec::new());
    for fault in chosen {
        println!("\n{}", fault.name);
        match run((fault.run)(fault, how)) {
            Some(row) => {
                table::show(&row);
                rows.push(row);
            }
            None => skipped.push(fault.name),
        }
    }
    table::sum_up(&rows, &skipped, timed);
    let failed: Vec<&str> = rows.iter().filter(|row| !row.problems.is_empty()).map(|row| row.name).collect();
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("FAILED: {}", failed.join(", "));
    ExitCode::FAILURE
}
