//! Every object is of its Kubernetes type to the last key: decoding alone ignores keys that nobody knows.

use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{
    ConfigMap, Namespace, PersistentVolumeClaim, Secret, Service, ServiceAccount,
};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::helm::everything;

fn again<K: DeserializeOwned + Serialize>(object: &Value) -> Value {
    let typed: K =
        serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{error}\nin {object}"));
    serde_json::to_value(typed).unwrap()
}

/// The object through its type and back; `None` for kinds that other projects define.
fn through_its_type(object: &Value) -> Option<Value> {
    Some(match object["kind"].as_str().unwrap() {
        "ClusterRole" => again::<ClusterRole>(object),
        "ClusterRoleBinding" => again::<ClusterRoleBinding>(object),
        "ConfigMap" => again::<ConfigMap>(object),
        "CustomResourceDefinition" => again::<CustomResourceDefinition>(object),
        "Deployment" => again::<Deployment>(object),
        "MutatingWebhookConfiguration" => again::<MutatingWebhookConfiguration>(object),
        "Namespace" => again::<Namespace>(object),
        "NetworkPolicy" => again::<NetworkPolicy>(object),
        "PersistentVolumeClaim" => again::<PersistentVolumeClaim>(object),
        "PodDisruptionBudget" => again::<PodDisruptionBudget>(object),
        "Role" => again::<Role>(object),
        "RoleBinding" => again::<RoleBinding>(object),
        "Secret" => again::<Secret>(object),
        "Service" => again::<Service>(object),
        "ServiceAccount" => again::<ServiceAccount>(object),
        "ValidatingAdmissionPolicy" => again::<ValidatingAdmissionPolicy>(object),
        "ValidatingAdmissionPolicyBinding" => again::<ValidatingAdmissionPolicyBinding>(object),
        "ServiceMonitor" | "PrometheusRule" | "Certificate" | "Issuer" => return None,
        other => panic!("no type is known for {other}"),
    })
}

/// Keys of one that the other lacks or has another value for, by path. What is empty may be left out.
fn differences(path: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            for (key, value) in one {
                let path = format!("{path}.{key}");
                match other.get(key) {
                    Some(other) => differences(&path, value, other, found),
                    None if is_empty(value) => {}
                    None => found.push(path),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differences(&format!("{path}[{index}]"), one, other, found);
            }
        }
        (one, other) if one == other => {}
        (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => {}
        (one, other) => found.push(format!("{path}: {one} became {other}")),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.values().all(is_empty),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[test]
fn no_key_is_lost_on_the_way_through_kubernetes_types() {
    for (name, manifest) in everything() {
        for object in &manifest.0 {
            let Some(typed) = through_its_type(object) else { continue };
            let mut found = Vec::new();
            differences("", object, &typed, &mut found);
            assert!(
                found.is_empty(),
                "{name}: {} {}: {found:#?}",
                object["kind"],
                object["metadata"]["name"]
            );
        }
    }
}

#[test]
fn every_object_has_a_name_once_and_says_whose_it_is() {
    for (name, manifest) in everything() {
        let mut seen = std::collections::HashSet::new();
        for object in &manifest.0 {
            let metadata = &object["metadata"];
            let key =
                (object["kind"].to_string(), metadata["namespace"].to_string(), metadata["name"].to_string());
            assert!(metadata["name"].is_string(), "{name}: {object}");
            assert!(seen.insert(key.clone()), "{name}: {key:?} is there twice");
            assert!(metadata["labels"]["app.kubernetes.io/name"].is_string(), "{name}: {key:?} has no label");
        }
    }
}
