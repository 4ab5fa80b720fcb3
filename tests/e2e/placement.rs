//! Where pods land.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::json;

use crate::cluster::{Cluster, by_region, deployment};
use crate::eco_pulse::{CONFIG, EcoPulse, in_force};

#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_deployment_lands_in_the_better_region() {
    let Some(cluster) = Cluster::get().await else { return };
    let namespace = "unchanged";
    cluster.namespace(namespace, json!({})).await;
    let eco_pulse = EcoPulse::start(&cluster, CONFIG).await;
    eco_pulse.serve_namespace(&cluster, namespace).await;
    in_force(&cluster, namespace).await;
    cluster.create::<Deployment>(namespace, deployment("web", 6)).await;
    let pods = cluster.bound(namespace, "web", 6).await;
    assert_eq!(by_region(&pods), BTreeMap::from([("eu-north-1".to_owned(), 6)]));
}
