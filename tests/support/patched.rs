//! What a patch did to a pod, judged as the API server would judge it and more strictly, by libraries that the program does not use.
//! Says what is wrong instead of panicking: who asks may have to count it.
#![allow(dead_code, reason = "each of the test crates that include this uses a part of it")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Map, Value};

/// Where marks are.
const MARKED: [&str; 2] = ["/metadata/labels", "/metadata/annotations"];
const MARK_PREFIX: &str = "eco-pulse.io/";
/// The marks that only Eco-Pulse writes, and may add, replace and remove.
const MARKS: [&str; 7] = [
    "decision",
    "target-region",
    "baseline-region",
    "net-benefit-usd",
    "projected-savings-usd",
    "projected-co2e-avoided-g",
    "canary",
];
/// The one list that may grow, at its end.
const PREFERRED: &str = "/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution";

/// What is wrong with a patch.
#[derive(Debug)]
pub enum Harm {
    /// The API server cannot apply it, and refuses the pod.
    Refuses(String),
    /// It applies, and does more than it may.
    Changes(String),
}

/// The operations of a patch as it is sent: they only add.
pub fn operations(patch: &str) -> Result<Vec<Value>, Harm> {
    let json =
        BASE64.decode(patch).map_err(|error| Harm::Refuses(format!("the patch is no base64: {error}")))?;
    let operations: Vec<Value> = serde_json::from_slice(&json)
        .map_err(|error| Harm::Refuses(format!("the patch is no list: {error}")))?;
    match operations.iter().find(|operation| operation["op"] != "add") {
        None if operations.is_empty() => Err(Harm::Changes("the patch is empty".to_owned())),
        None => Ok(operations),
        Some(other) => Err(Harm::Changes(format!("an operation does not add: {other}"))),
    }
}

/// A pod after a patch, in which nothing of the user's is lost or changed, and nothing is new but what is ours to add; as it was sent,
/// and as Kubernetes reads and writes it.
pub fn patched_pod(before: &Value, operations: &[Value]) -> Result<Value, Harm> {
    if let Err(error) = as_kubernetes_has_it(before) {
        return Err(Harm::Changes(format!("there was no pod before: {error}")));
    }
    patched(before, operations)
}

/// The same of any object; where it is no pod before it need be none after.
pub fn patched(before: &Value, operations: &[Value]) -> Result<Value, Harm> {
    let patch: json_patch::Patch = serde_json::from_value(Value::from(operations.to_vec()))
        .map_err(|error| Harm::Refuses(format!("the operations are no JSON patch: {error}")))?;
    let mut after = before.clone();
    json_patch::patch(&mut after, &patch)
        .map_err(|error| Harm::Refuses(format!("the patch does not apply: {error}: {patch} on {before}")))?;
    adds_only_ours(before, &after, &mut String::new()).map_err(Harm::Changes)?;
    if let Ok(before) = as_kubernetes_has_it(before) {
        let after = as_kubernetes_has_it(&after)
            .map_err(|error| Harm::Refuses(format!("no pod any more: {error}")))?;
        adds_only_ours(&before, &after, &mut String::new()).map_err(Harm::Changes)?;
    }
    Ok(after)
}

/// How many preferred terms of node affinity an object has.
pub fn preferred_terms(object: &Value) -> usize {
    object.pointer(PREFERRED).and_then(Value::as_array).map_or(0, Vec::len)
}

fn as_kubernetes_has_it(object: &Value) -> serde_json::Result<Value> {
    serde_json::to_value(serde_json::from_value::<Pod>(object.clone())?)
}

fn adds_only_ours(before: &Value, after: &Value, path: &mut String) -> Result<(), String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => members(before, after, path),
        (Value::Array(before), Value::Array(after)) => {
            let may_grow = path == PREFERRED && before.len() <= after.len();
            if !may_grow && before.len() != after.len() {
                return Err(format!("{path} has another length"));
            }
            before.iter().zip(after).try_for_each(|(before, after)| adds_only_ours(before, after, path))?;
            after[before.len()..].iter().try_for_each(is_preference)
        }
        // What was not there, and leads to what is ours.
        (Value::Null, Value::Object(after)) if leads_to_ours(path) => members(&Map::new(), after, path),
        (Value::Null, Value::Array(after)) if path == PREFERRED => after.iter().try_for_each(is_preference),
        _ if before == after => Ok(()),
        _ => Err(format!("{path} is another")),
    }
}

fn members(before: &Map<String, Value>, after: &Map<String, Value>, path: &mut String) -> Result<(), String> {
    let lost = before.keys().find(|key| !after.contains_key(*key) && !is_mark(path, key));
    if let Some(lost) = lost {
        return Err(format!("{path}/{lost} is gone"));
    }
    for (key, value) in after {
        if is_mark(path, key) {
            continue;
        }
        let length = path.len();
        path.push('/');
        path.push_str(key);
        if !before.contains_key(key) && value.is_null() {
            return Err(format!("{path} is new, and nothing"));
        }
        adds_only_ours(before.get(key).unwrap_or(&Value::Null), value, path)?;
        path.truncate(length);
    }
    Ok(())
}

/// A term as Kubernetes validates it.
fn is_preference(term: &Value) -> Result<(), String> {
    let weighs = term["weight"].as_i64().is_some_and(|weight| (1..=100).contains(&weight));
    let says = term["preference"].as_object().is_some_and(|preference| !preference.is_empty());
    if weighs && says { Ok(()) } else { Err(format!("no preference: {term}")) }
}

fn is_mark(path: &str, key: &str) -> bool {
    MARKED.contains(&path) && key.strip_prefix(MARK_PREFIX).is_some_and(|name| MARKS.contains(&name))
}

fn leads_to_ours(path: &str) -> bool {
    MARKED
        .iter()
        .chain([&PREFERRED])
        .any(|ours| ours.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}
