//! Starts the watches that keep the view of the cluster.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cluster::view::Watching;
use crate::kubernetes::cluster::ClusterView;
use crate::metrics::Metrics;
use crate::readiness::Readiness;

/// The view that requests read, and how the watches hear of another topology key.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) view: Arc<ArcSwap<ClusterView>>,
    pub(super) topology_key: watch::Sender<Arc<str>>,
}

impl Cluster {
    /// Starts from `view`, which stays as it is without a client.
    pub(super) fn start(
        view: ClusterView,
        client: Option<kube::Client>,
        topology_key: &str,
        (metrics, readiness): (&Arc<Metrics>, &Readiness),
        stop: &CancellationToken,
        tasks: &mut JoinSet<&'static str>,
    ) -> Self {
        let view = Arc::new(ArcSwap::from_pointee(view));
        let (sender, topology_key) = watch::channel(Arc::from(topology_key));
        if let Some(client) = client {
            let (metrics, readiness) = (metrics.clone(), readiness.clone());
            Watching { client, view: view.clone(), topology_key, metrics, readiness }.start(tasks, stop);
        }
        Self { view, topology_key: sender }
    }
}
