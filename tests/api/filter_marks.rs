//! What the scheduler is told of a pod that carries marks: believed when they can be Eco-Pulse's own, young, and name a
//! region that is still open to the pod; else the pod is decided about anew.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{
    IRELAND_BASE, NOON, Rig, cluster, object, reading_of, recorded, recorded_nodes, wire_nodes,
};

/// Stockholm is best; Virginia is good too, so that only a mark can send a pod there.
const YAML: &str = "
baseline: {region: eu-west-1}
regions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1}]
grid: {provider: mock, mock: {us-east-1: 600, eu-west-1: high, eu-north-1: low}}
carbon: {priceUsdPerTonne: 10000, maxPriceUsdPerTonne: 10000}
latency: {serving: {maxAddedMs: null}}
";

/// As Eco-Pulse writes them: 16 digits for the process, a number without leading zeros.
const ID: &str = "00000000000000aa-1f";

fn marked(decision: &str, target: &str) -> Value {
    let mut args = recorded("frontend.filter-names");
    args["Pod"]["spec"]["topologySpreadConstraints"] = json!([]);
    args["Pod"]["metadata"]["annotations"] = json!({
        "eco-pulse.io/decision": decision,
        "eco-pulse.io/target-region": target,
    });
    args
}

fn mark_aged(seconds: i64) -> String {
    format!("v1;{ID};{}", NOON - seconds)
}

fn kept(args: &Value) -> BTreeSet<String> {
    Rig::in_cluster(YAML, cluster()).filter(args).regions()
}

fn only(region: &str) -> BTreeSet<String> {
    [region.to_owned()].into()
}

#[test]
fn a_young_mark_is_believed_and_keeps_its_decision_id() {
    let rig = Rig::in_cluster(YAML, cluster());
    let result = rig.filter(&marked(&mark_aged(30), "us-east-1"));
    assert_eq!(result.regions(), only("us-east-1"));
    let record = rig.into_record();
    assert_eq!(record["decision_id"], ID);
    assert_eq!((&record["outcome"], &record["target_region"]), (&json!("steer"), &json!("us-east-1")));
}

#[test]
fn a_pod_that_comes_with_a_decision_has_its_place_already() {
    let rig = Rig::in_cluster(&format!("{YAML}herd: {{maxPodsPerMinute: 1}}"), cluster());
    for uid in ["first", "second"] {
        let mut args = marked(&mark_aged(30), "eu-north-1");
        args["Pod"]["metadata"]["uid"] = json!(uid);
        assert_eq!(rig.filter(&args).regions(), only("eu-north-1"), "{uid}");
    }
    let mut unmarked = marked(&mark_aged(30), "eu-north-1");
    unmarked["Pod"]["metadata"]["annotations"] = json!({});
    assert_eq!(rig.filter(&unmarked).regions(), only("eu-north-1"), "the place is there still");
}

/// Its own place may be another region's, or another replica's.
#[test]
fn a_pod_whose_mark_is_not_believed_takes_a_place() {
    let rig = Rig::in_cluster(&format!("{YAML}herd: {{maxPodsPerMinute: 1}}"), cluster());
    for (uid, region) in [("first", "eu-north-1"), ("second", "us-east-1")] {
        let mut args = marked(&mark_aged(3 * 3600), "eu-north-1");
        args["Pod"]["metadata"]["uid"] = json!(uid);
        assert_eq!(rig.filter(&args).regions(), only(region), "{uid}");
    }
}

#[test]
fn a_mark_that_chose_the_base_is_believed() {
    assert_eq!(kept(&marked(&mark_aged(30), "eu-west-1")), only("eu-west-1"));
}

/// `grid.maxAge` is 2 h here, and clocks of replicas may differ by a minute.
#[rstest]
#[case::of_this_second(0, "us-east-1")]
#[case::at_the_limit(7200, "us-east-1")]
#[case::stale(7201, "eu-north-1")]
#[case::of_last_year(365 * 86_400, "eu-north-1")]
#[case::of_a_clock_that_is_fast(-60, "us-east-1")]
#[case::of_the_future(-61, "eu-north-1")]
fn a_mark_is_believed_while_it_is_young(#[case] age_seconds: i64, #[case] region: &str) {
    assert_eq!(kept(&marked(&mark_aged(age_seconds), "us-east-1")), only(region));
}

#[rstest]
#[case::empty("")]
#[case::another_version(&format!("v2;{ID};{NOON}"))]
#[case::no_id(&format!("v1;;{NOON}"))]
#[case::a_word_for_an_id(&format!("v1;mine;{NOON}"))]
#[case::a_short_id(&format!("v1;aa-1f;{NOON}"))]
#[case::capital_digits(&format!("v1;00000000000000AA-1f;{NOON}"))]
#[case::leading_zeros(&format!("v1;00000000000000aa-01f;{NOON}"))]
#[case::no_time(&format!("v1;{ID}"))]
#[case::a_word_for_a_time(&format!("v1;{ID};now"))]
#[case::a_time_beyond_all_times(&format!("v1;{ID};9223372036854775807"))]
#[case::something_after_it(&format!("v1;{ID};{NOON};x"))]
fn a_forged_mark_is_not_believed(#[case] decision: &str) {
    assert_eq!(kept(&marked(decision, "us-east-1")), only("eu-north-1"));
}

#[rstest]
#[case::not_configured("ap-southeast-2")]
#[case::empty("")]
#[case::not_a_region("../../us-east-1")]
fn a_target_that_is_not_configured_is_not_believed(#[case] target: &str) {
    assert_eq!(kept(&marked(&mark_aged(30), target)), only("eu-north-1"));
}

#[test]
fn a_target_that_is_not_on_offer_is_not_believed() {
    let args = marked(&mark_aged(30), "us-east-1");
    let names: Vec<String> =
        recorded_nodes().into_iter().filter(|name| !name.contains("us-east-1")).collect();
    assert_eq!(kept(&wire_nodes(&args["Pod"], &names)), only("eu-north-1"));
}

#[test]
fn a_target_outside_the_allowed_regions_is_not_believed() {
    let mut args = marked(&mark_aged(30), "us-east-1");
    args["Pod"]["metadata"]["annotations"]["eco-pulse.io/allowed-regions"] = json!("eu-west-1,eu-north-1");
    assert_eq!(kept(&args), only("eu-north-1"));
}

#[test]
fn a_target_that_the_pods_own_selector_rules_out_is_not_believed() {
    let mut args = marked(&mark_aged(30), "us-east-1");
    args["Pod"]["spec"]["affinity"] = json!({ "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [{ "matchExpressions": [
            { "key": "topology.kubernetes.io/region", "operator": "NotIn", "values": ["us-east-1"] }
        ] }] }
    } });
    assert_eq!(kept(&args), only("eu-north-1"));
}

/// What was open to the pod at admission may be closed by now: dirtier than the base, too far, or unknown.
#[rstest]
#[case::dirtier("us-east-1: 600", "us-east-1: 1000")]
#[case::too_far("maxAddedMs: null", "maxAddedMs: 50")]
#[case::unknown("us-east-1: 600, ", "")]
fn a_target_that_policy_excludes_by_now_is_not_believed(#[case] from: &str, #[case] to: &str) {
    let rig = Rig::in_cluster(&YAML.replace(from, to), cluster());
    assert_eq!(rig.filter(&marked(&mark_aged(30), "us-east-1")).regions(), only("eu-north-1"));
}

#[rstest]
#[case::opted_out("payments")]
#[case::kubernetes_own("kube-system")]
#[case::unknown("brand-new")]
fn no_mark_makes_a_pod_ours(#[case] namespace: &str) {
    let mut args = marked(&mark_aged(30), "us-east-1");
    args["Pod"]["metadata"]["namespace"] = json!(namespace);
    assert!(Rig::in_cluster(YAML, cluster()).filter(&args).rejects_none());
}

/// Both halves together: what admission wrote, terms included, is what the scheduler is held to.
#[rstest]
#[case::steered("generated.admission", "eu-north-1")]
#[case::stays("sidecars.admission", "eu-west-1")]
fn what_admission_decided_is_enforced(#[case] name: &str, #[case] region: &str) {
    let rig = Rig::in_cluster(IRELAND_BASE, cluster());
    let mut review = recorded(name);
    object(&mut review)["spec"]["affinity"] = json!({ "nodeAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            { "weight": 40, "preference": { "matchExpressions": [{ "key": "disktype", "operator": "Exists" }] } }
        ]
    } });
    let admission = rig.admit(&review);
    assert_eq!(admission.target.as_deref(), Some(region));
    let result = rig.filter(&wire_nodes(&admission.object, &recorded_nodes()));
    assert_eq!(result.regions(), only(region));
    let records = rig.into_records();
    assert_eq!(records[0]["decision_id"], records[1]["decision_id"]);
    assert_eq!(records[1]["reason"], records[0]["reason"]);
}

/// The terms of a decision are told from the user's own wish for a region, even beside them.
#[test]
fn a_users_wish_beside_the_decisions_terms_is_respected() {
    let rig = Rig::in_cluster(IRELAND_BASE, cluster());
    let mut review = recorded("generated.admission");
    object(&mut review)["spec"]["affinity"] = json!({ "nodeAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            { "weight": 40, "preference": { "matchExpressions": [
                { "key": "topology.kubernetes.io/region", "operator": "In", "values": ["us-east-1"] }
            ] } }
        ]
    } });
    let admission = rig.admit(&review);
    assert_eq!(admission.terms(), [(40, "us-east-1".to_owned()), (39, "eu-north-1".to_owned())]);
    assert!(rig.filter(&wire_nodes(&admission.object, &recorded_nodes())).rejects_none());
}

/// Readings that go on describing the day, so that only the mark grows old.
fn rig_with_lasting_readings() -> Rig {
    Rig::with(YAML, cluster(), |readings| {
        for region in ["us-east-1", "eu-west-1", "eu-north-1"] {
            reading_of(readings, region).ends_at += SignedDuration::from_hours(24);
        }
    })
}

/// Once its decision is not believed any more, a pod's terms cannot be told from a user's wish: it is left alone.
#[test]
fn the_terms_of_a_stale_decision_narrow_nothing() {
    let rig = rig_with_lasting_readings();
    let admission = rig.admit(&recorded("generated.admission"));
    let args = wire_nodes(&admission.object, &recorded_nodes());
    rig.at_seconds_past_noon(7200);
    assert_eq!(rig.filter(&args).regions(), only("eu-north-1"));
    rig.at_seconds_past_noon(7201);
    assert!(rig.filter(&args).rejects_none());
    let records = rig.into_records();
    assert_eq!(records[2]["reason"], "own_preference");
    assert_ne!(records[2]["decision_id"], records[0]["decision_id"]);
}

/// A pod without room for a term carries its marks only: it is decided about anew.
#[test]
fn a_stale_decision_without_terms_is_made_again() {
    let rig = rig_with_lasting_readings();
    rig.at_seconds_past_noon(7201);
    assert_eq!(rig.filter(&marked(&mark_aged(0), "us-east-1")).regions(), only("eu-north-1"));
}

#[test]
fn no_mark_is_enforced_on_data_that_have_become_stale() {
    let rig = Rig::in_cluster(YAML, cluster());
    rig.at_seconds_past_noon(7201);
    assert!(rig.filter(&marked(&mark_aged(-7200), "us-east-1")).rejects_none());
    assert_eq!(rig.into_record()["reason"], "stale_snapshot");
}
