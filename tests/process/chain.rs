//! The hash chain, checked from the public contract alone: `hash` = SHA-256, in hex, over `prev` and the line without
//! `hash`.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Checks the lines of one process from its first; gives them decoded.
pub fn verify(lines: &[String]) -> Vec<Value> {
    let mut prev = "0".repeat(64);
    let mut records = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let record: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(record["seq"], index + 1);
        assert_eq!(record["prev"], prev, "record {} follows the one before it", index + 1);
        let hash = record["hash"].as_str().unwrap().to_owned();
        let without_hash = line.replace(&format!(",\"hash\":\"{hash}\""), "");
        assert_ne!(&without_hash, line);
        assert_eq!(hash, hash_of(&prev, &without_hash), "record {}", index + 1);
        prev = hash;
        records.push(record);
    }
    records
}

fn hash_of(prev: &str, line: &str) -> String {
    let digest = Sha256::digest(format!("{prev}{line}"));
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
#[should_panic(expected = "record 1")]
fn a_changed_line_shows() {
    let line =
        r#"{"seq":1,"pod":"a","prev":"0000000000000000000000000000000000000000000000000000000000000000"}"#;
    let hash = hash_of(&"0".repeat(64), line);
    let line = format!("{},\"hash\":\"{hash}\"}}", &line[..line.len() - 1]);
    assert_eq!(verify(std::slice::from_ref(&line)).len(), 1);
    verify(&[line.replace("\"a\"", "\"b\"")]);
}
