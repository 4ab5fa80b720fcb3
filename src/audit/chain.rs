//! The hash chain: how a line is sealed, and how a seal is read, on the exact bytes.
//!
//! A sealed line ends in `,"prev":"…","hash":"…"}`. The hash is SHA-256, in lower-case hex, over `prev` and the line
//! without `hash`.

use std::fmt::Write as _;

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// What the first record of a chain has for `prev`.
pub const FIRST_PREV: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const HASH_LENGTH: usize = FIRST_PREV.len();
const PREV: &str = r#","prev":""#;
const HASH: &str = r#","hash":""#;
const END: &str = "\"}";

/// A line that is sealed, and its hash.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) line: String,
    pub(super) hash: String,
}

/// Seals a JSON object of which only the closing brace is missing.
pub(super) fn seal(mut open: String, prev: &str) -> Sealed {
    open.push_str(PREV);
    open.push_str(prev);
    open.push('"');
    let hash = hash(prev, open.as_bytes());
    open.push_str(HASH);
    open.push_str(&hash);
    open.push_str(END);
    Sealed { line: open, hash }
}

/// Over a line without its hash, of which only the closing brace is missing.
fn hash(prev: &str, open: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(prev.as_bytes());
    digest.update(open);
    digest.update(b"}");
    hex(&digest.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What a line's end says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seal<'l> {
    pub(super) prev: &'l str,
    pub(super) hash: &'l str,
    /// All before `hash`.
    open: &'l [u8],
}

impl<'l> Seal<'l> {
    /// The seal of a line, true or not; `None` when there is none.
    pub(super) fn of(line: &'l [u8]) -> Option<Self> {
        let line = line.strip_suffix(END.as_bytes())?;
        let (line, hash) = line.split_at_checked(line.len().checked_sub(HASH_LENGTH)?)?;
        let open = line.strip_suffix(HASH.as_bytes())?;
        let line = open.strip_suffix(b"\"")?;
        let (line, prev) = line.split_at_checked(line.len().checked_sub(HASH_LENGTH)?)?;
        line.strip_suffix(PREV.as_bytes())?;
        Some(Self { prev: as_hash(prev)?, hash: as_hash(hash)?, open })
    }

    /// Whether the hash is that of the line.
    pub(super) fn is_true(&self) -> bool {
        hash(self.prev, self.open) == self.hash
    }
}

/// Whether a text could be a hash.
#[must_use]
pub fn is_hash(text: &str) -> bool {
    text.len() == HASH_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn as_hash(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| is_hash(text))
}

/// Where a chain is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Link {
    /// Number of the last record; 0 before the first.
    pub seq: u64,
    /// Its hash; zeros before the first.
    pub hash: String,
}

impl Link {
    /// Before the first record.
    #[must_use]
    pub fn first() -> Self {
        Self { seq: 0, hash: FIRST_PREV.to_owned() }
    }

    /// Where a chain is whose last stored line this is; `None` when it is no record, or not as it was written.
    #[must_use]
    pub fn after(line: &[u8]) -> Option<Self> {
        Head::after(line).map(|head| head.link)
    }
}

/// Where a replica's chain is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The chain: the replica's name, unless its own chain could not go on.
    pub replica: String,
    /// Number and hash of its last record.
    pub link: Link,
}

impl Head {
    /// As [`Link::after`], with who wrote the line.
    #[must_use]
    pub fn after(line: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Numbered {
            seq: u64,
            #[serde(default)]
            replica: String,
        }
        let seal = Seal::of(line).filter(Seal::is_true)?;
        let Numbered { seq, replica } = serde_json::from_slice(line).ok()?;
        Some(Self { replica, link: Link { seq, hash: seal.hash.to_owned() } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_line_is_json_and_says_where_the_chain_is() {
        let sealed = seal(r#"{"seq":7"#.to_owned(), FIRST_PREV);
        let value: serde_json::Value = serde_json::from_str(&sealed.line).unwrap();
        assert_eq!((&value["seq"], &value["prev"]), (&7.into(), &FIRST_PREV.into()));
        assert_eq!(value["hash"], sealed.hash);
        assert_eq!(Link::after(sealed.line.as_bytes()), Some(Link { seq: 7, hash: sealed.hash }));
    }

    #[test]
    fn every_flipped_bit_breaks_the_seal() {
        let line = seal(r#"{"seq":7,"pod":"web"#.to_owned() + "\"", FIRST_PREV).line.into_bytes();
        for at in 0..line.len() {
            for bit in 0..8 {
                let mut line = line.clone();
                line[at] ^= 1 << bit;
                assert!(!Seal::of(&line).is_some_and(|seal| seal.is_true()), "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn what_is_too_short_for_a_seal_has_none() {
        for line in ["", "}", "\"}", r#"{"hash":"00"}"#, r#"{"prev":"00","hash":"00"}"#] {
            assert_eq!(Seal::of(line.as_bytes()), None, "{line}");
        }
    }
}
