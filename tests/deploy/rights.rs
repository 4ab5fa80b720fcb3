//! What the two processes may do: this list, and nothing else. No pods and no Secrets for the webhook.

use serde_json::{Value, json};

use crate::helm::everything;
use crate::manifest::Manifest;

fn rules<'m>(manifest: &'m Manifest, kind: &str, ending: &str) -> &'m Value {
    &manifest.one(kind, ending)["rules"]
}

#[test]
fn the_rights_are_as_few_as_they_can_be() {
    for (name, manifest) in everything().iter().take(2) {
        assert_eq!(
            rules(manifest, "ClusterRole", "-webhook"),
            &json!([
                { "apiGroups": [""], "resources": ["namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes"],
                  "verbs": ["list", "watch"] },
                { "apiGroups": ["eco-pulse.io"], "resources": ["clusterplacementpolicies", "placementpolicies"],
                  "verbs": ["list", "watch"] },
            ]),
            "{name}"
        );
        assert_eq!(
            rules(manifest, "ClusterRole", "-controller"),
            &json!([
                { "apiGroups": [""], "resources": ["namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes"],
                  "verbs": ["list", "watch"] },
                { "apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"] },
                { "apiGroups": [""], "resources": ["events"], "verbs": ["create"] },
                { "apiGroups": ["apps"], "resources": ["replicasets"], "verbs": ["get"] },
                { "apiGroups": ["eco-pulse.io"], "resources": ["clusterplacementpolicies", "placementpolicies"],
                  "verbs": ["list", "watch"] },
                { "apiGroups": ["eco-pulse.io"],
                  "resources": ["clusterplacementpolicies/status", "placementpolicies/status"], "verbs": ["patch"] },
                { "apiGroups": ["admissionregistration.k8s.io"], "resources": ["mutatingwebhookconfigurations"],
                  "resourceNames": ["eco-pulse"], "verbs": ["get", "patch"] },
            ]),
            "{name}"
        );
        assert_eq!(
            rules(manifest, "Role", "-controller"),
            &json!([
                { "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["eco-pulse-tls"], "verbs": ["get", "update"] },
                { "apiGroups": [""], "resources": ["secrets"], "verbs": ["create"] },
            ]),
            "{name}"
        );
        assert_eq!(
            rules(manifest, "Role", "-canary"),
            &json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": ["create"] }]),
            "{name}"
        );
    }
}

/// Who is bound to what: each binding names a role that is there and an account that is there.
#[test]
fn every_binding_leads_from_an_account_to_a_role() {
    for (name, manifest) in everything() {
        for binding in manifest.of("ClusterRoleBinding").chain(manifest.of("RoleBinding")) {
            let role = &binding["roleRef"];
            let roles: Vec<&Value> = manifest.of(role["kind"].as_str().unwrap()).collect();
            assert!(roles.iter().any(|found| found["metadata"]["name"] == role["name"]), "{name}: {binding}");
            for subject in binding["subjects"].as_array().unwrap() {
                let there = manifest.of("ServiceAccount").any(|account| {
                    account["metadata"]["name"] == subject["name"]
                        && account["metadata"]["namespace"] == subject["namespace"]
                });
                assert!(there, "{name}: {subject}");
            }
        }
    }
}

/// Of the bundled store's user, as the document has them.
#[test]
fn the_stores_user_has_the_rights_that_are_documented() {
    let words = |text: &str| -> Vec<String> {
        let words = text.split_whitespace().map(|word| word.trim_matches('\''));
        words.filter(|word| word.starts_with(['~', '&', '+', '-'])).map(str::to_owned).collect()
    };
    let between = |text: &str, from: &str, to: &str| {
        let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from}"));
        rest.split_once(to).unwrap().0.to_owned()
    };
    let read =
        |file: &str| std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let documented =
        words(&between(&read("docs/configuration.md"), "ACL SETUSER eco-pulse on >PASSWORD", "\n\n"));
    let given = words(&between(&read("deploy/chart/eco-pulse/files/valkey-start.sh"), "rights='", "'\n"));
    // The probes of the container ask by this.
    let given: Vec<String> = given.into_iter().filter(|word| word != "+ping").collect();
    assert!(documented.len() > 30);
    assert_eq!(given, documented);
}
