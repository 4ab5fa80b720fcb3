//! The equation test: one quantity is raised, and the decision turns exactly where the arithmetic done here says, or
//! not at all. The figures are read from the tables by name, not from Eco-Pulse's own sums.

use eco_pulse::config::Config;
use eco_pulse::domain::demand::PodDemand;
use eco_pulse::domain::policy::CarbonPrice;
use eco_pulse::domain::snapshot::CapacityType;
use eco_pulse::domain::units::{Cores, Gibibytes, Gigabytes, Hours, UsdPerTonne};
use eco_pulse::domain::{Candidate, Candidates, Decision, Outcome, RegionId, WorkloadClass, decide};
use rstest::rstest;

use crate::support::{NOON, Rig, annotate, at, catalogue, config, job, snapshot};

/// Azure, whose price of moving data depends on both ends. Virginia is the base and dirty, Sweden clean; Oregon only
/// holds data, no pod may go there.
const ATLANTIC: &str = "
baseline: {region: eastus}
regions: [{name: eastus}, {name: swedencentral}, {name: westus2}]
grid: {provider: mock, mock: {eastus: 2000, swedencentral: 0, westus2: 2000}}
carbon: {priceUsdPerTonne: 1000, maxPriceUsdPerTonne: 1000}
prices: {instanceType: Standard_D4s_v5}
";
const BASE: &str = "eastus";
const TARGET: &str = "swedencentral";
const THIRD: &str = "westus2";
const HOURS: f64 = 6.0;

/// What going from the base to the target is worth but for data, in USD: a whole machine of 4 vCPUs and 16 GiB for 6 h.
fn benefit_without_data() -> f64 {
    let price = |region| catalogue().on_demand(region, "Standard_D4s_v5").unwrap().price.0;
    // Prices are of a table that shows three digits; their difference of 0.012 USD/h is more than that hides.
    let price_delta = (price(BASE) - price(TARGET)) * HOURS;
    // Azure's mean over processors, half used: (0.8472 + 3.6933) / 2 W per vCPU; memory 0.392 W per GB of 10^9 bytes.
    let watts = 4.0 * (0.8472 + 3.6933) / 2.0 + 16.0 * 1.073_741_824 * 0.392;
    let kwh_at_base = watts / 1000.0 * HOURS * 1.16;
    // 2000 g/kWh against none, at 1000 USD per tonne.
    let carbon_delta = kwh_at_base * 2000.0 / 1e6 * 1000.0;
    price_delta + carbon_delta
}

fn with_data(gigabytes: f64, data_region: &str) -> (Decision, RegionId) {
    decided(&config(ATLANTIC), gigabytes, data_region)
}

/// A decision straight from the domain, with nothing of a request around it.
fn decided(config: &Config, gigabytes: f64, data_region: &str) -> (Decision, RegionId) {
    let snapshot = snapshot(config, |_| {});
    let region = |name: &str| snapshot.regions.by_name(name).unwrap();
    let list = [BASE, TARGET].map(|name| Candidate {
        region: region(name),
        capacity_type: CapacityType::OnDemand,
        instance_type: "Standard_D4s_v5".into(),
        mix_weight: 1.0,
        quota_left: None,
    });
    let candidates = Candidates { list: list.into(), incumbent: None, running_in: None };
    let demand = PodDemand {
        cpu: Cores(4.0),
        memory: Gibibytes(16.0),
        gpus: 0,
        hours: Hours(HOURS),
        egress: Gigabytes(gigabytes),
        data_region: Some(region(data_region)),
        traffic_region: None,
        class: WorkloadClass::Batch,
        max_latency: None,
        owner_hash: 0,
        defaults: Vec::new(),
    };
    (decide(&demand, &candidates, &snapshot, &config.policy(), at(NOON)), region(TARGET))
}

fn steers_to_target((decision, target): &(Decision, RegionId)) -> bool {
    decision.target().is_some_and(|score| score.region() == *target)
}

fn stays_at_base((decision, _): &(Decision, RegionId)) -> bool {
    matches!(decision.outcome, Outcome::Stay { .. })
}

/// Data in the base region are charged 0.05 USD/GB over the ocean and nothing at home; data in Oregon 0.05 against
/// 0.02 within the continent.
#[rstest]
#[case::in_the_base_region(BASE, 0.05)]
#[case::in_a_third_region(THIRD, 0.05 - 0.02)]
fn raising_only_egress_turns_steer_into_stay_at_the_break_even(
    #[case] data_region: &str,
    #[case] usd_per_gb: f64,
) {
    let break_even_gb = benefit_without_data() / usd_per_gb;
    assert!(break_even_gb > 1.0 && break_even_gb < 100.0, "{break_even_gb} GB is no test");
    assert!(steers_to_target(&with_data(0.0, data_region)));
    assert!(steers_to_target(&with_data(break_even_gb * (1.0 - 1e-9), data_region)));
    assert!(stays_at_base(&with_data(break_even_gb * (1.0 + 1e-9), data_region)));
    assert!(stays_at_base(&with_data(break_even_gb * 1000.0, data_region)));
}

#[test]
fn data_in_the_target_region_only_draw_the_pod_there() {
    // From Sweden the ocean costs 0.05 USD/GB: what is spared by going to the data.
    let benefit = |gigabytes: f64| {
        let (decision, target) = with_data(gigabytes, TARGET);
        assert!(steers_to_target(&(decision.clone(), target)), "{gigabytes} GB");
        decision.target().unwrap().net_benefit().unwrap().0
    };
    for gigabytes in [0.0, 1.0, 1000.0, 1e6] {
        let expected = benefit_without_data() + 0.05 * gigabytes;
        assert!((benefit(gigabytes) - expected).abs() < 1e-9 * expected.max(1.0), "{gigabytes} GB");
    }
}

/// A pod that may not go to the base still has its data there: 0.02 USD/GB from Oregon, 0.05 from Sweden, and 0.035 for
/// what the scheduler would do between the two.
#[test]
fn data_are_at_home_also_where_the_pod_cannot_go_there() {
    let rig = Rig::new(ATLANTIC);
    rig.admit(&annotate(
        job("4", "16Gi"),
        &[("allowed-regions", "swedencentral,westus2"), ("egress-gb", "100")],
    ));
    let record = rig.into_record();
    assert_eq!(record["baseline_region"], "scheduler");
    let egress = |index: usize| record["regions"][index]["terms_usd"]["egress"].as_f64().unwrap();
    assert_eq!(
        (&record["regions"][0]["name"], &record["regions"][1]["name"]),
        (&TARGET.into(), &THIRD.into())
    );
    assert!((egress(0) + 1.5).abs() < 1e-9, "{}", egress(0));
    assert!((egress(1) - 1.5).abs() < 1e-9, "{}", egress(1));
}

/// The same through a review: the annotation's number is all that changes, within a millionth of the break-even.
#[rstest]
#[case::in_the_base_region(BASE, 0.05)]
#[case::in_a_third_region(THIRD, 0.03)]
fn the_webhook_turns_at_the_same_break_even(#[case] data_region: &str, #[case] usd_per_gb: f64) {
    let break_even_gb = benefit_without_data() / usd_per_gb;
    let rig = Rig::new(ATLANTIC);
    let outcome = |gigabytes: f64| {
        let hints = [
            ("allowed-regions", "eastus,swedencentral"),
            ("expected-duration", "6h"),
            ("data-region", data_region),
            ("egress-gb", &gigabytes.to_string()),
        ];
        let admission = rig.admit(&annotate(job("4", "16Gi"), &hints));
        assert!(admission.warnings.is_empty(), "{:?}", admission.warnings);
        (admission.outcome, admission.target.unwrap())
    };
    assert_eq!(outcome(break_even_gb * (1.0 - 1e-6)), ("steer".to_owned(), TARGET.to_owned()));
    assert_eq!(outcome(break_even_gb * (1.0 + 1e-6)), ("stay".to_owned(), BASE.to_owned()));
}

/// Sweden costs 0.012 USD/h more: whether its clean grid is worth that is a question of carbon's price alone.
#[test]
fn raising_only_the_carbon_price_turns_stay_into_steer_at_the_break_even() {
    let premium = 0.012 * HOURS;
    let tonnes = (benefit_without_data() + premium) / 1000.0;
    let break_even = premium / tonnes;
    let outcome = |usd_per_tonne: f64| {
        decided(
            &config(
                &ATLANTIC.replace("priceUsdPerTonne: 1000,", &format!("priceUsdPerTonne: {usd_per_tonne},")),
            ),
            0.0,
            BASE,
        )
    };
    assert!(break_even > 1.0 && break_even < 999.0, "{break_even} USD/t is no test");
    assert!(stays_at_base(&outcome(break_even * (1.0 - 1e-9))));
    assert!(steers_to_target(&outcome(break_even * (1.0 + 1e-9))));
}

#[test]
fn raising_the_carbon_price_above_its_cap_changes_nothing() {
    let capped = |price: &str| {
        ATLANTIC.replace("priceUsdPerTonne: 1000, max", &format!("priceUsdPerTonne: {price}, max"))
    };
    let record = |price: &str| {
        let rig = Rig::new(&capped(price));
        rig.admit(&job("4", "16Gi"));
        let mut record = rig.into_record();
        for varying in ["duration_us", "hash"] {
            record.as_object_mut().unwrap().remove(varying).unwrap();
        }
        record
    };
    let at_the_cap = record("1000");
    for above in ["1000.01", "2000", "1e300"] {
        assert_eq!(record(above), at_the_cap, "{above}");
    }
    assert_ne!(record("999.9"), at_the_cap);
}

#[test]
fn no_carbon_price_at_all_leaves_prices_to_decide() {
    let config = config(&ATLANTIC.replace("priceUsdPerTonne: 1000, max", "priceUsdPerTonne: 0, max"));
    assert!(stays_at_base(&decided(&config, 0.0, BASE)));
    assert_eq!(CarbonPrice::new(UsdPerTonne(0.0), UsdPerTonne(0.0)).effective(), UsdPerTonne(0.0));
}
