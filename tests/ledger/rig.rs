//! Ledgers that are written as the program writes them, and read as it reads them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use eco_pulse::audit::file::{FileOptions, LedgerFile};
use eco_pulse::audit::ledger::Ledger;
use eco_pulse::audit::read::{Span, read_file};
use eco_pulse::audit::segments::segments;
use eco_pulse::audit::verify::{Verified, Verifier};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::entry::entry;

pub const NOON: &str = "2026-06-01T12:00:00Z";

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A folder with a ledger's file.
pub struct Kept {
    _dir: TempDir,
    pub file: PathBuf,
    segment_bytes: u64,
}

impl Kept {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { file: dir.path().join("ledger.jsonl"), _dir: dir, segment_bytes: 1500 }
    }

    pub fn in_one_file() -> Self {
        Self { segment_bytes: u64::MAX, ..Self::new() }
    }

    /// Usually segments of two records or so; kept for ten days.
    pub fn options(&self) -> FileOptions {
        FileOptions {
            segment_bytes: self.segment_bytes,
            clock_patience: Duration::ZERO,
            ..FileOptions::new(self.file.clone(), SignedDuration::from_hours(240))
        }
    }

    /// A process of that name writes a record at each of these times, and ends in good order.
    pub fn written_by(&self, replica: &str, times: impl IntoIterator<Item = Timestamp>) -> &Self {
        self.written_with(self.options(), replica, times)
    }

    /// The same with other options.
    pub fn written_with(
        &self,
        options: FileOptions,
        replica: &str,
        times: impl IntoIterator<Item = Timestamp>,
    ) -> &Self {
        let keep = Box::new(LedgerFile::open(options).unwrap());
        let (ledger, writer) =
            Ledger::start_kept(replica.to_owned(), None, Some(keep), Box::new(|_| {})).unwrap();
        for at in times {
            while ledger.offer(entry(at)).is_err() {
                std::thread::yield_now();
            }
        }
        writer.close();
        self
    }

    /// The same, a second between two.
    pub fn written(&self, records: i64) -> &Self {
        self.written_by("one", (0..records).map(|second| at(NOON) + SignedDuration::from_secs(second)))
    }

    pub fn paths(&self) -> Vec<PathBuf> {
        segments(&self.file).unwrap().into_iter().map(|segment| segment.path).collect()
    }

    pub fn verify(&self) -> Verified {
        self.verify_to(None)
    }

    pub fn verify_to(&self, head: Option<&str>) -> Verified {
        verify(&self.file, head)
    }
}

fn verify(file: &Path, head: Option<&str>) -> Verified {
    let mut verifier = Verifier::new(head);
    read_file(file, Span::ALL, &mut verifier).unwrap();
    verifier.finish()
}

/// Name, records and whether it is whole, of each chain.
pub fn chains(verified: &Verified) -> Vec<(&str, u64, bool)> {
    let chains = verified.chains.iter();
    chains.map(|chain| (chain.name.as_str(), chain.records, chain.broken.is_none())).collect()
}
