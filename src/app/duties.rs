//! What a controller does in the cluster beside collecting: tells of placements and policies, and tries whether the API
//! server asks us.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::cluster::policy_status::PolicyStatuses;
use crate::cluster::{canary, events};
use crate::http::live::LiveView;
use crate::kubernetes::cluster::ClusterView;
use crate::metrics::Metrics;

/// The duties of a controller.
pub(super) struct Duties {
    pub(super) client: kube::Client,
    pub(super) canary_namespace: Option<String>,
    pub(super) view: Arc<ArcSwap<ClusterView>>,
}

impl Duties {
    /// Starts them. Each may run in several processes at once: what is written is the same, and a rehearsal leaves nothing.
    pub(super) fn start(
        self,
        live: &LiveView,
        (metrics, clock): (&Arc<Metrics>, &Clock),
        stop: &CancellationToken,
        tasks: &mut JoinSet<&'static str>,
    ) {
        let Self { client, canary_namespace, view } = self;
        tasks.spawn(events::run(client.clone(), metrics.clone(), clock.clone(), stop.clone()));
        let live = live.clone();
        let known = move || {
            let decider = live.load().decider.clone();
            let cap = decider.settings().policy.carbon_price.cap();
            decider.snapshot().map(|snapshot| (snapshot.regions.clone(), cap))
        };
        let statuses = PolicyStatuses { client: client.clone(), view, known: Box::new(known) };
        tasks.spawn(statuses.run(stop.clone()));
        if let Some(namespace) = canary_namespace {
            tasks.spawn(canary::run(client, namespace, metrics.clone(), stop.clone()));
        }
    }
}
