//! Books in a local file: a line a set of writes, with a digest before it, so that a set is there wholly or not at all.
//!
//! A last line that is cut short, because the process or the machine died, was never answered for, and is dropped. Anything
//! else that does not fit is damage, and is told of, not repaired. When the file has grown, it is written anew beside itself
//! and put in its own place in one step.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Tables;
use crate::accounts::stored::Put;
use crate::store::StoreError;

/// A file below this size is not written anew.
const SMALL_BYTES: u64 = 4 << 20;
/// A file that is so many times as large as it need be is.
const GROWN_TIMES: u64 = 4;
/// Bytes of the digest before each line, in hex.
const DIGEST_DIGITS: usize = 16;

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("{}: {error}; the accounts beside ledger.file need a folder that can be written", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is not what was written.
    #[error("{} is damaged at line {line}: {problem}; put a copy in its place, or move it away to begin anew", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where.
        line: u64,
        /// What is wrong.
        problem: String,
    },
}

/// The file, and what it comes to.
#[derive(Debug)]
pub struct Journal {
    file: PathBuf,
    out: File,
    tables: Tables,
    bytes: u64,
    bytes_when_new: u64,
    /// Whether there may be more in the file than was written whole.
    has_rest: bool,
}

#[derive(Serialize, Deserialize)]
struct Line {
    version: u64,
    puts: Vec<(String, String, Option<String>, Option<Timestamp>)>,
}

impl Line {
    fn new(version: u64, puts: &[Put]) -> Self {
        let put = |put: &Put| (put.table.clone(), put.field.clone(), put.value.clone(), put.keep_until);
        Self { version, puts: puts.iter().map(put).collect() }
    }

    fn text(&self) -> Result<String, StoreError> {
        let json = serde_json::to_string(self).map_err(|error| StoreError::Unwritable(error.to_string()))?;
        Ok(format!("{} {json}\n", digest(&json)))
    }
}

impl Journal {
    /// Opens a file for writing, makes it if it is not there, and writes it anew.
    ///
    /// # Errors
    /// It cannot be read or written, or is damaged.
    pub fn open(file: &Path) -> Result<Self, JournalError> {
        let tables = Self::read(file)?;
        let (out, bytes) = Self::renew(file, &tables)?;
        Ok(Self { file: file.to_owned(), out, tables, bytes, bytes_when_new: bytes, has_rest: false })
    }

    /// What a file comes to; nothing when it is not there.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn read(file: &Path) -> Result<Tables, JournalError> {
        let io = |error| JournalError::Io { file: file.to_owned(), error };
        let mut tables = Tables::default();
        let mut reader = match File::open(file) {
            Ok(opened) => BufReader::new(opened),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(tables),
            Err(error) => return Err(io(error)),
        };
        let (mut text, mut number) = (Vec::new(), 0);
        loop {
            text.clear();
            if reader.read_until(b'\n', &mut text).map_err(io)? == 0 {
                return Ok(tables);
            }
            number += 1;
            if text.last() != Some(&b'\n') {
                tracing::warn!(file = %file.display(), line = number, "the last line was cut short and is dropped");
                return Ok(tables);
            }
            let damaged =
                |problem: String| JournalError::Damaged { file: file.to_owned(), line: number, problem };
            let line = parse(&text).map_err(damaged)?;
            if tables.version != 0 && line.version != tables.version + 1 {
                let problem = format!("version {} follows version {}", line.version, tables.version);
                return Err(damaged(problem));
            }
            tables.version = line.version;
            for (table, field, value, keep_until) in line.puts {
                tables.apply(&Put { table, field, value, keep_until });
            }
        }
    }

    pub(in crate::store) const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// Writes a set on top of whatever is there, for whoever is the only one that writes.
    pub(in crate::store) fn write_on_top(&mut self, puts: &[Put]) -> Result<(), StoreError> {
        self.write(self.tables.version, puts).map(drop)
    }

    pub(super) fn write(&mut self, seen: u64, puts: &[Put]) -> Result<u64, StoreError> {
        if seen != self.tables.version {
            return Err(StoreError::Outdated { seen, stored: self.tables.version });
        }
        let text = Line::new(seen + 1, puts).text()?;
        let written = self.cut_rest().and_then(|()| self.out.write_all(text.as_bytes()));
        if let Err(error) = written.and_then(|()| self.out.sync_data()) {
            // Half a line must not stay in the way of the next: without the cut nothing is written any more.
            self.has_rest = true;
            let _ = self.cut_rest();
            return Err(StoreError::Unreachable(format!("{}: {error}", self.file.display())));
        }
        self.bytes += text.len() as u64;
        let version = self.tables.write(seen, puts)?;
        if self.bytes > SMALL_BYTES.max(GROWN_TIMES * self.bytes_when_new) {
            self.write_anew();
        }
        Ok(version)
    }

    /// What is there already is good: a full disk can wait for the next time.
    fn write_anew(&mut self) {
        match Self::renew(&self.file, &self.tables) {
            Ok((out, bytes)) => (self.out, self.bytes, self.bytes_when_new) = (out, bytes, bytes),
            Err(error) => tracing::warn!(%error, "the accounts' file cannot be written anew, and grows"),
        }
    }

    fn cut_rest(&mut self) -> std::io::Result<()> {
        if self.has_rest {
            self.out.set_len(self.bytes)?;
            self.has_rest = false;
        }
        Ok(())
    }

    /// Forgets what need not be kept at `now`, in the file too.
    pub(in crate::store) fn expire(&mut self, now: Timestamp) {
        let before = self.tables.tables.len();
        self.tables.expire(now);
        if self.tables.tables.len() < before {
            self.write_anew();
        }
    }

    /// Writes everything as one line beside the file, and puts that in its place.
    fn renew(file: &Path, tables: &Tables) -> Result<(File, u64), JournalError> {
        let puts: Vec<Put> = tables
            .tables
            .iter()
            .flat_map(|(name, table)| {
                table.entries.iter().map(|(field, value)| Put {
                    table: name.clone(),
                    field: field.clone(),
                    value: Some(value.clone()),
                    keep_until: table.keep_until,
                })
            })
            .collect();
        let mut beside = file.as_os_str().to_owned();
        beside.push(".new");
        let beside = PathBuf::from(beside);
        let io = |error| JournalError::Io { file: file.to_owned(), error };
        // Version 0 is that of no file at all.
        let text = if tables.version == 0 {
            String::new()
        } else {
            Line::new(tables.version, &puts)
                .text()
                .map_err(|error| io(std::io::Error::other(error.to_string())))?
        };
        let mut new = File::create(&beside).map_err(io)?;
        new.write_all(text.as_bytes()).and_then(|()| new.sync_all()).map_err(io)?;
        std::fs::rename(&beside, file).map_err(io)?;
        let out = OpenOptions::new().append(true).open(file).map_err(io)?;
        Ok((out, text.len() as u64))
    }
}

fn parse(text: &[u8]) -> Result<Line, String> {
    let text = std::str::from_utf8(text).map_err(|error| error.to_string())?.trim_end_matches('\n');
    let (told, json) = text.split_once(' ').ok_or("it has no digest")?;
    if told != digest(json) {
        return Err("its digest is another one".to_owned());
    }
    serde_json::from_str(json).map_err(|error| error.to_string())
}

fn digest(json: &str) -> String {
    let digest = Sha256::digest(json.as_bytes());
    let number =
        digest.iter().take(DIGEST_DIGITS / 2).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{number:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(field: &str, value: Option<&str>) -> Put {
        Put {
            table: "t".to_owned(),
            field: field.to_owned(),
            value: value.map(str::to_owned),
            keep_until: None,
        }
    }

    fn written(file: &Path) -> Journal {
        let mut journal = Journal::open(file).unwrap();
        journal.write(0, &[put("a", Some("1")), put("b", Some("2"))]).unwrap();
        journal.write(1, &[put("a", None), put("c", Some("3\n"))]).unwrap();
        journal
    }

    fn entries(tables: &Tables) -> Vec<(String, String)> {
        tables.entries("t")
    }

    #[test]
    fn what_was_written_is_read_again_and_a_set_on_an_old_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts");
        let mut journal = written(&file);
        assert_eq!(journal.write(1, &[]), Err(StoreError::Outdated { seen: 1, stored: 2 }));
        let expected = [("b", "2"), ("c", "3\n")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(entries(journal.tables()), expected);
        for _ in 0..2 {
            let again = Journal::open(&file).unwrap();
            assert_eq!((again.tables().version, entries(again.tables())), (2, expected.to_vec()));
        }
    }

    #[test]
    fn wherever_the_file_is_cut_it_holds_whole_sets() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts");
        drop(written(&file));
        let whole = std::fs::read(&file).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for end in 0..=whole.len() {
            std::fs::write(&file, &whole[..end]).unwrap();
            let expected = u64::from(end >= first) + u64::from(end == whole.len());
            assert_eq!(Journal::read(&file).unwrap().version, expected, "cut at {end}");
        }
    }

    #[test]
    fn any_changed_byte_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts");
        drop(written(&file));
        let whole = std::fs::read(&file).unwrap();
        let good = entries(&Journal::read(&file).unwrap());
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 4;
            std::fs::write(&file, &changed).unwrap();
            match Journal::read(&file) {
                Err(JournalError::Damaged { .. }) => {}
                // Without its end the last line counts as one that was cut short.
                Ok(tables) if at == whole.len() - 1 => assert_ne!(entries(&tables), good),
                other => panic!("byte {at}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_file_that_has_grown_is_written_anew_without_loss() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts");
        let mut journal = Journal::open(&file).unwrap();
        let long = "x".repeat(1 << 20);
        for version in 0..10 {
            journal.write(version, &[put("a", Some(&format!("{version}{long}")))]).unwrap();
        }
        assert!(std::fs::metadata(&file).unwrap().len() < 6 << 20);
        let again = Journal::read(&file).unwrap();
        assert_eq!((again.version, entries(&again).len()), (10, 1));
        assert!(entries(&again)[0].1.starts_with("9x"));
    }

    #[test]
    fn tables_past_their_time_are_forgotten_in_the_file_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("accounts");
        let mut journal = Journal::open(&file).unwrap();
        let until = Timestamp::from_second(100).unwrap();
        let old = Put { table: "old".to_owned(), keep_until: Some(until), ..put("a", Some("1")) };
        journal.write(0, &[old, put("b", Some("2"))]).unwrap();
        journal.expire(until);
        let again = Journal::open(&file).unwrap();
        assert!(again.tables().entries("old").is_empty());
        assert_eq!(entries(again.tables()).len(), 1);
    }
}
