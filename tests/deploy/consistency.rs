//! Names lead to what is there; the configuration is one that the program reads; flags and variables are those it knows.

use std::collections::BTreeSet;

use eco_pulse::catalogue::Catalogue;
use eco_pulse::config::Config;
use serde_json::Value;

use crate::helm::everything;
use crate::manifest::Manifest;

/// Variables that the program reads, beside those of its flags.
const VARIABLES: [&str; 8] = [
    "POD_NAME",
    "POD_NAMESPACE",
    "ECO_PULSE_SERVICE",
    "ECO_PULSE_TLS_SECRET",
    "ECO_PULSE_WEBHOOK_CONFIGURATION",
    "ECO_PULSE_CANARY_NAMESPACE",
    "RUST_LOG",
    "SSL_CERT_FILE",
];
const FLAGS: [&str; 6] = ["--config", "--role", "--kube", "--webhook-addr", "--admin-addr", "--cert-dir"];

fn ours(manifest: &Manifest) -> Vec<(String, &Value)> {
    let of_us = |template: &Value| template["spec"]["containers"][0]["name"] == "eco-pulse";
    manifest.pods().into_iter().filter(|(_, template)| of_us(template)).collect()
}

#[test]
fn the_program_reads_every_configuration() {
    let catalogue = Catalogue::built_in().unwrap();
    for (name, manifest) in everything() {
        let text =
            manifest.one("ConfigMap", "-config")["data"]["eco-pulse.yaml"].as_str().unwrap().to_owned();
        let config =
            Config::parse(&text, &catalogue).unwrap_or_else(|errors| panic!("{name}: {errors}\n{text}"));
        // Processes with a part each need what they share.
        let parts =
            ours(&manifest).iter().any(|(_, template)| arguments(template).contains("--role=webhook"));
        assert_eq!(config.store.redis.is_some(), parts, "{name}");
    }
}

fn arguments(template: &Value) -> BTreeSet<&str> {
    let container = &template["spec"]["containers"][0];
    container["args"].as_array().unwrap().iter().map(|argument| argument.as_str().unwrap()).collect()
}

#[test]
fn flags_and_variables_are_those_the_program_knows() {
    for (name, manifest) in everything() {
        assert!(!ours(&manifest).is_empty(), "{name}");
        for (owner, template) in ours(&manifest) {
            for argument in arguments(template).into_iter().filter(|argument| *argument != "serve") {
                let flag = argument.split('=').next().unwrap();
                assert!(FLAGS.contains(&flag), "{name}: {owner}: {argument}");
            }
        }
    }
    // Examples add variables of their own.
    for (name, manifest) in everything().iter().take(2) {
        for (owner, template) in ours(manifest) {
            let environment = template["spec"]["containers"][0]["env"].as_array().unwrap();
            for variable in environment {
                let variable = variable["name"].as_str().unwrap();
                assert!(VARIABLES.contains(&variable), "{name}: {owner}: {variable}");
            }
        }
    }
}

#[test]
fn services_and_budgets_select_pods_that_are_there_by_ports_that_are_there() {
    for (name, manifest) in everything() {
        let pods = manifest.pods();
        let selected = |selector: &Value| -> Vec<&Value> {
            let selects = |template: &&Value| {
                let labels = &template["metadata"]["labels"];
                selector.as_object().unwrap().iter().all(|(key, value)| labels[key] == *value)
            };
            pods.iter().map(|(_, template)| *template).filter(selects).collect()
        };
        for service in manifest.of("Service") {
            let chosen = selected(&service["spec"]["selector"]);
            assert!(!chosen.is_empty(), "{name}: {}", service["metadata"]["name"]);
            for port in service["spec"]["ports"].as_array().unwrap() {
                let target = &port["targetPort"];
                let named = |template: &&Value| {
                    let ports = template["spec"]["containers"][0]["ports"].as_array().unwrap();
                    ports.iter().any(|port| port["name"] == *target || port["containerPort"] == *target)
                };
                assert!(chosen.iter().all(named), "{name}: {service}");
            }
        }
        for budget in manifest.of("PodDisruptionBudget") {
            assert_eq!(selected(&budget["spec"]["selector"]["matchLabels"]).len(), 1, "{name}");
        }
        for configuration in manifest.of("MutatingWebhookConfiguration") {
            let wanted = &configuration["webhooks"][0]["clientConfig"]["service"];
            let there = manifest.of("Service").any(|service| {
                service["metadata"]["name"] == wanted["name"]
                    && service["metadata"]["namespace"] == wanted["namespace"]
            });
            assert!(there, "{name}: {wanted}");
        }
    }
}

/// Names that the program is told are those of what is installed.
#[test]
fn what_the_program_is_told_is_called_so() {
    for (name, manifest) in everything() {
        for (owner, template) in ours(&manifest) {
            let environment = template["spec"]["containers"][0]["env"].as_array().unwrap();
            let told = |variable: &str| {
                environment
                    .iter()
                    .find(|entry| entry["name"] == variable)
                    .map(|entry| entry["value"].as_str().unwrap())
            };
            for (variable, kind) in [
                ("ECO_PULSE_SERVICE", "Service"),
                ("ECO_PULSE_WEBHOOK_CONFIGURATION", "MutatingWebhookConfiguration"),
                ("ECO_PULSE_CANARY_NAMESPACE", "Namespace"),
            ] {
                if let Some(called) = told(variable) {
                    let there = manifest.of(kind).any(|object| object["metadata"]["name"] == called);
                    assert!(there, "{name}: {owner}: {variable} is {called}");
                }
            }
        }
    }
}

/// Secrets are named, never written: neither into the configuration nor into a committed manifest.
#[test]
fn nothing_secret_is_written_anywhere() {
    let everything = everything();
    let (_, committed) = &everything[0];
    assert_eq!(committed.of("Secret").count(), 0);
    for (name, manifest) in &everything {
        for map in manifest.of("ConfigMap") {
            for (key, text) in map["data"].as_object().unwrap() {
                let text = text.as_str().unwrap();
                for word in ["password:", "token:", "apiKey:", "PRIVATE KEY"] {
                    assert!(!text.contains(word), "{name}: {key} has {word}");
                }
            }
        }
    }
}
