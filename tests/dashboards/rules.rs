//! Rules as files: promtool reads and tries them, and whoever is alarmed is told what to do.

use std::collections::BTreeSet;
use std::process::Command;

use eco_pulse::domain::BypassReason;

use crate::files::{Promised, panel_queries, root, rules, text, text_of};
use crate::metric_names::names;
use crate::prometheus::installed;

fn alerts() -> BTreeSet<String> {
    let named: BTreeSet<String> =
        rules().iter().filter_map(|rule| rule["alert"].as_str().map(str::to_owned)).collect();
    assert!(named.len() > 15);
    named
}

fn promtool(arguments: &[&str]) {
    let Some(promtool) = installed("promtool") else { return };
    let output = Command::new(promtool).args(arguments).current_dir(root()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

#[test]
fn promtool_finds_the_rules_sound() {
    promtool(&["check", "rules", "dashboards/rules.yaml"]);
}

#[test]
fn every_alert_fires_when_it_should_and_is_silent_when_all_is_well() {
    promtool(&["test", "rules", "dashboards/rules.test.yaml"]);
}

#[test]
fn every_alert_is_tried() {
    let tests = text("dashboards/rules.test.yaml");
    for alert in alerts() {
        assert!(tests.contains(&format!("alertname=\"{alert}\"")), "{alert} fires in no test");
    }
    // The healthy cluster has to have what each is about, else its silence says nothing.
    let healthy = tests.split("\n- name: ").nth(1).unwrap();
    for rule in rules() {
        for name in names(text_of(&rule["expr"])) {
            assert!(name.contains(':') || tests.contains(name), "{name} is in no test");
            let about_requests = name.contains("carbon") || name.contains("cost") || name.contains(':');
            assert!(about_requests || healthy.contains(name), "{name} is not in the healthy cluster");
        }
    }
}

#[test]
fn every_alert_says_how_bad_it_is_and_where_to_read_on() {
    for rule in rules() {
        let Some(alert) = rule["alert"].as_str() else { continue };
        assert!(["critical", "warning", "info"].contains(&text_of(&rule["labels"]["severity"])), "{alert}");
        for wanted in ["summary", "description"] {
            assert!(text_of(&rule["annotations"][wanted]).len() > 15, "{alert}: {wanted}");
        }
        let anchor = format!("docs/observability.md#{}", alert.to_lowercase());
        assert_eq!(rule["annotations"]["runbook"], anchor.as_str(), "{alert}");
    }
}

#[test]
fn every_alert_has_a_section_of_what_to_do_and_every_section_an_alert() {
    let document = text("docs/observability.md");
    let sections: BTreeSet<String> = document
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .filter(|title| title.starts_with("EcoPulse"))
        .map(str::to_owned)
        .collect();
    assert_eq!(sections, alerts());
}

/// What was answered is counted in both counters when it fails open, and what was refused in one of them: whoever adds them up to
/// all requests must not add it twice.
#[test]
fn reasons_that_fail_open_are_left_out_of_what_was_decided() {
    let failing: Vec<&str> = BypassReason::ALL
        .iter()
        .filter(|reason| reason.is_fail_open())
        .map(|reason| reason.as_str())
        .collect();
    let excluded = format!("reason!~\"{}\"", failing.join("|"));
    let rule =
        rules().into_iter().find(|rule| rule["record"] == "endpoint:eco_pulse_requests:rate5m").unwrap();
    assert!(text_of(&rule["expr"]).contains(&excluded), "{excluded}");

    let is_share = |query: &&Promised| {
        names(&query.expression).contains("eco_pulse_fail_open_total") && query.expression.contains(" / ")
    };
    let queries = panel_queries();
    let shares: Vec<&Promised> = queries.iter().filter(is_share).collect();
    assert_eq!(shares.len(), 2, "one over time, one of now");
    for Promised { place, expression, .. } in shares {
        let (failed, all) = expression.split_once(" / ").unwrap();
        assert!(all.contains(&excluded), "{place}: {expression}");
        assert!(
            all.contains(&format!(" + {failed}")),
            "{place}: what was refused is no decision: {expression}"
        );
    }
}

#[test]
fn recorded_series_are_named_by_level_metric_and_operation() {
    for rule in rules() {
        let Some(name) = rule["record"].as_str() else { continue };
        let parts: Vec<&str> = name.split(':').collect();
        assert!(parts.len() == 3 && parts[1].starts_with("eco_pulse_"), "{name}");
        for label in parts[0].split('_') {
            assert!(text_of(&rule["expr"]).contains(label), "{name}: {label}");
        }
    }
}
