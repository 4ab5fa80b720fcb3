//! What is told, where people look, of pods that were sent elsewhere: an Event on the workload that owns them.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::core::{ObjectMeta, PartialObjectMeta, Resource as _};
use sha2::{Digest, Sha256};

use super::annotations::{
    BASELINE_REGION, DECISION, DecisionMark, PROJECTED_CO2E_AVOIDED_G, PROJECTED_SAVINGS_USD, TARGET_REGION,
};

/// An owner hears of one target once in this time, however many pods it makes and however many replicas tell.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// The decision label's value on a pod that was sent elsewhere.
const STEER: &str = "steer";
/// Who tells.
const COMPONENT: &str = "eco-pulse";
const REASON: &str = "Steered";
/// Longest name of an object.
const MAX_NAME: usize = 253;

/// The controller of a pod that was sent elsewhere lately; `None` when there is nothing to tell.
#[must_use]
pub fn owner(pod: &PartialObjectMeta<Pod>, now: Timestamp) -> Option<&OwnerReference> {
    let meta = pod.meta();
    let steered = meta.labels.as_ref()?.get(DECISION).is_some_and(|label| label == STEER);
    let mark = DecisionMark::parse(annotation(meta, DECISION)?)?;
    // What was there before we looked has been told, or is of no news any more.
    let recent = now.duration_since(mark.at) <= WINDOW && mark.at.duration_since(now) <= WINDOW;
    let owners = meta.owner_references.as_ref()?;
    owners.iter().find(|owner| owner.controller == Some(true)).filter(|_| steered && recent)
}

/// The Event about a steered pod, on the workload that owns it. Its name is the same for all pods of the owner, target
/// and time, so that writing it a second time is refused.
#[must_use]
pub fn event(pod: &PartialObjectMeta<Pod>, workload: &OwnerReference, now: Timestamp) -> Option<Event> {
    let meta = pod.meta();
    let namespace = meta.namespace.clone()?;
    let mark = DecisionMark::parse(annotation(meta, DECISION)?)?;
    let target = annotation(meta, TARGET_REGION)?;
    let window = mark.at.as_second().div_euclid(WINDOW.as_secs());
    let digest = Sha256::digest(format!("{}/{target}/{window}", workload.uid));
    let suffix: u64 = digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    let name: String = workload.name.chars().take(MAX_NAME - 17).collect();
    let time = Time(now);
    Some(Event {
        metadata: ObjectMeta {
            name: Some(format!("{name}.{suffix:016x}")),
            namespace: Some(namespace.clone()),
            ..ObjectMeta::default()
        },
        involved_object: ObjectReference {
            api_version: Some(workload.api_version.clone()),
            kind: Some(workload.kind.clone()),
            name: Some(workload.name.clone()),
            namespace: Some(namespace),
            uid: Some(workload.uid.clone()),
            ..ObjectReference::default()
        },
        reason: Some(REASON.to_owned()),
        message: Some(message(meta, target)),
        type_: Some("Normal".to_owned()),
        source: Some(EventSource { component: Some(COMPONENT.to_owned()), ..EventSource::default() }),
        reporting_component: Some(COMPONENT.to_owned()),
        count: Some(1),
        first_timestamp: Some(time.clone()),
        last_timestamp: Some(time),
        ..Event::default()
    })
}

/// What is projected, as it stands on the pod; what does not stand there is not made up.
fn message(meta: &ObjectMeta, target: &str) -> String {
    let number = |key| annotation(meta, key).and_then(|text| text.parse::<f64>().ok());
    let over = annotation(meta, BASELINE_REGION).map(|base| format!(" over {base}")).unwrap_or_default();
    let mut projected = Vec::new();
    projected.extend(number(PROJECTED_SAVINGS_USD).map(|usd| format!("{usd:+.4} USD")));
    projected.extend(
        number(PROJECTED_CO2E_AVOIDED_G).map(|grams| format!("{:+.4} kg CO2e avoided", grams / 1000.0)),
    );
    let projected = if projected.is_empty() {
        String::new()
    } else {
        format!("; projected {} a pod (modelled, attributed)", projected.join(", "))
    };
    format!("Pods prefer region {target}{over}{projected}")
}

fn annotation<'m>(meta: &'m ObjectMeta, key: &str) -> Option<&'m str> {
    meta.annotations.as_ref()?.get(key).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn pod(change: &Value) -> PartialObjectMeta<Pod> {
        let mut pod = json!({ "metadata": {
            "name": "web-1", "namespace": "team",
            "labels": { "eco-pulse.io/decision": "steer" },
            "annotations": {
                "eco-pulse.io/decision": "v1;00000000000000aa-1;6000",
                "eco-pulse.io/target-region": "eu-north-1", "eco-pulse.io/baseline-region": "eu-west-1",
                "eco-pulse.io/projected-savings-usd": "0.14", "eco-pulse.io/projected-co2e-avoided-g": "161.5",
            },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u1", "controller": true }],
        } });
        json_patch::merge(&mut pod, change);
        serde_json::from_value(pod).unwrap()
    }

    fn told(change: &Value, now: i64) -> Option<Event> {
        let pod = pod(change);
        event(&pod, owner(&pod, at(now))?, at(now))
    }

    #[test]
    fn says_where_to_and_what_for_on_the_workload() {
        let event = told(&json!({}), 6001).unwrap();
        assert_eq!(
            event.message.unwrap(),
            "Pods prefer region eu-north-1 over eu-west-1; projected +0.1400 USD, +0.1615 kg CO2e avoided a pod (modelled, \
             attributed)"
        );
        let object = event.involved_object;
        assert_eq!((object.kind.as_deref(), object.uid.as_deref()), (Some("ReplicaSet"), Some("u1")));
        assert_eq!(event.metadata.namespace.as_deref(), Some("team"));
    }

    #[test]
    fn has_one_name_for_an_owner_a_target_and_ten_minutes() {
        let name = |change: &Value, now| told(change, now).unwrap().metadata.name.unwrap();
        let decided = |at: &str| json!({ "metadata": { "annotations": { "eco-pulse.io/decision": at } } });
        let first = name(&json!({}), 6001);
        assert_eq!(first, name(&json!({ "metadata": { "name": "web-2" } }), 6100));
        assert_eq!(first, name(&decided("v1;00000000000000ab-7;6599"), 6600));
        assert_ne!(first, name(&decided("v1;00000000000000ab-7;6600"), 6600));
        let elsewhere =
            json!({ "metadata": { "annotations": { "eco-pulse.io/target-region": "eu-west-3" } } });
        assert_ne!(first, name(&elsewhere, 6001));
    }

    #[test]
    fn nothing_is_told_of_pods_that_stay_are_old_or_nobodys() {
        for change in [
            json!({ "metadata": { "labels": { "eco-pulse.io/decision": "stay" } } }),
            json!({ "metadata": { "labels": null } }),
            json!({ "metadata": { "annotations": { "eco-pulse.io/decision": "yes" } } }),
            json!({ "metadata": { "annotations": { "eco-pulse.io/target-region": null } } }),
            json!({ "metadata": { "ownerReferences": null } }),
        ] {
            assert!(told(&change, 6001).is_none(), "{change}");
        }
        assert!(told(&json!({}), 6000 + 601).is_none(), "made long before we looked");
    }

    #[test]
    fn what_is_not_on_the_pod_is_not_made_up() {
        let change = json!({ "metadata": { "annotations": {
            "eco-pulse.io/projected-savings-usd": "lots", "eco-pulse.io/projected-co2e-avoided-g": null } } });
        assert_eq!(
            told(&change, 6001).unwrap().message.unwrap(),
            "Pods prefer region eu-north-1 over eu-west-1"
        );
    }
}
