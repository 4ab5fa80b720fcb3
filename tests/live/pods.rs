//! The pods that are asked about, and how their answers and records are read.

use serde_json::{Value, json};

const JOB: &[u8] = include_bytes!("../data/kubernetes-1.36/ai-training.admission.json");

/// The recorded Job's pod, asking for two cores and no GPU, with these `eco-pulse.io/` annotations alone.
pub fn job(annotations: &[(&str, &str)]) -> Value {
    let mut review: Value = serde_json::from_slice(JOB).unwrap();
    let pod = &mut review["request"]["object"];
    pod["metadata"]["annotations"] = annotations
        .iter()
        .map(|(name, value)| (format!("eco-pulse.io/{name}"), json!(value)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    pod["spec"]["containers"][0]["resources"] = json!({ "requests": { "cpu": "2", "memory": "4Gi" } });
    review
}

/// A region's entry in `/snapshot` or in a record.
pub fn region<'v>(view: &'v Value, name: &str) -> &'v Value {
    let regions = view["regions"].as_array().unwrap();
    regions.iter().find(|region| region["name"] == name).unwrap_or_else(|| panic!("no {name} in {view}"))
}

/// The pod was admitted, without a patch, for this reason.
pub fn assert_bypassed(answer: &Value, reason: &str) {
    let response = &answer["response"];
    assert_eq!(response["allowed"], true, "{answer}");
    assert_eq!(response["patch"], Value::Null, "{answer}");
    let said = &response["auditAnnotations"];
    assert_eq!((&said["outcome"], &said["reason"]), (&json!("bypass"), &json!(reason)), "{answer}");
}

/// The pod was admitted with a patch that makes it prefer a region.
pub fn assert_placed(answer: &Value, target: &str) {
    let response = &answer["response"];
    assert_eq!(response["allowed"], true, "{answer}");
    assert!(response["patch"].is_string(), "{answer}");
    assert_eq!(response["auditAnnotations"]["target-region"], target, "{answer}");
}
