//! Which pods are sent to the webhook, and how long anybody waits: to the letter what was verified on a real API server.

use serde_json::{Value, json};

use crate::helm::{everything, helm, template};

/// One webhook without where it is reached.
fn scope(webhook: &Value) -> Value {
    let mut scope = webhook.clone();
    scope.as_object_mut().unwrap().remove("clientConfig");
    scope
}

fn verified() -> Value {
    json!({
        "name": "pods.eco-pulse.io",
        "admissionReviewVersions": ["v1"],
        "failurePolicy": "Ignore",
        "timeoutSeconds": 1,
        "sideEffects": "NoneOnDryRun",
        "matchPolicy": "Equivalent",
        "reinvocationPolicy": "Never",
        "rules": [{
            "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"], "scope": "Namespaced",
        }],
        "namespaceSelector": { "matchExpressions": [
            { "key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "kube-node-lease", "eco-pulse"] },
            { "key": "eco-pulse.io/inject", "operator": "NotIn", "values": ["disabled"] },
        ] },
        "objectSelector": { "matchExpressions": [
            { "key": "eco-pulse.io/inject", "operator": "NotIn", "values": ["disabled"] },
        ] },
        "matchConditions": [
            { "name": "not-bound", "expression": "object.spec.?nodeName.orValue('') == ''" },
            { "name": "not-mirror", "expression": "!('kubernetes.io/config.mirror' in object.metadata.?annotations.orValue({}))" },
            { "name": "not-daemonset", "expression":
              "!object.metadata.?ownerReferences.orValue([]).exists(r, r.kind == 'DaemonSet' || r.kind == 'Node')" },
            { "name": "no-region-selector",
              "expression": "!('topology.kubernetes.io/region' in object.spec.?nodeSelector.orValue({}))" },
        ],
    })
}

#[test]
fn the_committed_manifest_and_the_defaults_are_as_verified() {
    for (name, manifest) in everything().iter().take(2) {
        let configuration = manifest.one("MutatingWebhookConfiguration", "eco-pulse");
        let webhooks = configuration["webhooks"].as_array().unwrap();
        assert_eq!(webhooks.len(), 1);
        assert_eq!(scope(&webhooks[0]), verified(), "{name}");
        let service = &webhooks[0]["clientConfig"]["service"];
        assert_eq!((&service["path"], &service["port"]), (&json!("/mutate"), &json!(443)));
        assert!(webhooks[0]["clientConfig"].get("caBundle").is_none(), "an upgrade would take it away");
    }
}

/// Whatever the values say: nobody waits for us.
#[test]
fn no_value_makes_anybody_wait() {
    let drifted = |configuration: &Value| {
        let typed = serde_json::from_value(configuration.clone()).unwrap();
        eco_pulse::kubernetes::webhook_configuration::drift(Some(&typed))
    };
    for (name, manifest) in everything() {
        for configuration in manifest.of("MutatingWebhookConfiguration") {
            assert!(drifted(configuration).is_empty(), "{name}: {:?}", drifted(configuration));
        }
    }
}

#[test]
fn more_conditions_narrow_and_never_replace() {
    let Some(helm) = helm() else { return };
    let more = "admission.namespaceMatchExpressions[0].key=eco-pulse,admission.namespaceMatchExpressions[0].operator=Exists,\
                admission.excludedNamespaces[0]=payments";
    let manifest = template(&helm, &["--set", more]).unwrap();
    let configuration = manifest.one("MutatingWebhookConfiguration", "eco-pulse");
    let rules = configuration["webhooks"][0]["namespaceSelector"]["matchExpressions"].as_array().unwrap();
    assert_eq!(rules.len(), 3);
    assert_eq!(rules[0]["values"], json!(["kube-system", "kube-node-lease", "eco-pulse", "payments"]));
    assert_eq!(rules[2], json!({ "key": "eco-pulse", "operator": "Exists" }));
}
