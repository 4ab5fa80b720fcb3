//! Every pod is one that a namespace of Pod Security level `restricted` lets in, is probed, and has its share of a machine.

use serde_json::{Value, json};

use crate::helm::everything;

/// Volume types of level `restricted`.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

#[test]
fn every_pod_is_restricted() {
    for (name, manifest) in everything() {
        for (owner, template) in manifest.pods() {
            let whose = format!("{name}: {owner}");
            let spec = &template["spec"];
            let security = &spec["securityContext"];
            assert_eq!(security["runAsNonRoot"], true, "{whose}");
            assert_eq!(security["seccompProfile"]["type"], "RuntimeDefault", "{whose}");
            for key in ["hostNetwork", "hostPID", "hostIPC"] {
                assert!(spec[key].is_null() || spec[key] == false, "{whose}: {key}");
            }
            for volume in spec["volumes"].as_array().into_iter().flatten() {
                let kinds = volume.as_object().unwrap().keys().filter(|key| *key != "name");
                for kind in kinds {
                    assert!(VOLUMES.contains(&kind.as_str()), "{whose}: {kind}");
                }
            }
            for container in containers(spec) {
                let security = &container["securityContext"];
                assert_eq!(security["allowPrivilegeEscalation"], false, "{whose}");
                assert_eq!(security["readOnlyRootFilesystem"], true, "{whose}");
                assert_eq!(security["capabilities"], json!({ "drop": ["ALL"] }), "{whose}");
                assert!(security["privileged"].is_null() || security["privileged"] == false, "{whose}");
            }
        }
    }
}

fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    ["containers", "initContainers"].into_iter().flat_map(|list| spec[list].as_array().into_iter().flatten())
}

#[test]
fn every_container_is_probed_and_has_its_share() {
    for (name, manifest) in everything() {
        for (owner, template) in manifest.pods() {
            for container in template["spec"]["containers"].as_array().unwrap() {
                let whose = format!("{name}: {owner}");
                for probe in ["livenessProbe", "readinessProbe"] {
                    assert!(container[probe].is_object(), "{whose}: {probe}");
                }
                let resources = &container["resources"];
                for path in ["/requests/cpu", "/requests/memory", "/limits/memory"] {
                    assert!(resources.pointer(path).is_some(), "{whose}: {path}");
                }
            }
        }
    }
}

/// Throttled, it answers too late. An example sets a limit all the same.
#[test]
fn nobody_is_throttled_by_default() {
    for (name, manifest) in everything().iter().take(2) {
        for (owner, template) in manifest.pods() {
            let limit = template["spec"]["containers"][0].pointer("/resources/limits/cpu");
            assert!(limit.is_none(), "{name}: {owner}");
        }
    }
}

/// The configuration is mounted as a folder, so that kubelet's swap reaches the process, and nothing restarts for it.
#[test]
fn a_change_of_the_configuration_reaches_the_process_and_restarts_nothing() {
    for (name, manifest) in everything() {
        for (owner, template) in manifest.pods() {
            for container in template["spec"]["containers"].as_array().unwrap() {
                for mount in container["volumeMounts"].as_array().into_iter().flatten() {
                    assert!(mount.get("subPath").is_none(), "{name}: {owner}: {mount}");
                }
            }
            // Redis reads its own at the start alone.
            if template["spec"]["containers"][0]["name"] != "eco-pulse" {
                continue;
            }
            let annotations = template["metadata"]["annotations"].as_object();
            let checksums = annotations.into_iter().flatten().filter(|(key, _)| key.contains("checksum"));
            assert_eq!(checksums.count(), 0, "{name}: {owner}");
        }
    }
}

/// Only the controller, or who does everything, may see the authority's key: the webhook mounts the pair alone.
#[test]
fn the_authoritys_key_is_mounted_nowhere() {
    for (name, manifest) in everything() {
        for (owner, template) in manifest.pods() {
            for volume in template["spec"]["volumes"].as_array().into_iter().flatten() {
                let secret = &volume["secret"];
                if secret["secretName"].as_str().is_some_and(|secret| secret.ends_with("-tls")) {
                    let items: Vec<&str> = secret["items"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|item| item["key"].as_str().unwrap())
                        .collect();
                    assert_eq!(items, ["tls.crt", "tls.key"], "{name}: {owner}");
                }
            }
        }
    }
}
