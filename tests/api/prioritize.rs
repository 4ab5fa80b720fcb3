//! `/prioritize` in Go's wire form: a bare array, every host in order, the best region's at 10.

use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{IRELAND_BASE, NOON, Rig, cluster, recorded};

/// Prices set so that the benefits can be read off: a core-hour costs 1.00 in Ireland, 0.60 in Stockholm, 0.89 in
/// Virginia, and the grid is the same everywhere.
const PRICED: &str = "
baseline: {region: eu-west-1}
regions:
- {name: us-east-1, priceUsdPerVcpuHour: 0.89, pue: 1.1}
- {name: eu-west-1, priceUsdPerVcpuHour: 1.00, pue: 1.1}
- {name: eu-north-1, priceUsdPerVcpuHour: 0.60, pue: 1.1}
grid: {provider: mock, mock: {us-east-1: 100, eu-west-1: 100, eu-north-1: 100}}
latency: {serving: {maxAddedMs: null}}
";

fn free() -> Value {
    let mut args = recorded("frontend.prioritize-names");
    args["Pod"]["spec"]["topologySpreadConstraints"] = json!([]);
    args
}

fn by_region(rig: &Rig, args: &Value) -> BTreeMap<String, i64> {
    let mut scores = BTreeMap::new();
    for score in rig.prioritize(args) {
        let known = scores.insert(score.region().to_owned(), score.score);
        assert!(known.is_none_or(|known| known == score.score), "nodes of one region differ");
    }
    scores
}

fn expected(scores: [(&str, i64); 3]) -> BTreeMap<String, i64> {
    scores.into_iter().map(|(region, score)| (region.to_owned(), score)).collect()
}

#[test]
fn the_best_region_has_ten_the_base_none_and_the_rest_its_share() {
    let rig = Rig::in_cluster(PRICED, cluster());
    let scores = by_region(&rig, &free());
    // 0.40 saved per core-hour is best; 0.11 is 2.75 tenths of it.
    assert_eq!(scores, expected([("eu-north-1", 10), ("us-east-1", 3), ("eu-west-1", 0)]));
}

#[test]
fn an_answer_has_exactly_the_members_that_go_reads() {
    let answer: Value =
        serde_json::from_slice(&Rig::in_cluster(PRICED, cluster()).post("/prioritize", &free())).unwrap();
    let first = &answer.as_array().unwrap()[0];
    assert_eq!(*first, json!({ "Host": "ip-10-0-0-112.eu-north-1.compute.internal", "Score": 10 }));
}

#[test]
fn the_recorded_question_about_a_spread_pod_is_answered_with_zeros() {
    let rig = Rig::in_cluster(PRICED, cluster());
    let scores = by_region(&rig, &recorded("frontend.prioritize-names"));
    assert_eq!(scores, expected([("eu-north-1", 0), ("us-east-1", 0), ("eu-west-1", 0)]));
    assert_eq!(rig.into_record()["reason"], "own_preference");
}

#[rstest]
#[case::shadow("mode: shadow")]
#[case::off("mode: off")]
#[case::holdout("decision: {holdout: 1}")]
#[case::nothing_to_gain("decision: {minNetBenefitUsd: 1000}")]
fn without_a_region_to_prefer_all_nodes_are_equal(#[case] setting: &str) {
    let rig = Rig::in_cluster(&format!("{PRICED}\n{setting}"), cluster());
    assert_eq!(by_region(&rig, &free()), expected([("eu-north-1", 0), ("us-east-1", 0), ("eu-west-1", 0)]));
}

#[test]
fn a_believed_mark_has_ten_whatever_the_terms_say_by_now() {
    let mut args = free();
    args["Pod"]["metadata"]["annotations"] = json!({
        "eco-pulse.io/decision": format!("v1;00000000000000aa-1;{NOON}"),
        "eco-pulse.io/target-region": "us-east-1",
    });
    let scores = by_region(&Rig::in_cluster(PRICED, cluster()), &args);
    assert_eq!(scores, expected([("us-east-1", 10), ("eu-north-1", 10), ("eu-west-1", 0)]));
}

/// An empty array: the scheduler adds nothing, as if nobody had been asked.
#[test]
fn a_failure_is_answered_with_an_empty_array() {
    let mut undecodable = free();
    undecodable["Pod"] = json!({ "spec": 7 });
    assert_eq!(Rig::in_cluster(PRICED, cluster()).post("/prioritize", &undecodable), b"[]");
    let unknown_base = IRELAND_BASE.replace("eu-west-1: high, ", "");
    assert_eq!(Rig::in_cluster(&unknown_base, cluster()).post("/prioritize", &free()), b"[]");
}

#[test]
fn whole_nodes_are_scored_where_nobody_watches() {
    let mut args = recorded("frontend.filter-nodes");
    args["Pod"]["spec"]["topologySpreadConstraints"] = json!([]);
    let scores = by_region(&Rig::new(PRICED), &args);
    assert_eq!(scores, expected([("eu-north-1", 10), ("us-east-1", 3), ("eu-west-1", 0)]));
}
