//! What must not be said: that something is free because nobody knows its price, that the base is best because nothing
//! could be compared, that a saving within the sources' precision was made, or that there are new data when there are none.

use eco_pulse::domain::RegionName;
use eco_pulse::domain::snapshot::GridReading;
use eco_pulse::domain::units::UsdPerHour;
use eco_pulse::kubernetes::affinity::REGION;
use eco_pulse::kubernetes::cluster::ClusterView;
use rstest::rstest;
use serde_json::json;

use crate::support::{IRELAND_BASE, Rig, annotate, cluster, job, node, recorded, recorded_nodes, wire_nodes};

/// A core-hour costs 3 USD in one and 1 USD in the other data centre; their grids are equally clean.
const OWN_CENTRES: &str = "
baseline: {region: dear}
regions:
- {name: dear, provider: on-prem, pue: 1, priceUsdPerVcpuHour: 3}
- {name: cheap, provider: on-prem, pue: 1, priceUsdPerVcpuHour: 1}
grid: {provider: mock, mock: {dear: 100, cheap: 100}}
workload: {defaultDuration: 1h}
";

/// 16 GiB are all of an m5.xlarge with its four vCPUs.
#[rstest]
#[case::cpu_alone("2", "1Gi", 2.0 * 2.0)]
#[case::memory_alone("0", "16Gi", 4.0 * 2.0)]
#[case::mostly_memory("100m", "16Gi", 4.0 * 2.0)]
fn memory_is_not_free_where_vcpus_are_priced(#[case] cpu: &str, #[case] memory: &str, #[case] saved: f64) {
    let rig = Rig::new(OWN_CENTRES);
    assert_eq!(rig.admit(&job(cpu, memory)).outcome, "steer");
    assert_eq!(rig.into_record()["projected"]["usd"], saved);
}

/// Users in Stockholm, a limit of 1 ms, and nothing that is better than the base in Dublin, 41 ms away.
#[test]
fn a_base_beyond_the_pods_own_limit_is_not_preferred() {
    let yaml = IRELAND_BASE
        .replace("eu-west-1: high", "eu-west-1: low")
        .replace("eu-north-1: low", "eu-north-1: high");
    let review = annotate(job("2", "8Gi"), &[("max-latency-ms", "1"), ("traffic-region", "eu-north-1")]);
    let rig = Rig::in_cluster(&yaml, cluster());
    let admission = rig.admit(&review);
    assert_eq!(admission.terms(), []);
    assert_eq!(admission.verdict(), ("bypass", "policy"));
    let pod = &review["request"]["object"];
    assert!(rig.filter(&wire_nodes(pod, &recorded_nodes())).rejects_none());
    let records = rig.into_records();
    assert_eq!(records[0]["regions"][1]["excluded"], "max_latency");
    assert_eq!(records[0]["demand"]["max_latency_ms"], 1.0);
    assert_eq!(records[0]["demand"]["traffic_region"], "eu-north-1");
}

/// Nobody says what it costs to move data from the cellar to Dublin.
#[test]
fn a_base_with_an_unknown_term_is_not_called_best() {
    let yaml = "
baseline: {region: eu-west-1}
regions:
- {name: eu-west-1}
- {name: eu-north-1}
- {name: cellar, provider: on-prem, gridZone: DE, pue: 1.5, priceUsdPerVcpuHour: 0.001}
grid: {provider: mock, mock: {eu-west-1: high, eu-north-1: low, cellar: low}}
";
    let review = annotate(job("2", "8Gi"), &[("data-region", "cellar"), ("egress-gb", "1")]);
    assert_eq!(Rig::new(yaml).admit(&review).verdict(), ("bypass", "baseline_unknown"));
}

fn saved(rig: &Rig, against: &str) -> f64 {
    let sample = |name: &str| {
        rig.metric(&format!(
            "eco_pulse_cost_{name}_usd_total{{against=\"{against}\",method=\"projected\",namespace=\"ai-team\"}}"
        ))
    };
    sample("saved") - sample("added")
}

#[test]
fn a_price_difference_within_the_sources_precision_is_nowhere_a_saving() {
    let rig = Rig::reading(IRELAND_BASE, |readings| {
        for region in readings.regions.values_mut() {
            for price in &mut region.prices {
                price.precision = UsdPerHour(1.0);
            }
        }
    });
    let admission = rig.admit(&job("2", "8Gi"));
    assert_eq!(admission.annotation("projected-savings-usd"), Some("0"));
    for against in ["baseline", "scheduler_mix", "static_greenest"] {
        assert!(saved(&rig, against).abs() < 1e-12, "{against}");
    }
}

/// Nine tenths of the cores cost 3 USD.
#[test]
fn the_scheduler_mix_that_savings_are_counted_against_weighs_as_the_base_does() {
    let nodes = [node("dear", "dear", 90), node("cheap", "cheap", 10)];
    let cluster = ClusterView::unwatched("eco-pulse").with_nodes(nodes, REGION);
    let rig = Rig::in_cluster(&OWN_CENTRES.replace("{region: dear}", "{region: scheduler}"), cluster);
    assert_eq!(rig.admit(&job("1", "1Gi")).target.as_deref(), Some("cheap"));
    let (base, mix) = (saved(&rig, "baseline"), saved(&rig, "scheduler_mix"));
    assert!((base - 1.8).abs() < 1e-9 && (mix - base).abs() < 1e-9, "{base} and {mix}");
}

/// Stockholm has the lowest annual mean by far; without a reading nothing is known of it.
#[test]
fn no_other_region_stands_in_for_the_greenest_one() {
    let yaml = IRELAND_BASE.replace("us-east-1: high", "us-east-1: 600");
    let rig = Rig::reading(&yaml, |readings| {
        readings.regions.get_mut(&RegionName::from("eu-north-1")).unwrap().grid = GridReading::Missing;
    });
    assert_eq!(rig.admit(&job("2", "8Gi")).target.as_deref(), Some("us-east-1"));
    let text = rig.metrics();
    assert!(text.contains("against=\"baseline\""));
    assert!(!text.contains("against=\"static_greenest\""), "{text}");
}

#[test]
fn a_snapshot_that_is_not_there_has_no_age() {
    assert!(!Rig::new(IRELAND_BASE).metrics().contains("\neco_pulse_snapshot_age_seconds "));
}

/// Once in a counter, they would leave it unable to show anything else.
#[rstest]
#[case::too_many_cores("1E", "1Gi")]
#[case::too_much_memory("1", "100Pi")]
#[case::less_than_nothing("-1", "1Gi")]
fn what_no_machine_has_is_not_counted(#[case] cpu: &str, #[case] memory: &str) {
    let rig = Rig::new(IRELAND_BASE);
    assert_eq!(rig.admit(&job(cpu, memory)).verdict(), ("bypass", "impossible_requests"));
    assert!(!rig.metrics().contains("\neco_pulse_energy_kwh_total{"));
}

#[rstest]
#[case::near("podAffinity", "topology.kubernetes.io/region", true)]
#[case::away("podAntiAffinity", "topology.kubernetes.io/zone", true)]
#[case::on_other_machines("podAntiAffinity", "kubernetes.io/hostname", false)]
fn a_wish_about_other_pods_places_is_the_users_own(#[case] kind: &str, #[case] key: &str, #[case] own: bool) {
    let mut args = recorded("frontend.filter-names");
    args["Pod"]["spec"]["topologySpreadConstraints"] = json!([]);
    args["Pod"]["spec"]["affinity"][kind] = json!({
        "preferredDuringSchedulingIgnoredDuringExecution": [{
            "weight": 100,
            "podAffinityTerm": { "topologyKey": key, "labelSelector": { "matchLabels": { "app": "web" } } },
        }],
    });
    let rig = Rig::in_cluster(IRELAND_BASE, cluster());
    assert_eq!(rig.filter(&args).rejects_none(), own);
}

/// The label stands for regions in Kubernetes whatever this cluster's own topology key is.
#[test]
fn a_wish_by_kubernetes_region_label_counts_under_another_topology_key() {
    let mut args = recorded("frontend.filter-names");
    args["Pod"]["spec"]["topologySpreadConstraints"] = json!([{
        "maxSkew": 1, "topologyKey": "topology.kubernetes.io/region", "whenUnsatisfiable": "ScheduleAnyway",
    }]);
    let rig = Rig::in_cluster(&format!("topologyKey: example.com/site\n{IRELAND_BASE}"), cluster());
    assert!(rig.filter(&args).rejects_none());
}

#[test]
fn a_run_of_a_nanosecond_has_the_intensity_of_its_hour() {
    let yaml =
        IRELAND_BASE.replace("mock, mock: {us-east-1: high, eu-west-1: high, eu-north-1: low}", "catalogue");
    let rig = Rig::new(&yaml);
    let intensity =
        |hours: &str| rig.admit(&annotate(job("2", "8Gi"), &[("expected-duration", hours)])).outcome;
    assert_eq!(intensity("0.000001ms"), intensity("1s"));
    let records = rig.into_records();
    assert_eq!(
        records[0]["regions"][0]["intensity_g_per_kwh"],
        records[1]["regions"][0]["intensity_g_per_kwh"]
    );
}
