//! A real Prometheus scrapes a webhook and a controller that have the demo's workload; every expression is asked of it and brings
//! what is promised.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::files::{Promised, columns, cookbook, panel_queries, rules, text, text_of, variable_queries};
use crate::markdown::table;
use crate::metric_names::names;
use crate::prometheus::Prometheus;
use crate::waiting::within;
use crate::workload::Cluster;

/// What has not happened by then never will.
const PATIENCE: Duration = Duration::from_mins(2);

/// Metrics as docs/observability.md lists them, which another test compares with the program.
fn documented() -> BTreeSet<String> {
    let table = table(&text("docs/observability.md"), &["Metric", "Type", "Labels", "Meaning"]);
    table.rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect()
}

fn recorded() -> BTreeSet<String> {
    rules().iter().filter_map(|rule| rule["record"].as_str().map(str::to_owned)).collect()
}

/// Every expression there is, with where it stands.
fn expressions() -> Vec<(String, String)> {
    let rules = rules();
    let of_rules = rules.iter().map(|rule| {
        let name = rule["record"].as_str().or(rule["alert"].as_str()).unwrap();
        (format!("dashboards/rules.yaml: {name}"), text_of(&rule["expr"]).to_owned())
    });
    let promised = [panel_queries(), variable_queries(), cookbook()].into_iter().flatten();
    promised.map(|promised| (promised.place, promised.expression)).chain(of_rules).collect()
}

#[test]
fn no_expression_names_a_metric_that_does_not_exist() {
    let (documented, recorded) = (documented(), recorded());
    for (place, expression) in expressions() {
        let names = names(&expression);
        assert!(!names.is_empty(), "{place}: {expression}");
        for name in names {
            let known = documented.contains(name) || recorded.contains(name);
            assert!(known, "{place}: there is no {name}");
        }
    }
}

/// Every metric is of use to somebody: one that nobody looks at is one too many.
#[test]
fn every_metric_is_looked_at_somewhere() {
    let all: Vec<(String, String)> = expressions();
    let used: BTreeSet<&str> = all.iter().flat_map(|(_, expression)| names(expression)).collect();
    for name in &documented() {
        assert!(used.contains(name.as_str()), "no panel, rule or query uses {name}");
    }
}

/// Why an expression does not bring what it promises; nothing when it does.
async fn missing(prometheus: &mut Prometheus, promised: &Promised) -> Option<String> {
    let series = prometheus.series(&promised.expression).await;
    // 0 of 0 is an answer that shows nothing.
    let is_number = |one: &serde_json::Value| one["value"][1] != "NaN";
    if !series.iter().any(is_number) {
        return Some(format!("{}: nothing: {}", promised.place, promised.expression));
    }
    for label in &promised.labels {
        let has =
            |one: &serde_json::Value| one["metric"][label].as_str().is_some_and(|value| !value.is_empty());
        if !series.iter().all(has) {
            return Some(format!("{}: a series without {label}: {series:?}", promised.place));
        }
    }
    None
}

/// What is not as it should be, of everything.
async fn all_that_is_missing(prometheus: &mut Prometheus) -> Vec<String> {
    let mut found = Vec::new();
    for promised in [panel_queries(), variable_queries(), cookbook()].iter().flatten() {
        found.extend(missing(prometheus, promised).await);
    }
    for (place, expressions, labels) in columns() {
        let mut brought = BTreeSet::new();
        for expression in &expressions {
            for one in prometheus.series(expression).await {
                brought.extend(one["metric"].as_object().unwrap().keys().cloned());
            }
        }
        found.extend(labels.difference(&brought).map(|label| format!("{place}: nothing brings {label}")));
    }
    for rule in rules() {
        let expression = text_of(&rule["expr"]);
        prometheus.series(expression).await;
        if let Some(name) = rule["record"].as_str()
            && prometheus.series(name).await.is_empty()
        {
            found.push(format!("{name}: nothing is recorded"));
        }
        // An alert brings nothing while all is well, what it looks at is there.
        for name in names(expression) {
            let name =
                if name.ends_with("_duration_seconds") { format!("{name}_count") } else { name.to_owned() };
            if prometheus.series(&name).await.is_empty() {
                found.push(format!("{}: no {name}", text_of(&rule["alert"])));
            }
        }
    }
    for rule in prometheus.rules().await {
        if rule["health"] != "ok" {
            found.push(format!("{}: {} {}", rule["name"], rule["health"], rule["lastError"]));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_and_every_rule_brings_what_it_promises() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let Some(mut prometheus) = Prometheus::start(&cluster.targets()).await else { return };

    let mut missing = Vec::new();
    // Rates need two scrapes, and something that happens between them.
    let complete = tokio::time::timeout(PATIENCE, async {
        loop {
            cluster.live_half_an_hour().await;
            missing = all_that_is_missing(&mut prometheus).await;
            if missing.is_empty() {
                break;
            }
        }
    });
    assert!(complete.await.is_ok(), "{} expressions bring nothing: {missing:#?}", missing.len());

    // What is shown is of the pods there were, each once.
    let decided = cluster.decided.to_string();
    within(PATIENCE, &format!("each of {decided} pods is counted"), async || {
        let placements = prometheus.series("sum(eco_pulse_placements_total)").await;
        placements.first().is_some_and(|one| one["value"][1] == decided.as_str())
    })
    .await;

    // Where regions are is what the map needs as numbers.
    for region in prometheus.series("eco_pulse_region_info").await {
        for side in ["latitude", "longitude"] {
            assert!(text_of(&region["metric"][side]).parse::<f64>().is_ok(), "{region}");
        }
    }
}
