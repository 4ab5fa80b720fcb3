//! What is known of nodes, and which regions they leave a pod, as the scheduler's filters would decide it.
//!
//! Judges by what a node is (labels, taints, size), never by what runs on it: room comes and goes, and the scheduler has
//! the last word.

mod index;
mod needs;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::affinity::{LEGACY_REGION, REGION};
use super::labels::Labels;
use crate::domain::quantity::Quantity;

pub use self::index::{Eligible, NodeIndex};
pub use self::needs::Needs;

/// The label that says a node's type of machine.
pub const INSTANCE_TYPE: &str = "node.kubernetes.io/instance-type";
/// The taint that a cordoned node stands for, whether or not it carries it yet (the `NodeUnschedulable` filter).
pub const UNSCHEDULABLE_TAINT: &str = "node.kubernetes.io/unschedulable";

/// What one node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// Its name.
    pub name: Arc<str>,
    /// Its labels.
    pub labels: Labels,
    /// Its taints, less those that only make it less liked; a cordoned node carries [`UNSCHEDULABLE_TAINT`].
    pub taints: Box<[Taint]>,
    /// Whether its condition `Ready` is true.
    pub ready: bool,
    /// What pods can use, by resource, in the order of the names.
    pub allocatable: Box<[(Arc<str>, Quantity)]>,
}

/// A taint that keeps pods off.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Taint {
    /// Its key.
    pub key: Arc<str>,
    /// Its value.
    pub value: Arc<str>,
    /// `NoSchedule` or `NoExecute`.
    pub effect: Arc<str>,
}

impl NodeFacts {
    /// A ready node without labels that offers nothing.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            labels: Labels::default(),
            taints: Box::default(),
            ready: true,
            allocatable: Box::default(),
        }
    }

    /// This node with a further label.
    #[must_use]
    pub fn with_label(mut self, key: &str, value: &str) -> Self {
        let further: (Arc<str>, Arc<str>) = (key.into(), value.into());
        self.labels = self.labels.iter().map(|(k, v)| (k.clone(), v.clone())).chain([further]).collect();
        self
    }

    /// This node with an amount to offer.
    #[must_use]
    pub fn with_allocatable(mut self, resource: &str, amount: Quantity) -> Self {
        let mut all = self.allocatable.into_vec();
        all.retain(|(name, _)| **name != *resource);
        all.push((resource.into(), amount));
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.allocatable = all.into();
        self
    }

    /// What it offers of a resource; nothing where it does not say.
    #[must_use]
    pub fn offers(&self, resource: &str) -> Quantity {
        let place = self.allocatable.binary_search_by(|(name, _)| (**name).cmp(resource)).ok();
        place.and_then(|place| self.allocatable.get(place)).map_or(Quantity::ZERO, |(_, amount)| *amount)
    }

    /// The value of its topology label; for Kubernetes' own region label the one of old nodes counts too.
    #[must_use]
    pub fn region_label(&self, topology_key: &str) -> Option<&Arc<str>> {
        let legacy = || if topology_key == REGION { self.labels.get(LEGACY_REGION) } else { None };
        self.labels.get(topology_key).or_else(legacy)
    }
}
