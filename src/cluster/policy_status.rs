//! Writes into each placement policy's status how many pods it applies to, and what keeps it from doing what it says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::core::PartialObjectMeta;
use serde_json::json;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::domain::Regions;
use crate::domain::units::UsdPerTonne;
use crate::kubernetes::cluster::ClusterView;
use crate::kubernetes::policies::{
    ClusterPlacementPolicy, Finding, PlacementPolicy, PolicyBook, PolicyStatus, findings,
};

const EVERY: Duration = Duration::from_secs(30);
/// What a look needs comes in the first seconds of a process.
const SOON: Duration = Duration::from_secs(1);
/// Pods in one answer; only what is about them is asked for.
const PAGE_SIZE: u32 = 500;
/// The policy is gone.
const NOT_FOUND: u16 = 404;

/// What a look needs to know of the configuration: its regions, and the cap on the price of carbon.
pub type Known = Box<dyn Fn() -> Option<(Arc<Regions>, UsdPerTonne)> + Send + Sync>;

/// What writing statuses needs.
pub struct PolicyStatuses {
    /// Reaches the API server.
    pub client: kube::Client,
    /// Where policies and namespaces are known.
    pub view: Arc<ArcSwap<ClusterView>>,
    /// What is configured at the moment; `None` while that is not known.
    pub known: Known,
}

impl fmt::Debug for PolicyStatuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyStatuses").field("view", &self.view).finish_non_exhaustive()
    }
}

/// What a look came to.
enum Look {
    /// What it needs is not known yet.
    TooEarly,
    Done,
}

impl PolicyStatuses {
    /// Looks and writes until `stop`. Written twice by two processes, a status is the same.
    pub async fn run(self, stop: CancellationToken) -> &'static str {
        let mut looks = tokio::time::interval(EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut written: BTreeMap<String, Finding> = BTreeMap::new();
        let mut trouble = String::new();
        let work = async {
            loop {
                looks.tick().await;
                let looked = self.look(&mut written).await;
                if matches!(looked, Ok(Look::TooEarly)) {
                    looks.reset_after(SOON);
                }
                let problem = looked.err().map(|error| error.to_string()).unwrap_or_default();
                if problem != trouble && !problem.is_empty() {
                    tracing::warn!(error = problem, "the status of placement policies cannot be written");
                }
                trouble = problem;
            }
        };
        tokio::select! {
            () = work => {}
            () = stop.cancelled() => {}
        }
        "policy statuses"
    }

    async fn look(&self, written: &mut BTreeMap<String, Finding>) -> Result<Look, kube::Error> {
        let view = self.view.load_full();
        let Some((book, (regions, cap))) = view.policies.known().zip((self.known)()) else {
            return Ok(Look::TooEarly);
        };
        let pods = self.pods(book).await?;
        let facts = |name: &str| view.namespaces.known()?.get(name).cloned();
        // Pods that are never decided about are none that a policy applies to.
        let decided_about = |namespace: &str| {
            !view.system_namespaces.contains(namespace)
                && !facts(namespace).is_some_and(|facts| facts.opted_out)
        };
        let pods = pods.iter().map(|(namespace, labels)| (namespace.as_str(), labels));
        let pods = pods.filter(|(namespace, _)| decided_about(namespace));
        let found = findings(book, facts, pods, &regions, cap);
        written.retain(|name, _| found.contains_key(name));
        for (name, finding) in found {
            if written.get(&name) != Some(&finding) {
                self.write(&name, &finding).await?;
                written.insert(name, finding);
            }
        }
        Ok(Look::Done)
    }

    /// Namespace and labels of the pods that policies may be about. Those that have ended are none any more.
    async fn pods(&self, book: &PolicyBook) -> Result<Vec<(String, BTreeMap<String, String>)>, kube::Error> {
        let mut pods = Vec::new();
        let apis: Vec<Api<PartialObjectMeta<Pod>>> = match book.namespaces() {
            None => vec![Api::all(self.client.clone())],
            Some(namespaces) => {
                namespaces.map(|namespace| Api::namespaced(self.client.clone(), namespace)).collect()
            }
        };
        for api in apis {
            let mut page =
                ListParams::default().limit(PAGE_SIZE).fields("status.phase!=Succeeded,status.phase!=Failed");
            loop {
                let list = api.list(&page).await?;
                let next = list.metadata.continue_.filter(|token| !token.is_empty());
                pods.extend(list.items.into_iter().map(|pod| {
                    let labels = pod.metadata.labels.unwrap_or_default();
                    (pod.metadata.namespace.unwrap_or_default(), labels)
                }));
                let Some(token) = next else { break };
                page = page.continue_token(&token);
            }
        }
        Ok(pods)
    }

    async fn write(&self, name: &str, finding: &Finding) -> Result<(), kube::Error> {
        let status = PolicyStatus {
            pods_matched: finding.pods_matched,
            last_problem: finding.problem.clone(),
            observed_generation: finding.generation,
        };
        let patch = Patch::Merge(json!({ "status": status }));
        let parameters = PatchParams::default();
        let result = match name.split_once('/') {
            None => {
                let policies: Api<ClusterPlacementPolicy> = Api::all(self.client.clone());
                policies.patch_status(name, &parameters, &patch).await.map(drop)
            }
            Some((namespace, name)) => {
                let policies: Api<PlacementPolicy> = Api::namespaced(self.client.clone(), namespace);
                policies.patch_status(name, &parameters, &patch).await.map(drop)
            }
        };
        match result {
            Err(kube::Error::Api(status)) if status.code == NOT_FOUND => Ok(()),
            // The object may be one that our types cannot read: it was written all the same.
            Err(kube::Error::SerdeError(_)) => Ok(()),
            other => other,
        }
    }
}
