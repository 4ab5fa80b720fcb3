//! Lines on their way from the ledger's thread to a task that may wait for a store: as many bytes as there is room for,
//! the rest is not kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver as StdReceiver, SyncSender, sync_channel};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::keep::{Keep, Line, NotKept, Resume, Waiter, tell};

/// Bytes that wait for the store at most: some 7,000 records of three regions.
pub const ROOM_BYTES: usize = 8 << 20;
/// What a waiting line takes beside its text.
const OVERHEAD_BYTES: usize = 64;
/// How long the first record waits until it is known where its chain goes on.
const RESUME_PATIENCE: Duration = Duration::from_secs(2);

/// A line that waits for the store.
#[derive(Debug)]
pub struct Waiting {
    /// Its chain.
    pub chain: Arc<str>,
    /// Its number.
    pub seq: u64,
    /// The JSON, without a newline.
    pub text: Bytes,
    when_stored: Option<Waiter>,
}

impl Waiting {
    fn size(&self) -> usize {
        self.text.len() + OVERHEAD_BYTES
    }
}

#[derive(Debug, Default)]
struct Shared {
    waiting_bytes: AtomicUsize,
    is_refused: AtomicBool,
}

/// The ledger's side.
#[derive(Debug)]
pub struct Sender {
    lines: UnboundedSender<Waiting>,
    shared: Arc<Shared>,
    resume: StdReceiver<Resume>,
    chain: Arc<str>,
    room_bytes: usize,
    is_full: bool,
}

/// The task's side.
#[derive(Debug)]
pub struct Receiver {
    lines: UnboundedReceiver<Waiting>,
    shared: Arc<Shared>,
    resume: Option<SyncSender<Resume>>,
    /// The first line of another chain than those given last.
    carried: Option<Waiting>,
}

/// Both sides, with room for so many bytes.
#[must_use]
pub fn handover(room_bytes: usize) -> (Sender, Receiver) {
    let (sender, receiver) = unbounded_channel();
    let (told, resume) = sync_channel(1);
    let shared = Arc::new(Shared::default());
    let of_task = Receiver { lines: receiver, shared: shared.clone(), resume: Some(told), carried: None };
    (Sender { lines: sender, shared, resume, chain: "".into(), room_bytes, is_full: false }, of_task)
}

impl Keep for Sender {
    fn resume(&mut self) -> Resume {
        self.resume.recv_timeout(RESUME_PATIENCE).unwrap_or(Resume::Unknown)
    }

    fn is_refused(&self) -> bool {
        self.shared.is_refused.swap(false, Ordering::AcqRel)
    }

    fn keep(&mut self, line: &Line<'_>, when_stored: Option<Waiter>) -> Result<(), NotKept> {
        if *self.chain != *line.chain {
            self.chain = line.chain.into();
        }
        let text = Bytes::copy_from_slice(line.text.trim_end_matches('\n').as_bytes());
        let waiting = Waiting { chain: self.chain.clone(), seq: line.seq, text, when_stored };
        let size = waiting.size();
        let before = self.shared.waiting_bytes.fetch_add(size, Ordering::AcqRel);
        let is_taken = before + size <= self.room_bytes && self.lines.send(waiting).is_ok();
        if !is_taken {
            self.shared.waiting_bytes.fetch_sub(size, Ordering::AcqRel);
        }
        match (is_taken, self.is_full) {
            (false, false) => tracing::error!(
                seq = line.seq,
                "the store has not taken records for too long; they are missing in it from here"
            ),
            (true, true) => tracing::info!(seq = line.seq, "records go to the store again"),
            _ => {}
        }
        self.is_full = !is_taken;
        if is_taken { Ok(()) } else { Err(NotKept) }
    }
}

impl Receiver {
    /// Tells where the chain goes on; nobody may be waiting any more.
    pub fn resume(&mut self, resume: Resume) {
        let _ = self.resume.take().map(|told| told.try_send(resume));
    }

    /// What has to be stored next: lines of one chain, at least one, at most so many bytes more than one. `None` when the
    /// ledger has ended and everything was given.
    pub async fn next(&mut self, most_bytes: usize) -> Option<Vec<Waiting>> {
        let first = match self.carried.take() {
            Some(first) => first,
            None => self.lines.recv().await?,
        };
        let (mut bytes, mut batch) = (first.text.len(), vec![first]);
        while bytes < most_bytes {
            let Ok(line) = self.lines.try_recv() else { break };
            if line.chain != batch[0].chain {
                self.carried = Some(line);
                break;
            }
            bytes += line.text.len();
            batch.push(line);
        }
        Some(batch)
    }

    /// Lines are done with, stored or not: there is room for others.
    pub fn done(&self, lines: Vec<Waiting>, are_stored: bool) {
        let size = lines.iter().map(Waiting::size).sum();
        self.shared.waiting_bytes.fetch_sub(size, Ordering::AcqRel);
        if are_stored {
            for line in lines {
                tell(line.when_stored);
            }
        }
    }

    /// The chain cannot go on in the store.
    pub fn refuse(&self) {
        self.shared.is_refused.store(true, Ordering::Release);
    }
}
