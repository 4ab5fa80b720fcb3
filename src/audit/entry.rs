//! A decision as a request hands it to the ledger: the facts by value, nothing formatted yet.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::config::Mode;
use crate::domain::{Decision, PodDemand, Snapshot};

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// The API server, at admission.
    Mutate,
    /// The scheduler, which nodes to keep.
    Filter,
    /// The scheduler, which nodes to like.
    Prioritize,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 3] = [Self::Mutate, Self::Filter, Self::Prioritize];

    /// The endpoint in metrics and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mutate => "mutate",
            Self::Filter => "filter",
            Self::Prioritize => "prioritize",
        }
    }
}

/// Joins a pod's annotation, its records and what really happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DecisionId {
    process: u64,
    number: u64,
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:x}", self.process, self.number)
    }
}

impl std::str::FromStr for DecisionId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (process, number) = text.split_once('-').ok_or(())?;
        let hex = |text: &str| u64::from_str_radix(text, 16).map_err(|_| ());
        let id = Self { process: hex(process)?, number: hex(number)? };
        // One spelling only: an id is compared as text elsewhere.
        if id.to_string() == text { Ok(id) } else { Err(()) }
    }
}

/// Gives out ids that no other process gives out: a random number for the process, then counting.
#[derive(Debug)]
pub struct DecisionIds {
    process: u64,
    next: AtomicU64,
}

impl DecisionIds {
    /// Ids that start with `process`, a random number.
    #[must_use]
    pub const fn new(process: u64) -> Self {
        Self { process, next: AtomicU64::new(1) }
    }

    /// The next id.
    pub fn next(&self) -> DecisionId {
        DecisionId { process: self.process, number: self.next.fetch_add(1, Ordering::Relaxed) }
    }
}

/// Who the decision was for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// The review's uid, or the pod's where there is no review.
    pub uid: String,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name, or the prefix of the name to come.
    pub pod: String,
    /// Kind and name of its controller.
    pub owner: Option<(String, String)>,
}

/// One decision, as made.
#[derive(Clone, Debug)]
pub struct Entry {
    /// When it was made.
    pub at: Timestamp,
    /// Its id.
    pub id: DecisionId,
    /// Who asked.
    pub endpoint: Endpoint,
    /// For whom.
    pub subject: Subject,
    /// Whether only a rehearsal was asked for: then nothing is written or counted.
    pub dry_run: bool,
    /// What becomes of it.
    pub mode: Mode,
    /// Names of the placement policies that applied.
    pub policies: Vec<String>,
    /// The decision.
    pub decision: Decision,
    /// What the pod asked for; `None` when it did not come to that.
    pub demand: Option<PodDemand>,
    /// What was known; `None` when nothing was.
    pub snapshot: Option<Arc<Snapshot>>,
    /// From the request's arrival to the answer.
    pub duration: Duration,
}
