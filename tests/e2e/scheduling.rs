//! The extender, asked by a real scheduler.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::json;

use crate::cluster::{Cluster, by_region, deployment};
use crate::eco_pulse::{CONFIG, EcoPulse};

/// The scheduler's configuration as it is shipped, for a scheduler of this name.
fn configuration(cluster: &Cluster, scheduler: &str, eco_pulse: &EcoPulse) -> String {
    format!(
        "apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
clientConnection: {{kubeconfig: '{}'}}
leaderElection: {{leaderElect: false}}
percentageOfNodesToScore: 100
profiles: [{{schedulerName: {scheduler}}}]
extenders:
- urlPrefix: http://{}
  filterVerb: filter
  prioritizeVerb: prioritize
  weight: 1
  httpTimeout: 250ms
  nodeCacheCapable: true
  ignorable: true
",
        cluster.plane.kubeconfig.display(),
        eco_pulse.app.admin_addr(),
    )
}

/// No webhook here: the extender alone decides, by names of nodes whose regions it knows from its own watch.
#[tokio::test(flavor = "multi_thread")]
async fn the_extender_keeps_pods_in_the_better_region_and_passes_those_of_an_opted_out_namespace() {
    let Some(cluster) = Cluster::get().await else { return };
    cluster.namespace("extended", json!({})).await;
    cluster.namespace("extended-out", json!({ "eco-pulse.io/inject": "disabled" })).await;
    let eco_pulse = EcoPulse::start(&cluster, CONFIG).await;
    eco_pulse.knows("extended").await;
    eco_pulse.knows("extended-out").await;
    let scheduler = "with-extender";
    let _running = cluster.plane.own_scheduler(scheduler, &configuration(&cluster, scheduler, &eco_pulse));
    for namespace in ["extended", "extended-out"] {
        let mut workload = deployment("web", 12);
        workload["spec"]["template"]["spec"]["schedulerName"] = json!(scheduler);
        cluster.create::<Deployment>(namespace, workload).await;
    }
    let steered = by_region(&cluster.bound("extended", "web", 12).await);
    assert_eq!(steered, BTreeMap::from([("eu-north-1".to_owned(), 12)]));
    let untouched = by_region(&cluster.bound("extended-out", "web", 12).await);
    assert!(untouched.len() > 1, "spread as if nobody were there: {untouched:?}");
}
