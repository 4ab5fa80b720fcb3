//! `/filter` in Go's wire form: recorded questions, questions that really narrow the choice, and all the pods and modes
//! for which every node passes.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{IRELAND_BASE, Rig, cluster, nodes_of, put, recorded, recorded_nodes, wire_nodes};

/// The recorded question about nodes by name, for a pod without the spread constraint that would let all pass.
fn by_name() -> Value {
    free(recorded("frontend.filter-names"))
}

fn free(mut args: Value) -> Value {
    args["Pod"]["spec"]["topologySpreadConstraints"] = json!([]);
    args
}

fn rig() -> Rig {
    Rig::in_cluster(IRELAND_BASE, cluster())
}

#[rstest]
// A DaemonSet's pod, with the one node it may run on.
#[case("agent.filter-names", "daemonset")]
// Both prefer to be spread over zones: that is theirs to say.
#[case("frontend.filter-names", "own_preference")]
#[case("frontend.filter-nodes", "own_preference")]
fn recorded_questions_that_are_not_ours_to_narrow_pass_whole(#[case] name: &str, #[case] reason: &str) {
    let rig = rig();
    assert!(rig.filter(&recorded(name)).rejects_none());
    let record = rig.into_record();
    assert_eq!((&record["outcome"], &record["reason"]), (&json!("bypass"), &json!(reason)));
}

#[test]
fn a_recorded_pod_that_may_not_go_far_keeps_to_its_base() {
    let rig = rig();
    let result = rig.filter(&recorded("sidecars.filter-names"));
    assert_eq!(result.regions(), ["eu-west-1".to_owned()].into());
    assert_eq!(result.kept().len(), 3);
    let record = rig.into_record();
    assert_eq!(record["endpoint"], "filter");
    assert_eq!(record["pod"], "sidecars");
    assert_eq!(record["demand"]["cpu_cores"], 4.0);
    assert_eq!(record["demand"]["memory_gib"], 6.0625);
}

#[test]
fn an_answer_has_exactly_the_members_that_go_reads() {
    let answer: Value = serde_json::from_slice(&rig().post("/filter", &by_name())).unwrap();
    let members: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(members, ["Error", "FailedAndUnresolvableNodes", "FailedNodes", "NodeNames", "Nodes"]);
    assert_eq!(answer["Nodes"], Value::Null);
    assert_eq!(answer["FailedNodes"], json!({}));
    assert_eq!(answer["Error"], "");
}

#[test]
fn nodes_outside_the_decided_region_are_rejected_for_good() {
    let rig = rig();
    let result = rig.filter(&by_name());
    assert_eq!(result.regions(), ["eu-north-1".to_owned()].into());
    assert_eq!(result.kept().len(), 4);
    assert_eq!(result.failed_and_unresolvable_nodes.len(), 8);
    let reasons = &result.failed_and_unresolvable_nodes;
    assert!(
        reasons.values().all(|reason| reason == "eco-pulse: region eu-north-1 was decided"),
        "{reasons:?}"
    );
}

#[test]
fn whole_nodes_tell_their_regions_where_nobody_watches() {
    let args = free(recorded("frontend.filter-nodes"));
    let unwatched = Rig::new(IRELAND_BASE).filter(&args);
    assert_eq!(unwatched.regions(), ["eu-north-1".to_owned()].into());
    assert_eq!(unwatched.kept().len(), 4);
    assert_eq!(rig().filter(&args).kept(), unwatched.kept());
}

#[test]
fn the_order_of_the_question_is_kept() {
    let mut names = recorded_nodes();
    for rotation in 0..names.len() {
        names.rotate_left(5);
        let result = rig().filter(&wire_nodes(&by_name()["Pod"], &names));
        assert_eq!(result.kept().len(), 4, "rotation {rotation}");
    }
}

#[test]
fn nodes_that_nobody_knows_are_kept() {
    let mut names = recorded_nodes();
    names.insert(0, "spare-1".to_owned());
    names.push("spare-2".to_owned());
    let result = rig().filter(&wire_nodes(&by_name()["Pod"], &names));
    assert_eq!(
        result.regions(),
        ["eu-north-1".to_owned(), "spare-1".to_owned(), "spare-2".to_owned()].into()
    );
}

#[test]
fn whole_nodes_without_a_region_are_kept() {
    let mut args = free(recorded("frontend.filter-nodes"));
    for label in ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"] {
        args["Nodes"]["items"][0]["metadata"]["labels"].as_object_mut().unwrap().remove(label).unwrap();
    }
    let result = Rig::new(IRELAND_BASE).filter(&args);
    assert_eq!(result.kept().len(), 5);
    assert_eq!(result.kept()[0], nodes_of(&args)[0]);
}

#[test]
fn the_old_region_label_counts_where_the_new_one_is_absent() {
    let mut args = free(recorded("frontend.filter-nodes"));
    for node in args["Nodes"]["items"].as_array_mut().unwrap() {
        node["metadata"]["labels"].as_object_mut().unwrap().remove("topology.kubernetes.io/region").unwrap();
    }
    assert_eq!(Rig::new(IRELAND_BASE).filter(&args).regions(), ["eu-north-1".to_owned()].into());
}

#[test]
fn only_the_regions_on_offer_are_weighed() {
    let rig = rig();
    let names: Vec<String> =
        recorded_nodes().into_iter().filter(|name| !name.contains("eu-north-1")).collect();
    let result = rig.filter(&wire_nodes(&by_name()["Pod"], &names));
    // Of Ireland and Virginia, the base is best.
    assert_eq!(result.regions(), ["eu-west-1".to_owned()].into());
    let regions = rig.into_record()["regions"].clone();
    let names: Vec<&Value> = regions.as_array().unwrap().iter().map(|region| &region["name"]).collect();
    assert_eq!(names, ["us-east-1", "eu-west-1"]);
}

#[test]
fn a_question_with_one_candidate_or_none_passes() {
    for names in [vec![], recorded_nodes()[..1].to_vec(), vec!["spare-1".to_owned()]] {
        let rig = rig();
        let result = rig.filter(&wire_nodes(&by_name()["Pod"], &names));
        assert!(result.rejects_none());
        assert_eq!(result.kept(), names);
    }
}

#[test]
fn several_nodes_of_one_region_pass() {
    let names: Vec<String> = recorded_nodes().into_iter().filter(|name| name.contains("us-east-1")).collect();
    let rig = rig();
    assert!(rig.filter(&wire_nodes(&by_name()["Pod"], &names)).rejects_none());
    assert_eq!(rig.into_record()["reason"], "single_region");
}

/// Go's decoder does not mind the case of names; older schedulers and test tools write them like other JSON.
#[rstest]
#[case("Pod", "NodeNames")]
#[case("pod", "nodeNames")]
#[case("pod", "nodenames")]
fn members_are_read_as_go_reads_them(#[case] pod: &str, #[case] node_names: &str) {
    let args = by_name();
    let rig = rig();
    let question = json!({ pod: args["Pod"], node_names: args["NodeNames"] });
    let answer: Value = serde_json::from_slice(&rig.post("/filter", &question)).unwrap();
    assert_eq!(answer["NodeNames"].as_array().unwrap().len(), 4);
}

#[test]
fn absent_nodes_are_answered_with_absent_nodes() {
    for args in [json!({ "Pod": by_name()["Pod"], "Nodes": null, "NodeNames": null }), json!({ "Pod": null })]
    {
        let answer: Value = serde_json::from_slice(&rig().post("/filter", &args)).unwrap();
        assert_eq!((&answer["Nodes"], &answer["NodeNames"]), (&Value::Null, &Value::Null));
        assert_eq!(answer["FailedAndUnresolvableNodes"], json!({}));
    }
}

#[rstest]
#[case::shadow("mode: shadow", "steer")]
#[case::off("mode: off", "bypass")]
#[case::observing("extender: {filter: observe}", "steer")]
fn what_is_only_observed_is_not_enforced(#[case] setting: &str, #[case] outcome: &str) {
    let rig = Rig::in_cluster(&format!("{setting}\n{IRELAND_BASE}"), cluster());
    assert!(rig.filter(&by_name()).rejects_none());
    assert_eq!(rig.into_record()["outcome"], outcome);
}

#[rstest]
#[case::kubernetes_own("/metadata/namespace", json!("kube-system"), "system_namespace")]
#[case::opted_out_namespace("/metadata/namespace", json!("payments"), "opted_out")]
#[case::unknown_namespace("/metadata/namespace", json!("brand-new"), "policy")]
#[case::opted_out("/metadata/labels", json!({ "eco-pulse.io/inject": "disabled" }), "opted_out")]
#[case::with_a_claim(
    "/spec/volumes",
    json!([{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }]),
    "volume_pinned"
)]
#[case::of_a_daemonset("/metadata/ownerReferences/0/kind", json!("DaemonSet"), "daemonset")]
#[case::best_effort("/spec/containers/0/resources", json!({}), "no_requests")]
#[case::one_region_left("/spec/nodeSelector", json!({ "topology.kubernetes.io/region": "us-east-1" }), "single_region")]
#[case::malformed_residency(
    "/metadata/annotations",
    json!({ "eco-pulse.io/allowed-regions": "," }),
    "policy"
)]
#[case::prefers_a_region(
    "/spec/affinity",
    json!({ "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [
        { "weight": 1, "preference": { "matchExpressions": [
            { "key": "topology.kubernetes.io/region", "operator": "In", "values": ["us-east-1"] }
        ] } }
    ] } }),
    "own_preference"
)]
#[case::prefers_a_zone(
    "/spec/affinity",
    json!({ "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [
        { "weight": 1, "preference": { "matchExpressions": [
            { "key": "topology.kubernetes.io/zone", "operator": "NotIn", "values": ["us-east-1a"] }
        ] } }
    ] } }),
    "own_preference"
)]
#[case::spreads_over_regions(
    "/spec/topologySpreadConstraints",
    json!([{ "maxSkew": 1, "topologyKey": "topology.kubernetes.io/region", "whenUnsatisfiable": "DoNotSchedule" }]),
    "own_preference"
)]
fn all_nodes_pass_for_pods_that_are_not_ours_to_narrow(
    #[case] path: &str,
    #[case] value: Value,
    #[case] reason: &str,
) {
    let mut args = by_name();
    put(&mut args["Pod"], path, value);
    let rig = rig();
    assert!(rig.filter(&args).rejects_none());
    let record = rig.into_record();
    assert_eq!((&record["outcome"], &record["reason"]), (&json!("bypass"), &json!(reason)));
}

#[rstest]
#[case::prefers_a_disk(
    "/spec/affinity",
    json!({ "nodeAffinity": { "preferredDuringSchedulingIgnoredDuringExecution": [
        { "weight": 100, "preference": { "matchExpressions": [{ "key": "disktype", "operator": "Exists" }] } }
    ] } })
)]
#[case::spreads_over_hosts(
    "/spec/topologySpreadConstraints",
    json!([{ "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway" }])
)]
fn preferences_that_are_not_about_place_change_nothing(#[case] path: &str, #[case] value: Value) {
    let mut args = by_name();
    put(&mut args["Pod"], path, value);
    assert_eq!(rig().filter(&args).regions(), ["eu-north-1".to_owned()].into());
}

#[test]
fn the_control_group_is_not_narrowed() {
    let rig = Rig::in_cluster(&format!("{IRELAND_BASE}\ndecision: {{holdout: 1}}"), cluster());
    assert!(rig.filter(&by_name()).rejects_none());
    assert_eq!(rig.into_record()["reason"], "holdout");
}

#[test]
fn a_pod_that_does_not_decode_lets_every_node_pass() {
    for pod in [
        json!(null),
        json!("pod"),
        json!({ "spec": { "containers": 7 } }),
        json!({ "metadata": { "labels": [] } }),
    ] {
        let rig = rig();
        assert!(rig.filter(&wire_nodes(&pod, &recorded_nodes())).rejects_none());
        assert_eq!(rig.into_record()["reason"], "undecodable");
    }
}

/// A question about another pod of the same kind.
fn by_name_of(uid: &str) -> Value {
    let mut args = by_name();
    args["Pod"]["metadata"]["uid"] = json!(uid);
    args
}

/// As after a time in which the API server reached nobody: pods that carry no decision are waiting.
#[test]
fn a_pod_without_a_decision_takes_one_place_however_often_it_is_asked_about() {
    let rig = Rig::in_cluster(&format!("{IRELAND_BASE}\nherd: {{maxPodsPerMinute: 1}}"), cluster());
    for _ in 0..3 {
        assert_eq!(rig.filter(&by_name_of("first")).regions(), ["eu-north-1".to_owned()].into());
    }
    assert_eq!(rig.filter(&by_name_of("second")).regions(), ["eu-west-1".to_owned()].into());
    assert_eq!(rig.filter(&by_name_of("first")).regions(), ["eu-north-1".to_owned()].into());
}

/// It was to go one way, found no room, and went another: neither region is filled by the pod itself.
#[test]
fn a_pod_whose_region_changes_keeps_its_place_in_both() {
    let more = "\nherd: {maxPodsPerMinute: 1}\ngrid: {provider: mock, mock: {us-east-1: 600, eu-west-1: high, eu-north-1: low}}";
    let yaml = IRELAND_BASE.lines().filter(|line| !line.starts_with("grid:")).collect::<Vec<_>>().join("\n");
    let dear_carbon = "\ncarbon: {priceUsdPerTonne: 10000, maxPriceUsdPerTonne: 10000}\nlatency: {serving: {maxAddedMs: null}}";
    let rig = Rig::in_cluster(&format!("{yaml}{more}{dear_carbon}"), cluster());
    let asked = |without: &str| {
        let mut args = by_name_of("first");
        let names = args["NodeNames"].as_array_mut().unwrap();
        names.retain(|name| without.is_empty() || !name.as_str().unwrap().contains(without));
        rig.filter(&args).regions()
    };
    assert_eq!(asked(""), ["eu-north-1".to_owned()].into());
    assert_eq!(asked("eu-north-1"), ["us-east-1".to_owned()].into());
    assert_eq!(asked(""), ["eu-north-1".to_owned()].into());
    assert_eq!(asked("eu-north-1"), ["us-east-1".to_owned()].into());
}

#[test]
fn a_pod_that_is_only_observed_takes_no_place() {
    let observed = format!("{IRELAND_BASE}\nherd: {{maxPodsPerMinute: 1}}\nextender: {{filter: observe}}");
    let rig = Rig::in_cluster(&observed, cluster());
    for uid in ["first", "second"] {
        assert!(rig.filter(&by_name_of(uid)).rejects_none());
    }
    let records = rig.into_records();
    assert_eq!(records.len(), 2);
    assert!(records.iter().all(|record| record["target_region"] == "eu-north-1"), "{records:?}");
}
