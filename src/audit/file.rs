//! The ledger in a local file: one line a record, put aside as a segment when it is large or a day old, removed when the
//! last record of a segment is too old.
//!
//! A line is in the file whole or not at all: what a failed write leaves is cut off, and so is what a killed process left.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::chain::Link;
use super::keep::{Keep, Line, NotKept, Resume, Waiter, tell};
use super::segments::{Segment, last_line, numbered, segment_path};
use crate::clock::{Pace, monotonic_now};

/// Between two looks for segments that are too old.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// How every line of ours begins.
const BEGINNING: &[u8] = br#"{"schema":"#;

/// How a ledger in a file is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// The file that is written.
    pub path: PathBuf,
    /// Its size at most: then it becomes a segment.
    pub segment_bytes: u64,
    /// How long after its first record it becomes a segment: so that little is kept longer than it has to be.
    pub segment_time: SignedDuration,
    /// How long records are kept.
    pub retention: SignedDuration,
    /// For how long the clock must have kept pace before anything is removed by it.
    pub clock_patience: Duration,
}

impl FileOptions {
    /// Segments of 64 MiB or a day.
    #[must_use]
    pub const fn new(path: PathBuf, retention: SignedDuration) -> Self {
        let (segment_time, clock_patience) = (SignedDuration::from_hours(24), Duration::from_mins(10));
        Self { path, segment_bytes: 64 << 20, segment_time, retention, clock_patience }
    }
}

/// A ledger's file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerFileError {
    /// Another process has it.
    #[error(
        "ledger.file: {}: another process writes it: give each process a file of its own, or end the other one",
        .path.display()
    )]
    Taken {
        /// Which.
        path: PathBuf,
    },
    /// It holds something else.
    #[error("ledger.file: {}: holds no decision records: name another file, or move it away", .path.display())]
    Foreign {
        /// Which.
        path: PathBuf,
    },
    /// The system says no.
    #[error(
        "ledger.file: {}: {problem}: name a file in a folder that is there and that this process may write",
        .path.display()
    )]
    Unusable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        problem: String,
    },
}

/// A ledger in a file, which this process alone writes.
#[derive(Debug)]
pub struct LedgerFile {
    options: FileOptions,
    file: File,
    /// All of it is whole lines up to here.
    size: u64,
    /// When its first record was made.
    began: Option<Timestamp>,
    resume: Resume,
    is_failing: bool,
    pace: Option<Pace>,
    /// When old segments were last looked for.
    looked_at: Option<Instant>,
    /// Released with the process, however it ends.
    _lock: File,
}

impl LedgerFile {
    /// Opens or creates the file, and cuts off what a process that was killed left behind its last whole line.
    ///
    /// # Errors
    /// Another process writes it, it holds something else, or the system refuses it.
    pub fn open(options: FileOptions) -> Result<Self, LedgerFileError> {
        let path = options.path.clone();
        let unusable =
            |error: io::Error| LedgerFileError::Unusable { path: path.clone(), problem: error.to_string() };
        if fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(LedgerFileError::Unusable { path, problem: "is no file".to_owned() });
        }
        let lock = lock_of(&path).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LedgerFileError::Taken { path }),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let mut file = open(&path).map_err(unusable)?;
        // Judged before anything is cut off: what is somebody else's stays as it is.
        if !is_ours(&mut file).map_err(unusable)? {
            return Err(LedgerFileError::Foreign { path });
        }
        let size = whole_lines(&mut file).map_err(unusable)?;
        let (began, resume) = look_back(&mut file, size, &path).map_err(unusable)?;
        if size > 0 && resume == Resume::Unknown && began.is_none() {
            return Err(LedgerFileError::Foreign { path });
        }
        cut_torn_line(&file, size, &path).map_err(unusable)?;
        Ok(Self {
            options,
            file,
            size,
            began,
            resume,
            is_failing: false,
            pace: None,
            looked_at: None,
            _lock: lock,
        })
    }

    fn write(&mut self, line: &Line<'_>) -> io::Result<()> {
        let length = line.text.len() as u64;
        let is_full = self.size + length > self.options.segment_bytes;
        let is_old =
            self.began.is_some_and(|began| line.at.duration_since(began) >= self.options.segment_time);
        // First: half a line that went with a segment would stay there.
        if self.is_failing {
            self.cut_off()?;
        }
        if self.size > 0 && (is_full || is_old) {
            self.put_aside()?;
        }
        self.look_after(line.at);
        if let Err(error) = self.file.write_all(line.text.as_bytes()) {
            // Where this fails too, it is tried again before the next line.
            let _ = self.cut_off();
            return Err(error);
        }
        self.size += length;
        self.began.get_or_insert(line.at);
        Ok(())
    }

    /// Half a line would be taken for somebody's change.
    fn cut_off(&self) -> io::Result<()> {
        if self.file.metadata()?.len() > self.size { self.file.set_len(self.size) } else { Ok(()) }
    }

    /// The file becomes the newest segment, and a new one begins.
    fn put_aside(&mut self) -> io::Result<()> {
        let path = &self.options.path;
        self.file.sync_data()?;
        let last = numbered(path)?.last().map_or(0, |(number, _)| *number);
        match fs::rename(path, segment_path(path, last + 1)) {
            // Put aside before, when no new one could be begun.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed?,
        }
        self.file = open(path)?;
        (self.size, self.began, self.looked_at) = (0, None, None);
        Ok(())
    }

    /// Looks for old segments when one was added, and every hour; but not by a clock that may yet be set right.
    fn look_after(&mut self, now: Timestamp) {
        let monotonic = monotonic_now();
        let pace = self.pace.get_or_insert_with(|| Pace::new(now, monotonic));
        let is_believed = pace.kept_for(now, monotonic) >= self.options.clock_patience;
        let is_due = self.looked_at.is_none_or(|looked| monotonic.duration_since(looked) >= LOOK_EVERY);
        if is_believed && is_due {
            self.looked_at = Some(monotonic);
            self.remove_old(now);
        }
    }

    /// Removes segments that are too old, from the oldest to the first that is not. One whose age is not known goes with the
    /// next old one, and keeps none.
    fn remove_old(&self, now: Timestamp) {
        let segments = numbered(&self.options.path).unwrap_or_default();
        let mut are_old = 0;
        for (index, (_, path)) in segments.iter().enumerate() {
            match newest_record(path, now) {
                Some(at) if now.duration_since(at) > self.options.retention => are_old = index + 1,
                Some(_) => break,
                None => {}
            }
        }
        for (_, path) in &segments[..are_old] {
            match fs::remove_file(path) {
                Ok(()) => {
                    tracing::info!(path = %path.display(), "records past ledger.rawRetentionDays are removed");
                }
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "records past ledger.rawRetentionDays stay");
                }
            }
        }
    }
}

impl Keep for LedgerFile {
    fn resume(&mut self) -> Resume {
        self.resume.clone()
    }

    fn keep(&mut self, line: &Line<'_>, when_kept: Option<Waiter>) -> Result<(), NotKept> {
        let written = self.write(line);
        let path = self.options.path.display();
        match (&written, self.is_failing) {
            (Err(error), false) => {
                tracing::error!(%path, %error, "ledger.file cannot be written; records are missing in it from here");
            }
            (Ok(()), true) => tracing::info!(%path, seq = line.seq, "ledger.file is written again"),
            _ => {}
        }
        self.is_failing = written.is_err();
        written.map(|()| tell(when_kept)).map_err(|_| NotKept)
    }

    fn close(&mut self) {
        if let Err(error) = self.file.sync_data() {
            tracing::warn!(path = %self.options.path.display(), %error, "ledger.file may lack its last records");
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).open(path)
}

/// Beside the file: that one is renamed, and the lock would go with it.
fn lock_of(path: &Path) -> io::Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    OpenOptions::new().write(true).create(true).truncate(false).open(PathBuf::from(name))
}

/// When the newest record of a segment was made: the later of its ends, since clocks are set back and right again. `None` where
/// one of them does not say, or says what cannot be.
fn newest_record(segment: &Path, now: Timestamp) -> Option<Timestamp> {
    let (first, last) = Segment::at(segment.to_owned()).span().ok()?;
    first.zip(last).map(|(first, last)| first.max(last)).filter(|at| *at <= now)
}

/// Whether a file may be written to: it is empty, begins as a ledger does, or ends in a record as it was written.
fn is_ours(file: &mut File) -> io::Result<bool> {
    let mut beginning = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(BEGINNING.len() as u64).read_to_end(&mut beginning)?;
    // A killed process may have written no more than a part of it.
    Ok(BEGINNING.starts_with(&beginning) || Link::after(&last_line(file)?).is_some())
}

/// The size of all lines that have an end.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut whole = file.seek(SeekFrom::End(0))?;
    let mut chunk = vec![0; 64 * 1024];
    while whole > 0 {
        let length = whole.min(chunk.len() as u64);
        let chunk = &mut chunk[..usize::try_from(length).unwrap_or_default()];
        file.seek(SeekFrom::Start(whole - length))?;
        file.read_exact(chunk)?;
        if let Some(end) = chunk.iter().rposition(|byte| *byte == b'\n') {
            whole = whole - length + end as u64 + 1;
            break;
        }
        whole -= length;
    }
    Ok(whole)
}

/// Cuts off a last line without an end.
fn cut_torn_line(file: &File, whole: u64, path: &Path) -> io::Result<()> {
    let size = file.metadata()?.len();
    if whole < size {
        tracing::warn!(path = %path.display(), bytes = size - whole, "half a record at the end of ledger.file is cut off");
        file.set_len(whole)?;
    }
    Ok(())
}

/// When the first record of the file was made, and where the chain is. An empty file goes on after the newest segment.
fn look_back(file: &mut File, size: u64, path: &Path) -> io::Result<(Option<Timestamp>, Resume)> {
    if size > 0 {
        let began = Segment::at(path.to_owned()).span()?.0;
        let last = Link::after(&last_line(file)?);
        // A first line that was changed does not make it somebody else's.
        let began = began.or_else(|| last.as_ref().map(|_| Timestamp::MIN));
        return Ok((began, last.map_or(Resume::Unknown, Resume::After)));
    }
    let Some((_, newest)) = numbered(path)?.pop() else { return Ok((None, Resume::After(Link::first()))) };
    let last = Link::after(&last_line(&mut File::open(newest)?)?);
    Ok((None, last.map_or(Resume::Unknown, Resume::After)))
}
