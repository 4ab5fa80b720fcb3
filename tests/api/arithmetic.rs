//! One decision worked out a second time, from the tables' figures by plain arithmetic: all five terms, their sum, and
//! what is projected, against the record, to six digits.

use eco_pulse::audit::entry::Entry;
use eco_pulse::audit::record::DecisionRecord;
use eco_pulse::domain::demand::{Candidate, Candidates, PodDemand};
use eco_pulse::domain::snapshot::CapacityType;
use eco_pulse::domain::units::{Cores, Gibibytes, Gigabytes, Hours};
use eco_pulse::domain::{WorkloadClass, decide};
use rstest::rstest;
use serde_json::Value;

use crate::entry::entry;
use crate::support::{NOON, Rig, annotate, at, config, job, object, snapshot};

const YAML: &str = "
baseline: {region: eu-west-1}
regions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1}]
grid: {provider: mock, mock: {us-east-1: 450, eu-west-1: 310, eu-north-1: 27}}
carbon: {priceUsdPerTonne: 80}
workload: {cpuUtilisation: 0.4}
latency: {usdPerMsHour: 0.000003}
decision: {migrationUsd: 0.004}
";

/// 3 cores and 10 GiB of an m5.xlarge (4 vCPUs, 16 GiB) for 7 h: three quarters of the machine.
const CORES: f64 = 3.0;
const GIBIBYTES: f64 = 10.0;
const HOURS: f64 = 7.0;
const SHARE: f64 = 3.0 / 4.0;
/// Data that lie in Stockholm: 0.02 USD/GB to Dublin.
const EGRESS_GB: f64 = 0.4;

struct Worked {
    price: f64,
    carbon: f64,
    latency: f64,
    egress: f64,
    kwh: f64,
    avoided_g: f64,
}

/// From Dublin to Stockholm.
fn worked_out() -> Worked {
    // Skylake and Cascade Lake alike may be under an m5: the mean of their watts per vCPU, at 40 % use.
    let idle = f64::midpoint(0.613, 0.6903);
    let max = f64::midpoint(4.1042, 4.0632);
    let watts = CORES * (idle + 0.4 * (max - idle)) + GIBIBYTES * 1.073_741_824 * 0.392;
    let kwh = |pue: f64| watts / 1000.0 * HOURS * pue;
    let (kwh_dublin, kwh_stockholm) = (kwh(1.11), kwh(1.10));
    let avoided_g = kwh_dublin * 310.0 - kwh_stockholm * 27.0;
    // Between the two no round trip was measured: 16.658749145 ms and 0.015151180779 ms per km of great circle, here by
    // the law of cosines.
    let (from, to) = ((53.35_f64.to_radians(), -6.26_f64), (59.33_f64.to_radians(), 18.07_f64));
    let angle =
        (from.0.sin() * to.0.sin() + from.0.cos() * to.0.cos() * (to.1 - from.1).to_radians().cos()).acos();
    let round_trip_ms = 16.658_749_145 + 0.015_151_180_779 * 6_371.008_8 * angle;
    Worked {
        price: (0.214 - 0.204) * SHARE * HOURS,
        carbon: avoided_g / 1e6 * 80.0,
        latency: -round_trip_ms * 0.000_003 * HOURS,
        // In Dublin each GB would be moved, in Stockholm none.
        egress: 0.02 * EGRESS_GB,
        kwh: kwh_stockholm,
        avoided_g,
    }
}

fn assert_six_digits(shown: &Value, expected: f64, what: &str) {
    let shown = shown.as_f64().unwrap_or_else(|| panic!("{what} is missing"));
    // Half a unit of the sixth digit, at most 5e-6 of the value.
    assert!((shown - expected).abs() <= 5.1e-6 * expected.abs(), "{what}: {shown}, worked out {expected}");
}

fn assert_is_worked_out(record: &Value, migration: f64) {
    let Worked { price, carbon, latency, egress, kwh, avoided_g } = worked_out();
    let stockholm = &record["regions"][2];
    assert_eq!((&record["target_region"], &stockholm["name"]), (&"eu-north-1".into(), &"eu-north-1".into()));
    for (term, expected) in [
        ("price", price),
        ("carbon", carbon),
        ("latency", latency),
        ("egress", egress),
        ("migration", migration),
    ] {
        assert_six_digits(&stockholm["terms_usd"][term], expected, term);
    }
    let net_benefit = price + carbon + latency + egress + migration;
    assert_six_digits(&stockholm["net_benefit_usd"], net_benefit, "net benefit");
    assert_six_digits(&record["net_benefit_usd"], net_benefit, "net benefit");
    // Cash only: neither carbon nor latency.
    assert_six_digits(&record["projected"]["usd"], price + egress + migration, "projected cash");
    assert_six_digits(&record["projected"]["co2e_g"], avoided_g, "projected carbon");
    assert_six_digits(&record["projected"]["kwh"], kwh, "projected energy");
    for term in ["price", "carbon", "latency", "egress", "migration"] {
        assert_eq!(record["regions"][1]["terms_usd"][term], 0.0, "the base against itself: {term}");
    }
}

#[test]
fn a_record_is_what_plain_arithmetic_gives() {
    let rig = Rig::new(YAML);
    let hints = [("expected-duration", "7h"), ("egress-gb", "0.4"), ("data-region", "eu-north-1")];
    let admission = rig.admit(&annotate(job("3", "10Gi"), &hints));
    let record = rig.into_record();
    // Admission moves nothing.
    assert_is_worked_out(&record, 0.0);
    let annotation = |key| Value::from(admission.annotation(key).unwrap().parse::<f64>().unwrap());
    let Worked { price, carbon, latency, egress, avoided_g, .. } = worked_out();
    assert_six_digits(&annotation("net-benefit-usd"), price + carbon + latency + egress, "annotation");
    assert_six_digits(&annotation("projected-savings-usd"), price + egress, "annotation");
    assert_six_digits(&annotation("projected-co2e-avoided-g"), avoided_g, "annotation");
}

#[test]
fn a_pod_that_runs_already_is_charged_for_the_move() {
    let config = config(YAML);
    let snapshot = snapshot(&config, |_| {});
    let region = |name: &str| snapshot.regions.by_name(name).unwrap();
    let demand = PodDemand {
        cpu: Cores(CORES),
        memory: Gibibytes(GIBIBYTES),
        gpus: 0,
        hours: Hours(HOURS),
        egress: Gigabytes(EGRESS_GB),
        data_region: Some(region("eu-north-1")),
        traffic_region: None,
        class: WorkloadClass::Batch,
        max_latency: None,
        owner_hash: 0,
        defaults: Vec::new(),
    };
    let list = snapshot.regions.iter().map(|(region, _)| Candidate {
        region,
        capacity_type: CapacityType::OnDemand,
        instance_type: "m5.xlarge".into(),
        mix_weight: 1.0,
        quota_left: None,
    });
    let candidates =
        Candidates { list: list.collect(), incumbent: None, running_in: Some(region("eu-west-1")) };
    let decision = decide(&demand, &candidates, &snapshot, &config.policy(), at(NOON));
    let entry = Entry { decision, demand: Some(demand), snapshot: Some(snapshot.into()), ..entry(at(NOON)) };
    let record = serde_json::to_value(DecisionRecord::new(&entry, "test", 1)).unwrap();
    assert_is_worked_out(&record, -0.004);
}

/// What of a machine nobody else can use is the largest of the pod's shares of its CPU, memory and GPUs: an m5.xlarge
/// has 4 vCPUs and 16 GiB, a Standard_NC4as_T4_v3 4, 28 GiB and one GPU.
#[rstest]
#[case::mostly_cpu(AWS, "2", "4Gi", 0, 0.5)]
#[case::mostly_memory(AWS, "1", "12Gi", 0, 0.75)]
#[case::more_than_a_machine(AWS, "6", "8Gi", 0, 1.5)]
#[case::mostly_the_gpu(AZURE_GPU, "1", "1Gi", 1, 1.0)]
#[case::more_cpu_than_comes_with_the_gpu(AZURE_GPU, "8", "32Gi", 1, 2.0)]
#[case::two_gpus(AZURE_GPU, "8", "32Gi", 2, 2.0)]
fn a_pod_pays_for_its_largest_share(
    #[case] (yaml, price_delta): (&str, f64),
    #[case] cpu: &str,
    #[case] memory: &str,
    #[case] gpus: u32,
    #[case] share: f64,
) {
    let rig = Rig::new(yaml);
    let mut review = annotate(job(cpu, memory), &[("expected-duration", "10h")]);
    if gpus > 0 {
        object(&mut review)["spec"]["containers"][0]["resources"]["requests"]["nvidia.com/gpu"] =
            gpus.to_string().into();
    }
    rig.admit(&review);
    assert_six_digits(
        &rig.into_record()["regions"][1]["terms_usd"]["price"],
        price_delta * share * 10.0,
        "price",
    );
}

/// From 0.214 to 0.204 USD/h.
const AWS: (&str, f64) = (
    "
baseline: {region: eu-west-1}
regions: [{name: eu-west-1}, {name: eu-north-1}]
grid: {provider: mock, mock: {eu-west-1: 100, eu-north-1: 100}}
",
    0.214 - 0.204,
);

/// From 0.526 to 0.558 USD/h.
const AZURE_GPU: (&str, f64) = (
    "
baseline: {region: eastus}
regions: [{name: eastus}, {name: swedencentral}]
grid: {provider: mock, mock: {eastus: 100, swedencentral: 100}}
prices: {instanceType: Standard_NC4as_T4_v3}
",
    0.526 - 0.558,
);
