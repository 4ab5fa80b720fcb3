//! Recorded traffic, and pods derived from it.

use std::path::Path;

use eco_pulse::domain::quantity::Quantity;
use eco_pulse::kubernetes::affinity::REGION;
use eco_pulse::kubernetes::cluster::{ClusterView, NamespaceFacts};
use eco_pulse::kubernetes::nodes::{INSTANCE_TYPE, NodeFacts};
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

/// The same pod made by hand: nobody owns it, so that its maker reads warnings.
pub fn bare_job(cpu: &str, memory: &str) -> Value {
    let mut review = job(cpu, memory);
    object(&mut review)["metadata"]["ownerReferences"] = Value::Null;
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
pub fn namespaces() -> [(String, NamespaceFacts); 4] {
    let facts = |opted_out| NamespaceFacts { opted_out, ..NamespaceFacts::default() };
    let known = [("default", false), ("ai-team", false), ("kube-system", false), ("payments", true)];
    known.map(|(name, opted_out)| (name.to_owned(), facts(opted_out)))
}

/// A node of so many cores in a region, with more memory and GPUs than any of the pods asks for.
pub fn node(name: &str, region: &str, cores: i64) -> NodeFacts {
    NodeFacts::new(name)
        .with_label(REGION, region)
        .with_allocatable("cpu", Quantity::from_units(cores))
        .with_allocatable("memory", Quantity::from_units(1 << 40))
        .with_allocatable("nvidia.com/gpu", Quantity::from_units(8))
        .with_allocatable("pods", Quantity::from_units(110))
}

/// The recorded cluster as a watch would show it: its namespaces, and its nodes, of 64 cores each.
pub fn cluster() -> ClusterView {
    cluster_of(None)
}

/// The same with a type of machine on all its nodes.
pub fn cluster_of(instance_type: Option<&str>) -> ClusterView {
    let nodes = recorded_nodes().into_iter().map(|name| {
        let node = node(&name, name.split('.').nth(1).unwrap(), 64);
        instance_type.map_or(node.clone(), |instance_type| node.with_label(INSTANCE_TYPE, instance_type))
    });
    ClusterView::unwatched("eco-pulse").with_nodes(nodes, REGION).with_namespaces(namespaces())
}

/// Puts a value at a JSON pointer whose parent is there.
pub fn put(root: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    root.pointer_mut(parent).unwrap()[key.replace("~1", "/")] = value;
}
