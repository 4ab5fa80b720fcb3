//! What a webhook configuration has to say for Eco-Pulse to stay out of the way, and what of it somebody has changed.

use k8s_openapi::api::admissionregistration::v1::{MutatingWebhook, MutatingWebhookConfiguration};

/// Pods of this namespace must never be sent here: what keeps the cluster running would wait for us.
const KUBE_SYSTEM: &str = "kube-system";
const NAME_LABEL: &str = "kubernetes.io/metadata.name";
/// Nobody waits longer.
const MOST_SECONDS: i32 = 1;

/// Something that is not as it was shipped and that could put Eco-Pulse in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Drift {
    /// There is no such configuration: nobody asks us.
    Missing,
    /// A call that fails fails the pod.
    FailurePolicy,
    /// A webhook that hangs holds pods up for longer.
    Timeout,
    /// Dry runs are refused, or are said to have effects.
    SideEffects,
    /// Pods in older or newer versions of the API pass by.
    MatchPolicy,
    /// Pods of `kube-system` are sent here.
    NamespaceSelector,
}

impl Drift {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Missing,
        Self::FailurePolicy,
        Self::Timeout,
        Self::SideEffects,
        Self::MatchPolicy,
        Self::NamespaceSelector,
    ];

    /// The field as it stands in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::FailurePolicy => "failure_policy",
            Self::Timeout => "timeout_seconds",
            Self::SideEffects => "side_effects",
            Self::MatchPolicy => "match_policy",
            Self::NamespaceSelector => "namespace_selector",
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn cure(self) -> &'static str {
        match self {
            Self::Missing => "install the webhook configuration again: until then no pod is decided about",
            Self::FailurePolicy => "set failurePolicy: Ignore, or pods are refused while Eco-Pulse is away",
            Self::Timeout => "set timeoutSeconds: 1, or pods wait longer for a webhook that hangs",
            Self::SideEffects => "set sideEffects: NoneOnDryRun",
            Self::MatchPolicy => "set matchPolicy: Equivalent",
            Self::NamespaceSelector => {
                "exclude kube-system by the label kubernetes.io/metadata.name, or the cluster's own pods wait for Eco-Pulse"
            }
        }
    }
}

/// What has changed, each kind once.
#[must_use]
pub fn drift(configuration: Option<&MutatingWebhookConfiguration>) -> Vec<Drift> {
    let webhooks =
        configuration.and_then(|configuration| configuration.webhooks.as_deref()).unwrap_or_default();
    if webhooks.is_empty() {
        return vec![Drift::Missing];
    }
    let of = |is_so: fn(&MutatingWebhook) -> bool| webhooks.iter().any(is_so);
    let found = [
        (Drift::FailurePolicy, of(|webhook| webhook.failure_policy.as_deref() != Some("Ignore"))),
        (Drift::Timeout, of(|webhook| webhook.timeout_seconds.is_none_or(|seconds| seconds > MOST_SECONDS))),
        (Drift::SideEffects, of(|webhook| !matches!(webhook.side_effects.as_str(), "NoneOnDryRun" | "None"))),
        (
            Drift::MatchPolicy,
            of(|webhook| webhook.match_policy.as_deref().is_some_and(|policy| policy != "Equivalent")),
        ),
        (Drift::NamespaceSelector, of(|webhook| !leaves_out_kube_system(webhook))),
    ];
    found.into_iter().filter(|(_, is_so)| *is_so).map(|(drift, _)| drift).collect()
}

/// Whether the selector keeps `kube-system` out, by one of the ways there are.
fn leaves_out_kube_system(webhook: &MutatingWebhook) -> bool {
    let Some(selector) = &webhook.namespace_selector else { return false };
    let other_name = selector
        .match_labels
        .as_ref()
        .and_then(|labels| labels.get(NAME_LABEL))
        .is_some_and(|name| name != KUBE_SYSTEM);
    let by_rule = selector.match_expressions.iter().flatten().any(|rule| {
        let listed = rule.values.iter().flatten().any(|value| value == KUBE_SYSTEM);
        rule.key == NAME_LABEL
            && match rule.operator.as_str() {
                "NotIn" => listed,
                "In" => !listed,
                _ => false,
            }
    });
    other_name || by_rule
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn found(change: &Value) -> Vec<Drift> {
        let mut configuration = json!({ "webhooks": [{
            "name": "pods.eco-pulse.io", "admissionReviewVersions": ["v1"], "clientConfig": {},
            "failurePolicy": "Ignore", "timeoutSeconds": 1, "sideEffects": "NoneOnDryRun", "matchPolicy": "Equivalent",
            "namespaceSelector": { "matchExpressions": [
                { "key": NAME_LABEL, "operator": "NotIn", "values": ["kube-system", "eco-pulse"] }] },
        }] });
        json_patch::merge(&mut configuration["webhooks"][0], change);
        drift(Some(&serde_json::from_value(configuration).unwrap()))
    }

    #[rstest]
    #[case::as_shipped(json!({}), &[])]
    #[case::a_pod_waits(json!({ "failurePolicy": "Fail" }), &[Drift::FailurePolicy])]
    #[case::by_default_it_fails(json!({ "failurePolicy": null }), &[Drift::FailurePolicy])]
    #[case::longer(json!({ "timeoutSeconds": 5 }), &[Drift::Timeout])]
    #[case::by_default_ten(json!({ "timeoutSeconds": null }), &[Drift::Timeout])]
    #[case::effects(json!({ "sideEffects": "Some" }), &[Drift::SideEffects])]
    #[case::exact(json!({ "matchPolicy": "Exact" }), &[Drift::MatchPolicy])]
    #[case::everywhere(json!({ "namespaceSelector": null }), &[Drift::NamespaceSelector])]
    #[case::widened(json!({ "namespaceSelector": { "matchExpressions": [
        { "key": NAME_LABEL, "operator": "NotIn", "values": ["eco-pulse"] }] } }), &[Drift::NamespaceSelector])]
    #[case::in_one_namespace(json!({ "namespaceSelector": { "matchExpressions": [
        { "key": NAME_LABEL, "operator": "In", "values": ["trial"] }] } }), &[])]
    #[case::several(json!({ "failurePolicy": "Fail", "timeoutSeconds": 30 }), &[Drift::FailurePolicy, Drift::Timeout])]
    fn what_somebody_changed_is_named(#[case] change: Value, #[case] expected: &[Drift]) {
        assert_eq!(found(&change), expected);
    }

    #[test]
    fn a_configuration_that_is_gone_or_empty_is_missing() {
        assert_eq!(drift(None), [Drift::Missing]);
        assert_eq!(drift(Some(&MutatingWebhookConfiguration::default())), [Drift::Missing]);
    }
}
