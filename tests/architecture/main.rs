//! The shape of the source tree, read from the source itself: who may import whom, where a clock may be read, and how
//! files begin and end.
#![expect(clippy::unwrap_used, reason = "tests")]

mod imports;
mod source;

use crate::source::{files_below, sources};

/// Crates that bring a runtime, a wire or a clock's worth of state: none of them has a place in the domain.
const NOT_IN_THE_DOMAIN: [&str; 15] = [
    "arc_swap",
    "axum",
    "clap",
    "fred",
    "http",
    "hyper",
    "hyper_util",
    "k8s_openapi",
    "kube",
    "prometheus",
    "rustls",
    "tokio",
    "tokio_util",
    "tower",
    "tracing",
];

/// Reads of a clock; time comes in as an argument everywhere but in one file.
const CLOCK_READS: [&str; 6] = [
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "UNIX_EPOCH.elapsed",
    "SystemTime::UNIX_EPOCH",
];
const CLOCK_FILE: &str = "clock.rs";

/// Lines of one file, its own tests included: above this it is about more than one thing.
const MOST_LINES: usize = 400;

#[test]
fn the_domain_uses_no_runtime_and_no_wire() {
    for file in sources().iter().filter(|file| file.room() == "domain") {
        for library in NOT_IN_THE_DOMAIN {
            let named = file.code.match_indices(&format!("{library}::")).any(|(position, _)| {
                !file.code[..position].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
            });
            assert!(!named, "src/{} uses {library}", file.path);
        }
        assert!(!file.code.contains("async "), "src/{} waits for something", file.path);
    }
}

#[test]
fn only_one_file_reads_a_clock() {
    for file in sources() {
        for read in CLOCK_READS {
            let reads = file.code.contains(read);
            assert!(
                !reads || file.path == CLOCK_FILE,
                "src/{} has {read}: take the time as an argument",
                file.path
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for root in ["src", "tests", "benches"] {
        for file in files_below(root) {
            let first = file.text.lines().next().unwrap_or_default();
            let says = first.strip_prefix("//! ").is_some_and(|purpose| purpose.len() > 10);
            assert!(says, "{root}/{} begins with {first:?}, not with //! and its purpose", file.path);
        }
    }
}

#[test]
fn no_file_is_about_too_much() {
    for root in ["src", "tests", "benches"] {
        for file in files_below(root) {
            let lines = file.text.lines().count();
            assert!(lines <= MOST_LINES, "{root}/{} has {lines} lines, more than {MOST_LINES}", file.path);
        }
    }
}

#[test]
fn no_module_hides_in_a_mod_rs() {
    assert!(sources().iter().all(|file| !file.path.ends_with("mod.rs")));
}
