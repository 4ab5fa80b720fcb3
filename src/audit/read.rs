//! Reading what is kept of a ledger: who wants the lines, and a ledger in files.

use std::io;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::chain::Head;
use super::scan::Scanner;
use super::segments::segments;
use super::verify::{Place, StoredLine, Verifier};

/// Clocks are set: around a period, records of so much more are read.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// Takes the lines of a ledger, one source after another.
pub trait Visitor: Send + 'static {
    /// What comes next is of this file, or this chain.
    fn source(&mut self, name: &str);
    /// The next line.
    fn line(&mut self, line: StoredLine<'_>);
}

impl Visitor for Verifier {
    fn source(&mut self, name: &str) {
        Self::source(self, name);
    }

    fn line(&mut self, line: StoredLine<'_>) {
        Self::line(self, line);
    }
}

impl Visitor for Scanner {
    fn source(&mut self, _: &str) {}

    fn line(&mut self, line: StoredLine<'_>) {
        Self::line(self, line.bytes);
    }
}

/// Which records are of interest: what is surely of other times need not be read.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    from: Timestamp,
    to: Timestamp,
}

impl Span {
    /// Everything.
    pub const ALL: Self = Self { from: Timestamp::MIN, to: Timestamp::MAX };

    /// Those of `[from, to)`, and some around them.
    #[must_use]
    pub fn around(from: Timestamp, to: Timestamp) -> Self {
        Self {
            from: from.saturating_sub(MARGIN).unwrap_or(Timestamp::MIN),
            to: to.saturating_add(MARGIN).unwrap_or(Timestamp::MAX),
        }
    }

    /// Whether a time is before all that is of interest.
    #[must_use]
    pub fn begins_after(&self, at: Timestamp) -> bool {
        at < self.from
    }

    /// Whether a time is after all that is of interest.
    #[must_use]
    pub fn ends_before(&self, at: Timestamp) -> bool {
        at > self.to
    }
}

/// Reads a ledger in files, oldest first. It may be written meanwhile.
///
/// # Errors
/// A file cannot be read.
pub fn read_file(file: &Path, span: Span, visitor: &mut impl Visitor) -> io::Result<()> {
    visitor.source(&file.display().to_string());
    for segment in segments(file)? {
        let (first, last) = segment.span()?;
        let is_too_old = last.is_some_and(|last| span.begins_after(last)) && !segment.is_written();
        let is_too_new = first.is_some_and(|first| span.ends_before(first));
        if is_too_old || is_too_new {
            continue;
        }
        segment.read(|line| {
            let place = Place::Line { path: &segment.path, number: line.number };
            visitor.line(StoredLine { place, bytes: line.bytes, is_whole: line.is_whole });
        })?;
    }
    Ok(())
}

/// The last record that a ledger's files hold; `None` where there is none, or it is not as it was written.
///
/// # Errors
/// A file cannot be read.
pub fn file_head(file: &Path) -> io::Result<Option<Head>> {
    // The file that is being written may be empty.
    for segment in segments(file)?.iter().rev().take(2) {
        if let Some(head) = segment.head()? {
            return Ok(Some(head));
        }
    }
    Ok(None)
}

/// When the first and the last record that a ledger's files hold were made; `None` where there are none.
///
/// # Errors
/// A file cannot be read.
pub fn file_span(file: &Path) -> io::Result<Option<(Timestamp, Timestamp)>> {
    let mut found: Option<(Timestamp, Timestamp)> = None;
    for segment in segments(file)? {
        let (first, last) = segment.span()?;
        for at in [first, last].into_iter().flatten() {
            found = Some(found.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        }
    }
    Ok(found)
}
