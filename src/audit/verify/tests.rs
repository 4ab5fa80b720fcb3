//! Chains that are whole, and every way to break one.

use std::path::Path;

use super::*;
use crate::audit::chain::seal;

/// A chain of records, as lines.
fn lines(count: u64) -> Vec<String> {
    chain_of("one", 1, FIRST_PREV, count)
}

fn chain_of(replica: &str, first: u64, prev: &str, count: u64) -> Vec<String> {
    let mut prev = prev.to_owned();
    (first..first + count)
        .map(|seq| {
            let sealed = seal(open(replica, seq, 1), &prev);
            prev = sealed.hash;
            sealed.line
        })
        .collect()
}

fn open(replica: &str, seq: u64, schema: u32) -> String {
    let second = seq % 60;
    format!(
        r#"{{"schema":{schema},"ts":"2026-06-01T12:00:{second:02}Z","replica":"{replica}","seq":{seq},"pod":"web-{seq}""#
    )
}

fn verify_with(lines: &[String], head: Option<&str>) -> Verified {
    let mut verifier = Verifier::new(head);
    verifier.source("ledger.jsonl");
    for (index, line) in lines.iter().enumerate() {
        let place = Place::Line { path: Path::new("ledger.jsonl"), number: index as u64 + 1 };
        verifier.line(StoredLine { place, bytes: line.as_bytes(), is_whole: true });
    }
    verifier.finish()
}

fn verify(lines: &[String]) -> Verified {
    verify_with(lines, None)
}

/// The first broken link of the only chain.
fn broken(lines: &[String]) -> Broken {
    let verified = verify(lines);
    assert!(!verified.is_whole());
    let [chain] = &verified.chains[..] else { panic!("{verified:?}") };
    chain.broken.clone().unwrap()
}

fn hash(line: &str) -> String {
    Seal::of(line.as_bytes()).unwrap().hash.to_owned()
}

#[test]
fn a_whole_chain_is_described() {
    let lines = lines(5);
    let verified = verify(&lines);
    assert!(verified.is_whole());
    let [chain] = &verified.chains[..] else { panic!("{verified:?}") };
    assert_eq!((chain.name.as_str(), chain.records, chain.first_seq), ("one", 5, 1));
    assert_eq!(chain.head, Link { seq: 5, hash: hash(&lines[4]) });
    assert_eq!(chain.from, Some("2026-06-01T12:00:01Z".parse().unwrap()));
    assert_eq!(chain.to, Some("2026-06-01T12:00:05Z".parse().unwrap()));
    assert_eq!(chain.notices, []);
}

#[test]
fn a_chain_whose_oldest_records_are_gone_is_whole_and_says_where_it_begins() {
    let verified = verify(&lines(5)[2..]);
    assert!(verified.is_whole());
    assert_eq!(verified.chains[0].notices, [Notice::Begins { seq: 3 }]);
}

#[test]
fn a_missing_line_is_named() {
    let mut lines = lines(6);
    lines.drain(2..4);
    let broken = broken(&lines);
    assert_eq!(broken.finding, Finding::Missing { from: 3, to: 4 });
    assert_eq!((broken.seq, broken.after), (Some(5), Some(2)));
    assert_eq!(broken.to_string(), "ledger.jsonl, line 3, record 5: records 3 to 4 are missing before it");
}

#[test]
fn a_line_that_is_there_twice_is_named() {
    let mut lines = lines(4);
    lines.insert(2, lines[1].clone());
    assert_eq!(broken(&lines).finding, Finding::Twice);
    let mut lines = self::lines(4);
    lines.insert(3, lines[0].clone());
    assert_eq!((broken(&lines).finding, broken(&lines).seq), (Finding::Twice, Some(1)));
}

#[test]
fn lines_out_of_order_are_named() {
    let mut lines = lines(5);
    lines.swap(2, 3);
    let first = broken(&lines);
    assert_eq!((first.finding, first.seq), (Finding::Missing { from: 3, to: 3 }, Some(4)));
    let late = chain_of("one", 2, &hash(&lines[0]), 1);
    let lines = [self::lines(5), late].concat();
    assert_eq!(broken(&lines).finding, Finding::Twice, "the same record, not another");
}

#[test]
fn a_record_that_was_replaced_breaks_the_next_link() {
    let mut lines = lines(4);
    lines[1] = seal(open("one", 2, 1) + r#","forged":true"#, &hash(&lines[0])).line;
    let broken = broken(&lines);
    assert_eq!((broken.finding, broken.seq), (Finding::OtherPast, Some(3)));
}

#[test]
fn a_line_cut_short_or_of_somebody_else_is_named() {
    for (line, finding) in [
        (lines(3)[2][..50].to_owned(), Finding::NotJson),
        (r#"{"hello":"world"}"#.to_owned(), Finding::Foreign),
        (String::new(), Finding::NotJson),
        (seal(r#"{"hello":"world""#.to_owned(), FIRST_PREV).line, Finding::Foreign),
        (lines(3)[2].replace("web-3", "web-4"), Finding::Changed),
    ] {
        let mut lines = lines(5);
        lines[2] = line;
        let broken = broken(&lines);
        assert_eq!((broken.finding, broken.seq, broken.after), (finding, None, Some(2)));
    }
}

#[test]
fn a_last_line_without_an_end_is_named() {
    let mut verifier = Verifier::new(None);
    verifier.source("stream");
    let lines = lines(1);
    let place = Place::Entry { key: "stream", id: "1" };
    verifier.line(StoredLine { place, bytes: lines[0].as_bytes(), is_whole: false });
    let verified = verifier.finish();
    let broken = verified.chains[0].broken.clone().unwrap();
    assert_eq!(broken.to_string(), "stream, entry 1-0: the line is cut short");
}

#[test]
fn records_of_a_newer_release_are_chained_and_noted() {
    let mut lines = lines(2);
    lines.push(seal(open("one", 3, 2) + r#","more":[1]"#, &hash(&lines[1])).line);
    let verified = verify(&lines);
    assert!(verified.is_whole());
    assert_eq!(verified.chains[0].notices, [Notice::Newer { seq: 3, schema: 2 }]);
}

#[test]
fn a_clock_that_was_set_back_is_noted_and_no_fault() {
    let early = open("one", 3, 1).replace("12:00:03", "11:00:00");
    let mut lines = lines(2);
    lines.push(seal(early, &hash(&lines[1])).line);
    let verified = verify(&lines);
    assert!(verified.is_whole());
    assert_eq!(verified.chains[0].notices, [Notice::ClockBack { seq: 3 }]);
}

#[test]
fn records_that_never_reached_the_store_are_told_by_the_next_and_only_by_it() {
    let kept = lines(2);
    let lost = chain_of("one", 3, &hash(&kept[1]), 2);
    let stored = |seq: u64, hash: &str| format!(r#","stored":{{"seq":{seq},"hash":"{hash}"}}"#);
    let told = |stored: String| {
        let next = seal(open("one", 5, 1) + &stored, &hash(&lost[1])).line;
        verify(&[kept.clone(), vec![next]].concat())
    };
    let verified = told(stored(2, &hash(&kept[1])));
    assert!(verified.is_whole(), "{verified:?}");
    assert_eq!(verified.chains[0].notices, [Notice::NeverStored { from: 3, to: 4, told_by: 5 }]);
    assert!(!told(stored(2, &hash(&kept[0]))).is_whole(), "it has to be the record before");
    assert!(!told(stored(1, &hash(&kept[0]))).is_whole());
}

#[test]
fn a_head_is_found_where_all_before_it_is_whole() {
    let lines = lines(5);
    let head = hash(&lines[3]);
    assert_eq!(verify_with(&lines, Some(&head)).head_found, Some(true));
    assert_eq!(verify_with(&lines[..3], Some(&head)).head_found, Some(false), "the end was cut off");
    assert!(!verify_with(&lines[..3], Some(&head)).is_whole());
    let mut changed = lines;
    changed[1] = changed[1].replace("web", "wob");
    assert_eq!(verify_with(&changed, Some(&head)).head_found, Some(false));
}

/// Those who trim do not wait for those who read.
#[test]
fn records_that_are_removed_while_they_are_read_are_not_missing() {
    let lines = lines(9);
    let verify = |forgotten: bool, first: &str| {
        let mut verifier = Verifier::new(None);
        verifier.source("stream");
        for line in [first, &lines[1], "", &lines[5], &lines[6]] {
            let place = Place::Entry { key: "stream", id: "1" };
            match line {
                "" if forgotten => verifier.forgotten(),
                "" => {}
                line => verifier.line(StoredLine { place, bytes: line.as_bytes(), is_whole: true }),
            }
        }
        verifier.finish().chains.remove(0)
    };
    let chain = verify(true, &lines[0]);
    assert_eq!((chain.first_seq, chain.head.seq, &chain.broken), (6, 7, &None));
    assert_eq!(chain.notices, [Notice::Begins { seq: 6 }]);
    let missing = verify(false, &lines[0]).broken.unwrap().finding;
    assert_eq!(missing, Finding::Missing { from: 3, to: 5 });
    let broken = verify(true, &lines[0].replace("web", "wob")).broken.unwrap().finding;
    assert_eq!(broken, Finding::Changed, "what was found stays found");
}

#[test]
fn a_chain_that_could_not_go_on_is_followed_by_another_in_the_same_file() {
    let lines = [lines(3), chain_of("one~00c0ffee", 1, FIRST_PREV, 2)].concat();
    let verified = verify(&lines);
    assert!(verified.is_whole(), "{verified:?}");
    let names: Vec<_> = verified.chains.iter().map(|chain| (chain.name.as_str(), chain.records)).collect();
    assert_eq!(names, [("one", 3), ("one~00c0ffee", 2)]);
}

/// Two processes of one name that both began anew are not one chain.
#[test]
fn a_second_beginning_under_the_same_name_is_a_break() {
    assert!(!verify(&[lines(3), lines(2)].concat()).is_whole());
}

#[test]
fn a_file_that_another_replica_goes_on_with_is_one_chain() {
    let lines = lines(3);
    let more = chain_of("two", 4, &hash(&lines[2]), 2);
    let verified = verify(&[lines, more].concat());
    assert!(verified.is_whole(), "{verified:?}");
    assert_eq!((verified.chains.len(), verified.chains[0].name.as_str()), (1, "two"));
}

#[test]
fn a_first_record_that_follows_another_is_a_break() {
    let other = "1".repeat(64);
    assert_eq!(broken(&chain_of("one", 1, &other, 2)).finding, Finding::NoBeginning);
    assert_eq!(broken(&chain_of("one", 0, FIRST_PREV, 2)).finding, Finding::NoBeginning);
}
