//! From a manifest to pods: a Pod as it is, or the pod that a workload's controller would make of its template.

use serde_json::{Value, json};

use crate::kubernetes::decode::{PodError, decode_pod};
use crate::kubernetes::pod::Pod;

/// A pod, or what a controller would create.
#[derive(Debug)]
pub(super) struct Workload {
    json: String,
    is_template: bool,
}

/// A manifest without a pod in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum ManifestError {
    #[error("not YAML or JSON: {0}")]
    Syntax(String),
    #[error("there is no object in it; give a Pod, or a Deployment, Job or other workload")]
    Empty,
    #[error("kind {0} has no pod template; give a Pod, or a Deployment, Job or other workload")]
    NoTemplate(String),
    #[error("its {path} is {found}, not a map; write keys and values below it")]
    NotAMap { path: &'static str, found: &'static str },
    #[error("its pod cannot be decoded: {0}; write the field as `kubectl explain pod` describes it")]
    NotAPod(#[from] PodError),
}

impl Workload {
    /// Its pod, completed as the API server would complete it.
    pub(super) fn pod(&self) -> Result<Pod<'_>, ManifestError> {
        let mut pod = decode_pod(&self.json)?;
        if self.is_template {
            pod.fill_in_defaults();
        }
        Ok(pod)
    }
}

/// Every pod of a manifest, in order; several documents and lists are gone through.
pub(super) fn workloads(text: &str) -> Result<Vec<Workload>, ManifestError> {
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(text).map_err(|error| ManifestError::Syntax(error.to_string()))?;
    let mut workloads = Vec::new();
    for document in documents.into_iter().filter(|document| !document.is_null()) {
        collect(document, &mut workloads)?;
    }
    if workloads.is_empty() { Err(ManifestError::Empty) } else { Ok(workloads) }
}

fn collect(mut object: Value, workloads: &mut Vec<Workload>) -> Result<(), ManifestError> {
    // Only reading by index is safe on any value; writing to what is not a map panics, so maps are made sure of first.
    must_be_map(&object, "content")?;
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    if kind.ends_with("List")
        && let Some(Value::Array(items)) = object.get_mut("items").map(Value::take)
    {
        return items.into_iter().try_for_each(|item| collect(item, workloads));
    }
    if kind == "Pod" {
        // What was not through the API server yet is completed; on a pod that was, this changes nothing.
        workloads.push(Workload { json: object.to_string(), is_template: true });
        return Ok(());
    }
    let (kind, object) = match kind.as_str() {
        // A CronJob makes Jobs, which make pods.
        "CronJob" => {
            let job = object["spec"]["jobTemplate"].clone();
            must_be_map(&job, "spec.jobTemplate")?;
            ("Job".to_owned(), inherit(&object, job))
        }
        _ => (kind, object),
    };
    let template = object["spec"]["template"].clone();
    if template.is_null() {
        return Err(ManifestError::NoTemplate(if kind.is_empty() { "(none)".to_owned() } else { kind }));
    }
    must_be_map(&template, "spec.template")?;
    must_be_map(&template["spec"], "spec.template.spec")?;
    let mut pod = inherit(&object, template);
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let uid = object["metadata"]["uid"].as_str().unwrap_or(&name).to_owned();
    pod["metadata"]["ownerReferences"] =
        json!([{ "kind": kind, "name": name, "uid": uid, "controller": true }]);
    pod["metadata"]["generateName"] = json!(format!("{name}-"));
    mount_claims(&object, &mut pod);
    workloads.push(Workload { json: pod.to_string(), is_template: true });
    Ok(())
}

fn must_be_map(value: &Value, path: &'static str) -> Result<(), ManifestError> {
    let found = match value {
        Value::Object(_) => return Ok(()),
        Value::Null => "missing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
    };
    Err(ManifestError::NotAMap { path, found })
}

/// A template takes its maker's namespace and, where it has none, name.
fn inherit(maker: &Value, mut template: Value) -> Value {
    if !template["metadata"].is_object() {
        template["metadata"] = json!({});
    }
    for key in ["namespace", "name"] {
        if template["metadata"][key].is_null() && !maker["metadata"][key].is_null() {
            template["metadata"][key] = maker["metadata"][key].clone();
        }
    }
    template
}

/// A StatefulSet gives each pod a volume for each of its claim templates.
fn mount_claims(owner: &Value, pod: &mut Value) {
    let claims = owner["spec"]["volumeClaimTemplates"].as_array().map(Vec::as_slice).unwrap_or_default();
    if claims.is_empty() {
        return;
    }
    if !pod["spec"]["volumes"].is_array() {
        pod["spec"]["volumes"] = json!([]);
    }
    if let Some(volumes) = pod["spec"]["volumes"].as_array_mut() {
        for claim in claims {
            let name = claim["metadata"]["name"].as_str().unwrap_or_default();
            volumes.push(json!({ "name": name, "persistentVolumeClaim": { "claimName": name } }));
        }
    }
}
