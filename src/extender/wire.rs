//! `ExtenderArgs`, `ExtenderFilterResult` and `HostPriorityList` on the wire. Go writes these structs without tags,
//! so their members are in PascalCase and those not used are null; nested Kubernetes objects are ordinary JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::requests::ResourceList;
use crate::kubernetes::list::AtMost;
use crate::kubernetes::text::{Text, TextMap, null_is_default};

/// A question: which of these nodes for this pod?
#[derive(Clone, Debug)]
pub struct Args<'a> {
    /// The pod, not decoded.
    pub pod: Option<&'a RawValue>,
    /// The nodes.
    pub nodes: Nodes<'a>,
}

/// The nodes of a question.
#[derive(Clone, Debug)]
pub enum Nodes<'a> {
    /// Names only: `nodeCacheCapable: true`.
    Names(Vec<Text<'a>>),
    /// Whole objects, not decoded.
    Full {
        /// The list's own metadata.
        metadata: Option<&'a RawValue>,
        /// The nodes.
        items: Vec<&'a RawValue>,
    },
    /// Neither was sent.
    Absent,
}

/// A body that is no question: the answer is an error status, and `ignorable: true` opens.
#[derive(Debug, thiserror::Error)]
#[error("body is not ExtenderArgs: {0}; send the JSON that kube-scheduler sends to an extender")]
pub struct ArgsError(#[from] serde_json::Error);

/// Nodes in one question at most: many times the 5,000 that Kubernetes is built for. A name can be written in three
/// bytes and takes a hundred here, so without this a body within its limit could take gigabytes.
pub const MAX_NODES: usize = 100_000;

#[derive(Deserialize)]
struct WireArgs<'a> {
    #[serde(borrow, default, rename = "Pod", alias = "pod")]
    pod: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "Nodes", alias = "nodes")]
    nodes: Option<WireNodeList<'a>>,
    #[serde(borrow, default, rename = "NodeNames", alias = "nodeNames", alias = "nodenames")]
    node_names: Option<AtMost<Text<'a>, MAX_NODES>>,
}

#[derive(Deserialize)]
struct WireNodeList<'a> {
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    items: Option<AtMost<&'a RawValue, MAX_NODES>>,
}

impl<'a> Args<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// It is no question.
    pub fn parse(body: &'a [u8]) -> Result<Self, ArgsError> {
        let args: WireArgs<'a> =
            serde_json::from_slice(body).or_else(|error| without_pod(body).ok_or(error))?;
        let nodes = match (args.node_names, args.nodes) {
            (Some(names), _) => Nodes::Names(names.0),
            (None, Some(list)) => Nodes::Full {
                metadata: list.metadata,
                items: list.items.map(|items| items.0).unwrap_or_default(),
            },
            (None, None) => Nodes::Absent,
        };
        Ok(Self { pod: args.pod, nodes })
    }
}

/// The question of a body whose pod is not even text: its nodes can be told apart all the same.
fn without_pod(body: &[u8]) -> Option<WireArgs<'_>> {
    #[derive(Deserialize)]
    struct WithoutPod<'a> {
        #[serde(borrow, default, rename = "Nodes", alias = "nodes")]
        nodes: Option<WireNodeList<'a>>,
        #[serde(borrow, default, rename = "NodeNames", alias = "nodeNames", alias = "nodenames")]
        node_names: Option<AtMost<Text<'a>, MAX_NODES>>,
    }
    let WithoutPod { nodes, node_names } = serde_json::from_slice(body).ok()?;
    Some(WireArgs { pod: None, nodes, node_names })
}

impl Nodes<'_> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Names(names) => names.len(),
            Self::Full { items, .. } => items.len(),
            Self::Absent => 0,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a whole node says that bears on a decision.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct WireNode<'a> {
    /// Its name and labels.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub metadata: NodeMetadata<'a>,
    /// What it offers.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub status: NodeStatus<'a>,
}

/// `metadata` of a node.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NodeMetadata<'a> {
    /// Its name.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub name: Text<'a>,
    /// Its labels.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub labels: TextMap<'a>,
}

/// `status` of a node.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NodeStatus<'a> {
    /// What pods can use.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub allocatable: ResourceList<'a>,
}

/// The answer of `/filter`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FilterResult<'a> {
    /// Whole nodes that are kept.
    pub nodes: Option<NodeList<'a>>,
    /// Names of nodes that are kept.
    pub node_names: Option<Vec<&'a str>>,
    /// Rejected in a way that preemption could cure: never used, since it would start preemption's dry runs.
    pub failed_nodes: BTreeMap<&'a str, &'a str>,
    /// Rejected, with the reason.
    pub failed_and_unresolvable_nodes: BTreeMap<&'a str, &'a str>,
    /// Never used: it would fail the pod.
    pub error: &'static str,
}

/// A list of whole nodes, as they came.
#[derive(Debug, Serialize)]
pub struct NodeList<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
    items: Vec<&'a RawValue>,
}

impl<'a> FilterResult<'a> {
    /// Keeps the nodes for which `rejection` has none; the order stays.
    pub fn keeping(
        nodes: &'a Nodes<'a>,
        rejected: BTreeMap<&'a str, &'a str>,
        kept: impl Fn(usize) -> bool,
    ) -> Self {
        let indices = (0..nodes.len()).filter(|index| kept(*index));
        let (full, names) = match nodes {
            Nodes::Names(names) => {
                (None, Some(indices.filter_map(|index| names.get(index).map(|name| &**name)).collect()))
            }
            Nodes::Full { metadata, items } => {
                let items = indices.filter_map(|index| items.get(index).copied()).collect();
                (Some(NodeList { metadata: *metadata, items }), None)
            }
            Nodes::Absent => (None, None),
        };
        Self {
            nodes: full,
            node_names: names,
            failed_nodes: BTreeMap::new(),
            failed_and_unresolvable_nodes: rejected,
            error: "",
        }
    }

    /// Keeps them all.
    #[must_use]
    pub fn passing(nodes: &'a Nodes<'a>) -> Self {
        Self::keeping(nodes, BTreeMap::new(), |_| true)
    }
}

/// One entry of the answer of `/prioritize`.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HostPriority<'a> {
    /// The node.
    pub host: &'a str,
    /// 0 to 10.
    pub score: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_nodes_than_any_cluster_has_are_refused() {
        let names = |count| format!(r#"{{"NodeNames":[{}]}}"#, vec![r#""""#; count].join(","));
        let whole = |count| format!(r#"{{"Nodes":{{"items":[{}]}}}}"#, vec!["{}"; count].join(","));
        for body in [names(MAX_NODES), whole(MAX_NODES)] {
            assert_eq!(Args::parse(body.as_bytes()).unwrap().nodes.len(), MAX_NODES);
        }
        for body in [names(MAX_NODES + 1), whole(MAX_NODES + 1)] {
            let error = Args::parse(body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("at most 100000 items"), "{error}");
        }
    }
}
