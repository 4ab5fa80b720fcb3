//! What is added up where, and what is said when there is nothing to add up.

use super::*;
use crate::accounts::cells::{HourKey, OwnerKey};
use crate::accounts::sums::{Group, Sums};
use crate::report::model::Step;

/// 2026-11-02, a Monday, in hours since 1970.
const MONDAY: i64 = 498_216;

fn setting() -> Setting {
    Setting {
        baseline: "us-east-1".to_owned(),
        carbon_price_usd_per_tonne: 50.0,
        cpu_utilisation: 0.5,
        gpu_utilisation: 0.5,
        holdout: 0.1,
        grid_providers: vec!["catalogue".to_owned()],
        price_provider: "catalogue".to_owned(),
        regions: Vec::new(),
    }
}

type Hours = Vec<(HourKey, Sums)>;
type OwnerDays = Vec<(OwnerKey, Sums)>;

fn inputs(scope: Scope, hours: Hours, owners: OwnerDays) -> Inputs {
    inputs_with_days(scope, 0..100_000, hours, owners)
}

fn inputs_with_days(scope: Scope, days: Range<i64>, hours: Hours, owners: OwnerDays) -> Inputs {
    let mut tally = Tally::new(scope, Basis::Pods, days);
    for (key, sums) in hours {
        tally.add_hour(key, sums);
    }
    for (key, sums) in owners {
        tally.add_owner(key, sums);
    }
    Inputs {
        basis: Basis::Pods,
        setting: setting(),
        tally,
        hours_kept_from: None,
        decisions: Decisions::default(),
        open: Open::default(),
        heads: Vec::new(),
        notes: Vec::new(),
    }
}

fn sums(emissions_g: f64) -> Sums {
    let mut sums = Sums { pods: 1, core_hours: 2.0, measured_hours: 1.0, ..Sums::default() };
    sums.actual.emissions_g = emissions_g;
    sums.against[0].avoided_g = -emissions_g / 4.0;
    sums
}

fn hour(hour: i64, namespace: &str, region: &str, group: Group) -> HourKey {
    HourKey {
        hour,
        namespace: namespace.to_owned(),
        kind: "Job".to_owned(),
        region: region.to_owned(),
        group,
    }
}

fn owner(day: i64, name: &str, group: Group) -> OwnerKey {
    OwnerKey { day, namespace: "a".to_owned(), kind: "Job".to_owned(), name: name.to_owned(), group }
}

fn scope(from: i64, to: i64, namespace: Option<&str>) -> Scope {
    Scope { period: Period::of_hours(from, to).unwrap(), namespace: namespace.map(ToOwned::to_owned) }
}

fn later() -> Timestamp {
    "2027-01-01T00:00:00Z".parse().unwrap()
}

fn week() -> Scope {
    scope(MONDAY, MONDAY + 7 * 24, None)
}

#[test]
fn the_control_group_is_in_the_inventory_and_in_no_total() {
    let hours = vec![
        (hour(MONDAY, "a", "x", Group::Decided), sums(100.0)),
        (hour(MONDAY, "b", "x", Group::Decided), sums(300.0)),
        (hour(MONDAY + 30, "a", "y", Group::Holdout), sums(7.0)),
        (hour(MONDAY - 1, "a", "x", Group::Decided), sums(1e6)),
        (hour(MONDAY + 7 * 24, "a", "x", Group::Decided), sums(1e6)),
    ];
    let owners = vec![(owner(20_759, "n", Group::Holdout), sums(7.0))];
    let report = build(inputs(week(), hours, owners), later()).unwrap();
    assert_eq!((report.total.pods, report.total.actual.emissions_g), (2, 400.0));
    assert_eq!(report.total.against[0].avoided_g.to_bits(), (-100.0_f64).to_bits());
    let names: Vec<_> = report.namespaces.iter().map(|row| row.namespace.as_str()).collect();
    assert_eq!(names, ["b", "a"], "most emissions first");
    let emitted: f64 = report.inventory.iter().map(|row| row.emissions_g).sum();
    assert_eq!((report.inventory.len(), emitted.to_bits()), (3, 407.0_f64.to_bits()));
    let over_time: f64 = report.series.iter().map(|point| point.sums.actual.emissions_g).sum();
    assert_eq!(over_time.to_bits(), 400.0_f64.to_bits());
    assert!(report.holdout.is_some());
}

#[test]
fn every_day_and_every_hour_has_a_point() {
    let at = |scope: Scope| build(inputs(scope, Vec::new(), Vec::new()), later()).unwrap();
    let days = at(week());
    assert_eq!((days.step, days.series.len()), (Step::Day, 7));
    let cut = at(scope(MONDAY + 5, MONDAY + 3 * 24 + 1, None));
    assert_eq!(cut.series.len(), 4);
    assert_eq!(cut.series[0].start.to_string(), "2026-11-02T05:00:00Z");
    assert_eq!(cut.series[1].start.to_string(), "2026-11-03T00:00:00Z");
    let hours = at(scope(MONDAY + 5, MONDAY + 5 + 48, None));
    assert_eq!((hours.step, hours.series.len()), (Step::Hour, 48));
    assert_eq!(hours.series[47].start.to_string(), "2026-11-04T04:00:00Z");
}

#[test]
fn a_pod_without_a_request_for_cpu_is_in_the_inventory_and_one_that_has_not_run_is_not() {
    let mut of_gpus = Sums { core_hours: 0.0, ..sums(9.0) };
    of_gpus.measured_hours = 0.5;
    let bound = Sums { pods: 1, ..Sums::default() };
    let hours = vec![
        (hour(MONDAY, "gpu", "x", Group::Decided), of_gpus),
        (hour(MONDAY, "new", "", Group::Decided), bound),
        (hour(MONDAY, "lost", "x", Group::Decided), Sums { missing_hours: 1.0, ..Sums::default() }),
    ];
    let report = build(inputs(week(), hours, Vec::new()), later()).unwrap();
    let named: Vec<_> = report.inventory.iter().map(|row| row.namespace.as_str()).collect();
    assert_eq!(named, ["gpu", "lost"]);
}

/// Decisions are added up by the day: by the hour, the first one would have all of them.
#[test]
fn decisions_alone_are_shown_by_day_however_short_the_period() {
    let day = scope(MONDAY, MONDAY + 24, None);
    let tally = Tally::new(day.clone(), Basis::Decisions, 0..100_000);
    let kept_from = Some(MONDAY + 12);
    let inputs = Inputs {
        basis: Basis::Decisions,
        tally,
        hours_kept_from: kept_from,
        ..inputs(day, Vec::new(), Vec::new())
    };
    let report = build(inputs, later()).unwrap();
    assert_eq!((report.step, report.series.len()), (Step::Day, 1));
    assert_eq!(report.notes.len(), 1, "{:?}", report.notes);
    assert!(
        report.notes[0].contains("since 2026-11-02 12:00 (ledger.rawRetentionDays)"),
        "{:?}",
        report.notes
    );
}

#[test]
fn owners_cover_whole_days_that_are_kept_and_the_report_says_so() {
    let monday = MONDAY / 24;
    let rows = vec![
        (owner(monday, "early", Group::Decided), sums(1.0)),
        (owner(monday + 1, "kept", Group::Decided), sums(2.0)),
        (owner(monday + 2, "kept", Group::Decided), sums(3.0)),
    ];
    let kept = monday + 1..monday + 100;
    let report = build(inputs_with_days(week(), kept, Vec::new(), rows), later()).unwrap();
    assert_eq!(report.owners.rows.len(), 1);
    assert_eq!(report.owners.rows[0].sums.actual.emissions_g.to_bits(), 5.0_f64.to_bits());
    let (from, to) = report.owners.covered.unwrap();
    assert_eq!((told(from).as_str(), told(to).as_str()), ("2026-11-03", "2026-11-09"));
    assert!(report.notes[0].contains("2026-11-03 to 2026-11-09 only"), "{:?}", report.notes);
}

#[test]
fn a_namespace_without_pods_is_an_error_that_names_those_that_have() {
    let hours = || vec![(hour(MONDAY, "shop", "x", Group::Decided), sums(1.0))];
    let hour_of = |namespace| scope(MONDAY, MONDAY + 1, Some(namespace));
    let asked = |namespace| build(inputs(hour_of(namespace), hours(), Vec::new()), later());
    assert_eq!(asked("shop").unwrap().total.pods, 1);
    let error = asked("shpo").unwrap_err().to_string();
    assert!(error.contains("\"shpo\"") && error.ends_with("those that have: shop"), "{error}");
    let nothing = build(inputs(hour_of("shop"), Vec::new(), Vec::new()), later());
    assert!(nothing.is_ok(), "where there is nothing at all, that is what to say");
}

#[test]
fn what_is_not_kept_and_what_is_not_over_is_said() {
    let mut inputs = inputs(week(), Vec::new(), Vec::new());
    inputs.hours_kept_from = Some(MONDAY + 24);
    inputs.notes = vec!["first".to_owned()];
    let report = build(inputs, "2026-11-05T10:20:00Z".parse().unwrap()).unwrap();
    assert_eq!(report.notes[0], "first");
    assert!(report.notes[1].contains("since 2026-11-03 (ledger.retentionDays)"), "{:?}", report.notes);
    assert!(report.notes[2].contains("not over") && report.notes[2].contains("2026-11-05 10:00"));
}

#[test]
fn a_control_group_whose_owners_are_not_kept_is_not_compared_and_that_is_said() {
    let hours = vec![(hour(MONDAY, "a", "x", Group::Holdout), sums(1.0))];
    let report = build(inputs(week(), hours, Vec::new()), later()).unwrap();
    assert_eq!(report.holdout, None);
    assert!(report.notes.iter().any(|note| note.contains("not compared")), "{:?}", report.notes);
}
