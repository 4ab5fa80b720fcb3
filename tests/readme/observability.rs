//! `docs/observability.md`: every endpoint, metric, reason and record field is described, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use eco_pulse::accounts::realised::Realised;
use eco_pulse::accounts::run::{End, Progress};
use eco_pulse::audit::chain::FIRST_PREV;
use eco_pulse::audit::entry::{Endpoint, Entry, Subject};
use eco_pulse::audit::record::DecisionRecord;
use eco_pulse::config::Mode;
use eco_pulse::domain::snapshot::{DataState, Failure, Implausibility};
use eco_pulse::domain::{BypassReason, StayReason};
use eco_pulse::kubernetes::annotations::{DECISION, OUTPUT_ANNOTATIONS};
use eco_pulse::metrics::{Counting, Metrics};
use eco_pulse::store::BookStore;
use serde_json::Value;

use crate::markdown::{codes, table};
use crate::metric_names::{family, metrics};
use crate::rig::Simulation;
use crate::worked_example::{example, now};
use crate::{DOCUMENTS, OBSERVABILITY};

/// The worked example as a request would hand it over.
fn entry() -> Entry {
    let decided = example();
    Entry {
        at: now(),
        id: decided.id,
        endpoint: Endpoint::Mutate,
        subject: Subject {
            uid: "1".to_owned(),
            namespace: "default".to_owned(),
            pod: "nightly-report-".to_owned(),
            owner: Some(("Job".to_owned(), "nightly-report".to_owned())),
        },
        dry_run: false,
        mode: Mode::Steer,
        policies: vec!["reports/nightly".to_owned()],
        decision: decided.decision,
        demand: decided.demand,
        snapshot: decided.snapshot,
        duration: Duration::from_micros(100),
    }
}

/// Some hours of accounts.
fn show_accounts(metrics: &Metrics) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut accounts = Simulation::begin(BookStore::in_memory(), 0).await.unwrap();
        for step in 0..48 {
            accounts.step(step, step == 0).await.unwrap();
        }
        let books = &accounts.keeper.books;
        metrics.accounts().show(books, &books.owners().keys().map(|key| key.day).collect());
    });
}

/// Type and labels of every metric, as a scrape shows them once everything has happened.
fn scraped() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let metrics = Metrics::counting(Counting::ByAccountant).unwrap();
    show_accounts(&metrics);
    let entry = entry();
    metrics.decided(&entry);
    metrics.readings().provider_request("grid/mock", "ok");
    metrics.readings().reading_refused("mock", Implausibility::Zero.as_str());
    metrics.readings().circuit("electricity-maps", false);
    metrics.readings().store_up(true);
    metrics.cluster().watching("nodes");
    metrics.cluster().canary("decided");
    metrics.cluster().certificate_step("changed");
    metrics.cluster().webhook_drift("missing", false);
    metrics.cluster().event("written");
    metrics.cluster().knows("nodes", 1);
    metrics.ledger().head("replica-1", 1, FIRST_PREV, Some(now()));
    let text = metrics.render(entry.snapshot.as_deref(), jiff::SignedDuration::from_hours(2), now()).unwrap();

    let mut found: BTreeMap<String, (String, BTreeSet<String>)> = BTreeMap::new();
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap();
            found.insert(name.to_owned(), (kind.to_owned(), BTreeSet::new()));
        } else if let Some((series, labels)) = line.split_once('{') {
            let (_, known) = found.get_mut(family(series)).unwrap();
            let labels = labels.split('}').next().unwrap().split(',');
            let names = labels.map(|label| label.split('=').next().unwrap().to_owned());
            known.extend(names.filter(|name| name != "le"));
        }
    }
    found
}

#[test]
fn every_metric_is_described_with_its_type_and_labels() {
    let table = table(OBSERVABILITY, &["Metric", "Type", "Labels", "Meaning"]);
    let described: BTreeMap<String, (String, BTreeSet<String>)> = table
        .rows
        .iter()
        .map(|row| {
            let labels = row[2].split(", ").filter(|label| !label.is_empty()).map(str::to_owned).collect();
            (row[0].trim_matches('`').to_owned(), (row[1].clone(), labels))
        })
        .collect();
    let scraped = scraped();
    assert_eq!(described, scraped);
    let sources = concat!(
        include_str!("../../src/metrics.rs"),
        "\n",
        include_str!("../../src/metrics/readings.rs"),
        "\n",
        include_str!("../../src/metrics/cluster.rs"),
        "\n",
        include_str!("../../src/metrics/ledger.rs"),
        "\n",
        include_str!("../../src/metrics/savings.rs"),
        "\n",
        include_str!("../../src/metrics/register.rs")
    );
    for name in metrics(sources) {
        assert!(scraped.contains_key(name), "{name} was not made to happen");
    }
}

#[test]
fn every_metric_that_a_document_names_exists() {
    let scraped = scraped();
    for (path, document) in DOCUMENTS {
        for name in metrics(document) {
            assert!(scraped.contains_key(name), "{path}: there is no {name}");
        }
    }
}

#[test]
fn every_reason_is_described_with_its_outcome_and_whether_it_fails_open() {
    let mut expected = vec![("net_benefit", "steer", "")];
    expected.extend(StayReason::ALL.iter().map(|reason| (reason.as_str(), "stay", "")));
    expected.extend(
        BypassReason::ALL
            .iter()
            .map(|reason| (reason.as_str(), "bypass", if reason.is_fail_open() { "yes" } else { "" })),
    );
    let table = table(OBSERVABILITY, &["Reason", "Outcome", "Fails open", "Meaning"]);
    let described: Vec<(&str, &str, &str)> =
        table.rows.iter().map(|row| (row[0].trim_matches('`'), row[1].as_str(), row[2].as_str())).collect();
    assert_eq!(described, expected);
}

#[test]
fn every_failure_of_a_provider_is_described() {
    let table = table(OBSERVABILITY, &["Failure", "Meaning"]);
    let described: Vec<&str> = table.rows.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(described, Failure::ALL.map(Failure::as_str));
    for why in Implausibility::ALL {
        assert!(OBSERVABILITY.contains(&format!("`{}`", why.as_str())), "{}", why.as_str());
    }
}

/// The paths of a JSON value's members; those of a list's items end in `[]`.
fn paths(value: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                paths(member, &path, found);
                found.insert(path);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| paths(item, &format!("{prefix}[]"), found)),
        _ => {}
    }
}

#[test]
fn every_field_of_the_record_is_described() {
    let entry = entry();
    let record = serde_json::to_value(DecisionRecord::new(&entry, "replica", 1)).unwrap();
    let mut fields = BTreeSet::new();
    paths(&record, "", &mut fields);
    // The ledger adds these to the line.
    fields.extend(["stored", "stored.seq", "stored.hash", "prev", "hash"].map(str::to_owned));
    let table = table(OBSERVABILITY, &["Field", "Meaning"]);
    let described: BTreeSet<String> =
        table.rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    assert_eq!(described, fields);
}

#[test]
fn every_field_of_the_record_that_closes_a_decision_is_described() {
    let life = crate::week::lives().into_iter().find(|life| life.ended_at.is_some()).unwrap();
    let end = End { at: life.ended_at.unwrap(), seen: true };
    let record = Realised::new(&life.run, &Progress::default(), end, now());
    let record = serde_json::to_value(record).unwrap();
    let fields: BTreeSet<&str> = record.as_object().unwrap().keys().map(String::as_str).collect();
    let table = table(OBSERVABILITY, &["Realised", "Meaning"]);
    let described: BTreeSet<&str> = table.rows.iter().flat_map(|row| codes(&row[0])).collect();
    assert_eq!(described, fields);
}

#[test]
fn every_state_and_exclusion_is_described() {
    let states = [
        DataState::Fresh,
        DataState::Estimated,
        DataState::Stale,
        DataState::Missing,
        DataState::Implausible,
        DataState::Incomparable,
    ]
    .map(DataState::as_str);
    // The exclusions have no list of their own: their words are read where they are written.
    let exclusions = include_str!("../../src/domain/assessment.rs")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once("=> \"")?.1.strip_suffix("\","));
    let exclusions: Vec<&str> = exclusions.collect();
    assert!(exclusions.len() >= 7, "{exclusions:?}");
    for word in states.into_iter().chain(exclusions) {
        assert!(OBSERVABILITY.contains(&format!("`{word}`")), "{word}");
    }
}

#[test]
fn every_mark_on_a_pod_is_described() {
    let table = table(OBSERVABILITY, &["Label or annotation", "Holds"]);
    let described: BTreeSet<&str> = table.rows.iter().flat_map(|row| codes(&row[0])).collect();
    assert_eq!(described, OUTPUT_ANNOTATIONS.into_iter().chain([DECISION]).collect());
}

#[test]
fn every_route_is_described() {
    let sources = [
        include_str!("../../src/http/router.rs"),
        include_str!("../../src/http/admin.rs"),
        include_str!("../../src/http/report.rs"),
    ];
    let routes: BTreeSet<String> = sources
        .iter()
        .flat_map(|source| source.split(".route(\"").skip(1))
        .map(|rest| rest.split('"').next().unwrap().replace("{region}", "REGION"))
        .collect();
    let table = table(OBSERVABILITY, &["Listener", "Request", "Answer"]);
    let described: BTreeSet<String> =
        table.rows.iter().map(|row| row[1].trim_matches('`').split_once(' ').unwrap().1.to_owned()).collect();
    assert_eq!(described, routes);
}
