//! What is known of the cluster, as one value in memory that requests read: nodes by region, namespaces by name, volumes.
//!
//! Filled by whoever watches the cluster; without one it says plainly that nothing is known. Cloning it copies pointers.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::labels::Labels;
use super::nodes::{NodeFacts, NodeIndex};
use super::policies::PolicyBook;
use super::volumes::{Claims, Volumes};

/// What is known of one kind of object.
#[derive(Clone, Debug, Default)]
pub enum Watched<T> {
    /// Nobody watches: a process that was told to run without a cluster. Only what a request says itself counts.
    #[default]
    Unwatched,
    /// Somebody does, but has not seen all there are yet.
    Pending,
    /// All that there are.
    Known(T),
}

impl<T> Watched<T> {
    /// What is known; `None` when nothing is.
    #[must_use]
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unwatched | Self::Pending => None,
        }
    }

    /// Whether it will be known, and is not yet.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::Pending)
    }
}

/// Namespaces by name; one that is not here is not known (yet).
pub type Namespaces = Arc<HashMap<String, NamespaceFacts>>;

/// What a namespace's labels and annotations say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceFacts {
    /// It carries `eco-pulse.io/inject: disabled`.
    pub opted_out: bool,
    /// Its `eco-pulse.io/allowed-regions`, as written.
    pub allowed_regions: Option<String>,
    /// Its labels, by which policies select it.
    pub labels: Labels,
}

/// What the view knows of one namespace.
#[derive(Clone, Copy, Debug)]
pub enum NamespaceView<'a> {
    /// Nobody watches namespaces.
    Unwatched,
    /// Watched, but this one is not known (yet).
    Unknown,
    /// Known.
    Known(&'a NamespaceFacts),
}

/// The cluster as one value.
#[derive(Clone, Debug, Default)]
pub struct ClusterView {
    /// Its nodes.
    pub nodes: Watched<Arc<NodeIndex>>,
    /// Its namespaces.
    pub namespaces: Watched<Namespaces>,
    /// Its persistent volume claims.
    pub claims: Watched<Claims>,
    /// Its persistent volumes.
    pub volumes: Watched<Volumes>,
    /// Its placement policies.
    pub policies: Watched<Arc<PolicyBook>>,
    /// Namespaces that are never touched: Kubernetes' own, and the one Eco-Pulse runs in.
    pub system_namespaces: Arc<HashSet<String>>,
}

/// Kubernetes' own namespaces.
pub const KUBERNETES_NAMESPACES: [&str; 3] = ["kube-system", "kube-node-lease", "kube-public"];

impl ClusterView {
    /// A view of which nothing is known but the namespace Eco-Pulse itself runs in.
    #[must_use]
    pub fn unwatched(own_namespace: &str) -> Self {
        let system_namespaces: HashSet<String> =
            KUBERNETES_NAMESPACES.iter().copied().chain([own_namespace]).map(str::to_owned).collect();
        Self { system_namespaces: Arc::new(system_namespaces), ..Self::default() }
    }

    /// A view of a cluster that is watched, and of which nothing has been seen yet.
    #[must_use]
    pub fn pending(own_namespace: &str) -> Self {
        Self {
            nodes: Watched::Pending,
            namespaces: Watched::Pending,
            claims: Watched::Pending,
            policies: Watched::Pending,
            volumes: Watched::Pending,
            ..Self::unwatched(own_namespace)
        }
    }

    /// This view with these nodes.
    #[must_use]
    pub fn with_nodes(self, nodes: impl IntoIterator<Item = NodeFacts>, topology_key: &str) -> Self {
        let index = NodeIndex::new(nodes.into_iter().map(Arc::new), topology_key);
        Self { nodes: Watched::Known(Arc::new(index)), ..self }
    }

    /// This view with these namespaces.
    #[must_use]
    pub fn with_namespaces(self, namespaces: impl IntoIterator<Item = (String, NamespaceFacts)>) -> Self {
        Self { namespaces: Watched::Known(Arc::new(namespaces.into_iter().collect())), ..self }
    }

    /// This view with these policies.
    #[must_use]
    pub fn with_policies(self, policies: PolicyBook) -> Self {
        Self { policies: Watched::Known(Arc::new(policies)), ..self }
    }

    /// Whether something that is watched has not been seen yet.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        let Self { nodes, namespaces, claims, volumes, policies, .. } = self;
        nodes.is_pending()
            || namespaces.is_pending()
            || claims.is_pending()
            || volumes.is_pending()
            || policies.is_pending()
    }

    /// What is known of a namespace.
    #[must_use]
    pub fn namespace(&self, name: &str) -> NamespaceView<'_> {
        match &self.namespaces {
            Watched::Unwatched => NamespaceView::Unwatched,
            Watched::Pending => NamespaceView::Unknown,
            Watched::Known(known) => known.get(name).map_or(NamespaceView::Unknown, NamespaceView::Known),
        }
    }
}
