//! `eco-pulse explain`: every kind of manifest, and what is no manifest.

use std::fs;

use rstest::rstest;
use serde_json::Value;

use crate::command::{Ended, path, run, run_with_input};
use crate::server::CONFIG;

/// Requests that its limits stand in for, as the API server fills them in.
const POD_SPEC: &str = "
containers:
- {name: a, image: a, resources: {limits: {cpu: '2', memory: 4Gi}, requests: {cpu: 500m}}}
- {name: b, image: b, resources: {limits: {cpu: 250m, memory: 512Mi}}}
";

fn manifest(kind: &str, spec: &str) -> String {
    format!(
        "apiVersion: v1\nkind: {kind}\nmetadata: {{name: web, namespace: shop}}\nspec:\n{}",
        indent(spec, 1)
    )
}

fn indent(text: &str, levels: usize) -> String {
    let margin = "  ".repeat(levels);
    let lines: Vec<String> = text.trim().lines().map(|line| margin.clone() + line + "\n").collect();
    lines.concat()
}

fn workload(kind: &str, more: &str) -> String {
    manifest(kind, &format!("{more}\ntemplate:\n  spec:\n{}", indent(POD_SPEC, 2)))
}

/// Explains with the test's configuration, in JSON.
fn explain(manifest: impl AsRef<[u8]>) -> Ended {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("eco-pulse.yaml");
    fs::write(&config, CONFIG).unwrap();
    run_with_input(&["explain", "-f", "-", "--output", "json", "--config", path(&config)], manifest.as_ref())
}

/// The records of a run that succeeded.
fn records(manifest: impl AsRef<[u8]>) -> Vec<Value> {
    let ended = explain(manifest);
    ended.assert_ok();
    serde_json::Deserializer::from_str(&ended.stdout).into_iter().collect::<Result<_, _>>().unwrap()
}

fn record(manifest: impl AsRef<[u8]>) -> Value {
    let mut records = records(manifest);
    assert_eq!(records.len(), 1);
    records.remove(0)
}

#[test]
fn a_pod_gives_a_whole_record_and_is_a_rehearsal() {
    let mut record = record(manifest("Pod", POD_SPEC));
    assert_eq!((&record["namespace"], &record["pod"]), (&"shop".into(), &"web".into()));
    assert_eq!(record["dry_run"], true);
    assert_eq!(record["replica"], "explain");
    // It is of no chain; in all else it is what the server writes.
    record["replica"] = "replica-1".into();
    record["dry_run"] = false.into();
    record["prev"] = Value::Null;
    record["hash"] = Value::Null;
    crate::records::assert_whole(&record);
}

#[rstest]
#[case::pod(manifest("Pod", POD_SPEC), Value::Null, "serving")]
#[case::deployment(workload("Deployment", "replicas: 3"), "Deployment".into(), "serving")]
#[case::stateful_set(workload("StatefulSet", "replicas: 3"), "StatefulSet".into(), "serving")]
#[case::job(workload("Job", "backoffLimit: 3"), "Job".into(), "batch")]
#[case::cron_job(
    manifest("CronJob", &format!("schedule: '@daily'\njobTemplate:\n  spec:\n    template:\n      spec:\n{}", indent(POD_SPEC, 4))),
    "Job".into(),
    "batch"
)]
fn limits_stand_in_for_requests_in_every_kind_of_workload(
    #[case] manifest: String,
    #[case] owner: Value,
    #[case] class: &str,
) {
    let record = record(manifest);
    // 500m + 250m, 4Gi + 512Mi.
    assert_eq!(record["demand"]["cpu_cores"], 0.75, "{record}");
    assert_eq!(record["demand"]["memory_gib"], 4.5, "{record}");
    assert_eq!(record["demand"]["class"], class);
    assert_eq!(record["namespace"], "shop");
    assert_eq!(record["owner"]["kind"], owner);
    if !owner.is_null() {
        assert_eq!((&record["owner"]["name"], &record["pod"]), (&"web".into(), &"web".into()));
    }
    assert_eq!(record["regions"].as_array().unwrap().len(), 3);
}

#[test]
fn a_stateful_set_with_claims_is_held_by_its_volumes() {
    let claims = "volumeClaimTemplates: [{metadata: {name: data}}]";
    let record = record(workload("StatefulSet", claims));
    assert_eq!((&record["outcome"], &record["reason"]), (&"bypass".into(), &"volume_pinned".into()));
}

#[test]
fn a_daemon_set_is_left_alone() {
    let record = record(workload("DaemonSet", ""));
    assert_eq!((&record["outcome"], &record["reason"]), (&"bypass".into(), &"daemonset".into()));
}

#[test]
fn lists_and_several_documents_are_gone_through_in_order() {
    let named = |name: &str| {
        format!(
            "{{kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{{resources: {{requests: {{cpu: 1}}}}}}]}}}}"
        )
    };
    let text = format!(
        "---\n{}\n---\n# nothing here\n---\nkind: List\nitems: [{}, {}]\n---\n{}\n",
        named("a"),
        named("b"),
        named("c"),
        named("d")
    );
    let names: Vec<Value> = records(text).into_iter().map(|record| record["pod"].clone()).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
}

#[test]
fn json_is_a_manifest_too() {
    let pod = r#"{"kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"resources":{"requests":{"cpu":"1"}}}]}}"#;
    assert_eq!(record(pod)["demand"]["cpu_cores"], 1.0);
}

#[test]
fn the_table_shows_every_region_and_why_in_80_columns() {
    let dir = tempfile::tempdir().unwrap();
    let (config, file) = (dir.path().join("eco-pulse.yaml"), dir.path().join("job.yaml"));
    fs::write(&config, CONFIG).unwrap();
    fs::write(&file, workload("Job", "")).unwrap();
    let ended = run(&["explain", "-f", path(&file), "--config", path(&config)]);
    ended.assert_ok();
    for text in
        ["shop/web  (Job web)", "us-east-1", "eu-west-1", "eu-north-1", "CARBON", "EGRESS", "STEER", "USD"]
    {
        assert!(ended.stdout.contains(text), "{text} is not in:\n{}", ended.stdout);
    }
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ended.stdout);
    assert!(!ended.stdout.contains('\u{1b}'), "colours are for terminals");
}

#[rstest]
#[case::empty("", "there is no object in it; give a Pod, or a Deployment")]
#[case::only_a_comment("# later\n---\n", "there is no object in it; give a Pod, or a Deployment")]
#[case::not_yaml("a: [", "not YAML or JSON: ")]
#[case::text("garbage", "its content is text, not a map; write keys and values below it")]
#[case::a_list("[1, 2]", "its content is a list, not a map; write keys and values below it")]
#[case::an_item_is_a_number("kind: List\nitems: [3]", "its content is a number, not a map")]
#[case::wrong_kind(
    "kind: ConfigMap\ndata: {}",
    "kind ConfigMap has no pod template; give a Pod, or a Deployment"
)]
#[case::no_kind("metadata: {}", "kind (none) has no pod template")]
#[case::template_is_text("kind: Job\nspec: {template: x}", "its spec.template is text, not a map")]
#[case::no_template_spec("kind: Job\nspec: {template: {}}", "its spec.template.spec is missing, not a map")]
#[case::job_template_is_a_number(
    "kind: CronJob\nspec: {jobTemplate: 5}",
    "its spec.jobTemplate is a number, not a map"
)]
#[case::spec_is_text(
    "kind: StatefulSet\nspec: {template: {spec: x}, volumeClaimTemplates: [{}]}",
    "its spec.template.spec is text, not a map"
)]
#[case::containers_are_a_number(
    "kind: Pod\nmetadata: {}\nspec: {containers: 5}",
    "its pod cannot be decoded: spec.containers: invalid type: integer `5`, expected a sequence of at most 20000 items; write the field as \
     `kubectl explain pod` describes it"
)]
#[case::a_quantity_that_is_none(
    "kind: Pod\nmetadata: {}\nspec: {containers: [{resources: {requests: {cpu: lots}}}]}",
    "its pod cannot be decoded: spec.containers[0].resources.requests: quantity \"lots\" does not begin with a number"
)]
fn what_is_no_workload_is_refused_with_the_cure(#[case] manifest: &str, #[case] problem: &str) {
    explain(manifest).assert_failed(2, &["eco-pulse: -: ", problem]);
}

#[test]
fn depth_is_refused_and_not_fallen_into() {
    let deep = format!("kind: Pod\nmetadata: {}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    explain(deep).assert_failed(2, &["eco-pulse: -: "]);
}

#[test]
fn what_is_not_utf_8_is_refused() {
    explain(b"kind: \xff\xfe").assert_failed(1, &["standard input is not text in UTF-8"]);
}

#[test]
fn a_file_that_is_not_there_is_named_with_the_cure() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("none.yaml");
    let ended = run(&["explain", "-f", path(&file)]);
    let cure = "give a readable manifest, or - for standard input";
    ended.assert_failed(1, &[&format!("-f {}: {cure}", path(&file)), "No such file"]);
}
