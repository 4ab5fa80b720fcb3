//! Whether what is kept of a ledger is what was written: every line's hash, and every link from one to the next.
//!
//! Pure and streaming: lines go in one by one, and memory does not grow with them. An unkeyed chain does not show that its
//! end was cut off; a head that was noted elsewhere does.

mod finding;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;

use super::chain::{FIRST_PREV, Link, Seal};
use super::record::SCHEMA;

pub use self::finding::{Broken, Finding, Notice};

/// Records that are remembered, to tell one that is there twice from one out of its order.
const REMEMBERED: usize = 256;

/// What is said of a chain at most.
const MOST_NOTICES: usize = 100;

/// A stored line.
#[derive(Clone, Copy, Debug)]
pub struct StoredLine<'l> {
    /// Where it is.
    pub place: Place<'l>,
    /// Without the newline.
    pub bytes: &'l [u8],
    /// Whether there was an end behind it.
    pub is_whole: bool,
}

/// Where a line is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'l> {
    /// In a file.
    Line {
        /// Which.
        path: &'l Path,
        /// The line, from 1.
        number: u64,
    },
    /// In a stream.
    Entry {
        /// Its key.
        key: &'l str,
        /// The entry's id; `7` for `7-0`.
        id: &'l str,
    },
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { path, number } => write!(f, "{}, line {number}", path.display()),
            Self::Entry { key, id } if id.contains('-') => write!(f, "{key}, entry {id}"),
            Self::Entry { key, id } => write!(f, "{key}, entry {id}-0"),
        }
    }
}

/// What was found of one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Its name: the replica that wrote its last record.
    pub name: String,
    /// Lines.
    pub records: u64,
    /// Number of its first record.
    pub first_seq: u64,
    /// Its last record that was in order.
    pub head: Link,
    /// When its first record was made.
    pub from: Option<Timestamp>,
    /// When its last record was made.
    pub to: Option<Timestamp>,
    /// What is odd and no fault, in order: a clock set back and a newer release once each, every gap by itself.
    pub notices: Vec<Notice>,
    /// The first broken link.
    pub broken: Option<Broken>,
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The chains, in the order they were read in.
    pub chains: Vec<Chain>,
    /// Whether the wanted head is a record, and all up to it is in order; `None` when none is wanted.
    pub head_found: Option<bool>,
}

impl Verified {
    /// Whether nothing is broken, and the wanted head is there.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.head_found != Some(false) && self.chains.iter().all(|chain| chain.broken.is_none())
    }
}

/// Verifies one source after another: a file with its segments, a stream.
#[derive(Debug, Default)]
pub struct Verifier {
    done: Verified,
    current: Option<Current>,
    wanted: Option<String>,
}

/// The chain that is being read.
#[derive(Debug)]
struct Current {
    chain: Chain,
    /// After the last line, in order or not.
    last: Link,
    remembered: VecDeque<(u64, String)>,
}

/// What of a record the chain depends on.
#[derive(Deserialize)]
struct Record {
    schema: u32,
    ts: Timestamp,
    replica: String,
    seq: u64,
    /// After records that never reached the store: the last one that did.
    #[serde(default)]
    stored: Option<Link>,
}

impl Verifier {
    /// Verifies, and looks for a record with the hash `head`, if one is wanted.
    #[must_use]
    pub fn new(head: Option<&str>) -> Self {
        let done = Verified { head_found: head.map(|_| false), ..Verified::default() };
        Self { done, current: None, wanted: head.map(str::to_owned) }
    }

    /// What comes now is of another source, called `name` while nothing else is known of it.
    pub fn source(&mut self, name: &str) {
        self.end_chain();
        self.current = Some(Current::new(name));
    }

    /// Takes the next line of a source.
    pub fn line(&mut self, line: StoredLine<'_>) {
        let read = read(line);
        if let Ok((record, seal)) = &read
            && self.current.as_ref().is_some_and(|current| current.is_followed_by_another(record, seal))
        {
            self.source(&record.replica.clone());
        }
        let wanted = self.wanted.as_deref();
        let current = self.current.get_or_insert_with(|| Current::new("ledger"));
        match read {
            Ok((record, seal)) => {
                current.take(&record, seal, line);
                let is_wanted = wanted == Some(seal.hash) && current.chain.broken.is_none();
                if is_wanted {
                    self.done.head_found = Some(true);
                }
            }
            Err(finding) => current.breaks(finding, None, line),
        }
    }

    /// Records behind the last line were removed for their age meanwhile: what comes is as if it were the first that is
    /// kept.
    pub fn forgotten(&mut self) {
        if let Some(current) = &mut self.current {
            current.begin_anew();
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> Verified {
        self.end_chain();
        self.done
    }

    fn end_chain(&mut self) {
        let ended = self.current.take().map(|current| current.chain);
        self.done.chains.extend(ended.filter(|chain| chain.records > 0 || chain.broken.is_some()));
    }
}

/// The record of a line that is as it was written.
fn read(line: StoredLine<'_>) -> Result<(Record, Seal<'_>), Finding> {
    if !line.is_whole {
        return Err(Finding::CutShort);
    }
    let Some(seal) = Seal::of(line.bytes) else {
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(line.bytes).is_ok();
        return Err(if is_json { Finding::Foreign } else { Finding::NotJson });
    };
    if !seal.is_true() {
        return Err(Finding::Changed);
    }
    let record: Record = serde_json::from_slice(line.bytes).map_err(|_| Finding::Foreign)?;
    Ok((record, seal))
}

impl Current {
    fn new(name: &str) -> Self {
        let chain = Chain {
            name: name.to_owned(),
            records: 0,
            first_seq: 0,
            head: Link::first(),
            from: None,
            to: None,
            notices: Vec::new(),
            broken: None,
        };
        Self { chain, last: Link::first(), remembered: VecDeque::new() }
    }

    /// What was broken stays so.
    fn begin_anew(&mut self) {
        let broken = self.chain.broken.take();
        *self = Self::new(&self.chain.name);
        self.chain.broken = broken;
    }

    /// Whether a record begins a chain of its own: what a process does that cannot go on with the old one.
    fn is_followed_by_another(&self, record: &Record, seal: &Seal<'_>) -> bool {
        record.seq == 1
            && seal.prev == FIRST_PREV
            && self.chain.records > 0
            && record.replica != self.chain.name
    }

    fn take(&mut self, record: &Record, seal: Seal<'_>, line: StoredLine<'_>) {
        let is_first = self.chain.records == 0;
        match self.link(record, seal, is_first) {
            Ok(notice) => {
                self.chain.notices.extend(notice.filter(|_| self.chain.notices.len() < MOST_NOTICES));
                if is_first {
                    self.chain.first_seq = record.seq;
                }
                if self.chain.broken.is_none() {
                    self.chain.head = Link { seq: record.seq, hash: seal.hash.to_owned() };
                }
            }
            Err(finding) => return self.breaks(finding, Some((record, seal)), line),
        }
        self.remember(record, seal);
    }

    /// Whether a record follows the last one.
    fn link(&self, record: &Record, seal: Seal<'_>, is_first: bool) -> Result<Option<Notice>, Finding> {
        let Link { seq: last, hash } = &self.last;
        if is_first {
            return match (record.seq, seal.prev == FIRST_PREV) {
                (1, false) | (0, _) => Err(Finding::NoBeginning),
                (1, true) => Ok(None),
                (seq, _) => Ok(Some(Notice::Begins { seq })),
            };
        }
        // Nothing follows the last number there is.
        if let Some(next) = last.checked_add(1) {
            if record.stored.as_ref() == Some(&self.last) && record.seq > next {
                let notice = Notice::NeverStored { from: next, to: record.seq - 1, told_by: record.seq };
                return Ok(Some(notice));
            }
            if record.seq == next {
                return if seal.prev == hash { Ok(None) } else { Err(Finding::OtherPast) };
            }
            if record.seq > next {
                return Err(Finding::Missing { from: next, to: record.seq - 1 });
            }
        }
        let known = self.remembered.iter().any(|(seq, hash)| *seq == record.seq && hash == seal.hash);
        Err(if known { Finding::Twice } else { Finding::OutOfOrder { after: *last } })
    }

    fn breaks(&mut self, finding: Finding, of: Option<(&Record, Seal<'_>)>, line: StoredLine<'_>) {
        let seq = of.map(|(record, _)| record.seq);
        let after = self.chain.records.gt(&0).then_some(self.last.seq);
        let broken = Broken { finding, seq, after, place: line.place.to_string() };
        self.chain.broken.get_or_insert(broken);
        match of {
            Some((record, seal)) => self.remember(record, seal),
            None => self.chain.records += 1,
        }
    }

    fn remember(&mut self, record: &Record, seal: Seal<'_>) {
        self.chain.records += 1;
        self.last = Link { seq: record.seq, hash: seal.hash.to_owned() };
        if self.remembered.len() == REMEMBERED {
            self.remembered.pop_front();
        }
        self.remembered.push_back((record.seq, seal.hash.to_owned()));
        let chain = &mut self.chain;
        if chain.to.is_some_and(|before| record.ts < before) {
            notice_once(&mut chain.notices, Notice::ClockBack { seq: record.seq });
        }
        if record.schema > SCHEMA {
            notice_once(&mut chain.notices, Notice::Newer { seq: record.seq, schema: record.schema });
        }
        chain.from.get_or_insert(record.ts);
        chain.to = Some(record.ts);
        if chain.name != record.replica {
            chain.name.clone_from(&record.replica);
        }
    }
}

fn notice_once(notices: &mut Vec<Notice>, notice: Notice) {
    if !notices.iter().any(|known| std::mem::discriminant(known) == std::mem::discriminant(&notice)) {
        notices.push(notice);
    }
}
