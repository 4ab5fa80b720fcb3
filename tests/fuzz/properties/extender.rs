//! `/filter` and `/prioritize`, in both forms: only nodes that were given, in their order, never none of some, scores of 0 to 10.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use eco_pulse::decider::Decider;
use eco_pulse::domain::BypassReason;
use eco_pulse::extender::filter::Filter;
use eco_pulse::extender::prioritize::Prioritize;
use eco_pulse::http::fail_open::Answering as _;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::world::world;

/// `ExtenderFilterResult` by the exact names of its members in Go.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct FilterResult {
    nodes: Option<NodeList>,
    node_names: Option<Vec<String>>,
    failed_nodes: BTreeMap<String, String>,
    failed_and_unresolvable_nodes: BTreeMap<String, String>,
    error: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeList {
    metadata: Option<Box<RawValue>>,
    items: Vec<Box<RawValue>>,
}

/// `HostPriority` by the exact names of its members in Go.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct HostPriority {
    host: String,
    score: i64,
}

/// What a body asks about.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    #[serde(rename = "Nodes", alias = "nodes")]
    nodes: Option<AskedNodes>,
    #[serde(rename = "NodeNames", alias = "nodeNames", alias = "nodenames")]
    node_names: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskedNodes {
    metadata: Option<Box<RawValue>>,
    items: Option<Vec<Box<RawValue>>>,
}

/// As the scheduler asks with `nodeCacheCapable: true`: the nodes' regions are watched.
pub fn holds_for_names(body: &[u8]) {
    judge(body, &world().watched);
}

/// As it asks with whole nodes: they tell their regions themselves, where nobody watches.
pub fn holds_for_nodes(body: &[u8]) {
    judge(body, &world().unwatched);
}

fn judge(body: &[u8], decider: &Arc<Decider>) {
    let (filter, prioritize) = (Filter::new(decider.clone()), Prioritize::new(decider.clone()));
    let filtered = filter.answer(body, world().now);
    let opened = filter.open(body, BypassReason::Deadline);
    let scored = prioritize.answer(body, world().now);
    assert_eq!(filtered.is_ok(), opened.is_ok());
    assert_eq!(filtered.is_ok(), scored.is_ok());
    assert_eq!(&*prioritize.open(body, BypassReason::Deadline).unwrap().body, b"[]");
    let (Ok(filtered), Ok(opened), Ok(scored)) = (filtered, opened, scored) else { return };
    // A reader of structs takes a list for one, field by field; the scheduler sends none.
    if !body.trim_ascii_start().starts_with(b"{") {
        return;
    }

    // A body that was answered can be read by another reader too.
    let asked: Asked = serde_json::from_slice(body).unwrap();
    let names = names(&asked);
    let filtered: FilterResult = serde_json::from_slice(&filtered.body).unwrap();
    let kept = judge_filtered(&filtered, &asked);
    if let Some(names) = &names {
        let failed = &filtered.failed_and_unresolvable_nodes;
        let rejected = names.iter().filter(|name| failed.contains_key(*name)).count();
        assert_eq!(kept + rejected, names.len(), "a node is neither kept nor rejected, or both");
        let known: BTreeSet<&String> = names.iter().collect();
        assert!(failed.keys().all(|name| known.contains(name)), "a node that was not asked about");
    }
    let opened: FilterResult = serde_json::from_slice(&opened.body).unwrap();
    assert!(opened.failed_and_unresolvable_nodes.is_empty());
    assert_eq!(judge_filtered(&opened, &asked), asked.len(), "not everything passes");

    let scored: Vec<HostPriority> = serde_json::from_slice(&scored.body).unwrap();
    assert!(scored.is_empty() || scored.len() == asked.len());
    assert!(scored.iter().all(|host| (0..=10).contains(&host.score)), "{scored:?}");
    if let Some(names) = names {
        assert!(scored.iter().map(|host| &host.host).eq(names.iter().take(scored.len())));
    }
}

/// What must hold of every answer of `/filter`; gives the number of nodes that are kept.
fn judge_filtered(result: &FilterResult, asked: &Asked) -> usize {
    assert_eq!(result.error, "");
    assert!(result.failed_nodes.is_empty(), "these would start preemption");
    let is_full = asked.node_names.is_none() && asked.nodes.is_some();
    assert_eq!(result.nodes.is_some(), is_full);
    assert_eq!(result.node_names.is_some(), asked.node_names.is_some());
    for reason in result.failed_and_unresolvable_nodes.values() {
        assert!(reason.starts_with("eco-pulse: region "), "{reason}");
    }
    let kept = if let Some(nodes) = &result.nodes {
        let given = asked.nodes.as_ref().unwrap();
        let text = |raw: &Option<Box<RawValue>>| raw.as_ref().map(|raw| raw.get().to_owned());
        assert_eq!(text(&nodes.metadata), text(&given.metadata));
        let texts =
            |items: &[Box<RawValue>]| items.iter().map(|item| item.get().to_owned()).collect::<Vec<_>>();
        let given = given.items.as_deref().map(texts).unwrap_or_default();
        assert_in_order(&texts(&nodes.items), &given);
        nodes.items.len()
    } else {
        let (kept, given) = (result.node_names.as_deref(), asked.node_names.as_deref());
        assert_in_order(kept.unwrap_or_default(), given.unwrap_or_default());
        kept.map_or(0, <[String]>::len)
    };
    assert_eq!(kept == 0, asked.len() == 0, "no node is left");
    kept
}

/// Whether what is kept is what was given with some left out.
fn assert_in_order(kept: &[String], given: &[String]) {
    let mut given = given.iter();
    for node in kept {
        assert!(given.any(|given| given == node), "{node} is not one of the nodes, or not in its place");
    }
}

/// The names of the nodes, if each tells one in plain words.
fn names(asked: &Asked) -> Option<Vec<String>> {
    if let Some(names) = &asked.node_names {
        return Some(names.clone());
    }
    let items = asked.nodes.as_ref().and_then(|nodes| nodes.items.as_deref()).unwrap_or_default();
    let name = |item: &RawValue| {
        let node: Value = serde_json::from_str(item.get()).ok()?;
        // Labels and amounts that cannot be read make a node one without a name.
        let is_plain = node.as_object()?.keys().all(|key| key == "metadata")
            && node["metadata"].as_object()?.keys().all(|key| key == "name");
        node["metadata"]["name"].as_str().filter(|name| is_plain && !name.is_empty()).map(str::to_owned)
    };
    items.iter().map(|item| name(item)).collect()
}

impl Asked {
    fn len(&self) -> usize {
        let items = || self.nodes.as_ref().and_then(|nodes| nodes.items.as_ref()).map_or(0, Vec::len);
        self.node_names.as_ref().map_or_else(items, Vec::len)
    }
}
