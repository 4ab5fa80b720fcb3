//! Node selectors and required node affinity against Kubernetes' rules applied to plain JSON, node by node.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use eco_pulse::domain::quantity::Quantity;
use eco_pulse::domain::requests::ResourceList;
use eco_pulse::kubernetes::affinity::{REGION, RegionSelector};
use eco_pulse::kubernetes::decode::decode_pod;
use eco_pulse::kubernetes::nodes::{Needs, NodeFacts, NodeIndex};
use serde_json::Value;

const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "eu-north-1"];
/// In each region: together enough for their names to be told from kinds of node.
const NODES: usize = 12;

struct Node {
    region: &'static str,
    name: String,
    labels: BTreeMap<&'static str, String>,
}

/// Nodes as they are, and as the program groups them.
static CLUSTER: LazyLock<(Vec<Node>, NodeIndex)> = LazyLock::new(|| {
    let nodes: Vec<Node> =
        REGIONS.into_iter().flat_map(|region| (0..NODES).map(move |number| node(region, number))).collect();
    let facts = nodes.iter().map(|node| {
        let bare = NodeFacts::new(node.name.as_str()).with_allocatable("pods", Quantity::from_units(110));
        Arc::new(node.labels.iter().fold(bare, |facts, (key, value)| facts.with_label(key, value)))
    });
    let index = NodeIndex::new(facts, REGION);
    (nodes, index)
});

fn node(region: &'static str, number: usize) -> Node {
    let name = format!("node-{number}.{region}");
    let zone = ["a", "b", "c"][number % 3];
    let mut labels = BTreeMap::from([
        (REGION, region.to_owned()),
        ("topology.kubernetes.io/zone", format!("{region}{zone}")),
        ("kubernetes.io/hostname", name.clone()),
        ("kubernetes.io/arch", if number < 9 { "amd64" } else { "arm64" }.to_owned()),
        ("example.com/slots", (number * 4).to_string()),
    ]);
    if region == REGIONS[0] {
        labels.insert("example.com/old", String::new());
    }
    Node { region, name, labels }
}

pub fn holds(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(pod) = decode_pod(text) else { return };
    // Deeper than a reader of any JSON goes.
    let Ok(json) = serde_json::from_str::<Value>(text) else { return };
    if has_list_for_struct(&json) {
        return;
    }
    let (nodes, index) = &*CLUSTER;
    let requests = ResourceList::default();
    let needs = Needs::new(&pod, &requests, &[]);
    let selector = RegionSelector { topology_key: REGION };
    for region in REGIONS {
        let found = index.eligible(region, &needs, false).is_some();
        let fits = |node: &&Node| node.region == region && is_selected(&json["spec"], node);
        let expected = nodes.iter().find(fits);
        assert_eq!(found, expected.is_some(), "{region}: {}", json["spec"]);
        // Without nodes less is known, so that more is left.
        assert!(!found || selector.admits(&pod, region), "{region} is left out without nodes");
    }
}

/// A reader of structs takes a list for one, field by field; the API server sends none.
fn has_list_for_struct(pod: &Value) -> bool {
    let affinity = &pod["spec"]["affinity"];
    let required = &affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    let terms = items(&required["nodeSelectorTerms"]);
    let rules = terms
        .iter()
        .flat_map(|term| items(&term["matchExpressions"]).iter().chain(items(&term["matchFields"])));
    let parts = [&pod["spec"], affinity, &affinity["nodeAffinity"], required];
    parts.into_iter().chain(terms).chain(rules).any(Value::is_array)
}

fn is_selected(spec: &Value, node: &Node) -> bool {
    let wanted = spec["nodeSelector"].as_object();
    let has = |(key, value): (&String, &Value)| {
        node.labels.get(key.as_str()).is_some_and(|own| value.as_str() == Some(own))
    };
    let required = &spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    wanted.is_none_or(|wanted| wanted.iter().all(has))
        && (required.is_null()
            || items(&required["nodeSelectorTerms"]).iter().any(|term| term_holds(term, node)))
}

fn term_holds(term: &Value, node: &Node) -> bool {
    let (expressions, fields) = (items(&term["matchExpressions"]), items(&term["matchFields"]));
    let field_holds = |rule: &Value| {
        let values = items(&rule["values"]);
        let is_it = values.first().and_then(Value::as_str) == Some(&node.name);
        rule["key"] == "metadata.name"
            && values.len() == 1
            && match rule["operator"].as_str() {
                Some("In") => is_it,
                Some("NotIn") => !is_it,
                _ => false,
            }
    };
    !(expressions.is_empty() && fields.is_empty())
        && expressions.iter().all(|rule| rule_holds(rule, node))
        && fields.iter().all(field_holds)
}

fn rule_holds(rule: &Value, node: &Node) -> bool {
    let own = node.labels.get(rule["key"].as_str().unwrap_or_default());
    let values: Vec<&str> = items(&rule["values"]).iter().filter_map(Value::as_str).collect();
    let is_listed = own.is_some_and(|own| values.contains(&own.as_str()));
    let compared = || {
        let [bound] = values[..] else { return None };
        Some(own?.parse::<i64>().ok()?.cmp(&bound.parse().ok()?))
    };
    match rule["operator"].as_str() {
        Some("In") => is_listed,
        Some("NotIn") => !values.is_empty() && !is_listed,
        Some("Exists") => values.is_empty() && own.is_some(),
        Some("DoesNotExist") => values.is_empty() && own.is_none(),
        Some("Gt") => compared().is_some_and(std::cmp::Ordering::is_gt),
        Some("Lt") => compared().is_some_and(std::cmp::Ordering::is_lt),
        _ => false,
    }
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}
