//! The scheduler mix as the base: what Kubernetes alone would do, weighted by the nodes there are.

use eco_pulse::kubernetes::affinity::REGION;
use eco_pulse::kubernetes::cluster::ClusterView;

use crate::support::{Rig, job, node};

/// Core-hours at 1, 2 and 3 USD on one clean grid.
const MIX: &str = "
baseline: {region: scheduler}
regions:
- {name: a, provider: on-prem, pue: 1, priceUsdPerVcpuHour: 1}
- {name: b, provider: on-prem, pue: 1, priceUsdPerVcpuHour: 2}
- {name: c, provider: on-prem, pue: 1, priceUsdPerVcpuHour: 3}
grid: {provider: mock, mock: {a: 100, b: 100, c: 100}}
workload: {defaultDuration: 1h}
";

fn nodes(cores: [(&str, i64); 3]) -> ClusterView {
    let numbered = cores.into_iter().enumerate();
    let facts = numbered.map(|(number, (region, cores))| node(&format!("node-{number}"), region, cores));
    ClusterView::unwatched("eco-pulse").with_nodes(facts, REGION)
}

#[test]
fn without_nodes_every_region_weighs_the_same() {
    let rig = Rig::new(MIX);
    let admission = rig.admit(&job("1", "1Gi"));
    assert_eq!(admission.target.as_deref(), Some("a"));
    assert_eq!(admission.annotation("baseline-region"), Some("scheduler"));
    let record = rig.into_record();
    assert_eq!(record["baseline_region"], "scheduler");
    // The mean of 1, 2 and 3 is 2: a saves 1, b nothing, c costs 1.
    let benefits: Vec<f64> =
        (0..3).map(|index| record["regions"][index]["net_benefit_usd"].as_f64().unwrap()).collect();
    assert_eq!(benefits, [1.0, 0.0, -1.0]);
}

#[test]
fn nodes_weigh_by_their_allocatable_cores() {
    let rig = Rig::in_cluster(MIX, nodes([("a", 60), ("b", 30), ("c", 10)]));
    rig.admit(&job("1", "1Gi"));
    let record = rig.into_record();
    // 0.6 * 1 + 0.3 * 2 + 0.1 * 3 = 1.5.
    let benefits: Vec<f64> =
        (0..3).map(|index| record["regions"][index]["net_benefit_usd"].as_f64().unwrap()).collect();
    assert_eq!(benefits, [0.5, -0.5, -1.5]);
}

#[test]
fn a_region_without_nodes_is_neither_weighed_nor_chosen() {
    let rig = Rig::in_cluster(MIX, nodes([("b", 4), ("b", 4), ("c", 8)]));
    assert_eq!(rig.admit(&job("1", "1Gi")).target.as_deref(), Some("b"));
    let record = rig.into_record();
    assert_eq!(record["regions"].as_array().unwrap().len(), 2);
    assert_eq!(record["regions"][0]["net_benefit_usd"], 0.5);
}

/// With nothing to prefer, a term would only pretend that there is.
#[test]
fn a_pod_that_stays_gets_no_term() {
    let rig = Rig::new(&format!("{MIX}\ndecision: {{minNetBenefitUsd: 10}}"));
    let admission = rig.admit(&job("1", "1Gi"));
    assert_eq!(admission.verdict(), ("stay", "below_minimum"));
    assert_eq!(admission.terms(), []);
    assert_eq!((admission.target.as_deref(), admission.annotation("target-region")), (None, None));
    assert_eq!(admission.label(), Some("stay"));
    let record = rig.into_record();
    assert!(record["target_region"].is_null() && record["projected"].is_null());
}

#[test]
fn equal_regions_are_all_as_good_as_the_mix() {
    let yaml = MIX.replace("Hour: 2", "Hour: 1").replace("Hour: 3", "Hour: 1");
    assert_eq!(Rig::new(&yaml).admit(&job("1", "1Gi")).verdict(), ("stay", "baseline_best"));
}

/// A region whose grid nobody knows is not part of what the pod is compared with.
#[test]
fn the_mix_is_of_the_regions_that_are_known() {
    let rig = Rig::new(&MIX.replace("a: 100, ", ""));
    assert_eq!(rig.admit(&job("1", "1Gi")).target.as_deref(), Some("b"));
    assert_eq!(rig.into_record()["regions"][1]["net_benefit_usd"], 0.5);
}
