//! What a controller does in the cluster beside collecting: tells of placements and policies, tries whether the API server
//! asks us, and looks whether somebody changed what keeps us out of the way.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Kubernetes;
use crate::clock::Clock;
use crate::cluster::policy_status::PolicyStatuses;
use crate::cluster::{canary, events, webhook_drift};
use crate::http::live::LiveView;
use crate::kubernetes::cluster::ClusterView;
use crate::metrics::Metrics;

/// Starts them. Each may run in several processes at once: what is written is the same, and a rehearsal leaves nothing.
pub(super) fn start(
    kubernetes: Kubernetes,
    view: &Arc<ArcSwap<ClusterView>>,
    live: &LiveView,
    (metrics, clock): (&Arc<Metrics>, &Clock),
    stop: &CancellationToken,
    tasks: &mut JoinSet<&'static str>,
) {
    let Kubernetes { client, webhook_configuration, canary_namespace, .. } = kubernetes;
    tasks.spawn(events::run(client.clone(), metrics.clone(), clock.clone(), stop.clone()));
    let live = live.clone();
    let known = move || {
        let decider = live.load().decider.clone();
        let cap = decider.settings().policy.carbon_price.cap();
        decider.snapshot().map(|snapshot| (snapshot.regions.clone(), cap))
    };
    let statuses = PolicyStatuses { client: client.clone(), view: view.clone(), known: Box::new(known) };
    tasks.spawn(statuses.run(stop.clone()));
    tasks.spawn(webhook_drift::run(client.clone(), webhook_configuration, metrics.clone(), stop.clone()));
    if let Some(namespace) = canary_namespace {
        tasks.spawn(canary::run(client, namespace, metrics.clone(), stop.clone()));
    }
}
