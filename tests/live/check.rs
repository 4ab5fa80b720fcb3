//! `eco-pulse check` against a provider that is well, and one that is not: what it prints, and how it ends.

use std::fs;

use eco_pulse::clock::Clock;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Ended, path, run};
use crate::pods::region;
use crate::running::{asks, token_file};
use crate::stand_in::{StandIn, ZONES, access, hour_of, latest, no_data};
use crate::upstream::Answer;

const REGIONS: &str = "
baseline: {region: eu-west-1}
regions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1}, {name: eu-central-1}, {name: europe-west10, priceUsdPerVcpuHour: 0.05}]
";
const VALUES: &[(&str, f64)] = &[("US-MIDA-PJM", 401.0), ("IE", 302.0), ("SE-SE3", 23.0), ("DE", 434.0)];
/// Seldom enough for no warning.
const GRID: &str = "refresh: 5m";

/// Runs with these settings of `grid`, and further arguments.
fn check(stand_in: &StandIn, grid: &str, arguments: &[&str]) -> Ended {
    let (_secret, token_file) = token_file();
    let (_dir, config) = config(&format!("{REGIONS}{}", asks(stand_in, &token_file, grid)));
    run(&[&["check", "--config", &config], arguments].concat())
}

pub fn config(text: &str) -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("eco-pulse.yaml");
    fs::write(&file, text).unwrap();
    let file = path(&file).to_owned();
    (dir, file)
}

fn stand_in() -> StandIn {
    StandIn::start(VALUES, || Clock::system().now())
}

/// The words of the first line of a table that begins so.
fn row<'o>(output: &'o str, begin: &str) -> Vec<&'o str> {
    let line = output.lines().find(|line| line.starts_with(begin));
    line.unwrap_or_else(|| panic!("no line begins with {begin}:\n{output}")).split_whitespace().collect()
}

/// The lines from the first that begins so on, as one text.
fn from(output: &str, begin: &str) -> String {
    let lines: Vec<&str> = output.lines().skip_while(|line| !line.starts_with(begin)).collect();
    assert!(!lines.is_empty(), "no line begins with {begin:?}:\n{output}");
    lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn assert_fits(ended: &Ended) {
    for line in ended.stdout.lines().chain(ended.stderr.lines()) {
        assert!(line.chars().count() <= 80, "{} columns:\n{line}", line.chars().count());
        assert!(!line.contains('\u{1b}') && !line.contains('\r'), "{line:?}");
    }
}

#[test]
fn every_region_is_shown_with_what_was_said_of_it() {
    let stand_in = stand_in();
    let ended = check(&stand_in, GRID, &[]);
    ended.assert_ok();
    assert_fits(&ended);
    let base = ["eu-west-1*", "IE", "302", "lifecycle", "0", "s", "fresh", "electricity-maps"];
    assert_eq!(row(&ended.stdout, "eu-west-1*"), base);
    let other = ["europe-west10", "DE", "434", "lifecycle", "0", "s", "fresh", "electricity-maps"];
    assert_eq!(row(&ended.stdout, "europe-west10"), other);
    assert!(!ended.stdout.contains("failed"), "{}", ended.stdout);
    // The list of zones, and each zone once, though two regions are in one.
    assert_eq!(stand_in.upstream.requests().len(), 1 + VALUES.len());
}

#[test]
fn json_is_what_snapshot_shows() {
    let stand_in = stand_in();
    stand_in.script("DE", |_| no_data("DE"));
    let ended = check(&stand_in, "refresh: 5m, fallback: [catalogue]", &["--output", "json"]);
    ended.assert_ok();
    let view: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(region(&view, "eu-north-1")["grid"]["known"]["intensity"], 23.0);
    let there = region(&view, "eu-central-1");
    assert_eq!((&there["state"], &there["trouble"][0]["failure"]), (&json!("estimated"), &json!("no_data")));
    assert!(there["trouble"][0]["cure"].as_str().unwrap().contains("grid.fallback"), "{there}");
    assert!(!region(&view, "eu-north-1")["prices"].as_array().unwrap().is_empty());
}

#[test]
fn a_region_that_would_be_left_out_is_named_with_the_cause_and_the_cure() {
    let stand_in = stand_in();
    stand_in.script("DE", |_| no_data("DE"));
    stand_in.script("SE-SE3", |_| Answer::json(latest("SE-SE3", &json!(0), hour_of(Clock::system().now()))));
    let ended = check(&stand_in, GRID, &[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_fits(&ended);
    assert_eq!(row(&ended.stdout, "eu-north-1"), ["eu-north-1", "SE-SE3", "-", "-", "-", "implausible", "-"]);
    assert_eq!(row(&ended.stdout, "eu-central-1"), ["eu-central-1", "DE", "-", "-", "-", "missing", "-"]);
    let failed = from(&ended.stdout, "failed: electricity-maps for DE");
    assert!(
        failed.starts_with(
            "failed: electricity-maps for DE (no_data) answers 404: \"No recent data for zone \"DE\"\" cure: see whether"
        ),
        "{failed}"
    );
    let failed = from(&ended.stdout, "failed: electricity-maps for SE-SE3");
    assert!(
        failed.starts_with(
            "failed: electricity-maps for SE-SE3 (implausible) it says 0 gCO2eq/kWh, which cannot be: zero cure: tell the"
        ),
        "{failed}"
    );
    assert_eq!(
        from(&ended.stderr, "eco-pulse: "),
        "eco-pulse: no pod would be sent to eu-north-1 (grid data implausible), eu-central-1, europe-west10 (grid data \
         missing)"
    );
}

#[test]
fn a_baseline_that_is_not_known_costs_every_pod() {
    let stand_in = stand_in();
    stand_in.script("IE", |_| Answer::new(503, ""));
    let ended = check(&stand_in, GRID, &[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_fits(&ended);
    let why = "eco-pulse: every pod would be left as it came, for its baseline eu-west-1 (grid data missing)";
    assert_eq!(from(&ended.stderr, "eco-pulse: "), why);
}

#[test]
fn a_region_without_a_price_is_named_with_the_cure() {
    let stand_in = stand_in();
    let (_secret, token_file) = token_file();
    let regions = REGIONS.replace(", priceUsdPerVcpuHour: 0.05", "");
    let (_dir, config) = config(&format!("{regions}{}", asks(&stand_in, &token_file, GRID)));
    let ended = run(&["check", "--config", &config]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_fits(&ended);
    assert_eq!(
        from(&ended.stdout, "failed:"),
        "failed: no price of m5.xlarge, on-demand, for europe-west10 cure: give the region priceUsdPerVcpuHour, or \
         a prices.instanceType that is sold there"
    );
    assert_eq!(ended.stderr, "eco-pulse: no pod would be sent to europe-west10 (no price)\n");
}

#[test]
fn a_provider_that_is_gone_is_told_once_for_all_its_zones() {
    let stand_in = stand_in();
    for (zone, _) in VALUES {
        stand_in.script(zone, |_| Answer::new(503, "<html>Service Unavailable</html>"));
    }
    stand_in.upstream.on(ZONES, |_| Answer::new(503, ""));
    let ended = check(&stand_in, "refresh: 5m, fallback: [catalogue]", &[]);
    ended.assert_ok();
    assert_fits(&ended);
    assert_eq!(ended.stdout.matches("failed:").count(), 1, "{}", ended.stdout);
    assert!(
        from(&ended.stdout, "failed:")
            .starts_with("failed: electricity-maps for US-MIDA-PJM, IE, SE-SE3, DE (outage) answers 503: "),
        "{}",
        ended.stdout
    );
    assert_eq!(row(&ended.stdout, "eu-west-1*")[6..], ["estimated", "catalogue"]);
}

#[test]
fn zones_outside_the_plan_are_named_and_not_asked_about() {
    let stand_in = stand_in();
    stand_in.upstream.on(ZONES, access(["IE", "US-MIDA-PJM"], &["carbon-intensity/latest"]));
    let ended = check(&stand_in, GRID, &[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_fits(&ended);
    assert_eq!(
        from(&ended.stdout, "failed:"),
        "failed: electricity-maps for SE-SE3, DE (not_in_plan) for one, the token's plan does not name zone SE-SE3 \
         cure: add the zone to the provider's plan, or name a provider in grid.fallback"
    );
    assert_eq!(stand_in.asked_about("SE-SE3") + stand_in.asked_about("DE"), 0);
}

#[test]
fn throttled_it_ends_and_says_so_of_each_zone_also_those_it_could_not_ask_about() {
    let stand_in = stand_in();
    stand_in.script("US-MIDA-PJM", |_| Answer::new(429, "").header("retry-after", "3600"));
    let ended = check(&stand_in, GRID, &[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_fits(&ended);
    assert_eq!(
        from(&ended.stdout, "failed:"),
        "failed: electricity-maps for US-MIDA-PJM (throttled) answers 429: nothing \
         cure: wait, or give a longer grid.refresh \
         failed: electricity-maps for IE, SE-SE3, DE (throttled) not asked yet, since the provider wants to be left \
         alone; it said: zone US-MIDA-PJM: answers 429: nothing \
         cure: wait, or give a longer grid.refresh"
    );
    assert_eq!(stand_in.asked_about("IE"), 0);
    let why = "for its baseline eu-west-1 (grid data missing); nor could one be sent to us-east-1, eu-north-1, \
               eu-central-1, europe-west10 (grid data missing)";
    assert!(from(&ended.stderr, "eco-pulse: ").ends_with(why), "{}", ended.stderr);
}

#[test]
fn what_is_legal_and_hardly_meant_is_a_warning_that_fits() {
    let ended = check(&stand_in(), "refresh: 10s", &[]);
    ended.assert_ok();
    assert_fits(&ended);
    assert!(from(&ended.stdout, "warning: ").contains("10s is shorter than 1m"), "{}", ended.stdout);
}

#[test]
fn a_configuration_that_is_not_valid_asks_nobody() {
    let stand_in = stand_in();
    let ended = check(&stand_in, "refresh: often", &[]);
    ended.assert_failed(2, &["grid.refresh"]);
    assert!(stand_in.upstream.requests().is_empty());
}

/// It was not needed today; the day it is, is too late to hear of it.
#[test]
fn a_fallback_that_fails_is_told_and_is_no_reason_to_fail() {
    let refused = "provider: catalogue, fallback: [electricity-maps], electricityMaps: {baseUrl: 'http://127.0.0.1:1/v4', \
                   tokenFile: /nowhere/token}";
    let regions = "regions: [{name: us-east-1}, {name: eu-west-1}]";
    let (_dir, config) = config(&format!("{regions}\ngrid: {{{refused}}}\n"));
    let ended = run(&["check", "--config", &config]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let failed = from(&ended.stdout, "failed: electricity-maps");
    assert!(failed.contains("no_token") && failed.contains("cure: put the token into the file"), "{failed}");
    assert_fits(&ended);
}
