//! From whole Kubernetes objects to the little of them that is kept in memory.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Namespace, Node, NodeSelector as ApiSelector, NodeSelectorRequirement, PersistentVolume,
    PersistentVolumeClaim,
};

use super::annotations::{ALLOWED_REGIONS, INJECT, INJECT_DISABLED};
use super::cluster::NamespaceFacts;
use super::labels::Interner;
use super::nodes::{NodeFacts, Taint, UNSCHEDULABLE_TAINT};
use super::pod::{NodeSelector, NodeSelectorTerm, Requirement};
use super::text::Text;
use super::volumes::VolumeTopology;
use crate::domain::quantity::Quantity;

const NO_SCHEDULE: &str = "NoSchedule";
/// A taint of this effect only makes a node less liked.
const PREFER_NO_SCHEDULE: &str = "PreferNoSchedule";

/// Labels of a volume that its nodes must share, each with the name that nodes carry today.
const VOLUME_TOPOLOGY: [(&str, &str); 4] = [
    ("topology.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("topology.kubernetes.io/zone", "topology.kubernetes.io/zone"),
    ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"),
];
/// Between the zones of a volume that lies in several.
const ZONE_SEPARATOR: &str = "__";

/// An object that holds what Kubernetes would not accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct TrimError {
    field: String,
    problem: String,
}

/// What is kept of a node.
///
/// # Errors
/// An amount that is no quantity.
pub fn node(node: &Node, interner: &mut Interner) -> Result<NodeFacts, TrimError> {
    let spec = node.spec.clone().unwrap_or_default();
    let status = node.status.as_ref();
    let mut taints: Vec<Taint> = spec
        .taints
        .unwrap_or_default()
        .iter()
        .filter(|taint| taint.effect != PREFER_NO_SCHEDULE)
        .map(|taint| Taint {
            key: interner.share(&taint.key),
            value: interner.share(taint.value.as_deref().unwrap_or_default()),
            effect: interner.share(&taint.effect),
        })
        .collect();
    let cordoned = spec.unschedulable == Some(true);
    if cordoned && !taints.iter().any(|taint| &*taint.key == UNSCHEDULABLE_TAINT) {
        taints.push(Taint {
            key: interner.share(UNSCHEDULABLE_TAINT),
            value: interner.share(""),
            effect: interner.share(NO_SCHEDULE),
        });
    }
    // Nodes of one kind list the same taints, not always in the same order.
    taints.sort_unstable_by(|one, other| (&one.key, &one.effect).cmp(&(&other.key, &other.effect)));
    let allocatable = status.and_then(|status| status.allocatable.as_ref());
    let allocatable = allocatable
        .into_iter()
        .flatten()
        .map(|(resource, amount)| {
            let wrong = |problem: crate::domain::quantity::QuantityError| TrimError {
                field: format!("status.allocatable.{resource}"),
                problem: problem.to_string(),
            };
            Ok((interner.share(resource), Quantity::parse(&amount.0).map_err(wrong)?))
        })
        .collect::<Result<_, TrimError>>()?;
    let conditions = status.and_then(|status| status.conditions.as_ref());
    let is_ready = |conditions: &Vec<k8s_openapi::api::core::v1::NodeCondition>| {
        conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True")
    };
    Ok(NodeFacts {
        name: interner.share(node.metadata.name.as_deref().unwrap_or_default()),
        labels: interner.labels(node.metadata.labels.iter().flatten()),
        taints: taints.into(),
        ready: conditions.is_some_and(is_ready),
        allocatable,
    })
}

/// What is kept of a namespace.
#[must_use]
pub fn namespace(namespace: &Namespace, interner: &mut Interner) -> NamespaceFacts {
    let value = |map: &Option<BTreeMap<String, String>>, key: &str| map.as_ref()?.get(key).cloned();
    NamespaceFacts {
        opted_out: value(&namespace.metadata.labels, INJECT).as_deref() == Some(INJECT_DISABLED),
        allowed_regions: value(&namespace.metadata.annotations, ALLOWED_REGIONS),
        labels: interner.labels(namespace.metadata.labels.iter().flatten()),
    }
}

/// The name of the volume that a claim is bound to; `None` when it is bound to none.
#[must_use]
pub fn bound_to(claim: &PersistentVolumeClaim) -> Option<&str> {
    claim.spec.as_ref()?.volume_name.as_deref().filter(|volume| !volume.is_empty())
}

/// What is kept of a volume.
#[must_use]
pub fn volume(volume: &PersistentVolume) -> VolumeTopology {
    let affinity = volume.spec.as_ref().and_then(|spec| spec.node_affinity.as_ref()?.required.as_ref());
    let labels = volume.metadata.labels.iter().flatten();
    VolumeTopology {
        required: affinity.map(selector),
        labels: labels
            .filter_map(|(key, zones)| {
                let (_, on_nodes) = VOLUME_TOPOLOGY.iter().find(|(of_volume, _)| of_volume == key)?;
                Some(Requirement {
                    key: text(on_nodes),
                    operator: text("In"),
                    values: zones.split(ZONE_SEPARATOR).map(text).collect(),
                })
            })
            .collect(),
    }
}

fn selector(selector: &ApiSelector) -> NodeSelector<'static> {
    let rules = |rules: &Option<Vec<NodeSelectorRequirement>>| -> Vec<Requirement<'static>> {
        rules
            .iter()
            .flatten()
            .map(|rule| Requirement {
                key: text(&rule.key),
                operator: text(&rule.operator),
                values: rule.values.iter().flatten().map(|value| text(value)).collect(),
            })
            .collect()
    };
    let terms = selector.node_selector_terms.iter().map(|term| NodeSelectorTerm {
        match_expressions: rules(&term.match_expressions),
        match_fields: rules(&term.match_fields),
    });
    NodeSelector { node_selector_terms: terms.collect() }
}

fn text(text: &str) -> Text<'static> {
    Text(text.to_owned().into())
}
