//! Recorded traffic, and pods derived from it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use eco_pulse::kubernetes::cluster::{ClusterView, NamespaceFacts, Namespaces, NodeFacts, NodeIndex};
use serde_json::{Value, json};

use super::extender::recorded_nodes;

/// A recorded body: `frontend.admission`.
pub fn recorded(name: &str) -> Value {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kubernetes-1.36").join(format!("{name}.json"));
    let text = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&text).unwrap()
}

/// The recorded Job's pod, which no one waits for, asking for `cpu` and `memory` and no GPU; without its annotations.
pub fn job(cpu: &str, memory: &str) -> Value {
    let mut review = recorded("ai-training.admission");
    let pod = object(&mut review);
    pod["metadata"]["annotations"] = Value::Null;
    pod["spec"]["containers"][0]["resources"] = json!({ "requests": { "cpu": cpu, "memory": memory } });
    review
}

/// A review's object.
pub fn object(review: &mut Value) -> &mut Value {
    &mut review["request"]["object"]
}

/// A review with `eco-pulse.io/` annotations added to its object's.
pub fn annotate(mut review: Value, annotations: &[(&str, &str)]) -> Value {
    for (key, value) in annotations {
        object(&mut review)["metadata"]["annotations"][format!("eco-pulse.io/{key}")] = json!(value);
    }
    review
}

/// The namespaces of the recorded traffic as a watch would show them; `payments` has opted out.
pub fn namespaces() -> Namespaces {
    let facts = |opted_out| NamespaceFacts { opted_out, allowed_regions: None };
    let known = [("default", false), ("ai-team", false), ("kube-system", false), ("payments", true)];
    Namespaces::Watched(
        known
            .into_iter()
            .map(|(name, opted_out)| (name.to_owned(), facts(opted_out)))
            .collect::<HashMap<_, _>>(),
    )
}

/// The recorded cluster as a watch would show it: its namespaces, and its nodes of four cores each.
pub fn cluster() -> ClusterView {
    cluster_of(None)
}

/// The same with a type of machine on all its nodes.
pub fn cluster_of(instance_type: Option<&str>) -> ClusterView {
    let facts: Vec<NodeFacts> = recorded_nodes()
        .into_iter()
        .map(|name| NodeFacts {
            region_label: name.split('.').nth(1).map(Arc::from),
            name: name.into(),
            instance_type: instance_type.map(Arc::from),
            allocatable_cores: 4.0,
            has_gpu: false,
        })
        .collect();
    ClusterView {
        nodes: Some(NodeIndex::new(&facts)),
        namespaces: namespaces(),
        ..ClusterView::unwatched("eco-pulse")
    }
}

/// Puts a value at a JSON pointer whose parent is there.
pub fn put(root: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    root.pointer_mut(parent).unwrap()[key.replace("~1", "/")] = value;
}
