//! What a controller does in the cluster beside collecting: tells of placements, and tries whether the API server asks us.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::cluster::{canary, events};
use crate::metrics::Metrics;

/// Starts them. Each may run in several processes at once: Events have one name for all, and a rehearsal leaves nothing.
pub(super) fn start(
    client: &kube::Client,
    canary_namespace: Option<String>,
    (metrics, clock): (&Arc<Metrics>, &Clock),
    stop: &CancellationToken,
    tasks: &mut JoinSet<&'static str>,
) {
    tasks.spawn(events::run(client.clone(), metrics.clone(), clock.clone(), stop.clone()));
    if let Some(namespace) = canary_namespace {
        tasks.spawn(canary::run(client.clone(), namespace, metrics.clone(), stop.clone()));
    }
}
