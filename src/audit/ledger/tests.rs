//! The ledger alone, and with something that keeps its lines.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::audit::entry::{DecisionIds, Endpoint, Subject};
use crate::audit::keep::NotKept;
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

/// Keeps lines where a test sees them, as long as it is told to.
#[derive(Clone, Default)]
struct Kept {
    lines: Arc<Mutex<Vec<String>>>,
    is_full: Arc<std::sync::atomic::AtomicBool>,
    is_refused: Arc<std::sync::atomic::AtomicBool>,
}

impl Kept {
    fn records(&self) -> Vec<serde_json::Value> {
        self.lines.lock().unwrap().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

struct Shelf(Kept, Resume);

impl Keep for Shelf {
    fn resume(&mut self) -> Resume {
        self.1.clone()
    }

    fn is_refused(&self) -> bool {
        self.0.is_refused.swap(false, Ordering::SeqCst)
    }

    fn keep(&mut self, line: &Line<'_>, when_kept: Option<Waiter>) -> Result<(), NotKept> {
        if self.0.is_full.load(Ordering::SeqCst) {
            return Err(NotKept);
        }
        self.0.lines.lock().unwrap().push(line.text.to_owned());
        tell(when_kept);
        Ok(())
    }
}

/// A ledger that is kept, and its writer.
fn kept(resume: Resume) -> (Kept, Ledger, Writer) {
    let kept = Kept::default();
    let shelf = Box::new(Shelf(kept.clone(), resume));
    let (ledger, writer) =
        Ledger::start_kept("test".to_owned(), None, Some(shelf), Box::new(|_| {})).unwrap();
    (kept, ledger, writer)
}

/// Until the writer has written what it was given.
fn until_written(ledger: &Ledger, seq: u64) {
    while ledger.head().link.seq < seq || ledger.recent_json().matches("\"seq\"").count() == 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_chain_goes_on_after_what_was_kept() {
    let link = Link { seq: 41, hash: "a".repeat(64) };
    let (kept, ledger, writer) = kept(Resume::After(link.clone()));
    ledger.offer(entry()).unwrap();
    writer.close();
    let [record] = &kept.records()[..] else { panic!() };
    assert_eq!(
        (&record["seq"], &record["prev"], &record["replica"]),
        (&42.into(), &link.hash.into(), &"test".into())
    );
}

#[test]
fn another_chain_begins_where_nobody_knows_or_the_chain_is_refused() {
    let (kept, ledger, writer) = kept(Resume::Unknown);
    ledger.offer(entry()).unwrap();
    until_written(&ledger, 1);
    let first = ledger.head().replica;
    kept.is_refused.store(true, Ordering::SeqCst);
    ledger.offer(entry()).unwrap();
    writer.close();
    let records = kept.records();
    let second = ledger.head().replica;
    assert!(first.starts_with("test~") && second.starts_with("test~") && first != second);
    for (record, name) in records.iter().zip([first, second]) {
        assert_eq!((&record["replica"], &record["seq"]), (&name.into(), &1.into()));
    }
}

#[test]
fn a_record_after_some_that_were_not_kept_says_so() {
    let (kept, ledger, writer) = kept(Resume::After(Link::first()));
    ledger.offer(entry()).unwrap();
    until_written(&ledger, 1);
    // The writer may be between the two: only what comes from here on counts.
    while kept.records().is_empty() {}
    kept.is_full.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        ledger.offer(entry()).unwrap();
    }
    until_written(&ledger, 4);
    // Number 4 is in memory before it is kept, or not: one more tells.
    ledger.offer(entry()).unwrap();
    until_written(&ledger, 5);
    kept.is_full.store(false, Ordering::SeqCst);
    ledger.offer(entry()).unwrap();
    ledger.offer(entry()).unwrap();
    writer.close();
    let records = kept.records();
    let told: Vec<_> = records.iter().filter(|record| record["stored"].is_object()).collect();
    assert_eq!(told.len(), 1, "{records:?}");
    assert_eq!((&told[0]["stored"]["seq"], &told[0]["stored"]["hash"]), (&1.into(), &records[0]["hash"]));
}

#[test]
fn records_of_another_kind_take_their_place_in_the_chain() {
    let (kept, ledger, writer) = kept(Resume::After(Link::first()));
    ledger.offer(entry()).unwrap();
    let realised = serde_json::json!({"schema": 1, "record": "realised"});
    let told = ledger.append(Timestamp::UNIX_EPOCH, &realised).unwrap();
    assert_eq!(told.blocking_recv(), Ok(()), "it is kept");
    kept.is_full.store(true, Ordering::SeqCst);
    let told = ledger.append(Timestamp::UNIX_EPOCH, &realised).unwrap();
    assert!(told.blocking_recv().is_err(), "it will never be");
    kept.is_full.store(false, Ordering::SeqCst);
    ledger.offer(entry()).unwrap();
    assert!(ledger.append(Timestamp::UNIX_EPOCH, &[1]).is_err());
    assert!(ledger.append(Timestamp::UNIX_EPOCH, &serde_json::json!({})).is_err());
    writer.close();
    let records = kept.records();
    assert_eq!(records.iter().map(|record| record["seq"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 4]);
    assert_eq!((&records[1]["record"], &records[1]["replica"]), (&"realised".into(), &"test".into()));
    assert_eq!(records[2]["stored"]["hash"], records[1]["hash"]);
    for (one, next) in records[..2].iter().zip(&records[1..2]) {
        assert_eq!(next["prev"], one["hash"]);
    }
    let line = kept.lines.lock().unwrap()[1].trim_end().to_owned();
    assert_eq!(Link::after(line.as_bytes()).unwrap().seq, 2);
}
