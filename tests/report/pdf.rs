//! The document: its structure by its own bytes, its words by `pdftotext` where that is installed.

use std::io::Write as _;
use std::process::{Command, Stdio};

use eco_pulse::report::model::Report;
use eco_pulse::report::{Form, render};

use crate::sample;
use crate::{HEADINGS, text};

fn pdf(report: &Report) -> Vec<u8> {
    render(report, Form::Pdf).unwrap()
}

/// What is written of it as text; streams are not compressed.
fn raw(report: &Report) -> String {
    pdf(report).iter().map(|byte| char::from(*byte)).collect()
}

/// The words on its pages; `None`, with a line that says so, without `pdftotext`.
fn words(report: &Report) -> Option<Vec<String>> {
    let command = Command::new("pdftotext")
        .args(["-layout", "-enc", "UTF-8", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = command else {
        eprintln!("skipped: no pdftotext (Debian: poppler-utils)");
        return None;
    };
    let bytes = pdf(report);
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.split('\u{c}').filter(|page| !page.trim().is_empty()).map(str::to_owned).collect())
}

#[test]
fn the_file_is_whole_and_the_same_each_time() {
    for report in [sample::report(), sample::large(), sample::empty(), sample::of_decisions()] {
        let bytes = pdf(&report);
        assert!(bytes.starts_with(b"%PDF-1.7") && bytes.trim_ascii_end().ends_with(b"%%EOF"));
        assert_eq!(bytes, pdf(&report));
    }
}

#[test]
fn every_reference_of_the_table_leads_to_its_object() {
    let bytes = pdf(&sample::report());
    // Offsets count bytes, and one character of the file's mark is two in UTF-8.
    let text = |from: usize| String::from_utf8_lossy(&bytes[from..]).into_owned();
    let tail = text(bytes.len() - 40);
    let xref: usize = tail.split("startxref").nth(1).unwrap().lines().nth(1).unwrap().trim().parse().unwrap();
    let table = text(xref);
    let mut lines = table.lines().skip(1);
    let count: usize = lines.next().unwrap().split(' ').nth(1).unwrap().trim().parse().unwrap();
    assert!(count > 20);
    for (id, line) in lines.take(count).enumerate().skip(1) {
        let offset: usize = line[..10].parse().unwrap();
        assert!(bytes[offset..].starts_with(format!("{id} 0 obj").as_bytes()), "object {id} at {offset}");
    }
}

#[test]
fn it_says_what_it_is() {
    let raw = raw(&sample::report());
    for part in [
        "/Title (Carbon and cost of pod placement)",
        "/Lang (en)",
        "/CreationDate (D:20261128104100",
        "/DisplayDocTitle true",
        "/BaseFont /Helvetica-Bold",
        "/WinAnsiEncoding",
    ] {
        assert!(raw.contains(part), "{part}");
    }
    assert!(
        HEADINGS.iter().all(|heading| raw.contains(&format!("/Title ({heading})"))),
        "a bookmark a section"
    );
}

/// Of every text on a page: where it begins, from the left and from the bottom.
fn places(raw: &str) -> Vec<(f32, f32)> {
    let moves = raw.lines().filter_map(|line| line.strip_suffix(" Td"));
    moves
        .map(|line| {
            let (x, y) = line.split_once(' ').unwrap();
            (x.parse().unwrap(), y.parse().unwrap())
        })
        .collect()
}

#[test]
fn nothing_leaves_the_page() {
    for report in [sample::report(), sample::large(), sample::of_decisions()] {
        let raw = raw(&report);
        let places = places(&raw);
        assert!(places.len() > 100);
        for (x, y) in places {
            assert!((49.0..546.0).contains(&x) && (30.0..800.0).contains(&y), "{x} {y}");
        }
        for line in raw.lines().filter_map(|line| line.strip_suffix(" re")) {
            let sides: Vec<f32> = line.split(' ').map(|side| side.parse().unwrap()).collect();
            let [x, y, width, height] = sides[..] else { panic!("{line}") };
            assert!(x >= 49.0 && x + width <= 546.0 && y >= 50.0 && y + height <= 800.0, "{line}");
        }
    }
}

#[test]
fn pages_hold_every_section_the_totals_and_the_heads() {
    let report = sample::report();
    let Some(pages) = words(&report) else { return };
    let all = pages.join("\n");
    for heading in HEADINGS {
        assert!(all.contains(heading), "{heading}");
    }
    let table = text(&report, Form::Table);
    let total = table.lines().find(|line| line.starts_with("  all ")).unwrap();
    let figures: Vec<_> = total.split_whitespace().skip(1).collect();
    assert!(figures.len() >= 4 && figures.iter().all(|figure| all.contains(figure)), "{figures:?}");
    assert!(all.contains(sample::HEAD) && all.contains("ODbL") && all.contains("emaps-2022-lca"));
    for (index, page) in pages.iter().enumerate() {
        assert!(page.contains(&format!("page {} of {}", index + 1, pages.len())), "{page}");
    }
}

#[test]
fn a_table_that_goes_on_has_its_headings_again_and_long_names_an_ellipsis() {
    let Some(pages) = words(&sample::large()) else { return };
    let of_teams = pages.iter().filter(|page| page.matches("team-").count() > 15);
    let mut seen = 0;
    for page in of_teams {
        assert!(page.contains("namespace"), "{page}");
        seen += 1;
    }
    assert!(seen > 3, "{seen}");
    assert!(pages.iter().any(|page| page.contains('\u{2026}')));
    assert!(pages.concat().contains("28 others"), "a chart sums up what it does not name");
}
