//! Which of several good regions wins: ties, the minimum, the incumbent, the herd's quota, the control group.

use std::fmt::Write as _;

use eco_pulse::domain::demand::{Candidate, Candidates, PodDemand};
use eco_pulse::domain::snapshot::CapacityType;
use eco_pulse::domain::units::{Cores, Gibibytes, Gigabytes, Hours};
use eco_pulse::domain::{Decision, Outcome, Reason, StayReason, WorkloadClass, decide};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Admission, NOON, Rig, at, config, job, object, snapshot};

/// A base that costs 1 USD per core-hour, and regions after it with what they cost and emit; distance and data count
/// for nothing.
struct Market {
    yaml: String,
    names: Vec<String>,
}

impl Market {
    fn new(others: &[(&str, f64, f64)]) -> Self {
        let all = [("base", 1.0, 1000.0)].into_iter().chain(others.iter().copied());
        let (mut regions, mut mock, mut names) = (String::new(), String::new(), Vec::new());
        for (name, price, intensity) in all {
            writeln!(regions, "- {{name: {name}, provider: on-prem, pue: 1, priceUsdPerVcpuHour: {price}}}")
                .unwrap();
            write!(mock, "{name}: {intensity}, ").unwrap();
            names.push(name.to_owned());
        }
        let grid = format!("grid: {{provider: mock, mock: {{{mock}}}}}");
        let yaml = format!(
            "baseline: {{region: base}}\nregions:\n{regions}{grid}\ncarbon: {{priceUsdPerTonne: 0}}\n"
        );
        Self { yaml, names }
    }

    fn with(mut self, setting: &str) -> Self {
        self.yaml.push_str(setting);
        self.yaml.push('\n');
        self
    }

    fn rig(&self) -> Rig {
        Rig::new(&self.yaml)
    }

    /// One core for one hour: the net benefit is the price saved.
    fn decide(&self, incumbent: Option<&str>, quota_left: impl Fn(&str) -> Option<u32>) -> Decision {
        let config = config(&self.yaml);
        let snapshot = snapshot(&config, |_| {});
        let list = snapshot.regions.iter().map(|(region, facts)| Candidate {
            region,
            capacity_type: CapacityType::OnDemand,
            instance_type: "m5.xlarge".into(),
            mix_weight: 1.0,
            quota_left: quota_left(facts.name.as_str()),
        });
        let incumbent = incumbent.and_then(|name| snapshot.regions.by_name(name));
        let candidates = Candidates { list: list.collect(), incumbent, running_in: None };
        decide(&one_core_hour(), &candidates, &snapshot, &config.policy(), at(NOON))
    }

    fn ranking(&self, decision: &Decision) -> Vec<&str> {
        decision.ranking.iter().map(|index| self.names[*index].as_str()).collect()
    }
}

fn one_core_hour() -> PodDemand {
    PodDemand {
        cpu: Cores(1.0),
        memory: Gibibytes(0.0),
        gpus: 0,
        hours: Hours(1.0),
        egress: Gigabytes(0.0),
        data_region: None,
        traffic_region: None,
        class: WorkloadClass::Batch,
        max_latency: None,
        owner_hash: 0,
        defaults: Vec::new(),
    }
}

const fn no_limit(_: &str) -> Option<u32> {
    None
}

#[rstest]
#[case::by_benefit(&[("a", 0.5, 9.0), ("b", 0.25, 9.0), ("c", 0.75, 9.0)], &["b", "a", "c"])]
#[case::a_tie_goes_to_less_carbon(&[("a", 0.5, 9.0), ("b", 0.5, 8.0), ("c", 0.5, 10.0)], &["b", "a", "c"])]
#[case::then_to_the_name(&[("zeta", 0.5, 9.0), ("alpha", 0.5, 9.0), ("mid", 0.5, 9.0)], &["alpha", "mid", "zeta"])]
#[case::what_brings_nothing_is_left_out(&[("a", 1.0, 9.0), ("b", 0.5, 9.0), ("c", 1.5, 0.0)], &["b"])]
fn regions_are_ranked_the_same_way_always(#[case] others: &[(&str, f64, f64)], #[case] expected: &[&str]) {
    let market = Market::new(others);
    assert_eq!(market.ranking(&market.decide(None, no_limit)), expected);
    // In whatever order they are configured.
    let reversed: Vec<_> = others.iter().rev().copied().collect();
    let market = Market::new(&reversed);
    assert_eq!(market.ranking(&market.decide(None, no_limit)), expected);
}

#[rstest]
#[case::below(0.51, Reason::Stay(StayReason::BelowMinimum))]
#[case::exactly(0.5, Reason::Stay(StayReason::BelowMinimum))]
#[case::above(0.49, Reason::NetBenefit)]
fn a_move_must_be_worth_more_than_the_minimum(#[case] minimum_above: f64, #[case] reason: Reason) {
    let market =
        Market::new(&[("a", 0.5, 9.0)]).with(&format!("decision: {{minNetBenefitUsd: {minimum_above}}}"));
    assert_eq!(market.decide(None, no_limit).reason(), reason);
}

#[test]
fn no_benefit_at_all_is_told_from_too_little() {
    let market = Market::new(&[("a", 1.0, 9.0)]).with("decision: {minNetBenefitUsd: 0.1}");
    assert_eq!(market.decide(None, no_limit).reason(), Reason::Stay(StayReason::BaselineBest));
}

/// The incumbent saves 0.5; with a hysteresis of 0.25 a challenger needs more than 0.625.
#[rstest]
#[case::a_better_one_within_the_margin(0.40, Some("held"), &["held", "rival"])]
#[case::exactly_the_margin(0.375, Some("held"), &["held", "rival"])]
#[case::beyond_the_margin(0.374, Some("held"), &["rival", "held"])]
#[case::without_an_incumbent(0.40, None, &["rival", "held"])]
#[case::where_the_incumbent_is_the_base(0.40, Some("base"), &["rival", "held"])]
fn a_challenger_must_beat_the_incumbent_by_the_margin(
    #[case] rivals_price: f64,
    #[case] incumbent: Option<&str>,
    #[case] expected: &[&str],
) {
    let market =
        Market::new(&[("held", 0.5, 9.0), ("rival", rivals_price, 9.0)]).with("herd: {hysteresis: 0.25}");
    let decision = market.decide(incumbent, no_limit);
    assert_eq!(market.ranking(&decision), expected);
    assert_eq!(decision.outcome, Outcome::Steer { target: decision.ranking[0] });
}

#[test]
fn an_incumbent_that_is_no_longer_worth_it_holds_nothing() {
    let market = Market::new(&[("held", 1.5, 9.0), ("rival", 0.9, 9.0)]).with("herd: {hysteresis: 1}");
    assert_eq!(market.ranking(&market.decide(Some("held"), no_limit)), ["rival"]);
}

#[test]
fn a_full_region_gives_way_to_the_next_best() {
    let market = Market::new(&[("a", 0.2, 9.0), ("b", 0.4, 9.0), ("c", 0.6, 9.0)]);
    let full = |names: &'static [&str]| move |name: &str| Some(u32::from(!names.contains(&name)));
    for (names, expected) in [
        (&["a"][..], &["b", "c"][..]),
        (&["b"], &["a", "c"]),
        (&["a", "b"], &["c"]),
        // The base needs no room: pods that stay are not sent anywhere.
        (&["base"], &["a", "b", "c"]),
    ] {
        assert_eq!(market.ranking(&market.decide(None, full(names))), expected, "full: {names:?}");
    }
    let none_left = market.decide(None, full(&["a", "b", "c"]));
    assert_eq!(none_left.reason(), Reason::Stay(StayReason::HerdLimit));
    assert!(none_left.preferred_region().is_some(), "the base is preferred");
}

#[test]
fn within_a_minute_pods_overflow_to_the_next_best_and_then_stay() {
    let rig =
        Market::new(&[("best", 0.2, 9.0), ("next", 0.4, 9.0)]).with("herd: {maxPodsPerMinute: 2}").rig();
    let admit = || rig.admit(&job("1", "1Gi"));
    let seen = |admission: &Admission| (admission.reason.clone(), admission.target.clone().unwrap());
    let steered = |target: &str| ("net_benefit".to_owned(), target.to_owned());
    let limited = ("herd_limit".to_owned(), "base".to_owned());
    for expected in [steered("best"), steered("best"), steered("next"), steered("next"), limited.clone()] {
        assert_eq!(seen(&admit()), expected);
    }
    rig.at_seconds_past_noon(59);
    assert_eq!(seen(&admit()), limited);
    rig.at_seconds_past_noon(60);
    assert_eq!(seen(&admit()), steered("best"));
}

/// The best region saves 0.60, the next 0.58: less than the margin of a tenth apart.
#[test]
fn an_owners_later_pods_follow_its_first_within_the_margin() {
    let rig = Market::new(&[("best", 0.40, 9.0), ("next", 0.42, 9.0)])
        .with("herd: {maxPodsPerMinute: 1, hysteresis: 0.1}")
        .rig();
    let admit = |owner: &str| rig.admit(&owned_by(owner)).target.unwrap();
    assert_eq!(admit("first"), "best");
    assert_eq!(admit("second"), "next");
    rig.at_seconds_past_noon(60);
    assert_eq!(admit("second"), "next");
    assert_eq!(admit("third"), "best");
    let incumbents: Vec<Value> =
        rig.into_records().iter().map(|record| record["incumbent_region"].clone()).collect();
    assert_eq!(incumbents, [json!(null), json!(null), json!("next"), json!(null)]);
}

#[test]
fn terms_are_for_regions_that_have_room() {
    let rig =
        Market::new(&[("best", 0.2, 9.0), ("next", 0.4, 9.0)]).with("herd: {maxPodsPerMinute: 1}").rig();
    let terms = |admission: &Admission| admission.terms();
    assert_eq!(terms(&rig.admit(&job("1", "1Gi"))), [(100, "best".to_owned()), (10, "next".to_owned())]);
    assert_eq!(terms(&rig.admit(&job("1", "1Gi"))), [(100, "next".to_owned())]);
    assert_eq!(terms(&rig.admit(&job("1", "1Gi"))), [(100, "base".to_owned())]);
}

#[test]
fn no_more_than_three_regions_are_named() {
    let others: Vec<(String, f64, f64)> =
        (0..8).map(|number| (format!("r{number}"), f64::from(number) / 10.0, 9.0)).collect();
    let others: Vec<(&str, f64, f64)> =
        others.iter().map(|(name, price, g)| (name.as_str(), *price, *g)).collect();
    let admission = Market::new(&others).rig().admit(&job("1", "1Gi"));
    assert_eq!(admission.terms(), [(100, "r0".to_owned()), (10, "r1".to_owned()), (1, "r2".to_owned())]);
}

fn owned_by(uid: &str) -> Value {
    let mut review = job("1", "1Gi");
    object(&mut review)["metadata"]["ownerReferences"][0]["uid"] = json!(uid);
    review
}

fn is_held_out(rig: &Rig, review: &Value) -> bool {
    let admission = rig.admit(review);
    match admission.verdict() {
        ("stay", "holdout") => true,
        ("steer", "net_benefit") => false,
        other => panic!("{other:?}"),
    }
}

fn with_holdout(share: f64) -> Rig {
    Market::new(&[("a", 0.5, 9.0)])
        .with(&format!("decision: {{holdout: {share}}}\nherd: {{maxPodsPerMinute: 1000000}}"))
        .rig()
}

/// Owners are fixed, so the share found is too; three standard deviations of 2,000 draws at 0.2 are 0.027.
#[test]
fn about_the_configured_share_of_owners_is_held_out() {
    let rig = with_holdout(0.2);
    let held = (0..2000).filter(|owner| is_held_out(&rig, &owned_by(&format!("owner-{owner}")))).count();
    let share = held as f64 / 2000.0;
    assert!((share - 0.2).abs() < 0.027, "{share}");
}

#[test]
fn an_owners_pods_share_their_fate_on_every_replica() {
    let (one, other) = (with_holdout(0.5), with_holdout(0.5));
    let mut fates = [0, 0];
    for owner in 0..40 {
        let mut review = owned_by(&format!("owner-{owner}"));
        let held = is_held_out(&one, &review);
        fates[usize::from(held)] += 1;
        object(&mut review)["metadata"]["generateName"] = json!("another-");
        object(&mut review)["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!("3");
        assert_eq!(is_held_out(&other, &review), held, "owner-{owner}");
    }
    assert!(fates.iter().all(|fate| *fate > 5), "{fates:?}");
}

/// A larger control group takes owners in and sends none out: shares can be raised without mixing the groups.
#[test]
fn a_larger_control_group_contains_the_smaller() {
    let (small, large) = (with_holdout(0.2), with_holdout(0.4));
    for owner in 0..200 {
        let review = owned_by(&format!("owner-{owner}"));
        assert!(!is_held_out(&small, &review) || is_held_out(&large, &review), "owner-{owner}");
    }
}

#[test]
fn a_pod_without_owner_is_told_by_namespace_and_name() {
    let rig = with_holdout(0.5);
    let of = |namespace: &str, name: &str| {
        let mut review = job("1", "1Gi");
        review["request"]["namespace"] = json!(namespace);
        let metadata = &mut object(&mut review)["metadata"];
        metadata["ownerReferences"] = json!([]);
        metadata["generateName"] = json!(name);
        metadata["namespace"] = json!(namespace);
        review
    };
    let fates: Vec<bool> =
        (0..40).map(|number| is_held_out(&rig, &of("a", &format!("pod-{number}-")))).collect();
    let elsewhere: Vec<bool> =
        (0..40).map(|number| is_held_out(&rig, &of("b", &format!("pod-{number}-")))).collect();
    assert!(fates.contains(&true) && fates.contains(&false));
    assert_ne!(fates, elsewhere);
}

#[rstest]
#[case(0.0, false)]
#[case(1.0, true)]
fn the_ends_of_the_range_are_nobody_and_everybody(#[case] share: f64, #[case] held: bool) {
    let rig = with_holdout(share);
    for owner in 0..50 {
        assert_eq!(is_held_out(&rig, &owned_by(&format!("owner-{owner}"))), held);
    }
}
