//! What a stored pod says of its run: whether it is bound, to which node and when, and whether and when it ended.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodStatus};

use super::annotations::{DECISION, DecisionMark, TARGET_REGION};
use super::nodes::NodeFacts;
use crate::domain::snapshot::CapacityType;

/// By these labels nodes say what capacity they are of, each with the value for spot.
const SPOT_LABELS: [(&str, &str); 4] = [
    ("karpenter.sh/capacity-type", "spot"),
    ("eks.amazonaws.com/capacityType", "SPOT"),
    ("cloud.google.com/gke-spot", "true"),
    ("kubernetes.azure.com/scalesetpriority", "spot"),
];

/// A pod that carries a decision and has a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// Its uid.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// The decision's label.
    pub label: String,
    /// The decision's id, as it stands on the pod.
    pub decision_id: String,
    /// The region it was asked to go to, as it stands on the pod.
    pub target: Option<String>,
    /// Its node.
    pub node: String,
    /// When it was bound, to the second; `None`: the pod does not say.
    pub bound_at: Option<Timestamp>,
    /// When the last of its containers ended, once all have for good.
    pub ended_at: Option<Timestamp>,
    /// When a condition of it last changed: of a pod that is over, and does not say when its containers ended, that is the last
    /// that is known.
    pub changed_at: Option<Timestamp>,
    /// Whether all its containers have ended for good, whether or not it says when.
    pub is_over: bool,
}

/// What a pod says; `None` when it has no node yet, or carries no decision.
#[must_use]
pub fn read(pod: &Pod) -> Option<Bound> {
    let meta = &pod.metadata;
    let annotation = |key: &str| meta.annotations.as_ref()?.get(key).map(String::as_str);
    let node = pod.spec.as_ref()?.node_name.clone().filter(|node| !node.is_empty())?;
    let status = pod.status.as_ref();
    let is_over = status
        .and_then(|status| status.phase.as_deref())
        .is_some_and(|phase| ["Succeeded", "Failed"].contains(&phase));
    Some(Bound {
        uid: meta.uid.clone()?,
        namespace: meta.namespace.clone()?,
        label: meta.labels.as_ref()?.get(DECISION)?.clone(),
        decision_id: annotation(DECISION).and_then(DecisionMark::parse)?.id.to_owned(),
        target: annotation(TARGET_REGION).map(str::to_owned),
        node,
        bound_at: status.and_then(bound_at),
        ended_at: status.filter(|_| is_over).and_then(ended_at),
        changed_at: status.and_then(changed_at),
        is_over,
    })
}

fn bound_at(status: &PodStatus) -> Option<Timestamp> {
    let conditions = status.conditions.iter().flatten();
    let scheduled = conditions
        .filter(|condition| condition.type_ == "PodScheduled" && condition.status == "True")
        .find_map(|condition| condition.last_transition_time.as_ref());
    scheduled.or(status.start_time.as_ref()).map(|time| time.0)
}

fn changed_at(status: &PodStatus) -> Option<Timestamp> {
    let conditions = status.conditions.iter().flatten();
    conditions.filter_map(|condition| condition.last_transition_time.as_ref()).map(|time| time.0).max()
}

fn ended_at(status: &PodStatus) -> Option<Timestamp> {
    let ended = |container: &ContainerStatus| {
        container.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref().map(|time| time.0)
    };
    // One that does not say leaves the end of all unknown.
    let main: Vec<Timestamp> =
        status.container_statuses.iter().flatten().map(ended).collect::<Option<_>>()?;
    let before = status.init_container_statuses.iter().flatten().filter_map(ended);
    main.iter().max().copied().map(|last| before.fold(last, Ord::max))
}

/// What capacity a node says it is of; `None` where it does not say.
#[must_use]
pub fn capacity_type(node: &NodeFacts) -> Option<CapacityType> {
    SPOT_LABELS.iter().find_map(|(label, spot)| {
        let value = node.labels.get(label)?;
        Some(if **value == **spot { CapacityType::Spot } else { CapacityType::OnDemand })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(change: &Value) -> Pod {
        let mut pod = json!({
            "metadata": {
                "name": "web-1", "namespace": "team", "uid": "u1",
                "labels": { "eco-pulse.io/decision": "steer" },
                "annotations": {
                    "eco-pulse.io/decision": "v1;00000000000000aa-1;6000",
                    "eco-pulse.io/target-region": "eu-north-1",
                },
            },
            "spec": { "nodeName": "n1", "containers": [] },
            "status": { "phase": "Running", "startTime": "2026-06-01T00:00:05Z", "conditions": [
                { "type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-06-01T00:00:00Z" },
                { "type": "Ready", "status": "True", "lastTransitionTime": "2026-06-01T00:00:09Z" },
            ] },
        });
        json_patch::merge(&mut pod, change);
        serde_json::from_value(pod).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_bound_pod_tells_its_node_its_decision_and_when_it_was_bound() {
        let bound = read(&pod(&json!({}))).unwrap();
        assert_eq!((bound.node.as_str(), bound.target.as_deref()), ("n1", Some("eu-north-1")));
        assert_eq!((bound.decision_id.as_str(), bound.label.as_str()), ("00000000000000aa-1", "steer"));
        assert_eq!((bound.bound_at, bound.is_over), (Some(at("2026-06-01T00:00:00Z")), false));
        let without = read(&pod(&json!({ "status": { "conditions": null } }))).unwrap();
        assert_eq!(without.bound_at, Some(at("2026-06-01T00:00:05Z")));
    }

    #[test]
    fn pods_without_node_or_decision_are_none_of_ours() {
        for change in [
            json!({ "spec": { "nodeName": null } }),
            json!({ "spec": { "nodeName": "" } }),
            json!({ "metadata": { "labels": null } }),
            json!({ "metadata": { "annotations": { "eco-pulse.io/decision": "yes" } } }),
            json!({ "metadata": { "uid": null } }),
        ] {
            assert_eq!(read(&pod(&change)), None, "{change}");
        }
    }

    #[test]
    fn a_pod_is_over_when_its_last_container_is() {
        let ended = |name: &str, at: &str| {
            json!({ "name": name, "image": "i", "imageID": "", "ready": false, "restartCount": 0,
            "state": { "terminated": { "exitCode": 0, "finishedAt": at } } })
        };
        let status = |phase: &str| {
            json!({ "status": { "phase": phase, "containerStatuses": [
            ended("a", "2026-06-01T03:00:00Z"), ended("b", "2026-06-01T02:00:00Z") ] } })
        };
        let over = read(&pod(&status("Succeeded"))).unwrap();
        assert_eq!((over.is_over, over.ended_at), (true, Some(at("2026-06-01T03:00:00Z"))));
        // A container that ended may be started again.
        let running = read(&pod(&status("Running"))).unwrap();
        assert_eq!((running.is_over, running.ended_at), (false, None));
        let silent = read(&pod(&json!({ "status": { "phase": "Failed" } }))).unwrap();
        assert_eq!((silent.is_over, silent.ended_at), (true, None));
    }

    #[test]
    fn capacity_is_what_the_nodes_label_says() {
        let node = |label, value| NodeFacts::new("n").with_label(label, value);
        assert_eq!(capacity_type(&node("karpenter.sh/capacity-type", "spot")), Some(CapacityType::Spot));
        assert_eq!(
            capacity_type(&node("eks.amazonaws.com/capacityType", "ON_DEMAND")),
            Some(CapacityType::OnDemand)
        );
        assert_eq!(capacity_type(&node("cloud.google.com/gke-spot", "true")), Some(CapacityType::Spot));
        assert_eq!(
            capacity_type(&node("kubernetes.azure.com/scalesetpriority", "spot")),
            Some(CapacityType::Spot)
        );
        assert_eq!(capacity_type(&NodeFacts::new("n")), None);
    }
}
