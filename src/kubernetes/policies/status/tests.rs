//! What is found of policies, case by case.

use std::sync::Arc;

use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::kubernetes::policies::Versioned;

fn regions() -> Arc<Regions> {
    let yaml =
        "baseline: {region: eu-west-1}\nregions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1}]";
    Config::parse(yaml, &Catalogue::built_in().unwrap()).unwrap().regions
}

fn read<S: serde::de::DeserializeOwned>(spec: &Value) -> Versioned<S> {
    Versioned { generation: 3, spec: serde_json::from_value(spec.clone()).unwrap() }
}

/// Policies of namespace `n` and of the cluster, with two pods `app=web` and one `app=db` there, and one elsewhere.
fn found(cluster: &[(&str, Value)], namespaced: &[(&str, Value)]) -> BTreeMap<String, Finding> {
    let cluster: Vec<_> = cluster.iter().map(|(name, spec)| (*name, read(spec))).collect();
    let namespaced: Vec<_> =
        namespaced.iter().map(|(name, spec)| (format!("n/{name}"), read(spec))).collect();
    let book = PolicyBook::new(
        namespaced.iter().map(|(key, spec)| (key.as_str(), spec)),
        cluster.iter().map(|(name, spec)| (*name, spec)),
        [],
        [],
    );
    let labels = |app: &str| BTreeMap::from([("app".to_owned(), app.to_owned())]);
    let pods = [("n", labels("web")), ("n", labels("web")), ("n", labels("db")), ("m", labels("web"))];
    let namespace = |name: &str| {
        let labels = [("team", name)].into_iter().collect();
        Some(NamespaceFacts { labels, ..NamespaceFacts::default() })
    };
    findings(
        &book,
        namespace,
        pods.iter().map(|(namespace, labels)| (*namespace, labels)),
        &regions(),
        UsdPerTonne(100.0),
    )
}

#[rstest]
#[case::all_of_its_namespace(json!({}), 3)]
#[case::by_label(json!({ "podSelector": { "matchLabels": { "app": "web" } } }), 2)]
#[case::none(json!({ "podSelector": { "matchLabels": { "app": "gone" } } }), 0)]
fn pods_are_counted(#[case] spec: Value, #[case] pods: u64) {
    let found = &found(&[], &[("a", spec)])["n/a"];
    assert_eq!((found.pods_matched, found.problem.as_str(), found.generation), (pods, "", 3));
}

#[test]
fn cluster_policies_count_pods_of_the_namespaces_they_select() {
    let found = found(
        &[("all", json!({})), ("m", json!({ "namespaceSelector": { "matchLabels": { "team": "m" } } }))],
        &[],
    );
    assert_eq!((found["all"].pods_matched, found["m"].pods_matched), (4, 1));
}

#[rstest]
#[case(json!({ "allowedRegions": ["mars", "eu-west-1", "venus"] }), "allowedRegions: mars, venus not configured")]
#[case(json!({ "forbiddenRegions": ["mars"] }), "forbiddenRegions: mars not configured")]
#[case(json!({ "dataRegion": "mars" }), "dataRegion: mars not configured, so that it is not assumed")]
#[case(json!({ "expectedDuration": "0s" }), "expectedDuration: 0s is no time that a pod can run, so that it is not assumed")]
#[case(json!({ "carbonPriceUsdPerTonne": 250 }), "carbonPriceUsdPerTonne: 250 is above the cap, 100 counts")]
#[case(json!({ "allowedRegions": ["eu-west-1"] }), "leaves one region: its pods are left alone")]
#[case(json!({ "forbiddenRegions": ["eu-west-1", "us-east-1", "eu-north-1"] }), "leaves no region: its pods are left alone")]
#[case(json!({ "podSelector": { "matchExpressions": [{ "key": "a", "operator": "Near" }] } }),
    "cannot be read, so that pods it may be about are left alone: see its selectors")]
fn what_a_policy_cannot_do_by_itself_is_said(#[case] spec: Value, #[case] problem: &str) {
    assert_eq!(found(&[], &[("a", spec)])["n/a"].problem, problem);
}

#[test]
fn one_too_many_is_told_so_and_the_others_what_they_do() {
    let names: Vec<String> = (0..101).map(|number| format!("policy-{number:03}")).collect();
    let many: Vec<(&str, Value)> = names.iter().map(|name| (name.as_str(), json!({}))).collect();
    let found = found(&[], &many);
    assert_eq!(found["n/policy-099"].problem, "");
    assert_eq!(
        found["n/policy-100"].problem,
        "is not read, so that pods of its namespace are left alone: keep at most 100 policies there"
    );
}

#[test]
fn policies_that_contradict_each_other_name_each_other() {
    let found = found(
        &[("c", json!({ "allowedRegions": ["eu-west-1", "eu-north-1"] }))],
        &[(
            "n",
            json!({ "allowedRegions": ["us-east-1", "eu-north-1"], "podSelector": { "matchLabels": { "app": "web" } } }),
        )],
    );
    assert_eq!(found["c"].problem, "leaves one region for 2 pods together with n/n");
    assert_eq!(found["n/n"].problem, "leaves one region for 2 pods together with c");
}

#[test]
fn an_assumption_that_another_policy_of_the_scope_makes_first_is_told_with_whose_counts() {
    let found = found(
        &[("c", json!({ "expectedDuration": "9h" }))],
        &[
            ("a", json!({ "expectedDuration": "1h", "egressGb": 1 })),
            ("b", json!({ "expectedDuration": "2h", "egressGb": 1 })),
        ],
    );
    assert_eq!(found["n/b"].problem, "expectedDuration of n/a counts for 3 pods");
    assert_eq!(found["n/a"].problem, "");
    assert_eq!(found["c"].problem, "", "nearer ones refine it, as they may");
}
