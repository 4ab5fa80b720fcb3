//! Decision records on standard output: complete, true to themselves, and chained.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::chain;
use crate::server::{CONFIG, Server, next};

pub const SIDECARS: &[u8] = include_bytes!("../data/kubernetes-1.36/sidecars.admission.json");
pub const NO_REQUESTS: &[u8] = include_bytes!("../data/kubernetes-1.36/be.admission.json");
pub const FRONTEND: &[u8] = include_bytes!("../data/kubernetes-1.36/frontend.admission.json");

/// Every recorded review; only the dry run leaves no record.
pub const REVIEWS: [&[u8]; 10] = [
    SIDECARS,
    FRONTEND,
    include_bytes!("../data/kubernetes-1.36/agent.admission.json"),
    include_bytes!("../data/kubernetes-1.36/ai-training.admission.json"),
    NO_REQUESTS,
    include_bytes!("../data/kubernetes-1.36/db.admission.json"),
    include_bytes!("../data/kubernetes-1.36/dry.admission.json"),
    include_bytes!("../data/kubernetes-1.36/generated.admission.json"),
    include_bytes!("../data/kubernetes-1.36/opted-out.admission.json"),
    include_bytes!("../data/kubernetes-1.36/pinned.admission.json"),
];
const NAMES: &[u8] = include_bytes!("../data/kubernetes-1.36/sidecars.filter-names.json");
const NODES: &[u8] = include_bytes!("../data/kubernetes-1.36/frontend.filter-nodes.json");

/// Sends everything that was recorded; how many records that leaves.
async fn send_all(server: &Server) -> usize {
    let mut webhook = server.webhook().await;
    for review in REVIEWS {
        let asked: Value = serde_json::from_slice(review).unwrap();
        let answer = webhook.post("/mutate?timeout=1s", review).await.json();
        assert_eq!(answer["response"]["uid"], asked["request"]["uid"]);
        assert_eq!(answer["response"]["allowed"], true);
    }
    for (path, question) in
        [("/filter", NAMES), ("/prioritize", NAMES), ("/filter", NODES), ("/prioritize", NODES)]
    {
        assert_eq!(webhook.post(path, question).await.status, 200);
    }
    REVIEWS.len() - 1 + 4
}

#[tokio::test]
async fn each_decision_leaves_one_whole_record_in_an_unbroken_chain() {
    let (server, stdout) = Server::start_with_records(CONFIG).await;
    let expected = send_all(&server).await;
    let lines: Vec<String> = (0..expected).map(|_| next(&stdout).unwrap()).collect();
    let records = chain::verify(&lines);
    records.iter().for_each(assert_whole);
    assert!(records.iter().all(|record| record["uid"] != dry_uid()), "a rehearsal writes nothing");
    let endpoints: BTreeSet<&str> =
        records.iter().map(|record| record["endpoint"].as_str().unwrap()).collect();
    assert_eq!(endpoints, BTreeSet::from(["filter", "mutate", "prioritize"]));
    let scored = records.iter().filter(|record| record["demand"].is_object()).count();
    assert!(scored >= 4, "some were scored: {scored}");

    let recent = server.admin().await.get("/decisions").await.json();
    let newest_first: Vec<Value> = records.into_iter().rev().collect();
    assert_eq!(recent.as_array().unwrap(), &newest_first);
}

fn dry_uid() -> Value {
    let review: Value = serde_json::from_slice(REVIEWS[6]).unwrap();
    assert_eq!(review["request"]["dryRun"], true);
    review["request"]["uid"].clone()
}

#[tokio::test]
async fn with_log_decisions_false_standard_output_stays_silent() {
    let (mut server, stdout) =
        Server::start_with_records(&format!("{CONFIG}log: {{decisions: false}}\n")).await;
    let expected = send_all(&server).await;
    let mut admin = server.admin().await;
    while admin.get("/decisions").await.json().as_array().unwrap().len() < expected {}
    server.signal("TERM");
    assert!(server.wait_for_end().0.success());
    assert_eq!(next(&stdout), None);
}

const FIELDS: &[&str] = &[
    "schema",
    "ts",
    "replica",
    "seq",
    "decision_id",
    "uid",
    "endpoint",
    "dry_run",
    "namespace",
    "owner",
    "pod",
    "mode",
    "outcome",
    "reason",
    "baseline_region",
    "target_region",
    "net_benefit_usd",
    "demand",
    "regions",
    "projected",
    "snapshot",
    "duration_us",
    "prev",
    "hash",
];
const DEMAND_FIELDS: &[&str] =
    &["cpu_cores", "memory_gib", "gpus", "hours", "egress_gb", "data_region", "class", "defaults"];
const REGION_FIELDS: &[&str] = &[
    "name",
    "capacity_type",
    "state",
    "provider",
    "observed_at",
    "signal",
    "basis",
    "intensity_g_per_kwh",
    "price_usd_per_hour",
    "terms_usd",
    "net_benefit_usd",
];

/// Every field of the contract, and terms that sum to the net benefit.
pub fn assert_whole(record: &Value) {
    assert_has(record, FIELDS);
    assert_eq!(record["schema"], 1);
    assert_eq!(record["replica"], "replica-1");
    assert_eq!(record["dry_run"], false);
    assert!(record["ts"].as_str().unwrap().ends_with('Z'));
    if record["owner"].is_object() {
        assert_has(&record["owner"], &["kind", "name"]);
    }
    if record["demand"].is_object() {
        assert_has(&record["demand"], DEMAND_FIELDS);
        let unscored = record["regions"].as_array().unwrap().is_empty();
        assert!(!unscored || record["outcome"] == "bypass", "{record}");
    }
    if record["projected"].is_object() {
        assert_has(&record["projected"], &["usd", "co2e_g", "kwh"]);
    }
    if record["snapshot"].is_object() {
        assert_has(&record["snapshot"], &["version", "captured_at"]);
    }
    record["regions"].as_array().unwrap().iter().for_each(assert_terms_sum);
    let preferred = record["regions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|region| !record["target_region"].is_null() && region["name"] == record["target_region"]);
    if let Some(preferred) = preferred {
        assert_eq!(record["net_benefit_usd"], preferred["net_benefit_usd"], "{record}");
    }
}

fn assert_terms_sum(region: &Value) {
    /// Half of the sixth significant digit.
    const ROUNDING: f64 = 5e-6;
    assert_has(region, REGION_FIELDS);
    if region["terms_usd"].is_null() {
        assert!(region["net_benefit_usd"].is_null(), "{region}");
        return;
    }
    let terms = region["terms_usd"].as_object().unwrap();
    let names: Vec<&str> = terms.keys().map(String::as_str).collect();
    assert_eq!(names, ["carbon", "egress", "latency", "migration", "price"]);
    let terms: Vec<f64> = terms.values().map(|term| term.as_f64().unwrap()).collect();
    let net_benefit = region["net_benefit_usd"].as_f64().unwrap();
    let sum: f64 = terms.iter().sum();
    let tolerance = ROUNDING * (terms.iter().map(|term| term.abs()).sum::<f64>() + net_benefit.abs());
    assert!((sum - net_benefit).abs() <= tolerance, "{sum} is not {net_benefit}: {region}");
}

fn assert_has(value: &Value, fields: &[&str]) {
    let found = value.as_object().unwrap();
    let missing: Vec<&&str> = fields.iter().filter(|field| !found.contains_key(**field)).collect();
    assert!(missing.is_empty(), "{missing:?} missing in {value}");
}
