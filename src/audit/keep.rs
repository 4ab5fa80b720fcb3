//! What the ledger's thread asks of whatever keeps its lines, and what it tells those who watch.

use std::fmt;

use jiff::Timestamp;
use tokio::sync::oneshot;

use super::chain::Link;

/// Who waits until a line is kept.
pub type Waiter = oneshot::Sender<()>;

/// Keeps lines. All of it is called from the ledger's thread; no request waits for it.
pub trait Keep: Send {
    /// Where the chain goes on. Asked once, before the first record; may take a moment.
    fn resume(&mut self) -> Resume;

    /// Whether the chain cannot go on: the next record begins another one.
    fn is_refused(&self) -> bool {
        false
    }

    /// Keeps one record's line, which ends in a newline. `when_kept` is told once it is where it outlives the process, which may
    /// be later, and dropped when it will never be.
    ///
    /// # Errors
    /// It is not kept.
    fn keep(&mut self, line: &Line<'_>, when_kept: Option<Waiter>) -> Result<(), NotKept>;

    /// The last call: what was taken is to be safe.
    fn close(&mut self) {}
}

/// A record on its way.
#[derive(Clone, Copy, Debug)]
pub struct Line<'l> {
    /// Its chain.
    pub chain: &'l str,
    /// Its number.
    pub seq: u64,
    /// When it was made.
    pub at: Timestamp,
    /// The JSON, and a newline.
    pub text: &'l str,
}

/// Where a chain goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume {
    /// After this record; before the first where nothing is kept.
    After(Link),
    /// Nobody knows: another chain has to begin.
    Unknown,
}

/// A line was not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotKept;

/// What those who watch a ledger are told.
#[derive(Clone, Copy, Debug)]
pub enum Event<'e> {
    /// A record was chained, or the chain goes on after one that an earlier process wrote.
    Head {
        /// Its chain.
        replica: &'e str,
        /// Its number.
        seq: u64,
        /// Its hash.
        hash: &'e str,
        /// When it was made; `None` for an earlier process's.
        at: Option<Timestamp>,
    },
    /// A record was written, and not kept.
    NotKept,
}

/// Told of every event, in the ledger's thread.
pub type Observer = Box<dyn Fn(Event<'_>) + Send>;

impl fmt::Debug for dyn Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keep")
    }
}

/// Tells who waits that the line is kept.
pub(super) fn tell(waiter: Option<Waiter>) {
    // Whoever waited may be gone.
    let _ = waiter.map(|waiter| waiter.send(()));
}

/// The name of a chain that begins because the one of `replica` cannot go on.
pub(super) fn another_chain(replica: &str) -> String {
    // Without randomness the name says at least that it is another chain.
    format!("{replica}~{:08x}", getrandom::u32().unwrap_or_default())
}
