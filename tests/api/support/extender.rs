//! The extender's answers as Go's decoder reads them, and questions about the recorded nodes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::recorded;

/// `ExtenderFilterResult` by the exact names of its members in Go.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct FilterResult {
    pub nodes: Option<NodeList>,
    pub node_names: Option<Vec<String>>,
    pub failed_nodes: BTreeMap<String, String>,
    pub failed_and_unresolvable_nodes: BTreeMap<String, String>,
    pub error: String,
}

/// `NodeList`, its items as they are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeList {
    #[serde(default)]
    pub metadata: Value,
    pub items: Vec<Value>,
}

impl FilterResult {
    /// What must hold of every answer: it is of the question's form, keeps its order and its nodes, is not empty, and
    /// every node is either kept or rejected for good with a reason.
    pub fn check(args: &Value, answer: &[u8]) -> Self {
        let result: Self = serde_json::from_slice(answer).unwrap();
        assert_eq!(result.error, "");
        assert!(result.failed_nodes.is_empty(), "these would start preemption: {:?}", result.failed_nodes);
        assert_eq!(result.nodes.is_some(), !args["Nodes"].is_null() && args["NodeNames"].is_null());
        let asked = nodes_of(args);
        let kept = result.kept();
        assert_eq!(kept.is_empty(), asked.is_empty());
        let kept_set: BTreeSet<&String> = kept.iter().collect();
        let in_order: Vec<String> = asked.iter().filter(|name| kept_set.contains(name)).cloned().collect();
        assert_eq!(kept, in_order);
        for name in &asked {
            let reason = result.failed_and_unresolvable_nodes.get(name);
            assert_eq!(reason.is_none(), kept_set.contains(name), "{name}");
            assert!(reason.is_none_or(|reason| reason.starts_with("eco-pulse: region ")), "{reason:?}");
        }
        assert!(result.failed_and_unresolvable_nodes.keys().all(|name| asked.contains(name)));
        if let Some(nodes) = &result.nodes {
            assert_eq!(nodes.metadata, args["Nodes"]["metadata"]);
            let items = args["Nodes"]["items"].as_array().unwrap();
            assert!(nodes.items.iter().all(|node| items.contains(node)), "a node came back changed");
        }
        result
    }

    /// Names of the nodes that are kept.
    pub fn kept(&self) -> Vec<String> {
        match (&self.node_names, &self.nodes) {
            (Some(names), _) => names.clone(),
            (None, Some(nodes)) => nodes.items.iter().map(name_of).collect(),
            (None, None) => Vec::new(),
        }
    }

    /// The regions of the nodes that are kept; a node whose name tells none is under its own name.
    pub fn regions(&self) -> BTreeSet<String> {
        self.kept().iter().map(|name| region_of(name).to_owned()).collect()
    }

    pub fn rejects_none(&self) -> bool {
        self.failed_and_unresolvable_nodes.is_empty()
    }
}

/// `HostPriority` by the exact names of its members in Go.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct HostPriority {
    pub host: String,
    pub score: i64,
}

impl HostPriority {
    /// What must hold of every answer: every node once, in order, 0 to 10.
    pub fn check(args: &Value, answer: &[u8]) -> Vec<Self> {
        let scores: Vec<Self> = serde_json::from_slice(answer).unwrap();
        let hosts: Vec<&String> = scores.iter().map(|score| &score.host).collect();
        assert_eq!(hosts, nodes_of(args).iter().collect::<Vec<_>>());
        assert!(scores.iter().all(|score| (0..=10).contains(&score.score)));
        scores
    }

    pub fn region(&self) -> &str {
        region_of(&self.host)
    }
}

/// The names of the nodes a question is about.
pub fn nodes_of(args: &Value) -> Vec<String> {
    match (args["NodeNames"].as_array(), args["Nodes"]["items"].as_array()) {
        (Some(names), _) => names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
        (None, Some(items)) => items.iter().map(name_of).collect(),
        (None, None) => Vec::new(),
    }
}

fn name_of(node: &Value) -> String {
    node["metadata"]["name"].as_str().unwrap().to_owned()
}

/// `ip-10-0-1-0.us-east-1.compute.internal` is in us-east-1.
fn region_of(node: &str) -> &str {
    node.strip_suffix(".compute.internal")
        .and_then(|name| name.split_once('.'))
        .map_or(node, |(_, region)| region)
}

/// The names of the twelve recorded nodes, as the scheduler ordered them.
pub fn recorded_nodes() -> Vec<String> {
    nodes_of(&recorded("frontend.filter-names"))
}

/// A question about a pod and nodes, in the form that names nodes only.
pub fn wire_nodes(pod: &Value, names: &[String]) -> Value {
    serde_json::json!({ "Pod": pod, "Nodes": null, "NodeNames": names })
}
