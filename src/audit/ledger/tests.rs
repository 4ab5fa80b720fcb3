//! The ledger alone, and with something that keeps its lines.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::audit::entry::{DecisionIds, Endpoint, Subject};
use crate::config::Mode;
use crate::domain::{BypassReason, Decision};

fn entry() -> Entry {
    Entry {
        at: Timestamp::UNIX_EPOCH,
        id: DecisionIds::new(1).next(),
        endpoint: Endpoint::Mutate,
        subject: Subject::default(),
        dry_run: false,
        mode: Mode::Steer,
        policies: Vec::new(),
        decision: Decision::bypass(BypassReason::NoRequests),
        demand: None,
        snapshot: None,
        duration: Duration::ZERO,
    }
}

struct Defect;

impl Write for Defect {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        std::panic::resume_unwind(Box::new("defect"))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_writer_that_ends_by_a_defect_is_noticed() {
    let (ledger, mut writer) = Ledger::start("test".to_owned(), Some(Box::new(Defect))).unwrap();
    let ended = writer.ended();
    ledger.offer(entry()).unwrap();
    ended.await;
}

#[tokio::test]
async fn a_writer_that_is_closed_has_written_everything() {
    let (ledger, mut writer) = Ledger::start("test".to_owned(), None).unwrap();
    let ended = writer.ended();
    for _ in 0..10 {
        ledger.offer(entry()).unwrap();
    }
    writer.close();
    ended.await;
    let recent: Vec<serde_json::Value> = serde_json::from_str(&ledger.recent_json()).unwrap();
    let numbers: Vec<u64> = recent.iter().filter_map(|record| record["seq"].as_u64()).collect();
    assert_eq!(numbers, (1..=10).rev().collect::<Vec<_>>());
    assert_eq!(recent[0]["hash"], ledger.head().link.hash);
    assert!(ledger.offer(entry()).is_err(), "nobody writes any more");
}
