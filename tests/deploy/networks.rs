//! Who may reach what, where the network holds to it: the webhook's port is open because nobody knows the control plane's addresses
//! in advance, and nothing else is.

use serde_json::{Value, json};

use crate::helm::{everything, helm, template};
use crate::manifest::Manifest;

/// The rules of a policy that open a port.
fn opening<'m>(policy: &'m Value, port: &str) -> Vec<&'m Value> {
    let rules = policy["spec"]["ingress"].as_array().unwrap();
    let opens = |rule: &&Value| match rule["ports"].as_array() {
        Some(ports) => ports.iter().any(|open| open["port"] == port),
        // All of them.
        None => true,
    };
    rules.iter().filter(opens).collect()
}

fn is_confined(rule: &Value) -> bool {
    rule["from"].as_array().is_some_and(|peers| {
        !peers.is_empty() && peers.iter().all(|peer| peer.as_object().is_some_and(|peer| !peer.is_empty()))
    })
}

fn policies(manifest: &Manifest) -> Vec<(&str, &Value)> {
    let policies = manifest.of("NetworkPolicy");
    policies.map(|policy| (policy["metadata"]["name"].as_str().unwrap(), policy)).collect()
}

#[test]
fn only_the_webhooks_port_is_open_to_all() {
    for (name, manifest) in everything() {
        for (policy, content) in policies(&manifest) {
            assert!(content["spec"]["policyTypes"].as_array().unwrap().contains(&json!("Ingress")));
            let rules = content["spec"]["ingress"].as_array().unwrap();
            for open in rules.iter().filter(|rule| !is_confined(rule)) {
                let https = json!([{ "port": "https", "protocol": "TCP" }]);
                assert!(policy.ends_with("-webhook") && open["ports"] == https, "{name}: {policy}, {open}");
            }
            let opens_webhook = !opening(content, "https").is_empty();
            assert_eq!(opens_webhook, policy.ends_with("-webhook"), "{name}: {policy}");
        }
    }
}

#[test]
fn redis_is_reached_by_eco_pulse_alone() {
    let mut looked_at = 0;
    for (name, manifest) in everything() {
        for (_, policy) in policies(&manifest).iter().filter(|(policy, _)| policy.ends_with("-redis")) {
            let peers = &opening(policy, "redis")[0]["from"];
            let labels = &peers[0]["podSelector"]["matchLabels"];
            assert_eq!(
                (peers.as_array().unwrap().len(), peers[0].as_object().unwrap().len()),
                (1, 1),
                "{name}"
            );
            assert_eq!(labels["app.kubernetes.io/instance"], "eco-pulse", "{name}: {labels}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 0);
}

#[test]
fn the_webhooks_port_can_be_kept_for_the_control_plane() {
    let Some(helm) = helm() else { return };
    let manifest =
        template(&helm, &["--set", "networkPolicy.webhookCidrs={10.0.0.1/32,10.0.0.2/32}"]).unwrap();
    let policy = manifest.one("NetworkPolicy", "-webhook");
    let rules = opening(policy, "https");
    let peers = json!([{ "ipBlock": { "cidr": "10.0.0.1/32" } }, { "ipBlock": { "cidr": "10.0.0.2/32" } }]);
    assert_eq!((rules.len(), &rules[0]["from"]), (1, &peers));
}
