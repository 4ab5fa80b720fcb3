//! A ledger in files: put aside, gone on with, locked, and removed when it is old.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::time::Duration;

use eco_pulse::audit::file::{FileOptions, LedgerFile, LedgerFileError};
use eco_pulse::audit::read::{Span, Visitor, file_head, read_file};
use eco_pulse::audit::scan::{Scanner, Wanted};
use eco_pulse::audit::segments::segments;
use eco_pulse::audit::verify::{Finding, Notice, StoredLine};
use jiff::SignedDuration;

use crate::rig::{Kept, NOON, at, chains};

#[test]
fn the_chain_goes_on_over_segments_and_restarts() {
    let kept = Kept::new();
    kept.written(5).written(4).written(1);
    assert!(kept.paths().len() >= 4, "{:?}", kept.paths());
    let verified = kept.verify();
    assert_eq!(chains(&verified), [("one", 10, true)]);
    assert_eq!(verified.chains[0].head.seq, 10);
    assert_eq!(file_head(&kept.file).unwrap().unwrap().link, verified.chains[0].head);
    assert!(kept.file.with_file_name("ledger.jsonl.000000001").exists());
}

#[test]
fn another_replica_goes_on_with_the_chain_of_a_file() {
    let kept = Kept::new();
    kept.written(2).written_by("two", [at(NOON)]);
    assert_eq!(chains(&kept.verify()), [("two", 3, true)]);
}

#[test]
fn a_segment_ends_after_a_day_and_is_removed_when_its_last_record_is_too_old() {
    let kept = Kept::new();
    let days = |from: i64, to: i64| (from..to).map(|day| at(NOON) + SignedDuration::from_hours(24 * day));
    kept.written_by("one", days(0, 3));
    assert_eq!(kept.paths().len(), 3, "one record a day");
    kept.written_by("one", days(11, 13));
    let verified = kept.verify();
    assert!(verified.is_whole(), "{verified:?}");
    assert_eq!(
        verified.chains[0].notices,
        [Notice::Begins { seq: 3 }],
        "the first two are over ten days old"
    );
}

#[test]
fn a_clock_that_leaps_ahead_for_a_while_removes_nothing() {
    let kept = Kept::new();
    kept.written(5);
    let before = kept.paths().len();
    let patient = FileOptions { clock_patience: Duration::from_mins(10), ..kept.options() };
    let years_ahead = [1, 2, 3].map(|day| at(NOON) + SignedDuration::from_hours(24 * (730 + day)));
    kept.written_with(patient, "one", [at(NOON)].into_iter().chain(years_ahead));
    assert!(kept.paths().len() > before + 2, "{:?}", kept.paths());
    assert_eq!(chains(&kept.verify()), [("one", 9, true)]);
    // Believed, it would have.
    kept.written_by("one", years_ahead);
    assert!(kept.verify().chains[0].first_seq > 5);
}

#[test]
fn half_a_line_that_a_killed_process_left_is_cut_off_and_the_chain_goes_on() {
    let kept = Kept::new();
    kept.written(2);
    let before = fs::read(&kept.file).unwrap();
    let mut file = OpenOptions::new().append(true).open(&kept.file).unwrap();
    file.write_all(br#"{"schema":1,"ts":"2026-06"#).unwrap();
    let broken = kept.verify();
    assert_eq!(broken.chains[0].broken.as_ref().unwrap().finding, Finding::CutShort);
    kept.written(1);
    assert_eq!(fs::read(&kept.paths()[0]).unwrap(), before);
    assert_eq!(chains(&kept.verify()), [("one", 3, true)]);
}

#[test]
fn after_a_last_line_that_was_changed_another_chain_begins_and_the_change_is_still_found() {
    let kept = Kept::new();
    kept.written(2);
    let text = fs::read_to_string(&kept.file).unwrap();
    fs::write(&kept.file, text.replacen(r#""seq":2"#, r#""seq":3"#, 1)).unwrap();
    kept.written(2);
    let verified = kept.verify();
    let [old, new] = &verified.chains[..] else { panic!("{verified:?}") };
    assert_eq!((old.name.as_str(), old.broken.as_ref().unwrap().finding.clone()), ("one", Finding::Changed));
    assert!(new.name.starts_with("one~") && new.broken.is_none(), "{new:?}");
}

#[test]
fn no_two_processes_write_one_file() {
    let kept = Kept::new();
    let first = LedgerFile::open(kept.options()).unwrap();
    let error = LedgerFile::open(kept.options()).unwrap_err();
    assert!(matches!(error, LedgerFileError::Taken { .. }));
    let text = error.to_string();
    assert!(text.contains(kept.file.to_str().unwrap()) && text.contains("a file of its own"), "{text}");
    drop(first);
    kept.written(1);
}

#[test]
fn what_is_no_ledger_is_never_written_to() {
    let kept = Kept::new();
    fs::write(&kept.file, "root:x:0:0\n").unwrap();
    let error = LedgerFile::open(kept.options()).unwrap_err();
    assert!(matches!(error, LedgerFileError::Foreign { .. }), "{error}");
    assert_eq!(fs::read_to_string(&kept.file).unwrap(), "root:x:0:0\n");
    let folder = kept.file.parent().unwrap();
    for path in [folder.to_owned(), folder.join("missing/ledger.jsonl")] {
        let error = LedgerFile::open(FileOptions { path, ..kept.options() }).unwrap_err();
        assert!(matches!(error, LedgerFileError::Unusable { .. }), "{error}");
        assert!(error.to_string().contains("name a file in a folder that is there"), "{error}");
    }
}

#[test]
fn what_is_put_aside_while_it_is_read_is_read_once() {
    let kept = Kept::new();
    kept.written(2);
    let listed = segments(&kept.file).unwrap();
    kept.written(3);
    let mut lines = 0;
    for segment in &listed {
        segment.read(|_| lines += 1).unwrap();
    }
    assert!((2..=3).contains(&lines), "{lines}");
}

/// Counts lines, wherever they are.
#[derive(Default)]
struct Lines(u64);

impl Visitor for Lines {
    fn source(&mut self, _: &str) {}

    fn line(&mut self, _: StoredLine<'_>) {
        self.0 += 1;
    }
}

#[test]
fn segments_of_other_times_are_not_read() {
    let kept = Kept::new();
    kept.written_by("one", (0..9).map(|day| at(NOON) + SignedDuration::from_hours(24 * day)));
    let (from, to) = (at("2026-06-03T00:00:00Z"), at("2026-06-05T00:00:00Z"));
    let mut lines = Lines::default();
    read_file(&kept.file, Span::around(from, to), &mut lines).unwrap();
    assert_eq!(lines.0, 2, "one record a segment");
    let mut scanner = Scanner::new(Wanted { from, to, namespace: None });
    read_file(&kept.file, Span::around(from, to), &mut scanner).unwrap();
    assert_eq!(scanner.finish().records, 2);
}

#[test]
fn a_ledger_of_which_nothing_was_written_yet_is_whole() {
    let verified = Kept::new().verify();
    assert!(verified.is_whole() && verified.chains.is_empty(), "{verified:?}");
}
