//! The ledger: takes entries in order, chains them by hash so that a changed or missing line shows, writes each as one
//! JSON line on standard output, hands it to what keeps lines, and remembers the recent ones for `/decisions`.
//!
//! A request hands an entry over and goes on. When the writer cannot keep up, or standard output blocks, entries are
//! dropped and counted; no request ever waits for them.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::oneshot;

use super::chain::{Head, Link, Sealed, seal};
use super::entry::Entry;
use super::keep::{Event, Keep, Line, Observer, Resume, Waiter, another_chain, tell};
use super::record::DecisionRecord;

/// Entries waiting to be written. At 10,000 decisions a second this rides out a writer that stalls for 0.4 s.
const QUEUE_LENGTH: usize = 4096;
/// Scored regions waiting with them, 30 to an entry. One takes about 280 bytes, so all of them take about 35 MB however
/// many regions are configured.
const QUEUED_SCORES: usize = 30 * QUEUE_LENGTH;
/// What a scored region takes, for records that come as text.
const SCORE_BYTES: usize = 280;
/// Records kept for `/decisions`.
const RECENT_LENGTH: usize = 200;

/// What is handed to the writer.
enum Message {
    Entry(Box<Entry>),
    /// A record of another kind: a JSON object without its closing brace.
    Open(Timestamp, String, Waiter),
    Close,
}

impl Message {
    /// What it takes of the queue, in scored regions.
    fn weight(&self) -> usize {
        match self {
            Self::Entry(entry) => entry.decision.scores.len(),
            Self::Open(_, text, _) => text.len().div_ceil(SCORE_BYTES),
            Self::Close => 0,
        }
    }
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
    head: Head,
}

/// The entry could not be taken: the queue is full or its writer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ledger does not take the record now")]
pub struct Dropped;

/// The thread that writes; joins on [`Writer::close`].
#[derive(Debug)]
pub struct Writer {
    queue: SyncSender<Message>,
    thread: JoinHandle<()>,
    ended: oneshot::Receiver<()>,
}

impl Ledger {
    /// Starts a ledger that writes to `out`, when there is one, in the name of `replica`, and keeps nothing.
    ///
    /// # Errors
    /// The operating system refuses another thread.
    pub fn start(replica: String, out: Option<Box<dyn Write + Send>>) -> std::io::Result<(Self, Writer)> {
        Self::start_kept(replica, out, None, Box::new(|_| {}))
    }

    /// The same, with something that keeps the lines, and somebody who is told.
    ///
    /// # Errors
    /// The operating system refuses another thread.
    pub fn start_kept(
        replica: String,
        out: Option<Box<dyn Write + Send>>,
        keep: Option<Box<dyn Keep>>,
        observer: Observer,
    ) -> std::io::Result<(Self, Writer)> {
        let (queue, messages) = sync_channel(QUEUE_LENGTH);
        let queued_scores = Arc::new(AtomicUsize::new(0));
        let head = Head { replica: replica.clone(), link: Link::first() };
        let recent = Arc::new(Mutex::new(Recent { lines: VecDeque::new(), head: head.clone() }));
        let (alive, ended) = oneshot::channel();
        let chain = Chain {
            own: replica,
            head,
            stored: None,
            recent: recent.clone(),
            out,
            out_is_broken: false,
            keep,
            observer,
        };
        let thread = {
            let queued_scores = queued_scores.clone();
            std::thread::Builder::new().name("ledger".to_owned()).spawn(move || {
                // Dropped with the thread, however it ends.
                let _alive: oneshot::Sender<()> = alive;
                chain.write_all(&messages, &queued_scores);
            })?
        };
        Ok((Self { queue: queue.clone(), queued_scores, recent }, Writer { queue, thread, ended }))
    }

    /// Hands an entry over.
    ///
    /// # Errors
    /// It was dropped; the caller counts it.
    pub fn offer(&self, entry: Entry) -> Result<(), Dropped> {
        self.hand_over(Message::Entry(Box::new(entry)))
    }

    /// Hands over a record of another kind, made at `at`: a JSON object with its own `schema`, `record` and `ts`. The
    /// ledger adds `replica`, `seq`, `prev` and `hash` at its end, and it takes its place in the chain. What is returned is told
    /// once the record is kept, and closed when it will not be; where nothing is kept, once it is written.
    ///
    /// # Errors
    /// It was dropped, or is no object with members, which is a defect and logged; the caller counts it.
    pub fn append(&self, at: Timestamp, record: &impl Serialize) -> Result<oneshot::Receiver<()>, Dropped> {
        let text = serde_json::to_string(record).map_err(|error| error.to_string());
        let text = text.and_then(|text| {
            let is_object = text.starts_with("{\"") && text.ends_with('}');
            if is_object { Ok(text) } else { Err("it is no object with members".to_owned()) }
        });
        match text {
            Ok(mut text) => {
                text.pop();
                let (waiter, kept) = oneshot::channel();
                self.hand_over(Message::Open(at, text, waiter)).map(|()| kept)
            }
            Err(problem) => {
                tracing::error!(problem, "a record cannot be written as JSON");
                Err(Dropped)
            }
        }
    }

    fn hand_over(&self, message: Message) -> Result<(), Dropped> {
        let weight = message.weight();
        let queued = self.queued_scores.fetch_add(weight, Ordering::Relaxed);
        let taken = queued + weight <= QUEUED_SCORES && self.queue.try_send(message).is_ok();
        if taken {
            return Ok(());
        }
        self.queued_scores.fetch_sub(weight, Ordering::Relaxed);
        Err(Dropped)
    }

    /// The recent records as a JSON array, newest first.
    #[must_use]
    pub fn recent_json(&self) -> String {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = recent.lines.iter().rev().map(String::as_str).collect();
        format!("[{}]", lines.join(","))
    }

    /// The last record: what shows whether the end of a chain was cut off.
    #[must_use]
    pub fn head(&self) -> Head {
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

/// The thread's own.
struct Chain {
    /// The replica's name.
    own: String,
    head: Head,
    /// The last record that was kept; `None` while all are.
    stored: Option<Link>,
    recent: Arc<Mutex<Recent>>,
    out: Option<Box<dyn Write + Send>>,
    out_is_broken: bool,
    keep: Option<Box<dyn Keep>>,
    observer: Observer,
}

impl Chain {
    fn write_all(mut self, messages: &Receiver<Message>, queued_scores: &AtomicUsize) {
        self.resume();
        while let Ok(message) = messages.recv() {
            let weight = message.weight();
            if self.keep.as_ref().is_some_and(|keep| keep.is_refused()) {
                self.begin_anew();
            }
            let (at, open, waiter) = match message {
                Message::Close => break,
                Message::Entry(entry) => (entry.at, self.opened(&entry), None),
                Message::Open(at, text, waiter) => (at, Ok(self.numbered(text)), Some(waiter)),
            };
            queued_scores.fetch_sub(weight, Ordering::Relaxed);
            match open {
                Ok(open) => self.write(at, open, waiter),
                Err(error) => tracing::error!(%error, "decision record cannot be written as JSON"),
            }
        }
        if let Some(keep) = &mut self.keep {
            keep.close();
        }
    }

    fn resume(&mut self) {
        match self.keep.as_mut().map(|keep| keep.resume()) {
            None => self.stored = None,
            Some(Resume::After(link)) => {
                self.stored = None;
                self.head.link = link;
                self.show_head(None);
            }
            Some(Resume::Unknown) => self.begin_anew(),
        }
    }

    fn begin_anew(&mut self) {
        self.stored = None;
        self.head = Head { replica: another_chain(&self.own), link: Link::first() };
        tracing::warn!(chain = self.head.replica, "the chain of records cannot go on: another one begins");
        self.show_head(None);
    }

    fn show_head(&self, at: Option<Timestamp>) {
        let Head { replica, link: Link { seq, hash } } = &self.head;
        (self.observer)(Event::Head { replica, seq: *seq, hash, at });
        self.recent().head.clone_from(&self.head);
    }

    fn recent(&self) -> std::sync::MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A decision's record, without its closing brace.
    fn opened(&self, entry: &Entry) -> Result<String, serde_json::Error> {
        let record = DecisionRecord::new(entry, &self.head.replica, self.head.link.seq + 1);
        let mut open = serde_json::to_string(&record)?;
        open.pop();
        Ok(open)
    }

    /// A record of another kind with what is the chain's.
    fn numbered(&self, mut open: String) -> String {
        // A text is always written.
        let replica = serde_json::to_string(&self.head.replica).unwrap_or_default();
        // Nor does writing into a String fail.
        let _ = write!(open, r#","replica":{replica},"seq":{}"#, self.head.link.seq + 1);
        open
    }

    fn write(&mut self, at: Timestamp, mut open: String, mut waiter: Option<Waiter>) {
        if let Some(Link { seq, hash }) = &self.stored {
            // Whoever verifies what is kept has to know why records before this one are missing.
            let _ = write!(open, r#","stored":{{"seq":{seq},"hash":"{hash}"}}"#);
        }
        let Sealed { mut line, hash } = seal(open, &self.head.link.hash);
        let next = Link { seq: self.head.link.seq + 1, hash };
        let before = std::mem::replace(&mut self.head.link, next);
        // Before it is written: who has read the line finds it in memory too, and so does who cannot read it.
        self.remember(line.clone());
        self.show_head(Some(at));
        // In one write: a line that is cut off by the process's end has lost its end, not only its newline.
        line.push('\n');
        if let Some(keep) = &mut self.keep {
            let of = Line { chain: &self.head.replica, seq: self.head.link.seq, at, text: &line };
            if keep.keep(&of, waiter.take()).is_ok() {
                self.stored = None;
            } else {
                self.stored.get_or_insert(before);
                (self.observer)(Event::NotKept);
            }
        }
        if let Some(writer) = &mut self.out {
            let written = writer.write_all(line.as_bytes());
            match (&written, self.out_is_broken) {
                (Err(error), false) => tracing::error!(%error, "decision log cannot be written"),
                (Ok(()), true) => tracing::info!(seq = self.head.link.seq, "decision log is written again"),
                _ => {}
            }
            self.out_is_broken = written.is_err();
        }
        tell(waiter);
    }

    fn remember(&self, line: String) {
        let mut recent = self.recent();
        if recent.lines.len() == RECENT_LENGTH {
            recent.lines.pop_front();
        }
        recent.lines.push_back(line);
    }
}
