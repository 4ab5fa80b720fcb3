//! The week's accounts as a report, from the file that keeps them to what people read.

use std::collections::BTreeMap;
use std::sync::Arc;

use eco_pulse::app::gather;
use eco_pulse::catalogue::Catalogue;
use eco_pulse::clock::Clock;
use eco_pulse::config::Config;
use eco_pulse::report::model::{Basis, Report};
use eco_pulse::report::{Asked, Form, Period, Scope, build, render};
use eco_pulse::store::BookStore;
use jiff::Timestamp;

use crate::expected::{Figures, figures};
use crate::rig::{assert_same, named, run_week};
use crate::week::lives;

async fn report(folder: &std::path::Path, from: &str, to: &str) -> Report {
    let catalogue = Arc::new(Catalogue::built_in().unwrap());
    let file = folder.join("ledger.jsonl");
    let yaml = format!(
        "baseline: {{region: us-east-1}}\nregions: [{{name: us-east-1}}, {{name: eu-west-1}}, {{name: eu-central-1}}, \
         {{name: eu-north-1}}]\ndecision: {{holdout: 0.1}}\nledger: {{file: '{}'}}\n",
        file.display()
    );
    let config = Config::parse(&yaml, &*catalogue).unwrap();
    let now: Timestamp = "2022-06-16T00:00:00Z".parse().unwrap();
    let period = Period::read(Some(from), Some(to), now, Asked::Command).unwrap();
    let scope = Scope { period, namespace: None };
    let inputs = gather(&config, &catalogue, &scope, &Clock::new(move || now), |_| {}).await.unwrap();
    build(inputs, now).unwrap()
}

/// The figures of several namespaces as one.
fn sum<'f>(some: impl IntoIterator<Item = &'f Figures>) -> Figures {
    let mut total = Figures::new();
    for (name, amount) in some.into_iter().flatten() {
        *total.entry(name.clone()).or_default() += amount;
    }
    total
}

fn one(name: &str, figures: Figures) -> BTreeMap<String, Figures> {
    BTreeMap::from([(name.to_owned(), figures)])
}

#[tokio::test]
async fn the_weeks_report_says_what_a_straightforward_computation_says() {
    let folder = tempfile::tempdir().unwrap();
    let books = BookStore::in_file(&folder.path().join("ledger.jsonl.accounts")).unwrap();
    run_week(&books).await;
    let report = report(folder.path(), "2022-06-06", "2022-06-13").await;
    assert_eq!(report.basis, Basis::Pods);

    let expected = figures(&lives());
    let decided = expected.iter().filter(|(name, _)| !name.ends_with("/holdout"));
    let total = sum(decided.clone().map(|(_, figures)| figures));
    assert_same(&one("total", named(&report.total)), &one("total", total.clone()));
    let rows = report.namespaces.iter().map(|row| (row.namespace.clone(), named(&row.sums)));
    assert_same(&rows.collect(), &decided.map(|(name, figures)| (name.clone(), figures.clone())).collect());
    // The same once more by owner, by day, and with the control group in the inventory.
    let owners = sum(report.owners.rows.iter().map(|row| named(&row.sums)).collect::<Vec<_>>().iter());
    assert_same(&one("owners", owners), &one("owners", sum(expected.values())));
    let days = sum(report.series.iter().map(|point| named(&point.sums)).collect::<Vec<_>>().iter());
    assert_same(&one("days", days), &one("days", total.clone()));
    assert_eq!(report.series.len(), 7);
    let inventory: f64 = report.inventory.iter().map(|row| row.emissions_g).sum();
    let expected_g = sum(expected.values())["actual_g"];
    assert!((inventory - expected_g).abs() <= 1e-9 * expected_g);

    // The greenest region is beaten by nobody: what was lost against it is shown, with its sign.
    assert!(report.total.against[2].avoided_g < 0.0);
    let holdout = report.holdout.as_ref().unwrap();
    assert!(holdout.reduction.is_some_and(|share| share.low.is_some() && share.high.is_some()));
    assert!(report.open.waiting_hours > 0.0, "what nobody ever told is open");
    let table = String::from_utf8(render(&report, Form::Table).unwrap()).unwrap();
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    println!("{table}");
    for form in [Form::Csv, Form::Json, Form::Pdf] {
        assert!(!render(&report, form).unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_period_without_pods_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let books = BookStore::in_file(&folder.path().join("ledger.jsonl.accounts")).unwrap();
    run_week(&books).await;
    let report = report(folder.path(), "2022-05-01", "2022-05-08").await;
    assert_eq!((report.total.pods, report.namespaces.len(), report.holdout), (0, 0, None));
}
