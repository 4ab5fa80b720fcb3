//! The chart's values: every one is tried, what makes no sense is refused, and what is documented is there.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::Value;

use crate::helm::{chart, examples, helm, run, template};

fn yaml(file: &std::path::Path) -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Paths of all values that are no maps, or empty ones; what a map of the user's own keys has inside is one value.
fn paths(prefix: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(entries) if !entries.is_empty() && prefix != "config" => {
            for (key, value) in entries {
                let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                paths(&path, value, found);
            }
        }
        _ => drop(found.insert(prefix.to_owned())),
    }
}

#[test]
fn lint_has_nothing_to_say() {
    let Some(helm) = helm() else { return };
    let chart = chart();
    let chart = chart.to_str().unwrap();
    let mut runs: Vec<Vec<String>> = vec![Vec::new()];
    runs.extend(examples().iter().map(|file| vec!["--values".to_owned(), file.to_str().unwrap().to_owned()]));
    for values in runs {
        let mut arguments = vec!["lint", "--strict", chart];
        arguments.extend(values.iter().map(String::as_str));
        let output = run(&helm, &arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{values:?}: {text}");
        assert!(!text.contains("[WARNING]") && !text.contains("[ERROR]"), "{values:?}: {text}");
    }
}

#[test]
fn every_documented_value_is_set_to_another_in_an_example() {
    let defaults = yaml(&chart().join("values.yaml"));
    let mut documented = BTreeSet::new();
    paths("", &defaults, &mut documented);
    let mut changed = BTreeSet::new();
    for file in examples() {
        let example = yaml(&file);
        for path in &documented {
            let pointer = format!("/{}", path.replace('.', "/"));
            let value = example.pointer(&pointer);
            if value.is_some_and(|value| defaults.pointer(&pointer) != Some(value)) {
                changed.insert(path.clone());
            }
        }
    }
    let missing: Vec<&String> = documented.difference(&changed).collect();
    assert!(missing.is_empty(), "in no example: {missing:?}");
}

/// Values that make no sense, by what is told.
#[rstest]
#[case::a_second_replica_without_redis(&["redis.enabled=false"], "replicas")]
#[case::a_value_nobody_knows(&["webhok.replicas=2"], "webhok")]
#[case::a_password(&["redis.auth.password=secret"], "password")]
#[case::a_token(&["electricityMaps.token=secret"], "token")]
#[case::no_replica(&["webhook.replicas=0"], "replicas")]
#[case::a_mode_nobody_knows(&["tls.mode=magic"], "mode")]
fn what_makes_no_sense_is_refused(#[case] set: &[&str], #[case] told: &str) {
    let Some(helm) = helm() else { return };
    let arguments: Vec<&str> = set.iter().flat_map(|value| ["--set", *value]).collect();
    let error = template(&helm, &arguments).err().unwrap_or_else(|| panic!("{set:?} was taken"));
    assert!(error.contains(told), "{set:?}: {error}");
}

#[test]
fn without_redis_one_process_does_everything() {
    let Some(helm) = helm() else { return };
    let manifest = template(&helm, &["--set", "redis.enabled=false,webhook.replicas=1"]).unwrap();
    assert_eq!(manifest.of("Deployment").count(), 1);
    assert_eq!(manifest.one("Deployment", "-webhook")["spec"]["replicas"], 1);
}
