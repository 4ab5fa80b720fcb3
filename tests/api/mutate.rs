//! `/mutate` on every recorded review: what is decided, what is written, and what a dry run leaves behind.

use std::collections::BTreeSet;
use std::path::Path;

use eco_pulse::kubernetes::cluster::ClusterView;
use rstest::rstest;
use serde_json::json;

use crate::support::{IRELAND_BASE, NOON, Rig, annotate, cluster, job, namespaces, object, put, recorded};

/// Azure, the only provider whose machines with GPUs the catalogue prices: from Virginia, where the grid is dirty, to
/// Sweden, where it is clean and the machine dearer.
const GPU_MACHINES: &str = "
baseline: {region: eastus}
regions: [{name: eastus}, {name: swedencentral}, {name: westus2}]
grid: {provider: mock, mock: {eastus: 900, swedencentral: 20, westus2: 300}}
prices: {instanceType: Standard_NC4as_T4_v3}
";

/// Every recorded review with its answer.
const ANSWERS: [(&str, &str, &str); 10] = [
    // The DaemonSet controller pins each of its pods to a node, in kube-system or anywhere.
    ("agent", "bypass", "daemonset"),
    // The configured machine has no GPU.
    ("ai-training", "bypass", "unknown_gpu"),
    ("be", "bypass", "no_requests"),
    // Its claim is not bound yet, and would be for good wherever it first ran.
    ("db", "bypass", "volume_pinned"),
    ("dry", "bypass", "no_requests"),
    ("frontend", "steer", "net_benefit"),
    ("generated", "steer", "net_benefit"),
    ("opted-out", "bypass", "opted_out"),
    ("pinned", "bypass", "single_region"),
    // Stockholm is 41 ms from Dublin, and the pod allows 40.
    ("sidecars", "stay", "baseline_best"),
];

fn watched() -> ClusterView {
    ClusterView::unwatched("eco-pulse").with_namespaces(namespaces())
}

#[test]
fn every_recorded_review_has_an_expected_answer() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kubernetes-1.36");
    let recorded: BTreeSet<String> = std::fs::read_dir(directory)
        .unwrap()
        .filter_map(|entry| {
            Some(entry.unwrap().file_name().to_str()?.strip_suffix(".admission.json")?.to_owned())
        })
        .collect();
    let answered: BTreeSet<String> = ANSWERS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(recorded, answered);
}

#[test]
fn every_recorded_review_is_answered_as_it_should_be() {
    // With and without knowing the nodes: both offer the same three regions.
    for view in [watched(), cluster()] {
        for (name, outcome, reason) in ANSWERS {
            let rig = Rig::in_cluster(IRELAND_BASE, view.clone());
            let review = recorded(&format!("{name}.admission"));
            let admission = rig.admit(&review);
            assert_eq!(admission.verdict(), (outcome, reason), "{name}");
            assert_eq!(admission.is_untouched(), outcome == "bypass", "{name}: {:?}", admission.patch);
            assert_eq!(admission.warnings, Vec::<String>::new(), "{name}");
            let record = rig.into_records();
            if name == "dry" {
                assert!(record.is_empty(), "{name}");
                continue;
            }
            assert_eq!(record[0]["uid"], review["request"]["uid"], "{name}");
            assert_eq!(record[0]["decision_id"].as_str(), admission.decision_id.as_deref(), "{name}");
            assert_eq!(record[0]["target_region"].as_str(), admission.target.as_deref(), "{name}");
            assert_eq!((&record[0]["outcome"], &record[0]["reason"]), (&json!(outcome), &json!(reason)));
        }
    }
}

#[test]
fn a_steered_pod_prefers_its_region_and_says_why() {
    let rig = Rig::new(IRELAND_BASE);
    let admission = rig.admit(&recorded("frontend.admission"));
    assert_eq!(admission.terms(), [(100, "eu-north-1".to_owned())]);
    assert_eq!(admission.label(), Some("steer"));
    let id = admission.decision_id.as_deref().unwrap();
    assert_eq!(admission.annotation("decision").unwrap(), format!("v1;{id};{NOON}"));
    assert_eq!(admission.annotation("target-region"), Some("eu-north-1"));
    assert_eq!(admission.annotation("baseline-region"), Some("eu-west-1"));
    let written = |key| admission.annotation(key).unwrap().parse::<f64>().unwrap();
    let (net_benefit, savings, avoided) =
        (written("net-benefit-usd"), written("projected-savings-usd"), written("projected-co2e-avoided-g"));
    let record = rig.into_record();
    assert_eq!(record["net_benefit_usd"], net_benefit);
    assert_eq!(record["projected"]["usd"], savings);
    assert_eq!(record["projected"]["co2e_g"], avoided);
    // A quarter of a core of a machine of four, a day, 0.214 against 0.204 USD/h.
    assert!((savings - 0.25 / 4.0 * 24.0 * 0.01).abs() < 1e-9, "{savings}");
    // Cash is not all: the carbon avoided is worth 50 USD per tonne.
    assert!((net_benefit - savings - avoided / 1e6 * 50.0).abs() < 1e-7, "{net_benefit}");
}

#[test]
fn a_pod_that_stays_prefers_the_base() {
    let admission = Rig::new(IRELAND_BASE).admit(&recorded("sidecars.admission"));
    assert_eq!(admission.verdict(), ("stay", "baseline_best"));
    assert_eq!(admission.terms(), [(100, "eu-west-1".to_owned())]);
    assert_eq!(admission.label(), Some("stay"));
    assert_eq!(admission.annotation("target-region"), Some("eu-west-1"));
    assert_eq!(admission.annotation("net-benefit-usd"), Some("0"));
}

#[test]
fn the_gpu_job_goes_where_a_machine_with_a_gpu_is_cheap_and_clean_enough() {
    let rig = Rig::new(GPU_MACHINES);
    let admission = rig.admit(&recorded("ai-training.admission"));
    // The same price and a third of the carbon; Sweden would cost 0.032 USD/h more, and 120 GB over the ocean.
    assert_eq!((admission.outcome.as_str(), admission.target.as_deref()), ("stay", Some("eastus")));
    let record = rig.into_record();
    assert_eq!(record["demand"]["class"], "batch");
    assert_eq!(record["demand"]["egress_gb"], 120.0);
    assert_eq!(record["demand"]["hours"], 6.0);

    let mut light = recorded("ai-training.admission");
    object(&mut light)["metadata"]["annotations"]["eco-pulse.io/egress-gb"] = json!("0.1");
    let admission = Rig::new(GPU_MACHINES).admit(&light);
    assert_eq!((admission.outcome.as_str(), admission.target.as_deref()), ("steer", Some("westus2")));
}

/// Worked out by hand from the recorded pods, by the rule that Kubernetes' scheduler uses: per resource the larger of
/// what runs at the end (containers and sidecars) and what runs while each init container does (it, and the sidecars
/// that were started before it).
#[rstest]
// One container: 8 CPUs, 32Gi, one GPU.
#[case::ai_training("ai-training", GPU_MACHINES, 8.0, 32.0, 1)]
// CPU: at the end 1 + 0.3 + 0.1 (mesh) = 1.4; while fetch runs, before mesh: 4; while warm runs: 0.5 + 0.1. So 4.
// Memory: at the end 2048 + 512 + 64 = 2624Mi; fetch 256Mi; warm 6144 + 64 (mesh) = 6208Mi. So 6208Mi = 6.0625Gi.
#[case::sidecars("sidecars", IRELAND_BASE, 4.0, 6.0625, 0)]
#[case::frontend("frontend", IRELAND_BASE, 0.25, 0.125, 0)]
#[case::generated("generated", IRELAND_BASE, 2.0, 8.0, 0)]
fn requests_in_the_record_are_kubernetes_own(
    #[case] name: &str,
    #[case] yaml: &str,
    #[case] cores: f64,
    #[case] gibibytes: f64,
    #[case] gpus: u32,
) {
    let rig = Rig::new(yaml);
    rig.admit(&recorded(&format!("{name}.admission")));
    let demand = &rig.into_record()["demand"];
    assert_eq!(demand["cpu_cores"], cores);
    assert_eq!(demand["memory_gib"], gibibytes);
    assert_eq!(demand["gpus"], gpus);
}

#[test]
fn what_nobody_stated_is_named_in_the_record() {
    let rig = Rig::new(IRELAND_BASE);
    rig.admit(&job("2", "4Gi"));
    rig.admit(&annotate(
        job("2", "4Gi"),
        &[
            ("expected-duration", "90m"),
            ("egress-gb", "3"),
            ("data-region", "eu-west-1"),
            ("traffic-region", "eu-north-1"),
        ],
    ));
    let records = rig.into_records();
    let all = json!(["duration", "egress_gb", "data_region", "traffic_region", "instance_type"]);
    assert_eq!(records[0]["demand"]["defaults"], all);
    assert_eq!(records[1]["demand"]["defaults"], json!(["instance_type"]));
    assert_eq!(records[1]["demand"]["hours"], 1.5);
    assert_eq!(records[1]["demand"]["data_region"], "eu-west-1");
}

#[test]
fn a_dry_run_is_answered_like_any_other_and_leaves_nothing_behind() {
    let yaml = format!("{IRELAND_BASE}\nherd: {{maxPodsPerMinute: 1}}");
    let rig = Rig::new(&yaml);
    let before = rig.metrics();
    let mut rehearsal = recorded("frontend.admission");
    rehearsal["request"]["dryRun"] = json!(true);
    for _ in 0..3 {
        // The one pod that the quota has room for would be gone after the first.
        let admission = rig.admit(&rehearsal);
        assert_eq!(admission.verdict(), ("steer", "net_benefit"));
        assert_eq!(admission.terms(), [(100, "eu-north-1".to_owned())]);
    }
    assert_eq!(rig.admit(&recorded("dry.admission")).verdict(), ("bypass", "no_requests"));
    assert_eq!(rig.metrics(), before);
    // The same pod in earnest is counted once, recorded once, and takes the quota's one place.
    assert_eq!(rig.admit(&recorded("frontend.admission")).verdict(), ("steer", "net_benefit"));
    assert_eq!(rig.admit(&recorded("frontend.admission")).verdict(), ("stay", "herd_limit"));
    let steered =
        r#"eco_pulse_steered_pods_total{baseline="eu-west-1",namespace="default",target="eu-north-1"}"#;
    assert!((rig.metric(steered) - 1.0).abs() < f64::EPSILON);
    let records = rig.into_records();
    assert_eq!(records.iter().map(|record| &record["dry_run"]).collect::<Vec<_>>(), [false, false]);
}

#[rstest]
#[case::shadow("shadow", "steer", "net_benefit")]
#[case::off("off", "bypass", "mode_off")]
fn without_steering_no_pod_is_touched(#[case] mode: &str, #[case] outcome: &str, #[case] reason: &str) {
    let rig = Rig::new(&format!("mode: {mode}\n{IRELAND_BASE}\nherd: {{maxPodsPerMinute: 1}}"));
    for _ in 0..2 {
        // No pod is sent anywhere, so no quota fills.
        let admission = rig.admit(&recorded("frontend.admission"));
        assert_eq!(admission.verdict(), (outcome, reason));
        assert!(admission.is_untouched());
    }
    assert_eq!(rig.into_records()[1]["mode"], mode);
}

#[test]
fn an_update_is_never_patched() {
    let mut review = recorded("frontend.admission");
    review["request"]["operation"] = json!("UPDATE");
    let admission = Rig::new(IRELAND_BASE).admit(&review);
    assert_eq!(admission.verdict(), ("bypass", "bound"));
    assert!(admission.is_untouched());
}

/// What is left alone whatever the grid says.
#[rstest]
#[case::bound("/spec/nodeName", json!("node-1"), "bound")]
#[case::mirror_of_a_static_pod(
    "/metadata/annotations",
    json!({ "kubernetes.io/config.mirror": "5f1b" }),
    "mirror"
)]
#[case::of_a_daemonset("/metadata/ownerReferences/0/kind", json!("DaemonSet"), "daemonset")]
#[case::of_a_node("/metadata/ownerReferences/0/kind", json!("Node"), "daemonset")]
#[case::opted_out_itself("/metadata/labels", json!({ "eco-pulse.io/inject": "disabled" }), "opted_out")]
#[case::with_a_claim(
    "/spec/volumes",
    json!([{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }]),
    "volume_pinned"
)]
#[case::pinned_to_a_host(
    "/spec/nodeSelector",
    json!({ "kubernetes.io/hostname": "ip-10-0-1-0.us-east-1.compute.internal" }),
    "single_region"
)]
#[case::pinned_to_a_zone("/spec/nodeSelector", json!({ "topology.kubernetes.io/zone": "eu-west-1b" }), "single_region")]
fn pods_that_are_not_ours_are_left_to_the_letter(
    #[case] path: &str,
    #[case] value: serde_json::Value,
    #[case] reason: &str,
) {
    let mut review = recorded("frontend.admission");
    put(object(&mut review), path, value);
    let admission = Rig::new(IRELAND_BASE).admit(&review);
    assert_eq!(admission.verdict(), ("bypass", reason));
    assert!(admission.is_untouched(), "{:?}", admission.patch);
}

#[rstest]
#[case::kubernetes_own("kube-system", "system_namespace")]
#[case::eco_pulses_own("eco-pulse", "system_namespace")]
#[case::opted_out("payments", "opted_out")]
// It may have opted out: until a watch has shown it, nobody knows.
#[case::not_seen_yet("brand-new", "policy")]
fn namespaces_that_are_not_ours_are_left_to_the_letter(#[case] namespace: &str, #[case] reason: &str) {
    let mut review = recorded("frontend.admission");
    review["request"]["namespace"] = json!(namespace);
    object(&mut review)["metadata"]["namespace"] = json!(namespace);
    let admission = Rig::in_cluster(IRELAND_BASE, cluster()).admit(&review);
    assert_eq!(admission.verdict(), ("bypass", reason));
    assert!(admission.is_untouched());
}

#[test]
fn the_requests_namespace_counts_where_the_pod_has_none() {
    let mut review = recorded("opted-out.admission");
    object(&mut review)["metadata"].as_object_mut().unwrap().remove("namespace");
    let admission = Rig::in_cluster(IRELAND_BASE, cluster()).admit(&review);
    assert_eq!(admission.verdict(), ("bypass", "opted_out"));
}
