//! `eco-pulse explain` with a provider that fails: the decision on standard output, what failed on standard error.

use eco_pulse::clock::Clock;
use serde_json::{Value, json};

use crate::check::config;
use crate::command::{Ended, run_with_input};
use crate::pods::region;
use crate::running::{asks, token_file};
use crate::stand_in::{StandIn, no_data};

const REGIONS: &str = "baseline: {region: eu-west-1}\nregions: [{name: eu-west-1}, {name: eu-north-1}]\n";
const POD: &str = r#"{"kind":"Pod","metadata":{"name":"web"},"spec":{"containers":[{"resources":{"requests":{"cpu":"2","memory":"4Gi"}}}]}}"#;

fn explain(grid: &str, output: &str) -> Ended {
    let stand_in = StandIn::start(&[("IE", 300.0), ("SE-SE3", 20.0)], || Clock::system().now());
    stand_in.script("SE-SE3", |_| no_data("SE-SE3"));
    let (_secret, token_file) = token_file();
    let (_dir, config) = config(&format!("{REGIONS}{}", asks(&stand_in, &token_file, grid)));
    run_with_input(&["explain", "-f", "-", "--output", output, "--config", &config], POD.as_bytes())
}

fn assert_warned(ended: &Ended) {
    assert_eq!(ended.code, 0, "{ended:?}");
    let said: Vec<&str> = ended.stderr.lines().map(str::trim).collect();
    let [warning, why, cure, ..] = said[..] else { panic!("{ended:?}") };
    assert_eq!(warning, "warning: electricity-maps for SE-SE3 (no_data)");
    assert_eq!(why, "answers 404: \"No recent data for zone \"SE-SE3\"\"");
    assert!(cure.starts_with("cure: see whether the provider knows the zone"), "{cure}");
    assert_eq!(ended.stderr.matches("warning:").count(), 1, "{}", ended.stderr);
}

#[test]
fn a_region_without_data_is_left_out_and_the_rest_decided() {
    let ended = explain("refresh: 5m", "json");
    assert_warned(&ended);
    let record: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!((&record["outcome"], &record["target_region"]), (&json!("stay"), &json!("eu-west-1")));
    let row = region(&record, "eu-north-1");
    assert_eq!((&row["excluded"], &row["terms_usd"]), (&json!("missing"), &Value::Null));
    assert_eq!(region(&record, "eu-west-1")["provider"], "electricity-maps");
}

#[test]
fn a_region_that_falls_back_is_told_too() {
    let ended = explain("refresh: 5m, fallback: [catalogue]", "json");
    assert_warned(&ended);
    let record: Value = serde_json::from_str(&ended.stdout).unwrap();
    let row = region(&record, "eu-north-1");
    assert_eq!((&row["provider"], &row["state"]), (&json!("catalogue"), &json!("estimated")));
}

#[test]
fn the_table_has_the_decision_and_nothing_else() {
    let ended = explain("refresh: 5m", "table");
    assert_warned(&ended);
    assert!(ended.stdout.contains("STAY: prefers eu-west-1"), "{}", ended.stdout);
    assert!(ended.stdout.contains("missing") && !ended.stdout.contains("warning"), "{}", ended.stdout);
    let lines = ended.stdout.lines().chain(ended.stderr.lines());
    assert!(lines.into_iter().all(|line| line.chars().count() <= 80), "{ended:?}");
}
