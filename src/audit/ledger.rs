//! The ledger: takes entries in order, writes each as one JSON line on standard output, keeps the recent ones for
//! `/decisions`, and chains them by hash so that a changed or missing line shows.
//!
//! A request hands an entry over and goes on. When the writer cannot keep up, or standard output blocks, entries are
//! dropped and counted; no request ever waits for them.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use super::entry::Entry;
use super::record::DecisionRecord;

/// Entries waiting to be written. At 10,000 decisions a second this rides out a writer that stalls for 0.4 s.
const QUEUE_LENGTH: usize = 4096;
/// Scored regions waiting with them, 30 to an entry. One takes about 280 bytes, so all of them take about 35 MB however
/// many regions are configured.
const QUEUED_SCORES: usize = 30 * QUEUE_LENGTH;
/// Records kept for `/decisions`.
const RECENT_LENGTH: usize = 200;
/// What the first record of a process has for `prev`.
pub const FIRST_PREV: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What is handed to the writer.
enum Message {
    Entry(Box<Entry>),
    Close,
}

/// Where requests leave their entries.
#[derive(Clone, Debug)]
pub struct Ledger {
    queue: SyncSender<Message>,
    queued_scores: Arc<AtomicUsize>,
    recent: Arc<Mutex<Recent>>,
}

/// The last records and the head of the chain.
#[derive(Debug)]
struct Recent {
    lines: VecDeque<String>,
    head: String,
}

/// The entry could not be taken: the queue is full or its writer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped;

/// The thread that writes; joins on [`Writer::close`].
#[derive(Debug)]
pub struct Writer {
    queue: SyncSender<Message>,
    thread: JoinHandle<()>,
    ended: oneshot::Receiver<()>,
}

impl Ledger {
    /// Starts a ledger that writes to `out`, when there is one, in the name of `replica`.
    ///
    /// # Errors
    /// The operating system refuses another thread.
    pub fn start(replica: String, out: Option<Box<dyn Write + Send>>) -> std::io::Result<(Self, Writer)> {
        let (queue, entries) = sync_channel(QUEUE_LENGTH);
        let queued_scores = Arc::new(AtomicUsize::new(0));
        let recent = Arc::new(Mutex::new(Recent { lines: VecDeque::new(), head: FIRST_PREV.to_owned() }));
        let (alive, ended) = oneshot::channel();
        let thread = {
            let (queued_scores, recent) = (queued_scores.clone(), recent.clone());
            std::thread::Builder::new().name("ledger".to_owned()).spawn(move || {
                // Dropped with the thread, however it ends.
                let _alive: oneshot::Sender<()> = alive;
                write_all(&entries, &queued_scores, &replica, out, &recent);
            })?
        };
        Ok((Self { queue: queue.clone(), queued_scores, recent }, Writer { queue, thread, ended }))
    }

    /// Hands an entry over.
    ///
    /// # Errors
    /// It was dropped; the caller counts it.
    pub fn offer(&self, entry: Entry) -> Result<(), Dropped> {
        let scores = entry.decision.scores.len();
        let queued = self.queued_scores.fetch_add(scores, Ordering::Relaxed);
        let taken =
            queued + scores <= QUEUED_SCORES && self.queue.try_send(Message::Entry(Box::new(entry))).is_ok();
        if taken {
            return Ok(());
        }
        self.queued_scores.fetch_sub(scores, Ordering::Relaxed);
        Err(Dropped)
    }

    /// The recent records as a JSON array, newest first.
    #[must_use]
    pub fn recent_json(&self) -> String {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = recent.lines.iter().rev().map(String::as_str).collect();
        format!("[{}]", lines.join(","))
    }

    /// Hash of the last record: what shows whether the end of a chain was cut off.
    #[must_use]
    pub fn head(&self) -> String {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).head.clone()
    }
}

impl Writer {
    /// Writes what was handed over before this call, then ends.
    pub fn close(self) {
        // The only failure is a writer that has ended already.
        let _ = self.queue.send(Message::Close);
        let _ = self.thread.join();
    }

    /// Ends when the thread does, which only [`Writer::close`] should make it do.
    pub fn ended(&mut self) -> impl Future<Output = ()> + Send + 'static {
        let (_, never_started) = oneshot::channel();
        let ended = std::mem::replace(&mut self.ended, never_started);
        async move {
            // The thread only drops its side.
            let _: Result<(), _> = ended.await;
        }
    }
}

fn write_all(
    entries: &Receiver<Message>,
    queued_scores: &AtomicUsize,
    replica: &str,
    mut out: Option<Box<dyn Write + Send>>,
    recent: &Mutex<Recent>,
) {
    let mut prev = FIRST_PREV.to_owned();
    let mut seq = 0;
    let mut out_is_broken = false;
    while let Ok(Message::Entry(entry)) = entries.recv() {
        seq += 1;
        let chained = chain(&DecisionRecord::new(&entry, replica, seq), &prev);
        queued_scores.fetch_sub(entry.decision.scores.len(), Ordering::Relaxed);
        drop(entry);
        let (mut line, hash) = match chained {
            Ok(chained) => chained,
            Err(error) => {
                tracing::error!(%error, seq, "decision record cannot be written as JSON");
                continue;
            }
        };
        prev.clone_from(&hash);
        // Before it is written: who has read the line finds it in memory too, and so does who cannot read it.
        remember(recent, line.clone(), hash);
        if let Some(writer) = &mut out {
            // In one write: a line that is cut off by the process's end has lost its end, not only its newline.
            line.push('\n');
            let written = writer.write_all(line.as_bytes());
            match (&written, out_is_broken) {
                (Err(error), false) => tracing::error!(%error, "decision log cannot be written"),
                (Ok(()), true) => tracing::info!(seq, "decision log is written again"),
                _ => {}
            }
            out_is_broken = written.is_err();
        }
    }
}

fn remember(recent: &Mutex<Recent>, line: String, hash: String) {
    let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
    if recent.lines.len() == RECENT_LENGTH {
        recent.lines.pop_front();
    }
    recent.lines.push_back(line);
    recent.head = hash;
}

/// The record's line with `prev` and `hash` at its end, and the hash: SHA-256, in hex, over `prev` and the line
/// without `hash`.
fn chain(record: &DecisionRecord<'_>, prev: &str) -> Result<(String, String), serde_json::Error> {
    let mut line = serde_json::to_string(record)?;
    line.pop();
    line.push_str(r#","prev":""#);
    line.push_str(prev);
    line.push_str("\"}");
    let mut digest = Sha256::new();
    digest.update(prev.as_bytes());
    digest.update(line.as_bytes());
    let hash = hex(&digest.finalize());
    line.pop();
    line.push_str(r#","hash":""#);
    line.push_str(&hash);
    line.push_str("\"}");
    Ok((line, hash))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
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
        assert_eq!(recent[0]["hash"], ledger.head());
        assert!(ledger.offer(entry()).is_err(), "nobody writes any more");
    }
}
