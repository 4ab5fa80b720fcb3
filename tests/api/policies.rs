//! Placement policies: limits of all that apply hold together, assumptions are the nearest one's, and what a pod says of
//! itself narrows and never widens.

use eco_pulse::kubernetes::cluster::{ClusterView, NamespaceFacts};
use eco_pulse::kubernetes::policies::{PolicyBook, Versioned};
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Admission, Rig, annotate, cluster, job, object, recorded};

/// Core-hours at one price: Stockholm is the cleanest, then Frankfurt, then Virginia; Ireland is the base.
const FOUR: &str = "
baseline: {region: eu-west-1}
regions:
- {name: us-east-1, priceUsdPerVcpuHour: 0.05}
- {name: eu-west-1, priceUsdPerVcpuHour: 0.05}
- {name: eu-north-1, priceUsdPerVcpuHour: 0.05}
- {name: eu-central-1, alias: frankfurt, priceUsdPerVcpuHour: 0.05}
grid: {provider: mock, mock: {us-east-1: 600, eu-west-1: 700, eu-north-1: 50, eu-central-1: 60}}
carbon: {priceUsdPerTonne: 50, maxPriceUsdPerTonne: 100}
";
const NAMESPACE: &str = "ai-team";

/// A book of cluster policies by name, and of policies of the pod's namespace by name.
fn book(cluster: &[(&str, Value)], namespaced: &[(&str, Value)]) -> PolicyBook {
    fn read<S: serde::de::DeserializeOwned>(spec: &Value) -> Versioned<S> {
        Versioned { generation: 1, spec: serde_json::from_value(spec.clone()).unwrap() }
    }
    let cluster: Vec<_> = cluster.iter().map(|(name, spec)| (*name, read(spec))).collect();
    let namespaced: Vec<_> =
        namespaced.iter().map(|(name, spec)| (format!("{NAMESPACE}/{name}"), read(spec))).collect();
    PolicyBook::new(
        namespaced.iter().map(|(key, spec)| (key.as_str(), spec)),
        cluster.iter().map(|(name, spec)| (*name, spec)),
        [],
        [],
    )
}

fn view(book: PolicyBook) -> ClusterView {
    let labels = [("team", "ai")].into_iter().collect();
    let facts = NamespaceFacts { labels, ..NamespaceFacts::default() };
    ClusterView::unwatched("eco-pulse").with_namespaces([(NAMESPACE.to_owned(), facts)]).with_policies(book)
}

fn admit(yaml: &str, book: PolicyBook, annotations: &[(&str, &str)]) -> (Admission, Value) {
    let rig = Rig::in_cluster(yaml, view(book));
    let admission = rig.admit(&annotate(job("2", "8Gi"), annotations));
    (admission, rig.into_record())
}

fn weighed(record: &Value) -> Vec<&str> {
    record["regions"].as_array().unwrap().iter().map(|region| region["name"].as_str().unwrap()).collect()
}

const ALL: &[&str] = &["us-east-1", "eu-west-1", "eu-north-1", "eu-central-1"];

/// The table of `docs/policies.md`, limit by limit: cluster policy, namespace policy, the pod's word; the regions left.
#[rstest]
#[case::nobody_says_anything(json!({}), json!({}), &[], ALL)]
#[case::the_cluster_allows(json!({ "allowedRegions": ["eu-west-1", "frankfurt"] }), json!({}), &[], &["eu-west-1", "eu-central-1"])]
#[case::the_namespace_allows(json!({}), json!({ "allowedRegions": ["eu-west-1", "us-east-1"] }), &[], &["us-east-1", "eu-west-1"])]
#[case::both_hold_together(
    json!({ "allowedRegions": ["eu-west-1", "eu-north-1", "eu-central-1"] }),
    json!({ "allowedRegions": ["eu-west-1", "eu-central-1", "us-east-1"] }), &[], &["eu-west-1", "eu-central-1"])]
#[case::the_namespace_cannot_widen(
    json!({ "forbiddenRegions": ["eu-north-1"] }), json!({ "allowedRegions": ["eu-north-1", "eu-west-1", "us-east-1"] }),
    &[], &["us-east-1", "eu-west-1"])]
#[case::what_any_forbids_is_forbidden(
    json!({ "forbiddenRegions": ["eu-north-1"] }), json!({ "forbiddenRegions": ["us-east-1"] }), &[], &["eu-west-1", "eu-central-1"])]
#[case::the_pod_narrows(
    json!({ "forbiddenRegions": ["eu-north-1"] }), json!({}), &[("allowed-regions", "eu-west-1,us-east-1")], &["us-east-1", "eu-west-1"])]
#[case::the_pod_cannot_widen(
    json!({ "allowedRegions": ["eu-west-1", "eu-central-1"] }), json!({}),
    &[("allowed-regions", "eu-west-1,us-east-1,eu-central-1")], &["eu-west-1", "eu-central-1"])]
#[case::unknown_names_leave_no_trace(
    json!({ "allowedRegions": ["mars", "eu-west-1", "eu-north-1"], "forbiddenRegions": ["venus"] }), json!({}), &[],
    &["eu-west-1", "eu-north-1"])]
fn regions_are_those_that_everybody_allows(
    #[case] cluster: Value,
    #[case] namespace: Value,
    #[case] pod: &[(&str, &str)],
    #[case] expected: &[&str],
) {
    let (admission, record) = admit(FOUR, book(&[("c", cluster)], &[("n", namespace)]), pod);
    assert_ne!(admission.outcome, "bypass");
    assert_eq!(weighed(&record), expected);
}

#[rstest]
#[case::of_unknown_names_alone(json!({ "allowedRegions": ["mars"] }), json!({}))]
#[case::of_one(json!({ "allowedRegions": ["eu-north-1"] }), json!({}))]
#[case::that_contradict_each_other(
    json!({ "allowedRegions": ["eu-west-1", "eu-north-1"] }), json!({ "allowedRegions": ["us-east-1", "eu-central-1"] }))]
fn policies_that_leave_nothing_to_choose_leave_the_pod_alone(
    #[case] cluster: Value,
    #[case] namespace: Value,
) {
    let (admission, record) = admit(FOUR, book(&[("c", cluster)], &[("n", namespace)]), &[]);
    assert_eq!(admission.verdict(), ("bypass", "policy"));
    assert!(admission.is_untouched());
    assert_eq!(record["policies"], json!(["c", "ai-team/n"]));
}

/// configuration, cluster policy, namespace policy: the mode that counts.
#[rstest]
#[case("steer", "steer", "steer", "steer")]
#[case("steer", "shadow", "steer", "shadow")]
#[case("steer", "steer", "shadow", "shadow")]
#[case("steer", "off", "steer", "off")]
#[case("shadow", "steer", "steer", "shadow")]
#[case("shadow", "steer", "off", "off")]
#[case("off", "steer", "steer", "off")]
fn the_lowest_mode_counts(
    #[case] configured: &str,
    #[case] cluster: &str,
    #[case] namespace: &str,
    #[case] expected: &str,
) {
    let yaml = format!("mode: {configured}\n{FOUR}");
    let policies = book(&[("c", json!({ "mode": cluster }))], &[("n", json!({ "mode": namespace }))]);
    let (admission, record) = admit(&yaml, policies, &[]);
    assert_eq!(record["mode"], expected);
    let verdict = admission.verdict();
    match expected {
        "steer" => assert_eq!((verdict, admission.label()), (("steer", "net_benefit"), Some("steer"))),
        "shadow" => {
            assert_eq!(verdict, ("steer", "net_benefit"), "decided all the same");
            assert!(admission.is_untouched());
        }
        _ => {
            assert_eq!(verdict, ("bypass", "mode_off"));
            assert!(admission.is_untouched());
        }
    }
}

/// What is assumed of a pod: cluster policy, namespace policy, the pod's word; hours, GB and data region.
#[rstest]
#[case::configuration(json!({}), json!({}), &[], (24.0, 0.0, None))]
#[case::cluster(json!({ "expectedDuration": "6h", "egressGb": 1, "dataRegion": "frankfurt" }), json!({}), &[],
    (6.0, 1.0, Some("eu-central-1")))]
#[case::the_namespace_is_nearer(
    json!({ "expectedDuration": "6h", "egressGb": 1, "dataRegion": "frankfurt" }),
    json!({ "expectedDuration": "90m", "egressGb": 2, "dataRegion": "us-east-1" }), &[], (1.5, 2.0, Some("us-east-1")))]
#[case::each_by_itself(
    json!({ "expectedDuration": "6h", "egressGb": 1 }), json!({ "egressGb": 2 }), &[], (6.0, 2.0, None))]
#[case::the_pod_is_nearest(
    json!({ "expectedDuration": "6h" }), json!({ "expectedDuration": "3h", "egressGb": 2, "dataRegion": "us-east-1" }),
    &[("expected-duration", "1h"), ("egress-gb", "5"), ("data-region", "eu-north-1")], (1.0, 5.0, Some("eu-north-1")))]
#[case::what_cannot_be_read_is_not_assumed(
    json!({ "expectedDuration": "6h", "dataRegion": "frankfurt" }),
    json!({ "expectedDuration": "soon", "dataRegion": "mars" }), &[], (6.0, 0.0, Some("eu-central-1")))]
fn assumptions_are_the_nearest_ones(
    #[case] cluster: Value,
    #[case] namespace: Value,
    #[case] pod: &[(&str, &str)],
    #[case] expected: (f64, f64, Option<&str>),
) {
    let (_, record) = admit(FOUR, book(&[("c", cluster)], &[("n", namespace)]), pod);
    let demand = &record["demand"];
    let found = (
        demand["hours"].as_f64().unwrap(),
        demand["egress_gb"].as_f64().unwrap(),
        demand["data_region"].as_str(),
    );
    assert_eq!(found, expected);
    let assumed: Vec<&str> =
        demand["defaults"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(assumed.contains(&"data_region"), expected.2.is_none(), "a policy's word is no guess");
}

#[test]
fn of_several_in_one_scope_limits_add_up_and_the_first_by_name_assumes() {
    let policies = book(
        &[],
        &[
            ("b", json!({ "expectedDuration": "2h", "forbiddenRegions": ["us-east-1"], "egressGb": 7 })),
            ("a", json!({ "expectedDuration": "1h", "forbiddenRegions": ["eu-north-1"] })),
        ],
    );
    let (_, record) = admit(FOUR, policies, &[]);
    assert_eq!(record["demand"]["hours"], 1.0);
    assert_eq!(record["demand"]["egress_gb"], 7.0);
    assert_eq!(weighed(&record), ["eu-west-1", "eu-central-1"]);
    assert_eq!(record["policies"], json!(["ai-team/a", "ai-team/b"]));
}

/// 700 g at the base: Frankfurt's 60 are 89 % less at an overhead that differs; Stockholm's 50 are 93 %.
#[rstest]
#[case::enough(json!({ "minCarbonReductionPercent": 50 }), "eu-north-1", &[("us-east-1", "min_carbon_reduction")])]
#[case::the_highest_counts(json!({ "minCarbonReductionPercent": 92 }), "eu-north-1",
    &[("us-east-1", "min_carbon_reduction"), ("eu-central-1", "min_carbon_reduction")])]
fn a_move_must_avoid_enough_carbon(
    #[case] rule: Value,
    #[case] target: &str,
    #[case] excluded: &[(&str, &str)],
) {
    let policies = book(&[("c", json!({ "minCarbonReductionPercent": 10 }))], &[("n", rule)]);
    let (admission, record) = admit(FOUR, policies, &[]);
    assert_eq!(admission.target.as_deref(), Some(target));
    let found: Vec<(&str, &str)> = record["regions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|region| Some((region["name"].as_str().unwrap(), region["excluded"].as_str()?)))
        .collect();
    assert_eq!(found, excluded);
}

/// At one price everywhere no move saves cash, whatever carbon is worth.
#[rstest]
#[case::nothing_is_asked(json!({ "minSavingsUsd": 0 }), ("steer", "net_benefit"))]
#[case::a_cent_is_asked(json!({ "minSavingsUsd": 0.01 }), ("stay", "baseline_best"))]
fn a_move_must_save_enough_cash(#[case] rule: Value, #[case] verdict: (&str, &str)) {
    let (admission, _) = admit(FOUR, book(&[], &[("n", rule)]), &[]);
    assert_eq!(admission.verdict(), verdict);
}

/// USD a tonne: configuration 50, cap 100.
#[rstest]
#[case::configuration(json!({}), json!({}), 50.0)]
#[case::cluster(json!({ "carbonPriceUsdPerTonne": 80 }), json!({}), 80.0)]
#[case::the_namespace_is_nearer(json!({ "carbonPriceUsdPerTonne": 80 }), json!({ "carbonPriceUsdPerTonne": 20 }), 20.0)]
#[case::the_cap_holds(json!({}), json!({ "carbonPriceUsdPerTonne": 5000 }), 100.0)]
#[case::nothing(json!({}), json!({ "carbonPriceUsdPerTonne": 0 }), 0.0)]
fn the_carbon_price_is_the_nearest_within_the_cap(
    #[case] cluster: Value,
    #[case] namespace: Value,
    #[case] price: f64,
) {
    let (_, record) = admit(FOUR, book(&[("c", cluster)], &[("n", namespace)]), &[]);
    let stockholm = &record["regions"][2];
    let (_, plain) = admit(FOUR, PolicyBook::default(), &[]);
    let at_fifty = plain["regions"][2]["terms_usd"]["carbon"].as_f64().unwrap();
    let carbon = stockholm["terms_usd"]["carbon"].as_f64().unwrap();
    // Records carry six digits.
    assert!((carbon - at_fifty * price / 50.0).abs() < 1e-6, "{carbon} beside {at_fifty} at 50");
}

#[rstest]
#[case::everything(json!({}), true)]
#[case::its_label(json!({ "podSelector": { "matchLabels": { "tier": "batch" } } }), true)]
#[case::another_label(json!({ "podSelector": { "matchLabels": { "tier": "web" } } }), false)]
#[case::one_of_values(json!({ "podSelector": { "matchExpressions": [{ "key": "tier", "operator": "In", "values": ["batch", "web"] }] } }), true)]
#[case::none_of_values(json!({ "podSelector": { "matchExpressions": [{ "key": "tier", "operator": "NotIn", "values": ["web"] }] } }), true)]
#[case::not_there(json!({ "podSelector": { "matchExpressions": [{ "key": "gone", "operator": "DoesNotExist" }] } }), true)]
#[case::there(json!({ "podSelector": { "matchExpressions": [{ "key": "gone", "operator": "Exists" }] } }), false)]
#[case::namespace(json!({ "namespaceSelector": { "matchLabels": { "team": "ai" } } }), true)]
#[case::another_namespace(json!({ "namespaceSelector": { "matchLabels": { "team": "web" } } }), false)]
fn selectors_choose_pods_and_namespaces(#[case] mut spec: Value, #[case] applies: bool) {
    spec["mode"] = json!("off");
    let rig = Rig::in_cluster(FOUR, view(book(&[("c", spec)], &[])));
    let mut review = job("2", "8Gi");
    object(&mut review)["metadata"]["labels"] = json!({ "tier": "batch" });
    let admission = rig.admit(&review);
    assert_eq!(admission.verdict() == ("bypass", "mode_off"), applies, "{:?}", admission.verdict());
}

/// What a policy that cannot be read forbids, nobody knows.
#[rstest]
#[case::a_selector_that_cannot_be(json!({ "podSelector": { "matchExpressions": [{ "key": "a", "operator": "Near" }] } }))]
#[case::a_rule_without_values(json!({ "podSelector": { "matchExpressions": [{ "key": "a", "operator": "In" }] } }))]
fn a_policy_that_cannot_be_read_leaves_its_pods_alone(#[case] spec: Value) {
    for policies in [book(&[("c", spec.clone())], &[]), book(&[], &[("n", spec.clone())])] {
        let (admission, _) = admit(FOUR, policies, &[]);
        assert_eq!(admission.verdict(), ("bypass", "policy"));
    }
    let unreadable = PolicyBook::new([], [], ["ai-team/broken"], []);
    assert_eq!(admit(FOUR, unreadable, &[]).0.verdict(), ("bypass", "policy"));
    let elsewhere = PolicyBook::new([], [], ["web-team/broken"], []);
    assert_eq!(admit(FOUR, elsewhere, &[]).0.outcome, "steer");
}

/// Each is looked at for each pod, and whoever may write one may write many.
#[test]
fn more_policies_than_are_read_leave_pods_of_their_namespace_alone() {
    let names: Vec<String> = (0..101).map(|number| format!("policy-{number:03}")).collect();
    let many: Vec<(&str, Value)> = names.iter().map(|name| (name.as_str(), json!({}))).collect();
    assert_eq!(admit(FOUR, book(&[], &many[..100]), &[]).0.outcome, "steer");
    assert_eq!(admit(FOUR, book(&[], &many), &[]).0.verdict(), ("bypass", "policy"));
}

#[test]
fn until_policies_have_been_seen_pods_are_left_alone() {
    let rig = Rig::in_cluster(FOUR, ClusterView::pending("eco-pulse"));
    assert_eq!(rig.admit(&job("2", "8Gi")).verdict(), ("bypass", "cluster_unknown"));
}

/// The scheduler is told nothing about pods of a policy in shadow mode.
#[test]
fn in_shadow_mode_the_scheduler_keeps_all_nodes_and_likes_none_better() {
    let yaml = crate::support::IRELAND_BASE;
    let mut review = recorded("ai-training.admission");
    object(&mut review)["spec"]["containers"][0]["resources"] =
        json!({ "requests": { "cpu": "2", "memory": "8Gi" } });
    let pod = object(&mut review).clone();
    let names = crate::support::recorded_nodes();
    let args = json!({ "Pod": pod, "Nodes": null, "NodeNames": names });
    let steering = Rig::in_cluster(yaml, cluster());
    assert!(!steering.filter(&args).rejects_none(), "without a policy it does");
    let shadow = book(&[("c", json!({ "mode": "shadow" }))], &[]);
    let rig = Rig::in_cluster(yaml, cluster().with_policies(shadow));
    assert!(rig.filter(&args).rejects_none());
    assert!(rig.prioritize(&args).iter().all(|priority| priority.score == 0));
}

fn names() -> impl Strategy<Value = Option<Vec<String>>> {
    let name = prop::sample::select(vec!["us-east-1", "eu-west-1", "eu-north-1", "frankfurt", "mars"]);
    prop::option::of(prop::collection::vec(name.prop_map(str::to_owned), 0..4))
}

fn rules() -> impl Strategy<Value = Value> {
    (names(), names(), prop::option::of(0.0..200.0), prop::option::of(0.0..100.0)).prop_map(
        |(allowed, forbidden, latency, reduction)| {
            json!({ "allowedRegions": allowed, "forbiddenRegions": forbidden, "maxLatencyMs": latency,
                "minCarbonReductionPercent": reduction })
        },
    )
}

fn may_win(record: &Value) -> Vec<&str> {
    record["regions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|region| region["excluded"].is_null())
        .map(|region| region["name"].as_str().unwrap())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever policies say: a further one, or a pod's own word, never lets a region win that could not before.
    #[test]
    fn who_is_nearer_narrows_and_never_widens(
        cluster in rules(), namespace in rules(), allowed in names(), latency in prop::option::of(0.0..200.0_f64),
    ) {
        let (_, far) = admit(FOUR, book(&[("c", cluster.clone())], &[]), &[]);
        let (_, near) = admit(FOUR, book(&[("c", cluster.clone())], &[("n", namespace.clone())]), &[]);
        let allowed = allowed.filter(|names| !names.is_empty()).map(|names| names.join(","));
        let latency = latency.map(|limit| limit.to_string());
        let mut own: Vec<(&str, &str)> = Vec::new();
        own.extend(allowed.as_deref().map(|text| ("allowed-regions", text)));
        own.extend(latency.as_deref().map(|text| ("max-latency-ms", text)));
        let (_, pod) = admit(FOUR, book(&[("c", cluster)], &[("n", namespace)]), &own);
        let (far, near, pod) = (may_win(&far), may_win(&near), may_win(&pod));
        prop_assert!(near.iter().all(|region| far.contains(region)), "{near:?} of {far:?}");
        prop_assert!(pod.iter().all(|region| near.contains(region)), "{pod:?} of {near:?}");
    }
}
