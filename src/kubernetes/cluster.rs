//! What is known of the cluster, as one value in memory that requests read: nodes by region, namespaces by name.
//!
//! Filled by whoever watches the cluster; without one it says plainly that nothing is known.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// What one node contributes.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeFacts {
    /// Its name.
    pub name: Arc<str>,
    /// Value of its topology label; `None` when it has none.
    pub region_label: Option<Arc<str>>,
    /// Its type of machine, when its label says.
    pub instance_type: Option<Arc<str>>,
    /// CPU cores that pods can use.
    pub allocatable_cores: f64,
    /// Whether it offers GPUs.
    pub has_gpu: bool,
}

/// Nodes, summed up by region.
#[derive(Clone, Debug, Default)]
pub struct NodeIndex {
    region_of: HashMap<Arc<str>, Arc<str>>,
    regions: HashMap<Arc<str>, RegionNodes>,
}

/// What the nodes of one region come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RegionNodes {
    /// Their allocatable CPU cores.
    pub allocatable_cores: f64,
    /// The type most of them are.
    pub usual_type: Option<Arc<str>>,
    /// The type most of those with GPUs are.
    pub usual_gpu_type: Option<Arc<str>>,
}

impl NodeIndex {
    /// Sums up nodes; one without a region label is left out.
    #[must_use]
    pub fn new(nodes: &[NodeFacts]) -> Self {
        let mut region_of = HashMap::new();
        let mut by_region: HashMap<Arc<str>, Vec<&NodeFacts>> = HashMap::new();
        for node in nodes {
            if let Some(label) = &node.region_label {
                region_of.insert(node.name.clone(), label.clone());
                by_region.entry(label.clone()).or_default().push(node);
            }
        }
        let regions = by_region
            .into_iter()
            .map(|(label, nodes)| {
                let summary = RegionNodes {
                    allocatable_cores: nodes.iter().map(|node| node.allocatable_cores).sum(),
                    usual_type: most_common(nodes.iter().filter(|node| !node.has_gpu)),
                    usual_gpu_type: most_common(nodes.iter().filter(|node| node.has_gpu)),
                };
                (label, summary)
            })
            .collect();
        Self { region_of, regions }
    }

    /// The region label of a node; `None` when it is not known.
    #[must_use]
    pub fn region_of(&self, node: &str) -> Option<&Arc<str>> {
        self.region_of.get(node)
    }

    /// The nodes of the region with this label; `None` when it has none.
    #[must_use]
    pub fn in_region(&self, label: &str) -> Option<&RegionNodes> {
        self.regions.get(label)
    }
}

/// The most frequent type; of equally frequent ones the first by name, so that the answer does not depend on order.
fn most_common<'n>(nodes: impl Iterator<Item = &'n &'n NodeFacts>) -> Option<Arc<str>> {
    let mut counts: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
    for node in nodes {
        if let Some(instance_type) = &node.instance_type {
            *counts.entry(instance_type).or_default() += 1;
        }
    }
    let most = counts.values().max().copied()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(instance_type, _)| instance_type.clone())
}

/// What is known of namespaces.
#[derive(Clone, Debug, Default)]
pub enum Namespaces {
    /// Nobody watches them: a process that was told to run without a cluster. Only what a request says itself counts.
    #[default]
    Unwatched,
    /// They are watched; one that is not here is not known yet.
    Watched(HashMap<String, NamespaceFacts>),
}

/// What a namespace's labels and annotations say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceFacts {
    /// It carries `eco-pulse.io/inject: disabled`.
    pub opted_out: bool,
    /// Its `eco-pulse.io/allowed-regions`, as written.
    pub allowed_regions: Option<String>,
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
    /// Its nodes; `None` when nobody watches them.
    pub nodes: Option<NodeIndex>,
    /// Its namespaces.
    pub namespaces: Namespaces,
    /// Namespaces that are never touched: Kubernetes' own, and the one Eco-Pulse runs in.
    pub system_namespaces: HashSet<String>,
}

/// Kubernetes' own namespaces.
pub const KUBERNETES_NAMESPACES: [&str; 3] = ["kube-system", "kube-node-lease", "kube-public"];

impl ClusterView {
    /// A view of which nothing is known but the namespace Eco-Pulse itself runs in.
    #[must_use]
    pub fn unwatched(own_namespace: &str) -> Self {
        let system_namespaces =
            KUBERNETES_NAMESPACES.iter().copied().chain([own_namespace]).map(str::to_owned).collect();
        Self { system_namespaces, ..Self::default() }
    }

    /// What is known of a namespace.
    #[must_use]
    pub fn namespace(&self, name: &str) -> NamespaceView<'_> {
        match &self.namespaces {
            Namespaces::Unwatched => NamespaceView::Unwatched,
            Namespaces::Watched(known) => {
                known.get(name).map_or(NamespaceView::Unknown, NamespaceView::Known)
            }
        }
    }
}
