//! Where pods land.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use crate::cluster::{Cluster, by_region, deployment, eventually, pod_template};
use crate::eco_pulse::{CONFIG, EcoPulse, in_force, no_longer_in_force};

fn all_in(region: &str, count: usize) -> BTreeMap<String, usize> {
    BTreeMap::from([(region.to_owned(), count)])
}

/// A namespace that the webhook serves, of an Eco-Pulse of this test's own.
async fn served(namespace: &str, labels: Value) -> Option<(Cluster, EcoPulse)> {
    let cluster = Cluster::get().await?;
    cluster.namespace(namespace, labels).await;
    let eco_pulse = EcoPulse::start(&cluster, CONFIG).await;
    eco_pulse.knows(namespace).await;
    eco_pulse.serve_namespace(&cluster, namespace).await;
    Some((cluster, eco_pulse))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_deployment_lands_in_the_better_region() {
    let Some((cluster, _eco_pulse)) = served("unchanged", json!({})).await else { return };
    in_force(&cluster, "unchanged").await;
    cluster.create::<Deployment>("unchanged", deployment("web", 6)).await;
    let pods = cluster.bound("unchanged", "web", 6).await;
    assert_eq!(by_region(&pods), all_in("eu-north-1", 6));
    let marks = pods[0].metadata.annotations.as_ref().unwrap();
    assert_eq!(marks["eco-pulse.io/target-region"], "eu-north-1");
}

/// The label keeps the API server from calling: a namespace whose pods came back marked gets it, and they do not any more.
#[tokio::test(flavor = "multi_thread")]
async fn an_opted_out_namespace_is_left_untouched() {
    let Some((cluster, _eco_pulse)) = served("opted-out", json!({})).await else { return };
    in_force(&cluster, "opted-out").await;
    cluster.label_namespace("opted-out", "eco-pulse.io/inject", "disabled").await;
    no_longer_in_force(&cluster, "opted-out").await;
    cluster.create::<Deployment>("opted-out", deployment("web", 6)).await;
    for pod in cluster.bound("opted-out", "web", 6).await {
        assert!(pod.spec.unwrap().affinity.is_none());
        assert!(
            pod.metadata.annotations.unwrap_or_default().keys().all(|key| !key.starts_with("eco-pulse.io/"))
        );
    }
}

/// A namespace's wish for data residency is known from the watch.
#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_allows_two_regions_gets_no_third() {
    let Some((cluster, eco_pulse)) = served("resident", json!({})).await else { return };
    in_force(&cluster, "resident").await;
    cluster.annotate_namespace("resident", "eco-pulse.io/allowed-regions", "us-east-1,eu-west-1").await;
    eventually("the wish", async || {
        let view = eco_pulse.app.cluster();
        view.namespaces.known()?.get("resident")?.allowed_regions.clone()
    })
    .await;
    cluster.create::<Deployment>("resident", deployment("web", 4)).await;
    assert_eq!(by_region(&cluster.bound("resident", "web", 4).await), all_in("eu-west-1", 4));
}

/// The user's own affinity stays to the letter, and counts for more.
#[tokio::test(flavor = "multi_thread")]
async fn a_users_affinity_is_preserved() {
    let Some((cluster, _eco_pulse)) = served("own-affinity", json!({})).await else { return };
    in_force(&cluster, "own-affinity").await;
    let own = json!({ "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [{ "matchExpressions": [
            { "key": "topology.kubernetes.io/region", "operator": "NotIn", "values": ["eu-north-1"] },
        ] }] },
        "preferredDuringSchedulingIgnoredDuringExecution": [{ "weight": 40, "preference": { "matchExpressions": [
            { "key": "disk", "operator": "In", "values": ["fast"] },
        ] } }],
    } });
    let mut workload = deployment("web", 2);
    workload["spec"]["template"]["spec"]["affinity"] = own.clone();
    cluster.create::<Deployment>("own-affinity", workload).await;
    let pods = cluster.bound("own-affinity", "web", 2).await;
    assert_eq!(by_region(&pods), all_in("eu-west-1", 2));
    let affinity = serde_json::to_value(pods[0].spec.as_ref().unwrap().affinity.as_ref().unwrap()).unwrap();
    let (node, own) = (&affinity["nodeAffinity"], &own["nodeAffinity"]);
    let (required, preferred) =
        ("requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution");
    assert_eq!(node[required], own[required]);
    assert_eq!(node[preferred][0], own[preferred][0]);
    assert!(
        node[preferred].as_array().unwrap()[1..].iter().all(|term| term["weight"].as_i64().unwrap() < 40)
    );
}

/// A region without a node that is large enough is none the pod could be sent to; here no region has one.
#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_fits_on_no_node_is_left_alone() {
    let Some((cluster, _eco_pulse)) = served("large", json!({})).await else { return };
    in_force(&cluster, "large").await;
    let mut template = pod_template("large");
    template["metadata"]["name"] = json!("large");
    template["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!("17");
    cluster.create::<Pod>("large", template).await;
    let pod = cluster.api::<Pod>("large").get("large").await.unwrap();
    assert!(pod.spec.unwrap().affinity.is_none(), "no node has 17 cores");
}

/// The configuration is edited while everything runs; nothing is started anew.
#[tokio::test(flavor = "multi_thread")]
async fn an_edited_configuration_takes_effect() {
    let Some(cluster) = Cluster::get().await else { return };
    cluster.namespace("edited", json!({})).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("eco-pulse.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let eco_pulse = EcoPulse::start_from(&cluster, &file).await;
    eco_pulse.knows("edited").await;
    eco_pulse.serve_namespace(&cluster, "edited").await;
    in_force(&cluster, "edited").await;
    cluster.create::<Deployment>("edited", deployment("before", 3)).await;
    assert_eq!(by_region(&cluster.bound("edited", "before", 3).await), all_in("eu-north-1", 3));
    std::fs::write(
        &file,
        CONFIG.replace("eu-north-1: 20", "eu-north-1: 600").replace("eu-west-1: 400", "eu-west-1: 30"),
    )
    .unwrap();
    eventually("the edit", async || {
        let snapshot = eco_pulse.app.decider().snapshot()?;
        let west = snapshot.regions.by_name("eu-west-1")?;
        (snapshot.data(west).grid.known()?.intensity.0 < 31.0).then_some(())
    })
    .await;
    cluster.create::<Deployment>("edited", deployment("after", 3)).await;
    assert_eq!(by_region(&cluster.bound("edited", "after", 3).await), all_in("eu-west-1", 3));
}
