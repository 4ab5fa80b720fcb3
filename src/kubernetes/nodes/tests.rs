//! Nodes as the API server sends them, judged for pods as it sends them: Kubernetes' rules, case by case.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::domain::requests::effective_requests;
use crate::kubernetes::decode::decode_pod;
use crate::kubernetes::labels::Interner;
use crate::kubernetes::trim;
use crate::kubernetes::volumes::VolumeTopology;

/// A node as the API server sends it: 8 CPUs and 32 GiB, ready, in the region; changed by a merge patch.
fn sent(name: &str, region: &str, change: &Value) -> k8s_openapi::api::core::v1::Node {
    let mut node = json!({
        "metadata": { "name": name, "labels": {
            REGION: region,
            "topology.kubernetes.io/zone": format!("{region}-a"),
            "kubernetes.io/hostname": name,
            "cores": "8",
        } },
        "spec": {},
        "status": {
            "allocatable": { "cpu": "8", "memory": "32Gi", "pods": "110" },
            "conditions": [{ "type": "Ready", "status": "True" }],
        },
    });
    json_patch::merge(&mut node, change);
    serde_json::from_value(node).unwrap()
}

fn facts(name: &str, region: &str, change: &Value) -> NodeFacts {
    trim::node(&sent(name, region, change), &mut Interner::default()).unwrap()
}

fn index(nodes: impl IntoIterator<Item = NodeFacts>) -> NodeIndex {
    NodeIndex::new(nodes.into_iter().map(Arc::new), REGION)
}

/// What a pod with this specification finds in region `here`.
fn finds(index: &NodeIndex, spec: &Value, volumes: &[&VolumeTopology]) -> Option<Eligible> {
    let mut pod = json!({
        "metadata": {},
        "spec": { "containers": [{ "resources": { "requests": { "cpu": "1", "memory": "1Gi" } } }] },
    });
    json_patch::merge(&mut pod["spec"], spec);
    let text = pod.to_string();
    let pod = decode_pod(&text).unwrap();
    let resources = pod.resources();
    let requests = effective_requests(&resources);
    let gpu = requests.get("nvidia.com/gpu").is_some();
    index.eligible("here", &Needs::new(&pod, &requests, volumes), gpu)
}

fn required(terms: &Value) -> Value {
    json!({ "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": terms,
    } } } })
}

fn rule(key: &str, operator: &str, values: &[&str]) -> Value {
    required(&json!([{ "matchExpressions": [{ "key": key, "operator": operator, "values": values }] }]))
}

/// `labels.Requirement.Matches` of Kubernetes on the labels of one node, and its terms' OR and AND.
#[rstest]
#[case::in_one(rule("cores", "In", &["4", "8"]), true)]
#[case::in_none(rule("cores", "In", &["4"]), false)]
#[case::in_of_an_absent_key(rule("gpu", "In", &["a"]), false)]
#[case::not_in(rule("cores", "NotIn", &["4"]), true)]
#[case::not_in_but_is(rule("cores", "NotIn", &["8"]), false)]
#[case::not_in_of_an_absent_key(rule("gpu", "NotIn", &["a"]), true)]
#[case::not_in_nothing_cannot_be_read(rule("cores", "NotIn", &[]), false)]
#[case::exists(rule("cores", "Exists", &[]), true)]
#[case::exists_not(rule("gpu", "Exists", &[]), false)]
#[case::does_not_exist(rule("gpu", "DoesNotExist", &[]), true)]
#[case::does_not_exist_but_does(rule("cores", "DoesNotExist", &[]), false)]
#[case::greater(rule("cores", "Gt", &["7"]), true)]
#[case::not_greater(rule("cores", "Gt", &["8"]), false)]
#[case::less(rule("cores", "Lt", &["9"]), true)]
#[case::less_than_words(rule("cores", "Lt", &["many"]), false)]
#[case::an_operator_nobody_knows(rule("cores", "Near", &["8"]), false)]
#[case::by_field(required(&json!([{ "matchFields": [
    { "key": "metadata.name", "operator": "In", "values": ["node-1"] }] }])), true)]
#[case::by_the_field_of_another(required(&json!([{ "matchFields": [
    { "key": "metadata.name", "operator": "In", "values": ["node-2"] }] }])), false)]
#[case::one_term_suffices(required(&json!([
    { "matchExpressions": [{ "key": "gpu", "operator": "Exists" }] },
    { "matchExpressions": [{ "key": "cores", "operator": "Exists" }] },
])), true)]
#[case::of_a_term_every_rule_must_hold(required(&json!([{ "matchExpressions": [
    { "key": "gpu", "operator": "Exists" }, { "key": "cores", "operator": "Exists" }] }])), false)]
#[case::an_empty_term_matches_nothing(required(&json!([{}])), false)]
#[case::no_terms_match_nothing(required(&json!([])), false)]
#[case::a_selector(json!({ "nodeSelector": { "cores": "8" } }), true)]
#[case::a_selector_for_another(json!({ "nodeSelector": { "cores": "4" } }), false)]
#[case::a_selector_and_a_term(json!({
    "nodeSelector": { "cores": "8" }, "affinity": rule("cores", "In", &["4"])["affinity"] }), false)]
#[case::a_host(json!({ "nodeSelector": { "kubernetes.io/hostname": "node-1" } }), true)]
fn labels_and_names_are_judged_as_kubernetes_judges_them(#[case] spec: Value, #[case] expected: bool) {
    let one = index([facts("node-1", "here", &json!({}))]);
    assert_eq!(finds(&one, &spec, &[]).is_some(), expected);
    // Among hundreds of its kind, whose names are no part of the kind, the answer is the same.
    let many = (0..300).map(|number| facts(&format!("node-{}", 1000 + number), "here", &json!({})));
    let many = index(many.chain([facts("node-1", "here", &json!({}))]));
    assert_eq!(finds(&many, &spec, &[]).is_some(), expected);
}

#[rstest]
#[case::none(json!([]), json!([]), true)]
#[case::not_tolerated(json!([{ "key": "a", "value": "b", "effect": "NoSchedule" }]), json!([]), false)]
#[case::only_less_liked(json!([{ "key": "a", "effect": "PreferNoSchedule" }]), json!([]), true)]
#[case::tolerated(json!([{ "key": "a", "value": "b", "effect": "NoSchedule" }]),
    json!([{ "key": "a", "operator": "Equal", "value": "b", "effect": "NoSchedule" }]), true)]
#[case::equal_is_the_default(json!([{ "key": "a", "value": "b", "effect": "NoSchedule" }]),
    json!([{ "key": "a", "value": "b" }]), true)]
#[case::of_another_value(json!([{ "key": "a", "value": "b", "effect": "NoSchedule" }]),
    json!([{ "key": "a", "value": "c" }]), false)]
#[case::of_another_effect(json!([{ "key": "a", "value": "b", "effect": "NoExecute" }]),
    json!([{ "key": "a", "value": "b", "effect": "NoSchedule" }]), false)]
#[case::whatever_the_value(json!([{ "key": "a", "value": "b", "effect": "NoExecute" }]),
    json!([{ "key": "a", "operator": "Exists" }]), true)]
#[case::everything(json!([{ "key": "a", "effect": "NoExecute" }, { "key": "c", "effect": "NoSchedule" }]),
    json!([{ "operator": "Exists" }]), true)]
#[case::one_of_two(json!([{ "key": "a", "effect": "NoExecute" }, { "key": "c", "effect": "NoSchedule" }]),
    json!([{ "key": "a", "operator": "Exists" }]), false)]
fn taints_keep_pods_off_that_do_not_tolerate_them(
    #[case] taints: Value,
    #[case] tolerations: Value,
    #[case] expected: bool,
) {
    let index = index([facts("node-1", "here", &json!({ "spec": { "taints": taints } }))]);
    assert_eq!(finds(&index, &json!({ "tolerations": tolerations }), &[]).is_some(), expected);
}

#[rstest]
#[case::cordoned(json!({ "spec": { "unschedulable": true } }), json!({}), false)]
#[case::cordoned_and_tolerated(json!({ "spec": { "unschedulable": true } }),
    json!({ "tolerations": [{ "key": UNSCHEDULABLE_TAINT, "operator": "Exists" }] }), true)]
#[case::not_ready(json!({ "status": { "conditions": [{ "type": "Ready", "status": "False" }] } }), json!({}), false)]
#[case::silent(json!({ "status": { "conditions": [{ "type": "Ready", "status": "Unknown" }] } }), json!({}), false)]
#[case::without_conditions(json!({ "status": { "conditions": null } }), json!({}), false)]
#[case::just_large_enough(json!({}), requests("8", "32Gi"), true)]
#[case::too_few_cores(json!({}), requests("8001m", "1Gi"), false)]
#[case::too_little_memory(json!({}), requests("1", "33Gi"), false)]
#[case::something_it_does_not_have(json!({}), asks_for("example.com/fpga", "1"), false)]
#[case::none_of_what_it_does_not_have(json!({}), asks_for("example.com/fpga", "0"), true)]
#[case::no_place_for_pods(json!({ "status": { "allocatable": { "pods": "0" } } }), json!({}), false)]
#[case::that_says_nothing_of_its_size(json!({ "status": { "allocatable": null } }), json!({}), false)]
fn a_node_takes_a_pod_only_if_it_could(#[case] node: Value, #[case] spec: Value, #[case] expected: bool) {
    assert_eq!(finds(&index([facts("node-1", "here", &node)]), &spec, &[]).is_some(), expected);
}

fn requests(cpu: &str, memory: &str) -> Value {
    json!({ "containers": [{ "resources": { "requests": { "cpu": cpu, "memory": memory } } }] })
}

fn asks_for(resource: &str, amount: &str) -> Value {
    json!({ "containers": [{ "resources": { "requests": { "cpu": "1", resource: amount } } }] })
}

fn volume(change: &Value) -> VolumeTopology {
    let mut volume = json!({ "metadata": { "name": "pv" }, "spec": {} });
    json_patch::merge(&mut volume, change);
    trim::volume(&serde_json::from_value(volume).unwrap())
}

#[rstest]
#[case::anywhere(json!({}), true)]
#[case::here(in_zone("here-a"), true)]
#[case::elsewhere(in_zone("there-a"), false)]
#[case::labelled_here(json!({ "metadata": { "labels": { "topology.kubernetes.io/zone": "here-a" } } }), true)]
#[case::labelled_elsewhere(json!({ "metadata": { "labels": { "topology.kubernetes.io/zone": "there-a" } } }), false)]
#[case::in_two_zones(json!({ "metadata": { "labels": {
    "failure-domain.beta.kubernetes.io/zone": "there-a__here-a" } } }), true)]
fn a_volume_demands_of_its_node_what_it_says(#[case] change: Value, #[case] expected: bool) {
    let volume = volume(&change);
    let index = index([facts("node-1", "here", &json!({}))]);
    assert_eq!(finds(&index, &json!({}), &[&volume]).is_some(), expected);
}

fn in_zone(zone: &str) -> Value {
    json!({ "spec": { "nodeAffinity": { "required": { "nodeSelectorTerms": [{ "matchExpressions": [
        { "key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone] }] }] } } } })
}

#[test]
fn type_and_weight_are_of_the_nodes_the_pod_could_run_on() {
    let of_type = |name: &str, instance_type: &str, cpu: &str, gpus: &str| {
        let labels = json!({ "metadata": { "labels": { INSTANCE_TYPE: instance_type } },
            "status": { "allocatable": { "cpu": cpu, "nvidia.com/gpu": gpus } } });
        facts(name, "here", &labels)
    };
    let index = index([
        of_type("a", "small", "2", "0"),
        of_type("b", "small", "2", "0"),
        of_type("c", "large", "16", "0"),
        of_type("d", "with-gpu", "32", "1"),
    ]);
    let found = |spec: &Value| {
        let found = finds(&index, spec, &[]).unwrap();
        (found.usual_type.unwrap().to_string(), found.allocatable_cores)
    };
    assert_eq!(found(&requests("1", "1Gi")), ("small".to_owned(), 52.0));
    assert_eq!(found(&requests("4", "1Gi")), ("large".to_owned(), 48.0));
    assert_eq!(found(&requests("20", "1Gi")), ("with-gpu".to_owned(), 32.0), "there is no other");
    assert_eq!(found(&asks_for("nvidia.com/gpu", "1")), ("with-gpu".to_owned(), 32.0));
}

#[test]
fn regions_are_told_by_the_topology_key_and_the_label_of_old_nodes() {
    let without = json!({ "metadata": { "labels": { REGION: null } } });
    let old = json!({ "metadata": { "labels": { REGION: null, LEGACY_REGION: "here" } } });
    let index = index([facts("old", "", &old), facts("lost", "", &without)]);
    assert_eq!(index.region_of("old").map(|region| &**region), Some("here"));
    assert_eq!(index.region_of("lost"), None);
    assert!(finds(&index, &json!({}), &[]).is_some());
}

#[test]
fn three_hundred_labels_of_its_own_make_no_node_a_kind_of_its_own() {
    let labelled = |number: usize| {
        let labels: serde_json::Map<String, Value> =
            (0..300).map(|key| (format!("key-{key}"), json!(format!("value-{number}")))).collect();
        facts(&format!("node-{number}"), "here", &json!({ "metadata": { "labels": labels } }))
    };
    let index = index((0..200).map(labelled));
    assert_eq!(index.kinds(), 1);
    assert!(finds(&index, &json!({ "nodeSelector": { "key-7": "value-150" } }), &[]).is_some());
    assert!(finds(&index, &json!({ "nodeSelector": { "key-7": "value-15x" } }), &[]).is_none());
}

#[test]
fn an_amount_that_is_none_is_told_with_its_field() {
    let node = sent("node-1", "here", &json!({ "status": { "allocatable": { "cpu": "lots" } } }));
    let error = trim::node(&node, &mut Interner::default()).unwrap_err().to_string();
    assert!(error.starts_with("status.allocatable.cpu: "), "{error}");
}
