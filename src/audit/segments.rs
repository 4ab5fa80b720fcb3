//! A ledger on disk as it is read: segments beside the file, `FILE.000000001` and on, oldest first, and the file itself,
//! which is being written.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::chain::Head;

/// Digits of a segment's number, so that names sort.
const DIGITS: usize = 9;
/// Read at once.
const CHUNK: usize = 256 * 1024;
/// No line of ours is longer: 500 regions take about 150 KB.
const LONGEST_LINE: u64 = 16 << 20;
/// A line without its end may be on its way to disk: looked at again so often, so long after.
const SECOND_LOOKS: u32 = 10;
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// One file of a ledger.
#[derive(Debug)]
pub struct Segment {
    /// Where it was when the ledger was listed.
    pub path: PathBuf,
    file: Option<File>,
}

/// A line of a segment.
#[derive(Clone, Copy, Debug)]
pub struct SegmentLine<'l> {
    /// Without the newline.
    pub bytes: &'l [u8],
    /// Counted from 1.
    pub number: u64,
    /// Whether there is a newline behind it.
    pub is_whole: bool,
}

/// The numbers of the segments beside a ledger's file, with their paths, oldest first.
///
/// # Errors
/// The folder cannot be read.
pub fn numbered(file: &Path) -> io::Result<Vec<(u32, PathBuf)>> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let stem = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(stem)?.strip_prefix('.'));
        let digits =
            number.filter(|text| text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()));
        if let Some(number) = digits.and_then(|digits| digits.parse().ok()) {
            found.push((number, folder.join(&name)));
        }
    }
    found.sort();
    Ok(found)
}

/// Where segment `number` of a ledger's file is.
#[must_use]
pub fn segment_path(file: &Path, number: u32) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(format!(".{number:0DIGITS$}"));
    PathBuf::from(name)
}

/// The files of a ledger, oldest first. One that is being written may go on growing, and be put among the segments, while
/// they are read.
///
/// # Errors
/// The folder or the file cannot be read; a file that is not there is none.
pub fn segments(file: &Path) -> io::Result<Vec<Segment>> {
    // Opened before the segments are listed: what it holds is not missed when it becomes one of them meanwhile.
    let current = match File::open(file) {
        Ok(open) => Some(open),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let of_current = current.as_ref().map(File::metadata).transpose()?.map(identity);
    let mut found = Vec::new();
    for (_, path) in numbered(file)? {
        let is_current = of_current.is_some() && fs::metadata(&path).ok().map(identity) == of_current;
        if !is_current {
            found.push(Segment { path, file: None });
        }
    }
    found.extend(current.map(|open| Segment { path: file.to_owned(), file: Some(open) }));
    Ok(found)
}

impl Segment {
    /// The segment at a path.
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Whether it is the file that is being written.
    #[must_use]
    pub const fn is_written(&self) -> bool {
        self.file.is_some()
    }

    fn open(&self) -> io::Result<File> {
        match &self.file {
            Some(file) => file.try_clone(),
            None => File::open(&self.path),
        }
    }

    /// When its first and its last record were made; `None` for what is no record.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn span(&self) -> io::Result<(Option<Timestamp>, Option<Timestamp>)> {
        let mut file = self.open()?;
        Ok((time_of(&first_line(&mut file)?), time_of(&last_line(&mut file)?)))
    }

    /// The last record; `None` where there is none, or it is not as it was written.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn head(&self) -> io::Result<Option<Head>> {
        Ok(Head::after(&last_line(&mut self.open()?)?))
    }

    /// Reads it line by line.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(&self, mut take: impl FnMut(SegmentLine<'_>)) -> io::Result<()> {
        let mut file = self.open()?;
        file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(CHUNK, file);
        let (mut line, mut number) = (Vec::new(), 0);
        // A segment is not written any more.
        let mut second_looks = if self.is_written() { SECOND_LOOKS } else { 0 };
        loop {
            let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
            let is_whole = line.last() == Some(&b'\n');
            let is_end = read == 0;
            if is_end && line.is_empty() {
                return Ok(());
            }
            if is_end && second_looks > 0 {
                second_looks -= 1;
                std::thread::sleep(LOOK_AGAIN);
                continue;
            }
            // Longer than any of ours: given in pieces, none of which is a record.
            let is_piece = line.len() as u64 >= LONGEST_LINE;
            if !(is_whole || is_end || is_piece) {
                continue;
            }
            number += 1;
            let bytes = line.strip_suffix(b"\n").unwrap_or(&line);
            take(SegmentLine { bytes, number, is_whole });
            line.clear();
        }
    }
}

fn first_line(file: &mut File) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(0))?;
    let mut line = Vec::new();
    BufReader::new(file.take(LONGEST_LINE)).read_until(b'\n', &mut line)?;
    line.pop_if(|last| *last == b'\n');
    Ok(line)
}

/// The last line that has an end, without it; empty where there is none.
pub(super) fn last_line(file: &mut File) -> io::Result<Vec<u8>> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut tail = Vec::new();
    let mut from = end;
    loop {
        let is_start = from == 0 || end - from >= LONGEST_LINE;
        let mut lines = tail.split(|byte| *byte == b'\n').rev();
        // What stands behind the last newline has no end.
        let (_, last, before) = (lines.next(), lines.next(), lines.next());
        match last {
            Some(last) if before.is_some() || from == 0 => return Ok(last.to_vec()),
            _ if is_start => return Ok(Vec::new()),
            _ => {}
        }
        let step = from.min(CHUNK as u64);
        from -= step;
        let mut chunk = vec![0; usize::try_from(step).unwrap_or(CHUNK)];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(&mut chunk)?;
        chunk.append(&mut tail);
        tail = chunk;
    }
}

/// When a record was made.
#[must_use]
pub fn time_of(line: &[u8]) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Timed {
        ts: Timestamp,
    }
    serde_json::from_slice(line).ok().map(|Timed { ts }| ts)
}
