//! `eco-pulse report` as a command: files, exit codes, messages.

use std::fs;

use crate::command::{path, run};

const PERIOD: [&str; 5] = ["report", "--from", "2026-01-01", "--to", "2026-01-08"];

fn report(more: &[&str]) -> crate::command::Ended {
    run(&[&PERIOD, more].concat())
}

#[test]
fn a_period_without_figures_is_a_sentence_and_no_failure() {
    let ended = report(&[]);
    ended.assert_ok();
    assert!(ended.stdout.contains("2026-01-01 to 2026-01-08 UTC"), "{}", ended.stdout);
    let told = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("there is nothing to report"), "{told}");
}

#[test]
fn a_file_has_the_form_of_its_ending_unless_another_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    for (file, more, begins) in [
        ("a.pdf", vec![], "%PDF"),
        ("a.json", vec![], "{"),
        ("a.csv", vec![], "section,"),
        ("a.pdf", vec!["--output", "csv"], "section,"),
        ("a", vec![], "Carbon and cost"),
    ] {
        let file = dir.path().join(file);
        let ended = report(&[&["--out", path(&file)], more.as_slice()].concat());
        ended.assert_ok();
        assert_eq!(ended.stdout, "");
        assert!(fs::read(&file).unwrap().starts_with(begins.as_bytes()), "{}", file.display());
    }
}

#[test]
fn what_does_not_fit_is_a_usage_error_with_the_cure() {
    for (arguments, words) in [
        (
            vec!["--from", "2026-01-08", "--to", "2026-01-01"],
            "--to 2026-01-01 is not after --from 2026-01-08: exchange them",
        ),
        (vec!["--from", "2026-01-01T00:30:00Z", "--to", "2026-01-02"], "not a whole hour"),
        (vec!["--from", "last-week", "--to", "2026-01-02"], "neither a date nor a time: write 2026-11-01"),
        (vec!["--from", "2999-01-01", "--to", "2999-01-02"], "--from 2999-01-01 is in the future"),
        (vec!["--from", "2026-01-01"], "--to <TIME>"),
        (
            vec!["--from", "2026-01-01", "--to", "2026-01-02", "--output", "xml"],
            "[possible values: table, csv, json, pdf]",
        ),
        (
            vec!["--from", "2026-01-01", "--to", "2026-01-02", "--head", "ab"],
            "--head is what --verify looks for: add --verify",
        ),
        (vec!["--verify", "--out", "file"], "cannot be used with"),
    ] {
        run(&[&["report"], arguments.as_slice()].concat()).assert_failed(2, &[words]);
    }
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    report(&["--out", "/does/not/exist.pdf"])
        .assert_failed(1, &["--out /does/not/exist.pdf", "can be written"]);
}
