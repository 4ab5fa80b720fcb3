//! Data residency: `allowed-regions` on pods and namespaces narrows the choice, and nothing widens it again.

use eco_pulse::kubernetes::cluster::{ClusterView, NamespaceFacts};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Rig, annotate, bare_job, recorded};

/// Four regions: Stockholm is best, then Frankfurt, then Virginia.
const FOUR: &str = "
baseline: {region: eu-west-1}
regions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1}, {name: eu-central-1, alias: frankfurt}]
grid: {provider: mock, mock: {us-east-1: 600, eu-west-1: high, eu-north-1: low, eu-central-1: 60}}
carbon: {priceUsdPerTonne: 10000, maxPriceUsdPerTonne: 10000}
";

fn admitted_with(pod: Option<&str>, namespace: Option<&str>) -> (crate::support::Admission, Value) {
    let facts = NamespaceFacts { allowed_regions: namespace.map(str::to_owned), ..NamespaceFacts::default() };
    let view = ClusterView::unwatched("eco-pulse").with_namespaces([("ai-team".to_owned(), facts)]);
    let rig = Rig::in_cluster(FOUR, view);
    let mut review = bare_job("2", "8Gi");
    if let Some(text) = pod {
        review = annotate(review, &[("allowed-regions", text)]);
    }
    let admission = rig.admit(&review);
    (admission, rig.into_record())
}

#[rstest]
#[case::none(None, None, "eu-north-1", &["us-east-1", "eu-west-1", "eu-north-1", "eu-central-1"])]
#[case::pod(Some("eu-west-1,eu-central-1"), None, "eu-central-1", &["eu-west-1", "eu-central-1"])]
#[case::namespace(None, Some("us-east-1, eu-west-1"), "us-east-1", &["us-east-1", "eu-west-1"])]
#[case::an_alias_names_it_too(Some("eu-west-1, frankfurt"), None, "eu-central-1", &["eu-west-1", "eu-central-1"])]
#[case::both_intersect(
    Some("eu-north-1,eu-west-1,eu-central-1"),
    Some("eu-west-1,eu-central-1,us-east-1"),
    "eu-central-1",
    &["eu-west-1", "eu-central-1"]
)]
#[case::regions_of_other_clusters_do_no_harm(
    Some("ap-east-1,eu-west-1,eu-central-1"),
    None,
    "eu-central-1",
    &["eu-west-1", "eu-central-1"]
)]
fn only_allowed_regions_are_weighed(
    #[case] pod: Option<&str>,
    #[case] namespace: Option<&str>,
    #[case] target: &str,
    #[case] weighed: &[&str],
) {
    let (admission, record) = admitted_with(pod, namespace);
    assert_eq!((admission.outcome.as_str(), admission.target.as_deref()), ("steer", Some(target)));
    let names: Vec<&str> =
        record["regions"].as_array().unwrap().iter().map(|region| region["name"].as_str().unwrap()).collect();
    assert_eq!(names, weighed);
    let labels = weighed.iter().map(|name| if *name == "eu-central-1" { "frankfurt" } else { name });
    let labels: Vec<&str> = labels.collect();
    assert!(
        admission.terms().iter().all(|(_, region)| labels.contains(&region.as_str())),
        "{:?}",
        admission.terms()
    );
    assert!(admission.warnings.is_empty());
}

/// The base itself may be forbidden: then the rest is compared with what the scheduler alone would do among it.
#[test]
fn where_the_base_is_not_allowed_the_scheduler_mix_stands_in() {
    let (admission, record) = admitted_with(Some("us-east-1,eu-north-1"), None);
    assert_eq!(record["baseline_region"], "scheduler");
    assert_eq!(admission.target.as_deref(), Some("eu-north-1"));
}

#[rstest]
#[case::disjoint(Some("eu-west-1,eu-north-1"), Some("us-east-1,eu-central-1"))]
#[case::one_only(Some("eu-north-1"), None)]
#[case::one_left(Some("eu-west-1,eu-north-1"), Some("eu-north-1,us-east-1"))]
#[case::none_of_ours(Some("ap-east-1,sa-east-1"), None)]
fn without_two_allowed_regions_the_pod_is_left_alone(
    #[case] pod: Option<&str>,
    #[case] namespace: Option<&str>,
) {
    let (admission, _) = admitted_with(pod, namespace);
    assert_eq!(admission.verdict(), ("bypass", "policy"));
    assert!(admission.is_untouched());
}

#[rstest]
#[case::empty("")]
#[case::blank("  ")]
#[case::empty_entry("eu-west-1,,eu-north-1")]
#[case::trailing_comma("eu-west-1,eu-north-1,")]
#[case::blanks_between("eu-west-1 eu-north-1")]
#[case::lines("eu-west-1\neu-north-1")]
fn a_malformed_wish_leaves_the_pod_alone_with_a_warning(#[case] text: &str) {
    let rig = Rig::new(FOUR);
    let admission = rig.admit(&annotate(bare_job("2", "8Gi"), &[("allowed-regions", text)]));
    assert_eq!(admission.verdict(), ("bypass", "policy"));
    assert!(admission.is_untouched());
    let [warning] = admission.warnings.as_slice() else { panic!("{:?}", admission.warnings) };
    assert!(warning.starts_with("eco-pulse: annotation eco-pulse.io/allowed-regions: "), "{warning}");
    assert!(warning.ends_with("is not regions separated by commas; the pod is left alone"), "{warning}");
    assert!((rig.metric("eco_pulse_malformed_annotations_total") - 1.0).abs() < f64::EPSILON);
}

#[test]
fn a_malformed_wish_of_the_namespace_leaves_its_pods_alone_with_a_warning() {
    let (admission, _) = admitted_with(None, Some("eu-west-1,,eu-north-1"));
    assert_eq!(admission.verdict(), ("bypass", "policy"));
    assert!(admission.is_untouched());
    let [warning] = admission.warnings.as_slice() else { panic!("{:?}", admission.warnings) };
    assert!(
        warning.contains("allowed-regions of the namespace: \"eu-west-1,,eu-north-1\" is not"),
        "{warning}"
    );
}

/// The same wish at the scheduler: nodes of a forbidden region are not enforced, whatever the pod's marks say.
#[test]
fn the_scheduler_is_answered_by_the_same_rule() {
    let mut args = recorded("frontend.filter-nodes");
    args["Pod"]["spec"]["topologySpreadConstraints"] = json!([]);
    args["Pod"]["metadata"]["annotations"] = json!({ "eco-pulse.io/allowed-regions": "eu-west-1,us-east-1" });
    let yaml = FOUR
        .replace("us-east-1: 600", "us-east-1: 20")
        .replace("baseline", "latency: {serving: {maxAddedMs: null}}\nbaseline");
    let result = Rig::new(&yaml).filter(&args);
    assert_eq!(result.regions(), ["us-east-1".to_owned()].into());
}
