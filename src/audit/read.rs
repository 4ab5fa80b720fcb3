//! Reading what is kept of a ledger: who wants the lines, and a ledger in files.

use std::io;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::chain::Head;
use super::scan::Scanner;
use super::segments::{Segment, segments};
use super::verify::{Place, StoredLine, Verifier};

/// Clocks are set: around a period, records of so much more are read.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// Between two words of progress.
const TELL_EVERY: u64 = 50_000;

/// Takes the lines of a ledger, one source after another.
pub trait Visitor: Send + 'static {
    /// What comes next is of this file, or this chain.
    fn source(&mut self, name: &str);
    /// The next line.
    fn line(&mut self, line: StoredLine<'_>);
    /// Between the last line and the next one, records were removed for their age while the source was read.
    fn forgotten(&mut self) {}
}

impl Visitor for Verifier {
    fn source(&mut self, name: &str) {
        Self::source(self, name);
    }

    fn line(&mut self, line: StoredLine<'_>) {
        Self::line(self, line);
    }

    fn forgotten(&mut self) {
        Self::forgotten(self);
    }
}

impl Visitor for Scanner {
    fn source(&mut self, _: &str) {}

    fn line(&mut self, line: StoredLine<'_>) {
        Self::line(self, line.bytes);
    }
}

/// Takes lines for another visitor, and tells now and then how many there were.
#[derive(Debug)]
pub struct Told<V, T> {
    /// Who looks at them.
    pub visitor: V,
    lines: u64,
    tell: T,
}

impl<V, T: Fn(u64)> Told<V, T> {
    /// Tells `tell`.
    pub const fn new(visitor: V, tell: T) -> Self {
        Self { visitor, lines: 0, tell }
    }
}

impl<V: Visitor, T: Fn(u64) + Send + 'static> Visitor for Told<V, T> {
    fn source(&mut self, name: &str) {
        self.visitor.source(name);
    }

    fn line(&mut self, line: StoredLine<'_>) {
        self.visitor.line(line);
        self.lines += 1;
        if self.lines.is_multiple_of(TELL_EVERY) {
            (self.tell)(self.lines);
        }
    }

    fn forgotten(&mut self) {
        self.visitor.forgotten();
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

    /// Whether records between two of these times need not be read: one wrong time must not hide right ones.
    fn is_elsewhere(&self, ends: [Option<Timestamp>; 2], may_grow: bool) -> bool {
        let all = |is_out: &dyn Fn(Timestamp) -> bool| ends.iter().all(|at| at.is_some_and(is_out));
        all(&|at| self.ends_before(at)) || (!may_grow && all(&|at| self.begins_after(at)))
    }
}

/// Reads a ledger in files, oldest first. It may be written meanwhile.
///
/// # Errors
/// A file cannot be read.
pub fn read_file(file: &Path, span: Span, visitor: &mut impl Visitor) -> io::Result<()> {
    visitor.source(&file.display().to_string());
    for segment in segments(file)? {
        match read_segment(&segment, span, visitor) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => visitor.forgotten(),
            read => read?,
        }
    }
    Ok(())
}

fn read_segment(segment: &Segment, span: Span, visitor: &mut impl Visitor) -> io::Result<()> {
    let (first, last) = segment.span()?;
    if span.is_elsewhere([first, last], segment.is_written()) {
        return Ok(());
    }
    segment.read(|line| {
        let place = Place::Line { path: &segment.path, number: line.number };
        visitor.line(StoredLine { place, bytes: line.bytes, is_whole: line.is_whole });
    })
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
        let (first, last) = match segment.span() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            span => span?,
        };
        for at in [first, last].into_iter().flatten() {
            found = Some(found.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        }
    }
    Ok(found)
}
