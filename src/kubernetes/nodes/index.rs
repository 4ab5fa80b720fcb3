//! Nodes by region, grouped so that a request looks at some dozen kinds of node instead of at thousands of nodes.
//!
//! Nodes of one pool differ in the few labels that name each of them (`kubernetes.io/hostname`). Such keys are found by
//! their many values and left out when nodes are grouped; only a pod that asks for one of them is judged node by node.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::{INSTANCE_TYPE, Needs, NodeFacts, Taint};
use crate::domain::quantity::Quantity;
use crate::domain::requests::{GpuRequest, ResourceList};
use crate::kubernetes::labels::Labels;

/// A key with more values than this, each on less than [`NODES_A_VALUE`] nodes on average, names nodes, not kinds of node.
const MOST_VALUES: usize = 32;
const NODES_A_VALUE: usize = 4;

/// Nodes by name and by region.
#[derive(Clone, Debug, Default)]
pub struct NodeIndex {
    region_of: HashMap<Arc<str>, Arc<str>>,
    by_name: HashMap<Arc<str>, Arc<NodeFacts>>,
    regions: HashMap<Arc<str>, Vec<Kind>>,
    individual_keys: HashSet<Arc<str>>,
    found_feasible: bool,
}

/// What nodes of one kind have in common: region, labels and taints.
type Likeness = (Arc<str>, Labels, Box<[Taint]>);

/// Nodes that no selector can tell apart but by their names.
#[derive(Clone, Debug)]
struct Kind {
    labels: Labels,
    taints: Box<[Taint]>,
    nodes: Vec<Arc<NodeFacts>>,
    /// Those of them that are not smaller than another one in everything: where these have no room, none has.
    largest: Vec<Arc<NodeFacts>>,
    all: Usable,
    has_gpu: bool,
}

/// What the nodes of one region come to that a pod could run on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Eligible {
    /// Their allocatable CPU cores.
    pub allocatable_cores: f64,
    /// The type most of them are: of those with GPUs for a pod that asks for one, else of those without if there are any.
    pub usual_type: Option<Arc<str>>,
}

impl NodeIndex {
    /// Groups nodes; one without a region label, or one that is not ready, is nowhere a pod could be sent to.
    #[must_use]
    pub fn new(nodes: impl IntoIterator<Item = Arc<NodeFacts>>, topology_key: &str) -> Self {
        let (mut region_of, mut by_name) = (HashMap::new(), HashMap::new());
        let mut usable: Vec<(Arc<str>, Arc<NodeFacts>)> = Vec::new();
        for node in nodes {
            by_name.insert(node.name.clone(), node.clone());
            if let Some(region) = node.region_label(topology_key) {
                region_of.insert(node.name.clone(), region.clone());
                if node.ready {
                    usable.push((region.clone(), node));
                }
            }
        }
        let individual_keys = individual_keys(usable.iter().map(|(_, node)| &**node));
        let mut groups: HashMap<Likeness, Vec<Arc<NodeFacts>>> = HashMap::new();
        for (region, node) in usable {
            let labels = node.labels.only(|key| !individual_keys.contains(key));
            groups.entry((region, labels, node.taints.clone())).or_default().push(node);
        }
        let mut regions: HashMap<Arc<str>, Vec<Kind>> = HashMap::new();
        for ((region, labels, taints), nodes) in groups {
            regions.entry(region).or_default().push(Kind::new(labels, taints, nodes));
        }
        Self { region_of, by_name, regions, individual_keys, found_feasible: false }
    }

    /// Nodes of which the scheduler has said already that the pod could run there: they are not judged again.
    #[must_use]
    pub fn found_feasible(nodes: impl IntoIterator<Item = Arc<NodeFacts>>, topology_key: &str) -> Self {
        Self { found_feasible: true, ..Self::new(nodes, topology_key) }
    }

    /// The region label of a node; `None` when it is not known.
    #[must_use]
    pub fn region_of(&self, node: &str) -> Option<&Arc<str>> {
        self.region_of.get(node)
    }

    /// A node, whether it has a region and is ready or not; `None` when it is not known.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Arc<NodeFacts>> {
        self.by_name.get(name)
    }

    /// How many nodes have a region.
    #[must_use]
    pub fn len(&self) -> usize {
        self.region_of.len()
    }

    /// Whether none has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.region_of.is_empty()
    }

    /// How many kinds of node there are: what a request looks at.
    #[must_use]
    pub fn kinds(&self) -> usize {
        self.regions.values().map(Vec::len).sum()
    }

    /// What a pod finds in the region with this label; `None` when it could run on no node there.
    #[must_use]
    pub fn eligible(&self, region_label: &str, needs: &Needs<'_>, asks_for_gpu: bool) -> Option<Eligible> {
        let kinds = self.regions.get(region_label)?;
        // The same for all regions, and cheap beside a pod's decoding.
        let one_by_one = needs.asks_for(|key| self.individual_keys.contains(key));
        let mut found = false;
        let mut cores = 0.0;
        let mut types: BTreeMap<(bool, &Arc<str>), usize> = BTreeMap::new();
        for kind in kinds {
            let Some(usable) = self.usable(kind, needs, one_by_one) else { continue };
            found = true;
            cores += usable.cores;
            if let Some(instance_type) = kind.labels.get(INSTANCE_TYPE) {
                *types.entry((kind.has_gpu, instance_type)).or_default() += usable.nodes;
            }
        }
        let usual_type = most_common(&types, asks_for_gpu).or_else(|| most_common(&types, !asks_for_gpu));
        found.then_some(Eligible { allocatable_cores: cores, usual_type })
    }

    /// The nodes of one kind that a pod could run on; `None` when there is none.
    fn usable(&self, kind: &Kind, needs: &Needs<'_>, one_by_one: bool) -> Option<Usable> {
        if self.found_feasible {
            return Some(kind.all);
        }
        if !needs.tolerates(&kind.taints) {
            return None;
        }
        if one_by_one {
            let selected = kind.nodes.iter().filter(|node| needs.selects(&node.labels, Some(&node.name)));
            let usable = Usable::sum(selected.filter(|node| needs.fits(node)));
            return (usable.nodes > 0).then_some(usable);
        }
        let fit = needs.selects(&kind.labels, None) && kind.largest.iter().any(|node| needs.fits(node));
        fit.then_some(kind.all)
    }
}

/// Nodes, summed up.
#[derive(Clone, Copy, Debug, Default)]
struct Usable {
    nodes: usize,
    cores: f64,
}

impl Usable {
    fn sum<'n>(nodes: impl Iterator<Item = &'n Arc<NodeFacts>>) -> Self {
        nodes.fold(Self::default(), |sum, node| Self {
            nodes: sum.nodes + 1,
            cores: sum.cores + node.offers("cpu").as_cores().0,
        })
    }
}

impl Kind {
    fn new(labels: Labels, taints: Box<[Taint]>, nodes: Vec<Arc<NodeFacts>>) -> Self {
        let mut largest: Vec<Arc<NodeFacts>> = Vec::new();
        for node in &nodes {
            if !largest.iter().any(|other| offers_as_much(other, node)) {
                largest.retain(|other| !offers_as_much(node, other));
                largest.push(node.clone());
            }
        }
        let has_gpu = nodes.iter().any(|node| {
            let offered: ResourceList<'_> =
                node.allocatable.iter().map(|(name, amount)| (&**name, *amount)).collect();
            offered.gpus() != GpuRequest::None
        });
        Self { all: Usable::sum(nodes.iter()), labels, taints, nodes, largest, has_gpu }
    }
}

/// Whether `one` offers at least what `other` offers, of everything.
fn offers_as_much(one: &NodeFacts, other: &NodeFacts) -> bool {
    other.allocatable.iter().all(|(name, amount)| *amount <= Quantity::ZERO || one.offers(name) >= *amount)
}

/// Keys that tell single nodes apart rather than kinds of node. The type of machine and regions never do.
fn individual_keys<'n>(nodes: impl Iterator<Item = &'n NodeFacts>) -> HashSet<Arc<str>> {
    let mut values: HashMap<&'n Arc<str>, (HashSet<&'n Arc<str>>, usize)> = HashMap::new();
    for node in nodes {
        for (key, value) in node.labels.iter() {
            let (distinct, carriers) = values.entry(key).or_default();
            distinct.insert(value);
            *carriers += 1;
        }
    }
    let names_nodes = |distinct: usize, carriers: usize| {
        distinct > MOST_VALUES && distinct.saturating_mul(NODES_A_VALUE) > carriers
    };
    values
        .into_iter()
        .filter(|(key, (distinct, carriers))| {
            ***key != *INSTANCE_TYPE && names_nodes(distinct.len(), *carriers)
        })
        .map(|(key, _)| key.clone())
        .collect()
}

/// The most frequent type; of equally frequent ones the first by name, so that the answer does not depend on order.
fn most_common(types: &BTreeMap<(bool, &Arc<str>), usize>, with_gpu: bool) -> Option<Arc<str>> {
    let mut most: Option<(&Arc<str>, usize)> = None;
    for ((_, name), count) in types.iter().filter(|((has_gpu, _), _)| *has_gpu == with_gpu) {
        if most.is_none_or(|(_, highest)| *count > highest) {
            most = Some((name, *count));
        }
    }
    most.map(|(name, _)| name.clone())
}
