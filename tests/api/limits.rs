//! Limits that no benefit buys off: the distance of a serving pod, a pod's own limit, and more carbon than the base.

use std::fmt::Write as _;

use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Admission, Rig, annotate, catalogue, job, object, recorded};

/// A machine at the base costs a fortune and runs on coal; anywhere else is nearly free and clean.
fn tempting(base: &str, regions: &[&str]) -> String {
    let mut yaml = format!("baseline: {{region: {base}}}\ngrid: {{provider: mock, mock: {{");
    for region in regions {
        let intensity = if *region == base { 2000 } else { 0 };
        write!(yaml, "{region}: {intensity}, ").unwrap();
    }
    yaml.push_str("}}\nregions:\n");
    for region in regions {
        let price = if *region == base { 100.0 } else { 0.001 };
        writeln!(yaml, "- {{name: {region}, priceUsdPerVcpuHour: {price}}}").unwrap();
    }
    yaml
}

/// Somebody waits for its answers.
fn serving() -> Value {
    let mut review = recorded("frontend.admission");
    object(&mut review)["spec"]["topologySpreadConstraints"] = json!([]);
    review
}

/// Twelve regions all over the world, of all three clouds.
const WORLD: [&str; 12] = [
    "us-east-1",
    "us-west-2",
    "ca-central-1",
    "eu-west-1",
    "eu-north-1",
    "eu-central-1",
    "europe-west4",
    "swedencentral",
    "ap-southeast-2",
    "japaneast",
    "sa-east-1",
    "centralindia",
];

#[test]
fn a_serving_pod_never_goes_beyond_fifty_milliseconds_added() {
    let (mut near, mut far) = (0, 0);
    for base in WORLD {
        for target in WORLD.into_iter().filter(|target| *target != base) {
            let yaml = tempting(base, &[base, target]);
            let round_trip = catalogue().round_trip(base, target).unwrap().ms.0;
            let expected = if round_trip <= 50.0 { "steer" } else { "stay" };
            *if round_trip <= 50.0 { &mut near } else { &mut far } += 1;
            let rig = Rig::new(&yaml);
            assert_eq!(rig.admit(&serving()).outcome, expected, "{base} to {target}: {round_trip} ms");
            assert_eq!(rig.admit(&job("250m", "128Mi")).outcome, "steer", "{base} to {target}, batch");
        }
    }
    assert!(near >= 10 && far >= 50, "{near} near and {far} far pairs are no test");
}

#[test]
fn what_is_too_far_does_not_win_and_is_not_spilled_to() {
    let rig = Rig::new(&tempting("eu-west-1", &["eu-west-1", "us-east-1", "eu-north-1", "ap-southeast-2"]));
    let admission = rig.admit(&serving());
    assert_eq!(admission.terms(), [(100, "eu-north-1".to_owned())]);
    let record = rig.into_record();
    let excluded: Vec<&Value> =
        record["regions"].as_array().unwrap().iter().map(|region| &region["excluded"]).collect();
    assert_eq!(excluded, [&json!(null), &json!("added_latency"), &json!(null), &json!("added_latency")]);
}

/// A region that nobody says the place of: no distance is known, so none is assumed.
#[test]
fn an_unknown_distance_excludes_for_a_serving_pod_only() {
    let yaml = "
baseline: {region: eu-west-1}
regions:
- {name: eu-west-1, priceUsdPerVcpuHour: 100}
- {name: cellar, provider: on-prem, gridZone: DE, pue: 1.5, priceUsdPerVcpuHour: 0.001}
grid: {provider: mock, mock: {eu-west-1: 2000, cellar: 0}}
";
    let rig = Rig::new(yaml);
    assert_eq!(rig.admit(&serving()).verdict(), ("stay", "baseline_best"));
    assert_eq!(rig.admit(&job("250m", "128Mi")).outcome, "steer");
    // A pod that sets a limit of its own has to be sure of it.
    let limited = annotate(job("250m", "128Mi"), &[("max-latency-ms", "10000")]);
    assert_eq!(rig.admit(&limited).verdict(), ("stay", "baseline_best"));
    // Data that would move have no known price either.
    let with_data = annotate(job("250m", "128Mi"), &[("egress-gb", "1")]);
    assert_eq!(rig.admit(&with_data).verdict(), ("stay", "baseline_best"));
    let records = rig.into_records();
    let excluded: Vec<&Value> = records.iter().map(|record| &record["regions"][1]["excluded"]).collect();
    assert_eq!(
        excluded,
        [&json!("latency_unknown"), &json!(null), &json!("latency_unknown"), &json!("egress_unknown")]
    );
}

/// From Dublin to Stockholm it is 41 ms: the limit is on the whole way from the users, wherever those are.
#[rstest]
#[case::far_enough(&[("max-latency-ms", "42")], "steer")]
#[case::too_tight(&[("max-latency-ms", "41")], "stay")]
#[case::users_in_stockholm(&[("max-latency-ms", "1"), ("traffic-region", "eu-north-1")], "steer")]
#[case::users_in_virginia(&[("max-latency-ms", "42"), ("traffic-region", "us-east-1")], "bypass")]
fn a_pods_own_limit_holds_for_batch_too(#[case] hints: &[(&str, &str)], #[case] outcome: &str) {
    let round_trip = catalogue().round_trip("eu-west-1", "eu-north-1").unwrap().ms.0;
    assert!(round_trip > 41.0 && round_trip < 42.0, "{round_trip}");
    let rig = Rig::new(
        &tempting("eu-west-1", &["us-east-1", "eu-west-1", "eu-north-1"])
            .replace("us-east-1: 0", "us-east-1: 2000"),
    );
    let review = annotate(job("250m", "128Mi"), hints);
    let review = annotate(review, &[("allowed-regions", "eu-west-1,eu-north-1")]);
    assert_eq!(rig.admit(&review).outcome, outcome);
}

/// Users near the target make the way there shorter: nothing is added.
#[test]
fn a_serving_pod_may_go_far_towards_its_users() {
    let rig = Rig::new(&tempting("eu-west-1", &["eu-west-1", "ap-southeast-2"]));
    assert_eq!(rig.admit(&serving()).outcome, "stay");
    let mut review = serving();
    object(&mut review)["metadata"]["annotations"] =
        json!({ "eco-pulse.io/traffic-region": "ap-southeast-2" });
    assert_eq!(rig.admit(&review).outcome, "steer");
}

#[rstest]
#[case::job_owned(json!("Job"), json!("Always"), "steer")]
#[case::on_failure(json!("ReplicaSet"), json!("OnFailure"), "steer")]
#[case::never(json!("ReplicaSet"), json!("Never"), "steer")]
#[case::served(json!("ReplicaSet"), json!("Always"), "stay")]
#[case::unsaid(json!("ReplicaSet"), json!(null), "stay")]
fn whoever_runs_to_an_end_is_batch(
    #[case] owner: Value,
    #[case] restart_policy: Value,
    #[case] outcome: &str,
) {
    let rig = Rig::new(&tempting("eu-west-1", &["eu-west-1", "us-east-1"]));
    let mut review = serving();
    let pod = object(&mut review);
    pod["metadata"]["ownerReferences"][0]["kind"] = owner;
    pod["spec"]["restartPolicy"] = restart_policy;
    assert_eq!(rig.admit(&review).outcome, outcome);
}

/// Cheap and dirty: a machine in the other region costs a thousandth, and its grid emits a little more.
fn cheaper_with(intensity: f64, decision: &str) -> (Admission, Value) {
    let yaml = format!(
        "
baseline: {{region: eu-west-1}}
regions:
- {{name: eu-west-1, pue: 1.1, priceUsdPerVcpuHour: 10}}
- {{name: eu-north-1, pue: 1.1, priceUsdPerVcpuHour: 0.01}}
grid: {{provider: mock, mock: {{eu-west-1: 100, eu-north-1: {intensity}}}}}
decision: {{{decision}}}
"
    );
    let rig = Rig::new(&yaml);
    let admission = rig.admit(&job("4", "8Gi"));
    (admission, rig.into_record())
}

#[test]
fn a_dirtier_but_cheaper_region_never_wins_by_default() {
    let (admission, record) = cheaper_with(100.001, "");
    assert_eq!(admission.verdict(), ("stay", "baseline_best"));
    assert_eq!(record["regions"][1]["excluded"], "dirtier");
    // It is shown what was not taken.
    assert!(record["regions"][1]["net_benefit_usd"].as_f64().unwrap() > 900.0);
    assert_eq!(cheaper_with(2000.0, "").0.outcome, "stay");
    // As clean is clean enough.
    assert_eq!(cheaper_with(100.0, "").0.outcome, "steer");
}

#[test]
fn a_dirtier_but_cheaper_region_wins_where_that_is_allowed() {
    let (admission, record) = cheaper_with(200.0, "allowDirtier: true");
    assert_eq!(admission.verdict(), ("steer", "net_benefit"));
    // And what it adds is said.
    assert!(record["projected"]["co2e_g"].as_f64().unwrap() < 0.0, "{}", record["projected"]);
}

/// Carbon counts by what the pod emits, not by the grid alone.
#[test]
fn a_wasteful_data_centre_makes_a_cleaner_grid_dirtier() {
    let yaml = "
baseline: {region: eu-west-1}
regions:
- {name: eu-west-1, pue: 1.1, priceUsdPerVcpuHour: 10}
- {name: eu-north-1, pue: 2.0, priceUsdPerVcpuHour: 0.01}
grid: {provider: mock, mock: {eu-west-1: 100, eu-north-1: 60}}
";
    let rig = Rig::new(yaml);
    rig.admit(&job("4", "8Gi"));
    assert_eq!(rig.into_record()["regions"][1]["excluded"], "dirtier");
}
