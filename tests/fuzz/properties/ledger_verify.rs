//! Verifying a ledger: any bytes are whole just where a plain reading of the rules finds them whole, as they come and sealed
//! anew, so that the search gets past the hashes.

use std::fmt::Write as _;
use std::path::Path;

use eco_pulse::audit::verify::{Place, StoredLine, Verified, Verifier};
use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

const FIRST_PREV: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What of a record the chain depends on.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "schema")]
    _schema: u32,
    #[serde(rename = "ts")]
    _ts: Timestamp,
    replica: String,
    seq: u64,
    stored: Option<Stored>,
}

#[derive(Deserialize)]
struct Stored {
    seq: u64,
    hash: String,
}

/// The last record of a chain, as the plain reading knows it.
struct Last {
    replica: String,
    seq: u64,
    hash: String,
}

pub fn holds(bytes: &[u8]) {
    judge(bytes);
    judge(&sealed_anew(bytes));
}

fn judge(bytes: &[u8]) {
    let verified = verify(bytes);
    let whole = is_whole(bytes);
    assert_eq!(verified.is_whole(), whole, "{verified:?}\nof {}", String::from_utf8_lossy(bytes));
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').count();
    let records: u64 = verified.chains.iter().map(|chain| chain.records).sum();
    assert_eq!(records, lines as u64);
    // The head of a whole ledger is found, and one that was never written is not.
    if let Some(head) = verified.chains.last().filter(|_| whole) {
        assert_eq!(verify_to(bytes, &head.head.hash).head_found, Some(true));
    }
    assert_eq!(verify_to(bytes, "no hash").head_found, Some(false));
}

fn verify(bytes: &[u8]) -> Verified {
    verify_with(bytes, None)
}

fn verify_to(bytes: &[u8], head: &str) -> Verified {
    verify_with(bytes, Some(head))
}

fn verify_with(bytes: &[u8], head: Option<&str>) -> Verified {
    let mut verifier = Verifier::new(head);
    verifier.source("ledger.jsonl");
    for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
        let whole = line.strip_suffix(b"\n");
        let place = Place::Line { path: Path::new("ledger.jsonl"), number };
        verifier.line(StoredLine { place, bytes: whole.unwrap_or(line), is_whole: whole.is_some() });
    }
    verifier.finish()
}

/// The rules, read plainly: every line ends, is a record that hashes to what it says, and follows the one before it.
fn is_whole(bytes: &[u8]) -> bool {
    let mut last: Option<Last> = None;
    bytes.split_inclusive(|byte| *byte == b'\n').all(|line| follows(line, &mut last).is_some())
}

fn follows(line: &[u8], last: &mut Option<Last>) -> Option<()> {
    let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (open, hash) = line.strip_suffix("\"}")?.rsplit_once(r#","hash":""#)?;
    let (_, prev) = open.strip_suffix('"')?.rsplit_once(r#","prev":""#)?;
    let is_hash = |text: &str| text.len() == 64 && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    if !(is_hash(hash) && is_hash(prev)) || sha256(&format!("{prev}{open}}}")) != hash {
        return None;
    }
    let record: Record = serde_json::from_str(line).ok()?;
    let begins = record.seq == 1 && prev == FIRST_PREV;
    let is_next = match &*last {
        None => begins || record.seq > 1,
        // Another process that could not go on with the chain.
        Some(last) if begins && record.replica != last.replica => true,
        Some(last) => {
            let told = record.stored.as_ref();
            let told = told.is_some_and(|stored| stored.seq == last.seq && stored.hash == last.hash);
            let next = last.seq.checked_add(1)?;
            (record.seq == next && prev == last.hash) || (told && record.seq > next)
        }
    };
    *last = Some(Last { replica: record.replica, seq: record.seq, hash: hash.to_owned() });
    is_next.then_some(())
}

/// The same lines with true hashes; each follows the one before it, but for one that begins with a space.
fn sealed_anew(bytes: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::new();
    let mut prev = FIRST_PREV.to_owned();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Ok(text) = std::str::from_utf8(line) else {
            sealed.extend_from_slice(line);
            continue;
        };
        let text = text.trim_end_matches('\n');
        let open = match text.rfind(r#","prev":""#) {
            Some(end) => &text[..end],
            None => text.strip_suffix('}').unwrap_or(text),
        };
        if text.starts_with(' ') {
            FIRST_PREV.clone_into(&mut prev);
        }
        let open = format!(r#"{open},"prev":"{prev}""#);
        let hash = sha256(&format!("{prev}{open}}}"));
        sealed.extend_from_slice(format!("{open},\"hash\":\"{hash}\"}}").as_bytes());
        sealed.extend_from_slice(if line.ends_with(b"\n") { b"\n" } else { b"" });
        prev = hash;
    }
    sealed
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}
