//! The flat file: it parses back, its rows add up, and what is not known is empty.

use std::collections::HashMap;

use eco_pulse::report::model::Report;
use eco_pulse::report::{Form, csv_columns, render};

use crate::sample;

type Row = HashMap<String, String>;

fn rows(report: &Report) -> Vec<Row> {
    let bytes = render(report, Form::Csv).unwrap();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), csv_columns());
    reader.deserialize().map(Result::unwrap).collect()
}

fn of<'r>(rows: &'r [Row], section: &'r str) -> impl Iterator<Item = &'r Row> {
    rows.iter().filter(move |row| row["section"] == section)
}

fn sum(rows: &[Row], section: &str, column: &str) -> f64 {
    of(rows, section).map(|row| row[column].parse::<f64>().unwrap()).sum()
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * other.abs().max(1.0)
}

#[test]
fn namespaces_and_days_add_up_to_the_total() {
    let report = sample::report();
    let rows = rows(&report);
    let columns = [
        "pods",
        "core_hours",
        "energy_kwh",
        "emissions_g",
        "cost_usd",
        "baseline_avoided_realised_g",
        "scheduler_mix_avoided_projected_g",
        "static_greenest_saved_realised_usd",
    ];
    for column in columns {
        let total = sum(&rows, "total", column);
        assert!(near(sum(&rows, "namespace", column), total), "{column}");
        assert!(near(sum(&rows, "day", column), total), "{column}");
    }
    assert!(near(sum(&rows, "total", "baseline_avoided_realised_g"), report.total.against[0].avoided_g));
    let emitted: f64 = report.inventory.iter().map(|row| row.emissions_g).sum();
    assert!(near(sum(&rows, "inventory", "emissions_g"), emitted));
}

#[test]
fn there_is_a_row_for_every_day_with_its_own_period() {
    let rows = rows(&sample::report());
    let days: Vec<_> = of(&rows, "day").map(|row| (row["from"].as_str(), row["to"].as_str())).collect();
    assert_eq!(days.len(), 14);
    assert_eq!(days[0], ("2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z"));
    assert_eq!(days[13], ("2026-11-15T00:00:00Z", "2026-11-16T00:00:00Z"));
}

#[test]
fn numbers_are_as_precise_as_they_are_kept() {
    let report = sample::report();
    let rows = rows(&report);
    let total = of(&rows, "total").next().unwrap();
    let emissions: f64 = total["emissions_g"].parse().unwrap();
    assert_eq!(emissions.to_bits(), report.total.actual.emissions_g.to_bits());
}

#[test]
fn what_nobody_knows_is_empty_and_not_zero() {
    let rows = rows(&sample::of_decisions());
    let total = of(&rows, "total").next().unwrap();
    for column in ["emissions_g", "core_hours", "baseline_avoided_realised_g", "missed", "moves_gained"] {
        assert_eq!(total[column], "", "{column}");
    }
    assert_ne!(total["baseline_avoided_projected_g"], "");
    let every = of(&rows, "namespace").chain(of(&rows, "owner"));
    assert!(every.into_iter().all(|row| row["energy_kwh"].is_empty()));
}

/// Whoever creates a pod names its owner, and a spreadsheet computes what begins so.
#[test]
fn a_name_is_no_formula_and_a_number_stays_one() {
    let mut report = sample::report();
    report.owners.rows[0].name = "=HYPERLINK(\"http://example.com\")".to_owned();
    report.owners.rows[0].namespace = "-1.5".to_owned();
    report.total.against[0].avoided_g = -2.5;
    let rows = rows(&report);
    let owner = of(&rows, "owner").next().unwrap();
    assert_eq!(owner["owner"], "'=HYPERLINK(\"http://example.com\")");
    assert_eq!(owner["namespace"], "-1.5");
    assert_eq!(of(&rows, "total").next().unwrap()["baseline_avoided_realised_g"], "-2.5");
}

#[test]
fn the_control_group_claims_nothing() {
    let rows = rows(&sample::report());
    let (mut claiming, mut silent) = (0, 0);
    for row in of(&rows, "owner") {
        let claims = |figure: &str| !row[&format!("baseline_{figure}")].is_empty();
        let figures = ["avoided_projected_g", "avoided_realised_g", "saved_realised_usd", "compared_hours"];
        let is_decided = row["group"] == "decided";
        assert!(figures.into_iter().all(|figure| claims(figure) == is_decided), "{row:?}");
        assert!(!row["emissions_g"].is_empty(), "what it emitted is known all the same");
        *if is_decided { &mut claiming } else { &mut silent } += 1;
    }
    assert!(claiming > 0 && silent > 0);
}

#[test]
fn what_a_reader_has_to_know_is_in_it_too() {
    let mut report = sample::report();
    report.notes = vec!["The period is not over.".to_owned()];
    let rows = rows(&report);
    let words = |section| of(&rows, section).next().unwrap()["reason"].clone();
    assert_eq!((words("basis").as_str(), words("note").as_str()), ("pods", "The period is not over."));
    assert_eq!(of(&rows, "unreadable").next().unwrap()["count"], "2");
}

#[test]
fn groups_estimates_decisions_and_heads_have_rows() {
    let rows = rows(&sample::report());
    assert_eq!(of(&rows, "control_group").count(), 2);
    let reduction = of(&rows, "reduction").next().unwrap();
    let figure = |column: &str| reduction[column].parse::<f64>().unwrap();
    assert!(figure("low") < figure("value") && figure("value") < figure("high"));
    assert_eq!(of(&rows, "decisions").count(), 5);
    assert_eq!(of(&rows, "ledger_head").next().unwrap()["hash"], sample::HEAD);
}
