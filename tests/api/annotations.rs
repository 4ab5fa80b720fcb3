//! Annotations that people write: read when they can be, else ignored with a warning and a count. None rejects a pod.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{IRELAND_BASE, Rig, annotate, bare_job, job};

/// As if the annotation were not there.
fn demand_without() -> Value {
    let rig = Rig::new(IRELAND_BASE);
    rig.admit(&bare_job("2", "8Gi"));
    rig.into_record()["demand"].clone()
}

#[rstest]
#[case("expected-duration", &["", "6", "-6h", "six hours", "0s", "6h90", "1e3h", "99999999999999h"])]
#[case("egress-gb", &["", "-1", "NaN", "inf", "120GB", "1,5", "1e7"])]
#[case("data-region", &["", "mars", "eu-west-1a", "EU-WEST-1"])]
#[case("traffic-region", &["", "mars", "eu-west-1,eu-north-1"])]
#[case("interruptible", &["", "yes", "True", "1"])]
#[case("max-latency-ms", &["", "-1", "40ms", "NaN", "infinity"])]
fn a_malformed_one_is_ignored_with_a_warning_and_counted(#[case] key: &str, #[case] texts: &[&str]) {
    for text in texts {
        let rig = Rig::new(IRELAND_BASE);
        let admission = rig.admit(&annotate(bare_job("2", "8Gi"), &[(key, text)]));
        assert_eq!(admission.verdict(), ("steer", "net_benefit"), "{key}: {text:?}");
        let [warning] = admission.warnings.as_slice() else {
            panic!("{key}: {text:?}: {:?}", admission.warnings)
        };
        let start = format!("eco-pulse: annotation eco-pulse.io/{key}: \"{text}\" is not ");
        assert!(warning.starts_with(&start) && warning.ends_with("; ignored"), "{warning}");
        assert!((rig.metric("eco_pulse_malformed_annotations_total") - 1.0).abs() < f64::EPSILON);
        assert_eq!(rig.into_record()["demand"], demand_without(), "{key}: {text:?}");
    }
}

#[test]
fn each_malformed_one_is_told_apart() {
    let rig = Rig::new(IRELAND_BASE);
    let admission = rig.admit(&annotate(
        bare_job("2", "8Gi"),
        &[("egress-gb", "x"), ("max-latency-ms", "y"), ("interruptible", "z")],
    ));
    assert_eq!(admission.warnings.len(), 3);
    assert!((rig.metric("eco_pulse_malformed_annotations_total") - 3.0).abs() < f64::EPSILON);
}

#[test]
fn a_warning_shows_little_of_a_long_value_and_no_control_characters() {
    let long = format!("\u{1b}[31m{}\u{0}", "€".repeat(10_000));
    let admission = Rig::new(IRELAND_BASE).admit(&annotate(bare_job("2", "8Gi"), &[("egress-gb", &long)]));
    assert!(admission.warnings[0].len() < 256, "{}", admission.warnings[0]);
    assert!(admission.warnings[0].contains("€€€"), "{}", admission.warnings[0]);
}

#[test]
fn well_formed_ones_are_what_is_decided_by() {
    let rig = Rig::new(IRELAND_BASE);
    let hints = [
        ("expected-duration", " 1h30m "),
        ("egress-gb", "0.5"),
        ("data-region", "eu-north-1"),
        ("interruptible", "false"),
        ("max-latency-ms", "1000"),
    ];
    let admission = rig.admit(&annotate(bare_job("2", "8Gi"), &hints));
    assert!(admission.warnings.is_empty(), "{:?}", admission.warnings);
    let demand = &rig.into_record()["demand"];
    assert_eq!(demand["hours"], 1.5);
    assert_eq!(demand["egress_gb"], 0.5);
    assert_eq!(demand["data_region"], "eu-north-1");
    assert_eq!(demand["defaults"], json!(["traffic_region", "instance_type"]));
}

#[test]
fn they_do_not_count_in_a_dry_run() {
    let rig = Rig::new(IRELAND_BASE);
    let mut review = annotate(bare_job("2", "8Gi"), &[("egress-gb", "x")]);
    review["request"]["dryRun"] = json!(true);
    assert_eq!(rig.admit(&review).warnings.len(), 1);
    assert!(rig.metric("eco_pulse_malformed_annotations_total").abs() < f64::EPSILON);
}

/// Its controller would only fill its log with them, once a pod.
#[test]
fn the_pods_of_a_controller_warn_nobody_and_count_all_the_same() {
    let rig = Rig::new(IRELAND_BASE);
    let review = annotate(job("2", "8Gi"), &[("expected-duration", "soon")]);
    assert_eq!(rig.admit(&review).warnings, Vec::<String>::new());
    assert!((rig.metric("eco_pulse_malformed_annotations_total") - 1.0).abs() < f64::EPSILON);
}
