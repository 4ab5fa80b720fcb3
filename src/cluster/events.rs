//! Writes an Event on the workload whose pods were sent elsewhere. By the marks on stored pods: a rehearsed pod is never
//! stored, so it is never told of.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::api::{Api, PostParams};
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{Config, Event as Watched, watcher};
use tokio_util::sync::CancellationToken;

use super::watch::Retry;
use crate::clock::Clock;
use crate::kubernetes::annotations::DECISION;
use crate::kubernetes::placed;
use crate::metrics::Metrics;

/// Names and owners remembered; when there are more, all are forgotten, and the API server refuses what it has.
const REMEMBERED: usize = 10_000;
/// Between two Events of all workloads together, so that a restart of everything does not fill the API server.
const PAUSE: Duration = Duration::from_millis(100);
/// The Event is there already.
const CONFLICT: u16 = 409;
/// What comes of writing one.
const WRITTEN: &str = "written";
const KNOWN: &str = "known";
const FAILED: &str = "failed";

/// Tells until `stop`.
pub async fn run(
    client: kube::Client,
    metrics: Arc<Metrics>,
    clock: Clock,
    stop: CancellationToken,
) -> &'static str {
    metrics.cluster().writing_events([WRITTEN, KNOWN, FAILED]);
    let teller =
        Teller { client: client.clone(), metrics, clock, told: HashSet::new(), owners: HashMap::new() };
    tokio::select! {
        () = teller.tell(client) => {}
        () = stop.cancelled() => {}
    }
    "events"
}

struct Teller {
    client: kube::Client,
    metrics: Arc<Metrics>,
    clock: Clock,
    told: HashSet<String>,
    /// What a ReplicaSet belongs to, by its uid.
    owners: HashMap<String, OwnerReference>,
}

impl Teller {
    async fn tell(mut self, client: kube::Client) {
        // Pods that carry a decision, and of them only what is about them.
        let pods: Api<PartialObjectMeta<Pod>> = Api::all(client);
        let config = Config::default().labels(DECISION);
        let mut pods = watcher(pods, config).backoff(Retry::default()).boxed();
        let mut failing = false;
        while let Some(event) = pods.next().await {
            match event {
                Ok(event) => {
                    failing = false;
                    if let Watched::Apply(pod) | Watched::InitApply(pod) = event {
                        self.tell_of(&pod).await;
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(%error, "pods cannot be watched; no Events are written until they can");
                    }
                }
            }
        }
    }

    async fn tell_of(&mut self, pod: &PartialObjectMeta<Pod>) {
        let now = self.clock.now();
        let Some(owner) = placed::owner(pod, now) else { return };
        let namespace = pod.metadata.namespace.clone().unwrap_or_default();
        let workload = self.workload(&namespace, owner).await;
        let Some(event) = placed::event(pod, &workload, now) else { return };
        let name = event.metadata.name.clone().unwrap_or_default();
        if self.told.len() >= REMEMBERED {
            self.told.clear();
        }
        if !self.told.insert(format!("{namespace}/{name}")) {
            return;
        }
        let events: Api<Event> = Api::namespaced(self.client.clone(), &namespace);
        let result = match events.create(&PostParams::default(), &event).await {
            Ok(_) => WRITTEN,
            Err(kube::Error::Api(status)) if status.code == CONFLICT => KNOWN,
            Err(error) => {
                tracing::warn!(%error, namespace, "an Event cannot be written");
                FAILED
            }
        };
        self.metrics.cluster().event(result);
        tokio::time::sleep(PAUSE).await;
    }

    /// The Deployment of a ReplicaSet, since that is where people look; any other owner is the workload itself.
    async fn workload(&mut self, namespace: &str, owner: &OwnerReference) -> OwnerReference {
        if owner.kind != "ReplicaSet" {
            return owner.clone();
        }
        if let Some(workload) = self.owners.get(&owner.uid) {
            return workload.clone();
        }
        let sets: Api<ReplicaSet> = Api::namespaced(self.client.clone(), namespace);
        let Ok(set) = sets.get_metadata(&owner.name).await else { return owner.clone() };
        let above = set.metadata.owner_references.unwrap_or_default();
        let workload = above.into_iter().find(|above| above.controller == Some(true));
        let workload = workload.unwrap_or_else(|| owner.clone());
        if self.owners.len() >= REMEMBERED {
            self.owners.clear();
        }
        self.owners.insert(owner.uid.clone(), workload.clone());
        workload
    }
}
