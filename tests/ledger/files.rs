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
fn what_is_no_ledger_stays_as_it_is_to_the_letter() {
    for foreign in [
        "x",
        "root:x:0:0\nlast line without an end",
        "{\"hello\":\"world\"}",
        "{\"level\":\"info\",\"ts\":\"2026-06-01T12:00:00Z\"}\n{\"level\"",
        "{\"schema\":\"of somebody else\"}\nhalf",
    ] {
        let kept = Kept::new();
        fs::write(&kept.file, foreign).unwrap();
        let error = LedgerFile::open(kept.options()).unwrap_err();
        assert!(matches!(error, LedgerFileError::Foreign { .. }), "{foreign}: {error}");
        assert_eq!(fs::read_to_string(&kept.file).unwrap(), foreign);
    }
}

#[test]
fn half_a_first_record_is_cut_off_and_a_first_line_that_was_changed_is_still_ours() {
    let kept = Kept::new();
    for half in ["{", "{\"sche", "{\"schema\":1,\"ts\":\"2026"] {
        fs::write(&kept.file, half).unwrap();
        drop(LedgerFile::open(kept.options()).unwrap());
        assert_eq!(fs::read_to_string(&kept.file).unwrap(), "", "{half}");
    }
    kept.written(2);
    let text = fs::read_to_string(&kept.file).unwrap();
    fs::write(&kept.file, text.replacen("{\"schema", "[\"schema", 1)).unwrap();
    assert_eq!(LedgerFile::open(kept.options()).map(|_| ()).map_err(|error| error.to_string()), Ok(()));
}

/// A machine may boot in 1970, and know better a minute later.
#[test]
fn one_wrong_time_at_the_end_of_a_segment_removes_nothing_young() {
    let kept = Kept::new();
    let day = |day: i64| at(NOON) + SignedDuration::from_hours(24 * day);
    let epoch = at("1970-01-01T00:00:00Z");
    kept.written_by("one", [day(0), day(1), epoch, day(2), day(3)]);
    assert_eq!(chains(&kept.verify()), [("one", 5, true)]);
    // What is old goes all the same, and what nobody knows the age of goes with it.
    kept.written_by("one", [day(30), day(31)]);
    let verified = kept.verify();
    assert!(verified.is_whole() && verified.chains[0].first_seq >= 4, "{verified:?}");
}

#[test]
fn a_time_that_has_not_come_yet_keeps_nothing_that_is_old() {
    let kept = Kept::new();
    let day = |day: i64| at(NOON) + SignedDuration::from_hours(24 * day);
    kept.written_by("one", [day(0), day(3000), day(1), day(2)]);
    kept.written_by("one", [day(40), day(41)]);
    let verified = kept.verify();
    assert!(verified.is_whole() && verified.chains[0].first_seq >= 4, "{verified:?}");
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
    let mut scanner = Scanner::new(Wanted { from, to, namespace: None, projected: true });
    read_file(&kept.file, Span::around(from, to), &mut scanner).unwrap();
    assert_eq!(scanner.finish().records, 2);
}

/// Reading goes on after a segment that became too old meanwhile.
#[test]
fn a_segment_that_is_removed_while_others_are_read_is_passed_over() {
    let kept = Kept::new();
    kept.written(8);
    let paths = kept.paths();
    let mut lines = Removing { path: paths[1].clone(), lines: 0, forgotten: 0 };
    read_file(&kept.file, Span::ALL, &mut lines).unwrap();
    assert_eq!(lines.forgotten, 1);
    assert!((1..8).contains(&lines.lines), "{}", lines.lines);
}

/// Removes a file at the first line.
struct Removing {
    path: std::path::PathBuf,
    lines: u64,
    forgotten: u64,
}

impl Visitor for Removing {
    fn source(&mut self, _: &str) {}

    fn line(&mut self, _: StoredLine<'_>) {
        if self.lines == 0 {
            fs::remove_file(&self.path).unwrap();
        }
        self.lines += 1;
    }

    fn forgotten(&mut self) {
        self.forgotten += 1;
    }
}

#[test]
fn one_wrong_time_hides_no_right_records_of_its_segment() {
    let kept = Kept::in_one_file();
    let (epoch, later) = (at("1970-01-01T00:00:00Z"), at("2036-01-01T00:00:00Z"));
    let noon = at(NOON);
    for times in [[later, noon, noon], [noon, noon, epoch], [epoch, noon, later]] {
        let mut options = kept.options();
        options.segment_time = SignedDuration::MAX;
        kept.written_with(options, "one", times);
        // Aside, where nobody writes to it any more.
        fs::rename(&kept.file, kept.file.with_file_name("ledger.jsonl.000000001")).unwrap();
        let (from, to) = (at("2026-06-01T00:00:00Z"), at("2026-06-02T00:00:00Z"));
        let mut scanner = Scanner::new(Wanted { from, to, namespace: None, projected: true });
        read_file(&kept.file, Span::around(from, to), &mut scanner).unwrap();
        let right = times.iter().filter(|time| **time == noon).count() as u64;
        assert_eq!(scanner.finish().records, right, "{times:?}");
    }
}

#[test]
fn a_ledger_of_which_nothing_was_written_yet_is_whole() {
    let verified = Kept::new().verify();
    assert!(verified.is_whole() && verified.chains.is_empty(), "{verified:?}");
}
