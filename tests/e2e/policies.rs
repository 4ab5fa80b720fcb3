//! Placement policies on a real API server: it takes the definitions, refuses what cannot be, and what it takes is obeyed.

use std::collections::BTreeMap;

use eco_pulse::kubernetes::policies::{PlacementPolicy, definitions};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{Api, PostParams};
use rstest::rstest;
use serde_json::{Value, json};

use crate::cluster::{Cluster, by_region, deployment, eventually};
use crate::eco_pulse::{CONFIG, EcoPulse, in_force};

/// Installs the definitions, unless another test has.
pub async fn install(cluster: &Cluster) {
    let all: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    for (_, definition) in definitions() {
        if let Err(error) = all.create(&PostParams::default(), &definition).await {
            assert!(matches!(&error, kube::Error::Api(status) if status.code == 409), "{error}");
        }
    }
    eventually("the definitions", async || {
        let policies: Api<PlacementPolicy> = cluster.api("default");
        policies.list(&kube::api::ListParams::default()).await.ok()
    })
    .await;
}

fn policy(name: &str, spec: &Value) -> PlacementPolicy {
    serde_json::from_value(json!({ "metadata": { "name": name }, "spec": spec })).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_forbids_a_region_is_obeyed() {
    let Some(cluster) = Cluster::get().await else { return };
    install(&cluster).await;
    cluster.namespace("forbidding", json!({})).await;
    let policies: Api<PlacementPolicy> = cluster.api("forbidding");
    let forbidding = policy("no-stockholm", &json!({ "forbiddenRegions": ["eu-north-1"] }));
    policies.create(&PostParams::default(), &forbidding).await.unwrap();
    let eco_pulse = EcoPulse::start(&cluster, CONFIG).await;
    eco_pulse.knows("forbidding").await;
    eventually("the policy", async || {
        let view = eco_pulse.app.cluster();
        view.policies.known().is_some_and(|book| !book.is_empty()).then_some(())
    })
    .await;
    eco_pulse.serve_namespace(&cluster, "forbidding").await;
    in_force(&cluster, "forbidding").await;
    cluster.create::<Deployment>("forbidding", deployment("web", 4)).await;
    let pods = cluster.bound("forbidding", "web", 4).await;
    assert_eq!(by_region(&pods), BTreeMap::from([("eu-west-1".to_owned(), 4)]));
}

/// The status is written by the process that collects; this one does everything.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_says_how_many_pods_it_is_about_and_what_is_wrong_with_it() {
    let Some(cluster) = Cluster::get().await else { return };
    install(&cluster).await;
    cluster.namespace("statuses", json!({})).await;
    let policies: Api<PlacementPolicy> = cluster.api("statuses");
    for (name, spec) in [
        ("fine", json!({ "podSelector": { "matchLabels": { "app": "web" } }, "mode": "shadow" })),
        ("elsewhere", json!({ "allowedRegions": ["mars", "eu-west-1", "eu-north-1"] })),
        ("dear", json!({ "carbonPriceUsdPerTonne": 500 })),
    ] {
        policies.create(&PostParams::default(), &policy(name, &spec)).await.unwrap();
    }
    cluster.create::<Deployment>("statuses", deployment("web", 3)).await;
    cluster.create::<Deployment>("statuses", deployment("other", 1)).await;
    cluster.bound("statuses", "web", 3).await;
    cluster.bound("statuses", "other", 1).await;
    let _eco_pulse = EcoPulse::start(&cluster, CONFIG).await;
    let status = async |name: &str| policies.get(name).await.unwrap().status;
    for (name, pods, problem) in [
        ("fine", 3, ""),
        ("elsewhere", 4, "allowedRegions: mars not configured"),
        ("dear", 4, "carbonPriceUsdPerTonne: 500 is above the cap, 100 counts"),
    ] {
        let seen = eventually("a status", async || status(name).await).await;
        assert_eq!(
            (seen.pods_matched, seen.last_problem.as_str(), seen.observed_generation),
            (pods, problem, 1),
            "{name}"
        );
    }
}

#[rstest]
#[case::a_region_allowed_and_forbidden(json!({ "allowedRegions": ["a", "b"], "forbiddenRegions": ["b"] }), "both in allowedRegions and in forbiddenRegions")]
#[case::a_price_below_zero(json!({ "carbonPriceUsdPerTonne": -1 }), "carbonPriceUsdPerTonne")]
#[case::a_price_beyond_all_caps(json!({ "carbonPriceUsdPerTonne": 20000 }), "carbonPriceUsdPerTonne")]
#[case::more_than_all_carbon(json!({ "minCarbonReductionPercent": 101 }), "minCarbonReductionPercent")]
#[case::a_mode_nobody_knows(json!({ "mode": "faster" }), "mode")]
#[case::a_duration_that_is_none(json!({ "expectedDuration": "soon" }), "expectedDuration")]
#[case::a_region_without_a_name(json!({ "allowedRegions": [""] }), "allowedRegions")]
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_when_it_is_written(#[case] spec: Value, #[case] told: &str) {
    let Some(cluster) = Cluster::get().await else { return };
    install(&cluster).await;
    // Written as it is, not as our types would have it.
    let resource = kube::api::ApiResource::erase::<PlacementPolicy>(&());
    let policies: Api<kube::api::DynamicObject> =
        Api::namespaced_with(cluster.client.clone(), "default", &resource);
    let object = json!({
        "apiVersion": "eco-pulse.io/v1alpha1", "kind": "PlacementPolicy",
        "metadata": { "name": "refused" }, "spec": spec,
    });
    let object = serde_json::from_value(object).unwrap();
    let error = policies.create(&PostParams::default(), &object).await.unwrap_err().to_string();
    assert!(error.contains(told), "{error}");
}
