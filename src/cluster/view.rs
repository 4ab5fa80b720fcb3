//! Keeps the view of the cluster: one watch for each kind of object that bears on decisions.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use k8s_openapi::api::core::v1::{Namespace, Node, PersistentVolume, PersistentVolumeClaim};
use kube::core::{DeserializeGuard, ObjectMeta};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::watch::{Surroundings, Table, Watch};
use crate::kubernetes::cluster::{ClusterView, NamespaceFacts, Watched};
use crate::kubernetes::labels::Interner;
use crate::kubernetes::nodes::{NodeFacts, NodeIndex};
use crate::kubernetes::policies::{
    ClusterPlacementPolicy, ClusterPlacementPolicySpec, PlacementPolicy, PlacementPolicySpec, PolicyBook,
    Versioned,
};
use crate::kubernetes::trim;
use crate::kubernetes::volumes::VolumeTopology;
use crate::metrics::Metrics;
use crate::readiness::Readiness;

/// What `/readyz` and metrics call the kinds, those that a decision needs first.
pub const KINDS: [&str; 6] = [NODES, CLAIMS, VOLUMES, NAMESPACES, POLICIES, CLUSTER_POLICIES];
const NODES: &str = "nodes";
const NAMESPACES: &str = "namespaces";
const CLAIMS: &str = "persistentvolumeclaims";
const VOLUMES: &str = "persistentvolumes";
const POLICIES: &str = "placementpolicies";
const CLUSTER_POLICIES: &str = "clusterplacementpolicies";

/// No start waits longer for the first lists: a replica that does not know the cluster still answers, and says so.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the watches need.
pub struct Watching {
    /// Reaches the API server.
    pub client: kube::Client,
    /// Where requests read the view.
    pub view: Arc<ArcSwap<ClusterView>>,
    /// The label whose values are regions; nodes are grouped anew when it changes.
    pub topology_key: watch::Receiver<Arc<str>>,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Waits for the first lists.
    pub readiness: Readiness,
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watching").field("view", &self.view).finish_non_exhaustive()
    }
}

impl Watching {
    /// Starts a watch a kind.
    pub fn start(self, tasks: &mut JoinSet<&'static str>, stop: &CancellationToken) {
        let Self { client, view, topology_key, metrics, readiness } = self;
        let around = Surroundings {
            metrics,
            readiness: readiness.clone(),
            republish: topology_key.clone(),
            stop: stop.clone(),
        };
        tasks.spawn(nodes(&client, view.clone(), topology_key).run(around.clone()));
        tasks.spawn(claims(&client, view.clone()).run(around.clone()));
        tasks.spawn(volumes(&client, view.clone()).run(around.clone()));
        tasks.spawn(namespaces(&client, view.clone()).run(around.clone()));
        let (namespaced, of_cluster) = policies(&client, view);
        tasks.spawn(namespaced.run(around.clone()));
        tasks.spawn(of_cluster.run(around));
        tasks.spawn(lose_patience(readiness, stop.clone()));
    }
}

/// Replaces a part of the view; the others may be replaced at the same time.
fn change(view: &ArcSwap<ClusterView>, change: impl Fn(&mut ClusterView)) {
    view.rcu(|current| {
        let mut next = ClusterView::clone(current);
        change(&mut next);
        next
    });
}

fn nodes(
    client: &kube::Client,
    view: Arc<ArcSwap<ClusterView>>,
    topology_key: watch::Receiver<Arc<str>>,
) -> Watch<Node, Arc<NodeFacts>> {
    let mut interner = Interner::default();
    Watch {
        kind: NODES,
        api: kube::Api::<DeserializeGuard<Node>>::all(client.clone()),
        trim: Box::new(move |node| {
            trim::node(node, &mut interner).map(Arc::new).map_err(|error| error.to_string())
        }),
        publish: Box::new(move |nodes: &Table<Arc<NodeFacts>>| {
            let topology_key = topology_key.borrow().clone();
            let index = Arc::new(NodeIndex::new(nodes.objects.values().cloned(), &topology_key));
            change(&view, |view| view.nodes = Watched::Known(index.clone()));
        }),
        may_be_undefined: false,
    }
}

fn namespaces(client: &kube::Client, view: Arc<ArcSwap<ClusterView>>) -> Watch<Namespace, NamespaceFacts> {
    let mut interner = Interner::default();
    Watch {
        kind: NAMESPACES,
        api: kube::Api::all(client.clone()),
        trim: Box::new(move |namespace| Ok(trim::namespace(namespace, &mut interner))),
        publish: Box::new(move |namespaces| {
            let namespaces = Arc::new(namespaces.objects.clone());
            change(&view, |view| view.namespaces = Watched::Known(namespaces.clone()));
        }),
        may_be_undefined: false,
    }
}

fn claims(
    client: &kube::Client,
    view: Arc<ArcSwap<ClusterView>>,
) -> Watch<PersistentVolumeClaim, Option<Arc<str>>> {
    Watch {
        kind: CLAIMS,
        api: kube::Api::all(client.clone()),
        trim: Box::new(|claim| Ok(trim::bound_to(claim).map(Arc::from))),
        publish: Box::new(move |claims| {
            let claims = Arc::new(claims.objects.clone());
            change(&view, |view| view.claims = Watched::Known(claims.clone()));
        }),
        may_be_undefined: false,
    }
}

fn volumes(
    client: &kube::Client,
    view: Arc<ArcSwap<ClusterView>>,
) -> Watch<PersistentVolume, Arc<VolumeTopology>> {
    Watch {
        kind: VOLUMES,
        api: kube::Api::all(client.clone()),
        trim: Box::new(|volume| Ok(Arc::new(trim::volume(volume)))),
        publish: Box::new(move |volumes| {
            let volumes = Arc::new(volumes.objects.clone());
            change(&view, |view| view.volumes = Watched::Known(volumes.clone()));
        }),
        may_be_undefined: false,
    }
}

/// What has been seen of both kinds of policy: only together they say what a pod may do.
#[derive(Default)]
struct Policies {
    namespaced: Option<Seen<Versioned<PlacementPolicySpec>>>,
    of_cluster: Option<Seen<Versioned<ClusterPlacementPolicySpec>>>,
}

struct Seen<T> {
    read: HashMap<String, Arc<T>>,
    unreadable: HashSet<String>,
}

impl<T> Seen<T> {
    fn of(table: &Table<Arc<T>>) -> Self {
        Self { read: table.objects.clone(), unreadable: table.unreadable.clone() }
    }
}

impl Policies {
    fn publish(&self, view: &ArcSwap<ClusterView>) {
        let Some((namespaced, of_cluster)) = self.namespaced.as_ref().zip(self.of_cluster.as_ref()) else {
            return;
        };
        let book = Arc::new(PolicyBook::new(
            namespaced.read.iter().map(|(key, spec)| (key.as_str(), &**spec)),
            of_cluster.read.iter().map(|(name, spec)| (name.as_str(), &**spec)),
            namespaced.unreadable.iter().map(String::as_str),
            of_cluster.unreadable.iter().map(String::as_str),
        ));
        change(view, |view| view.policies = Watched::Known(book.clone()));
    }
}

fn versioned<S: Clone>(metadata: &ObjectMeta, spec: &S) -> Arc<Versioned<S>> {
    Arc::new(Versioned { generation: metadata.generation.unwrap_or_default(), spec: spec.clone() })
}

type WatchOf<K, S> = Watch<K, Arc<Versioned<S>>>;

/// Without their definitions installed there are no policies.
fn policies(
    client: &kube::Client,
    view: Arc<ArcSwap<ClusterView>>,
) -> (
    WatchOf<PlacementPolicy, PlacementPolicySpec>,
    WatchOf<ClusterPlacementPolicy, ClusterPlacementPolicySpec>,
) {
    let seen = Arc::new(Mutex::new(Policies::default()));
    let (seen_too, view_too) = (seen.clone(), view.clone());
    let namespaced = Watch {
        kind: POLICIES,
        api: kube::Api::all(client.clone()),
        trim: Box::new(|policy: &PlacementPolicy| Ok(versioned(&policy.metadata, &policy.spec))),
        publish: Box::new(move |table: &Table<Arc<Versioned<PlacementPolicySpec>>>| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.namespaced = Some(Seen::of(table));
            seen.publish(&view);
        }),
        may_be_undefined: true,
    };
    let of_cluster = Watch {
        kind: CLUSTER_POLICIES,
        api: kube::Api::all(client.clone()),
        trim: Box::new(|policy: &ClusterPlacementPolicy| Ok(versioned(&policy.metadata, &policy.spec))),
        publish: Box::new(move |table: &Table<Arc<Versioned<ClusterPlacementPolicySpec>>>| {
            let mut seen = seen_too.lock().unwrap_or_else(PoisonError::into_inner);
            seen.of_cluster = Some(Seen::of(table));
            seen.publish(&view_too);
        }),
        may_be_undefined: true,
    };
    (namespaced, of_cluster)
}

/// Lets the process be ready without a cluster that does not answer.
async fn lose_patience(readiness: Readiness, stop: CancellationToken) -> &'static str {
    tokio::select! {
        () = tokio::time::sleep(PATIENCE) => {
            for kind in KINDS {
                if readiness.goes_without(kind) {
                    tracing::warn!(kind, "not seen yet: pods that it bears on are admitted unchanged until then");
                }
            }
            stop.cancelled().await;
        }
        () = stop.cancelled() => {}
    }
    "patience with the cluster"
}
