//! The machine's clock, put on or back while the program runs: what it knows is then too old, or of a time to come, and is used as long
//! as that is honest.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::{Fault, Manner};
use crate::command::eco_pulse;
use crate::scene::Props;
use crate::trial::{Budget, Expect, Row};

const TOO_OLD: Expect = Expect::Opened(&["stale_snapshot"]);
/// What was read is of an hour to come, and no provider has another yet.
const TO_COME: Expect = Expect::Opened(&["baseline_unknown"]);

pub const ALL: &[Fault] = &[
    Fault {
        name: "clock put on",
        broken: "by six hours",
        run: |fault, how| Box::pin(moved(fault, how, "+6h", TOO_OLD)),
    },
    Fault {
        name: "clock put back",
        broken: "by six hours",
        run: |fault, how| Box::pin(moved(fault, how, "-6h", TO_COME)),
    },
];

/// A file that says how far the clock is off, looked at with each look at the clock.
struct Hands(TempDir);

impl Hands {
    fn new() -> Self {
        let hands = Self(tempfile::tempdir().unwrap());
        hands.set("+0");
        hands
    }

    fn set(&self, offset: &str) {
        let new = self.0.path().join("new");
        fs::write(&new, offset).unwrap();
        fs::rename(new, self.0.path().join("offset")).unwrap();
    }
}

/// Debian's `libfaketime`: gives a program another time of day, and the real passing of time.
fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten();
    folders.map(|folder| folder.path().join("faketime/libfaketimeMT.so.1")).find(|library| library.is_file())
}

async fn moved(fault: &'static Fault, how: Manner, by: &str, expect: Expect) -> Option<Row> {
    let Some(library) = library() else {
        println!("  skipped: no libfaketime (apt-get install libfaketime)");
        return None;
    };
    let hands = Hands::new();
    let mut command = eco_pulse();
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", hands.0.path().join("offset"));
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let (_scene, mut trial) = fault.begins(how, Props { command: Some(command), ..Props::default() }).await;
    hands.set(by);
    trial.becomes(&expect).await;
    trial.notes_counters().await;
    trial.pods(how.pods, expect, Budget::Answers).await;
    trial.compares_counters().await;
    hands.set("+0");
    trial.recovers().await;
    Some(trial.ends())
}
