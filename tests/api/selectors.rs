//! A pod's own hard rules about place: only the regions they leave are weighed, and none of one region is steered.

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{IRELAND_BASE, Rig, cluster_of, job, object};

const REGION: &str = "topology.kubernetes.io/region";
const ZONE: &str = "topology.kubernetes.io/zone";
const OLD_REGION: &str = "failure-domain.beta.kubernetes.io/region";
const OLD_ZONE: &str = "failure-domain.beta.kubernetes.io/zone";
const HOST: &str = "kubernetes.io/hostname";

/// The regions that were weighed; none when the pod was left alone for having no choice.
fn weighed_by(yaml: &str, spec: &Value) -> Vec<String> {
    let rig = Rig::new(yaml);
    let mut review = job("2", "8Gi");
    for (key, value) in spec.as_object().unwrap() {
        object(&mut review)["spec"][key] = value.clone();
    }
    let admission = rig.admit(&review);
    let record = rig.into_record();
    let regions: Vec<String> = record["regions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|region| region["name"].as_str().unwrap().to_owned())
        .collect();
    if regions.is_empty() {
        assert_eq!(admission.verdict(), ("bypass", "single_region"));
    }
    assert!(admission.terms().iter().all(|(_, region)| regions.contains(region)), "{:?}", admission.terms());
    regions
}

fn required(terms: &[Value]) -> Value {
    let required = json!({ "nodeSelectorTerms": terms });
    json!({ "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": required } } })
}

fn all_of(expressions: &[Value]) -> Value {
    json!({ "matchExpressions": expressions })
}

fn rule(key: &str, operator: &str, values: &[&str]) -> Value {
    json!({ "key": key, "operator": operator, "values": values })
}

const VIRGINIA: &str = "us-east-1";
const IRELAND: &str = "eu-west-1";
const STOCKHOLM: &str = "eu-north-1";
const ALL: &[&str] = &[VIRGINIA, IRELAND, STOCKHOLM];
const EUROPE: &[&str] = &[IRELAND, STOCKHOLM];
const NO_CHOICE: &[&str] = &[];

#[rstest]
#[case::nothing(json!({}), ALL)]
#[case::another_label(json!({ "disktype": "ssd" }), ALL)]
#[case::a_region(json!({ REGION: VIRGINIA }), NO_CHOICE)]
#[case::the_old_label(json!({ OLD_REGION: VIRGINIA }), NO_CHOICE)]
#[case::a_region_of_another_cluster(json!({ REGION: "mars" }), NO_CHOICE)]
#[case::a_zone(json!({ ZONE: "eu-north-1a" }), NO_CHOICE)]
#[case::an_old_zone(json!({ OLD_ZONE: "eu-north-1a" }), NO_CHOICE)]
#[case::a_host(json!({ HOST: "node-7" }), NO_CHOICE)]
fn node_selectors_narrow_the_choice(#[case] selector: Value, #[case] expected: &[&str]) {
    assert_eq!(weighed_by(IRELAND_BASE, &json!({ "nodeSelector": selector })), expected);
}

#[rstest]
#[case::in_two(&[all_of(&[rule(REGION, "In", EUROPE)])], EUROPE)]
#[case::in_one(&[all_of(&[rule(REGION, "In", &[IRELAND])])], NO_CHOICE)]
#[case::not_in_one(&[all_of(&[rule(REGION, "NotIn", &[VIRGINIA])])], EUROPE)]
#[case::not_in_two(&[all_of(&[rule(REGION, "NotIn", EUROPE)])], NO_CHOICE)]
#[case::exists(&[all_of(&[rule(REGION, "Exists", &[])])], ALL)]
#[case::does_not_exist(&[all_of(&[rule(REGION, "DoesNotExist", &[])])], NO_CHOICE)]
// Labels that are no numbers are neither more nor less.
#[case::greater(&[all_of(&[rule(REGION, "Gt", &["1"])])], NO_CHOICE)]
#[case::an_operator_nobody_knows(&[all_of(&[rule(REGION, "Near", &[IRELAND])])], NO_CHOICE)]
#[case::zones_of_two_regions(
    &[all_of(&[rule(ZONE, "In", &["us-east-1a", "eu-west-1b", "us-east-1c"])])],
    &[VIRGINIA, IRELAND]
)]
#[case::zones_of_one(&[all_of(&[rule(ZONE, "In", &["us-east-1a", "us-east-1b"])])], NO_CHOICE)]
// `us-east-10a` would not be in us-east-1.
#[case::a_zone_that_only_looks_like_it(
    &[all_of(&[rule(ZONE, "In", &["us-east-10a", "eu-west-1a", "eu-north-1a"])])],
    EUROPE
)]
// A region has other zones than the ones that are ruled out.
#[case::not_in_zones(&[all_of(&[rule(ZONE, "NotIn", &["us-east-1a"])])], ALL)]
#[case::another_label(&[all_of(&[rule("disktype", "In", &["ssd"])])], ALL)]
#[case::both_rules_of_a_term(
    &[all_of(&[rule(REGION, "In", &[VIRGINIA, IRELAND]), rule(REGION, "NotIn", &[VIRGINIA])])],
    NO_CHOICE
)]
#[case::either_of_two_terms(
    &[all_of(&[rule(REGION, "In", &[VIRGINIA])]), all_of(&[rule(REGION, "In", &[IRELAND])])],
    &[VIRGINIA, IRELAND]
)]
// As in Kubernetes, a term without rules matches no node.
#[case::an_empty_term(&[json!({})], NO_CHOICE)]
#[case::an_empty_term_beside_another(&[json!({}), all_of(&[rule(REGION, "In", EUROPE)])], EUROPE)]
#[case::a_node_by_name(
    &[json!({ "matchFields": [rule("metadata.name", "In", &["node-7"])] })],
    NO_CHOICE
)]
#[case::a_node_by_its_host_label(&[all_of(&[rule(HOST, "In", &["node-7", "node-8"])])], NO_CHOICE)]
#[case::any_but_one_node(&[all_of(&[rule(HOST, "NotIn", &["node-7"])])], ALL)]
#[case::a_node_or_a_region(
    &[all_of(&[rule(HOST, "In", &["node-7"])]), all_of(&[rule(REGION, "In", EUROPE)])],
    ALL
)]
fn required_affinity_narrows_the_choice(#[case] terms: &[Value], #[case] expected: &[&str]) {
    assert_eq!(weighed_by(IRELAND_BASE, &required(terms)), expected);
}

#[test]
fn selector_and_required_affinity_hold_together() {
    let mut spec = required(&[all_of(&[rule(REGION, "In", EUROPE)])]);
    spec["nodeSelector"] = json!({ ZONE: "eu-west-1a" });
    assert_eq!(weighed_by(IRELAND_BASE, &spec), NO_CHOICE);
}

/// A cluster that tells its regions by a label of its own, and by other names.
#[test]
fn another_topology_key_and_aliases_are_read_and_written() {
    let yaml = "
topologyKey: example.com/site
baseline: {region: eu-west-1}
regions: [{name: us-east-1, alias: iad}, {name: eu-west-1, alias: dub}, {name: eu-north-1, alias: arn}]
grid: {provider: mock, mock: {us-east-1: high, eu-west-1: high, eu-north-1: low}}
";
    let in_europe = required(&[all_of(&[rule("example.com/site", "In", &["dub", "arn"])])]);
    let rig = Rig::new(yaml);
    let mut review = job("2", "8Gi");
    object(&mut review)["spec"]["affinity"] = in_europe["affinity"].clone();
    let admission = rig.admit(&review);
    // People and metrics see the region's name, the scheduler its label.
    assert_eq!(admission.target.as_deref(), Some("eu-north-1"));
    let terms = admission
        .object
        .pointer("/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution")
        .unwrap();
    assert_eq!(
        *terms,
        json!([{ "weight": 100, "preference": { "matchExpressions": [rule("example.com/site", "In", &["arn"])] } }])
    );
    assert_eq!(rig.into_record()["regions"].as_array().unwrap().len(), 2);
}

/// The pod's own selector names the machine; else the configured one is assumed, and the record says so.
#[rstest]
#[case::of_its_own(json!({ "node.kubernetes.io/instance-type": "m5.xlarge" }), false)]
#[case::by_the_old_label(json!({ "beta.kubernetes.io/instance-type": "m5.xlarge" }), false)]
#[case::none(json!({}), true)]
fn the_machine_is_the_pods_own_wish(#[case] selector: Value, #[case] assumed: bool) {
    let rig = Rig::new(IRELAND_BASE);
    let mut review = job("2", "8Gi");
    object(&mut review)["spec"]["nodeSelector"] = selector;
    rig.admit(&review);
    let record = rig.into_record();
    assert_eq!(record["regions"][0]["instance_type"], "m5.xlarge");
    let defaults = record["demand"]["defaults"].as_array().unwrap();
    assert_eq!(defaults.contains(&json!("instance_type")), assumed);
}

/// What a region's nodes usually are is known, not assumed; but only a machine with a price can be weighed.
#[rstest]
#[case::priced(Some("m5.xlarge"), false)]
#[case::not_priced(Some("c5.4xlarge"), true)]
#[case::not_told(None, true)]
fn the_machine_is_what_the_nodes_are_where_that_has_a_price(
    #[case] of_nodes: Option<&str>,
    #[case] assumed: bool,
) {
    let rig = Rig::in_cluster(IRELAND_BASE, cluster_of(of_nodes));
    rig.admit(&job("2", "8Gi"));
    let record = rig.into_record();
    assert_eq!(record["regions"][2]["instance_type"], "m5.xlarge");
    let defaults = record["demand"]["defaults"].as_array().unwrap();
    assert_eq!(defaults.contains(&json!("instance_type")), assumed);
}

#[test]
fn a_machine_nobody_prices_leaves_the_base_unknown() {
    let rig = Rig::new(IRELAND_BASE);
    let mut review = job("2", "8Gi");
    object(&mut review)["spec"]["nodeSelector"] = json!({ "node.kubernetes.io/instance-type": "m99.mega" });
    assert_eq!(rig.admit(&review).verdict(), ("bypass", "baseline_unknown"));
}
