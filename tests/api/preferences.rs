//! What a pod already prefers: the user is never outvoted, and an earlier pass is never repeated.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Admission, IRELAND_BASE, NOON, Rig, job, object, put};

/// Two regions are worth going to: Stockholm first, then Virginia.
const TWO_TARGETS: &str = "
baseline: {region: eu-west-1}
regions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1}]
grid: {provider: mock, mock: {us-east-1: 650, eu-west-1: high, eu-north-1: 0}}
carbon: {priceUsdPerTonne: 10000, maxPriceUsdPerTonne: 10000}
";

fn term(weight: i64, key: &str, value: &str) -> Value {
    let expression = json!({ "key": key, "operator": "In", "values": [value] });
    json!({ "weight": weight, "preference": { "matchExpressions": [expression] } })
}

fn disk(weight: i64) -> Value {
    term(weight, "disktype", "ssd")
}

fn region(weight: i64, value: &str) -> Value {
    term(weight, "topology.kubernetes.io/region", value)
}

fn affinity(terms: &[Value]) -> Value {
    json!({ "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": terms } })
}

fn preferring(terms: &[Value]) -> Value {
    let mut review = job("2", "8Gi");
    object(&mut review)["spec"]["affinity"] = affinity(terms);
    review
}

/// The weights of the terms that were added, after those that were there.
fn added(admission: &Admission, there: usize) -> Vec<(i64, String)> {
    admission.terms().split_off(there)
}

#[rstest]
#[case::nothing_of_its_own(&[], &[100, 10])]
#[case::a_strong_wish(&[disk(100)], &[99, 9])]
#[case::several_wishes(&[disk(80), disk(30), disk(60)], &[29, 2])]
#[case::a_weak_wish(&[disk(4)], &[3])]
#[case::room_for_one_term(&[disk(2)], &[1])]
fn every_term_weighs_less_than_the_users_smallest(#[case] terms: &[Value], #[case] weights: &[i64]) {
    let admission = Rig::new(TWO_TARGETS).admit(&preferring(terms));
    assert_eq!(admission.verdict(), ("steer", "net_benefit"));
    let expected: Vec<(i64, String)> = weights
        .iter()
        .zip(["eu-north-1", "us-east-1"])
        .map(|(weight, name)| (*weight, name.to_owned()))
        .collect();
    assert_eq!(added(&admission, terms.len()), expected);
    assert_eq!(admission.label(), Some("steer"));
}

#[test]
fn a_pod_without_room_for_a_wish_is_left_alone_and_not_counted_as_steered() {
    let rig = Rig::new(TWO_TARGETS);
    let admission = rig.admit(&preferring(&[disk(100), disk(1)]));
    assert_eq!(admission.verdict(), ("bypass", "own_preference"));
    assert!(admission.is_untouched(), "{:?}", admission.patch);
    let counted = |metric: &str| rig.metrics().lines().any(|line| line.starts_with(&format!("{metric}{{")));
    assert!(!counted("eco_pulse_steered_pods_total"));
    assert!(!counted("eco_pulse_cost_saved_usd_total"));
}

#[test]
fn a_weightless_wish_for_the_winner_is_room_enough() {
    let admission = Rig::new(TWO_TARGETS).admit(&preferring(&[region(1, "eu-north-1")]));
    assert_eq!(admission.verdict(), ("steer", "net_benefit"));
    assert_eq!(added(&admission, 1), []);
}

#[test]
fn a_configured_weight_is_kept_while_the_user_wants_more() {
    let yaml = format!("{TWO_TARGETS}\ndecision: {{affinityWeight: 10}}");
    let weights = |terms: &[Value]| -> Vec<i64> {
        added(&Rig::new(&yaml).admit(&preferring(terms)), terms.len())
            .into_iter()
            .map(|(weight, _)| weight)
            .collect()
    };
    assert_eq!(weights(&[]), [10, 1]);
    assert_eq!(weights(&[disk(50)]), [10, 1]);
    assert_eq!(weights(&[disk(10)]), [9]);
}

#[test]
fn a_wish_for_another_region_stands_above_the_decision() {
    let admission = Rig::new(TWO_TARGETS).admit(&preferring(&[region(50, "us-east-1")]));
    assert_eq!(added(&admission, 1), [(49, "eu-north-1".to_owned()), (4, "us-east-1".to_owned())]);
}

#[test]
fn a_wish_for_the_winner_needs_no_second_one() {
    let admission = Rig::new(TWO_TARGETS).admit(&preferring(&[region(50, "eu-north-1")]));
    assert_eq!(added(&admission, 1), []);
}

#[rstest]
#[case::as_it_came(json!(null))]
#[case::with_wishes(affinity(&[disk(20), disk(3)]))]
fn a_second_pass_changes_nothing(#[case] affinity: Value) {
    let mut review = job("2", "8Gi");
    object(&mut review)["spec"]["affinity"] = affinity;
    let rig = Rig::new(TWO_TARGETS);
    let first = rig.admit(&review);
    assert!(!first.is_untouched());
    rig.at_seconds_past_noon(2);
    let second = rig.admit(&first.again(&review));
    assert_eq!(second.verdict(), first.verdict());
    assert!(second.is_untouched(), "{:?}", second.patch);
}

#[test]
fn a_second_pass_changes_nothing_where_the_first_filled_the_quota() {
    let rig = Rig::new(&format!("{TWO_TARGETS}\nherd: {{maxPodsPerMinute: 1}}"));
    let review = job("2", "8Gi");
    let first = rig.admit(&review);
    assert_eq!(first.target.as_deref(), Some("eu-north-1"));
    for _ in 0..2 {
        let again = rig.admit(&first.again(&review));
        assert_eq!((again.verdict(), again.target.as_deref()), (first.verdict(), Some("eu-north-1")));
        assert!(again.is_untouched(), "{:?}", again.patch);
    }
}

#[test]
fn a_second_pass_takes_no_second_place_and_is_not_counted() {
    let rig = Rig::new(&format!("{TWO_TARGETS}\nherd: {{maxPodsPerMinute: 2}}"));
    let review = job("2", "8Gi");
    let first = rig.admit(&review);
    let after_first = rig.metrics();
    let second = rig.admit(&first.again(&review));
    // One decision, one id: the one that the pod carries.
    assert_eq!(second.decision_id, first.decision_id);
    assert_eq!(rig.metrics(), after_first);
    // The quota's second place is another pod's; the third pod finds none.
    assert_eq!(rig.admit(&review).target.as_deref(), Some("eu-north-1"));
    assert_eq!(rig.admit(&review).target.as_deref(), Some("us-east-1"));
    assert_eq!(rig.into_records().len(), 3);
}

/// Marks that another process gave, or that somebody wrote by hand, open no full region.
#[rstest]
#[case::of_another_process("00000000000000aa-1")]
#[case::not_given_yet("0000000000000ec0-ff")]
#[case::of_no_process("me")]
fn a_foreign_mark_opens_no_full_region(#[case] id: &str) {
    let rig = Rig::new(&format!("{TWO_TARGETS}\nherd: {{maxPodsPerMinute: 1}}"));
    assert_eq!(rig.admit(&job("2", "8Gi")).target.as_deref(), Some("eu-north-1"));
    let mut review = job("2", "8Gi");
    object(&mut review)["metadata"]["annotations"] = json!({
        "eco-pulse.io/decision": format!("v1;{id};{NOON}"),
        "eco-pulse.io/target-region": "eu-north-1",
    });
    let admission = rig.admit(&review);
    assert_eq!(admission.target.as_deref(), Some("us-east-1"));
    assert_eq!(admission.annotation("target-region"), Some("us-east-1"));
}

/// `kubectl get -o yaml` of a steered pod, applied again a day later.
#[test]
fn marks_of_another_pod_are_replaced() {
    let mut review = job("2", "8Gi");
    object(&mut review)["metadata"]["labels"]["eco-pulse.io/decision"] = json!("stay");
    object(&mut review)["metadata"]["annotations"] = json!({
        "eco-pulse.io/decision": format!("v1;0000000000000abc-7;{}", NOON - 86_400),
        "eco-pulse.io/target-region": "us-east-1",
        "eco-pulse.io/baseline-region": "mars",
        "eco-pulse.io/net-benefit-usd": "1000000",
        "eco-pulse.io/projected-savings-usd": "1000000",
        "eco-pulse.io/projected-co2e-avoided-g": "1000000",
        "team": "ai",
    });
    let clean = Rig::new(TWO_TARGETS).admit(&job("2", "8Gi"));
    let admission = Rig::new(TWO_TARGETS).admit(&review);
    assert_eq!(admission.label(), Some("steer"));
    for key in [
        "decision",
        "target-region",
        "baseline-region",
        "net-benefit-usd",
        "projected-savings-usd",
        "projected-co2e-avoided-g",
    ] {
        assert!(admission.annotation(key).is_some(), "{key}");
        assert_eq!(admission.annotation(key), clean.annotation(key), "{key}");
    }
    assert_eq!(admission.object["metadata"]["annotations"]["team"], "ai");
}

#[test]
fn young_marks_that_say_something_else_are_replaced() {
    let rig = Rig::new(TWO_TARGETS);
    let mut review = job("2", "8Gi");
    let first = rig.admit(&review);
    object(&mut review).clone_from(&first.object);
    object(&mut review)["metadata"]["annotations"]["eco-pulse.io/net-benefit-usd"] = json!("1000000");
    let second = rig.admit(&review);
    assert_eq!(second.annotation("net-benefit-usd"), first.annotation("net-benefit-usd"));
}

#[test]
fn a_pod_of_the_control_group_keeps_no_marks_but_its_own() {
    let mut review = job("2", "8Gi");
    object(&mut review)["metadata"]["annotations"] =
        json!({ "eco-pulse.io/target-region": "us-east-1", "team": "ai" });
    let admission = Rig::new(&format!("{TWO_TARGETS}\ndecision: {{holdout: 1}}")).admit(&review);
    assert_eq!(admission.verdict(), ("stay", "holdout"));
    assert_eq!(admission.label(), Some("holdout"));
    assert_eq!(admission.terms(), []);
    assert_eq!(admission.annotation("target-region"), None);
    assert_eq!(admission.object["metadata"]["annotations"]["team"], "ai");
}

/// Pods that Eco-Pulse could have decided about must not say that it did; the others are left to the letter.
#[rstest]
#[case::no_choice("/spec/nodeSelector", json!({ "topology.kubernetes.io/region": "eu-west-1" }), "single_region", true)]
#[case::nothing_allowed(
    "/metadata/annotations/eco-pulse.io~1allowed-regions",
    json!("eu-west-1"),
    "policy",
    true
)]
#[case::asking_for_nothing("/spec/containers/0/resources", json!({}), "no_requests", true)]
#[case::asking_for_a_gpu(
    "/spec/containers/0/resources/requests/nvidia.com~1gpu",
    json!("1"),
    "unknown_gpu",
    true
)]
#[case::with_a_claim(
    "/spec/volumes",
    json!([{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }]),
    "volume_pinned",
    true
)]
#[case::bound("/spec/nodeName", json!("node-1"), "bound", false)]
#[case::opted_out("/metadata/labels/eco-pulse.io~1inject", json!("disabled"), "opted_out", false)]
#[case::of_a_daemonset("/metadata/ownerReferences/0/kind", json!("DaemonSet"), "daemonset", false)]
fn a_pod_left_alone_loses_foreign_marks_only_where_it_is_ours(
    #[case] path: &str,
    #[case] value: Value,
    #[case] reason: &str,
    #[case] removed: bool,
) {
    let mut review = job("2", "8Gi");
    let pod = object(&mut review);
    pod["metadata"]["labels"]["eco-pulse.io/decision"] = json!("steer");
    pod["metadata"]["annotations"] = json!({ "eco-pulse.io/target-region": "us-east-1", "team": "ai" });
    put(pod, path, value);
    let admission = Rig::new(IRELAND_BASE).admit(&review);
    assert_eq!(admission.verdict(), ("bypass", reason));
    assert_eq!(admission.label(), (!removed).then_some("steer"));
    assert_eq!(admission.annotation("target-region"), (!removed).then_some("us-east-1"));
    assert_eq!(admission.object["metadata"]["annotations"]["team"], "ai");
    assert_eq!(admission.object["metadata"]["labels"]["app"], "ai-training");
    assert_eq!(admission.terms(), []);
}

/// Marks as young as those of a second pass, on a pod that no first pass was about.
#[rstest]
#[case::a_copy("/metadata/name", json!("copy"))]
#[case::made_up("/metadata/annotations/eco-pulse.io~1decision", json!(format!("v1;0000000000000abc-7;{NOON}")))]
fn marks_that_are_not_the_pods_own_hide_no_decision(#[case] path: &str, #[case] value: Value) {
    let rig = Rig::new(TWO_TARGETS);
    let review = job("2", "8Gi");
    let first = rig.admit(&review);
    let mut other = first.again(&review);
    put(object(&mut other), path, value);
    let second = rig.admit(&other);
    assert_ne!(second.decision_id, first.decision_id);
    let mark = format!("v1;{};{NOON}", second.decision_id.as_deref().unwrap());
    assert_eq!(second.annotation("decision"), Some(mark.as_str()));
    let steered = "eco_pulse_decisions_total{endpoint=\"mutate\",outcome=\"steer\",reason=\"net_benefit\"}";
    assert!((rig.metric(steered) - 2.0).abs() < 1e-9);
    assert_eq!(rig.into_records().len(), 2);
}
