//! `docs/reports.md` says what reports are: what it shows is what the sample gives, and every column has a row.

use eco_pulse::report::{Form, SOURCES, csv_columns};

use crate::sample;
use crate::text;

const DOCUMENT: &str = include_str!("../../docs/reports.md");
const CATALOGUE: &str = include_str!("../../docs/catalogue.md");

#[test]
fn what_the_document_shows_of_a_table_is_what_the_sample_gives() {
    let table = text(&sample::report(), Form::Table);
    let known: Vec<&str> = table.lines().collect();
    let shown = DOCUMENT.split("```text\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut compared = 0;
    for line in shown.flat_map(str::lines).filter(|line| !line.is_empty()) {
        assert!(known.contains(&line), "not in the sample's table: {line}");
        compared += 1;
    }
    assert!(compared > 30, "{compared}");
}

#[test]
fn every_column_of_the_flat_file_is_described() {
    for column in csv_columns() {
        let plain = ["baseline_", "scheduler_mix_", "static_greenest_"]
            .iter()
            .find_map(|against| column.strip_prefix(against).map(|figure| format!("AGAINST_{figure}")))
            .unwrap_or(column);
        assert!(DOCUMENT.contains(&format!("`{plain}`")), "{plain}");
    }
}

#[test]
fn every_source_is_one_of_the_catalogues() {
    for (key, _, _) in SOURCES {
        assert!(CATALOGUE.contains(&format!("| `{key}` |")), "{key}");
    }
}
