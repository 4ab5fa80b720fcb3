//! What the operator wants of decisions: `carbon`, `workload`, `spot`, `latency`, `decision`, `herd`.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::Value;

use super::choices::choices;
use super::reader::Section;
use super::value::{Fault, boolean, choice, duration, integer, number, share};
use crate::domain::demand::MAX_EGRESS;
use crate::domain::energy::{Utilisation, Utilisations};
use crate::domain::policy::{CarbonPrice, LatencyPolicy, OwnerShare};
use crate::domain::units::{Gigabytes, Hours, Milliseconds, Usd, UsdPerMsHour, UsdPerTonne};

/// Highest cap on the carbon price, USD/t: far above any social cost in use, and low enough to catch a price that was
/// meant per kilogram or in another currency.
const HIGHEST_CARBON_CAP: f64 = 10_000.0;

/// What is assumed of a pod that does not say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorkloadSettings {
    /// How long it runs.
    pub default_duration: Hours,
    /// How hard its requested resources work.
    pub utilisation: Utilisations,
    /// Data it moves to or from its data region over the run.
    pub egress: Gigabytes,
}

choices! {
    /// Which pods also weigh spot capacity.
    SpotSteering {
        /// None.
        Never = "never",
    }
}

/// How decisions are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecisionSettings {
    /// Time a decision may take, from arrival; above zero, at most [`LONGEST_DEADLINE`].
    pub deadline: Duration,
    /// Weight of the winner's affinity term.
    pub affinity_weight: AffinityWeight,
    /// A move must be worth more than this.
    pub min_net_benefit: Usd,
    /// Whether a region with more carbon than the base may win for its price.
    pub allow_dirtier: bool,
    /// Charged when a pod that runs is moved.
    pub migration: Usd,
    /// The control group: this share of owners is left as it came.
    pub holdout: OwnerShare,
}

/// Longest deadline: the shipped webhook configuration's `timeoutSeconds: 1`, after which nobody listens.
pub const LONGEST_DEADLINE: Duration = Duration::from_secs(1);

/// Weight of a preferred affinity term, 1 to 100 (Kubernetes API, `PreferredSchedulingTerm`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AffinityWeight(u8);

impl AffinityWeight {
    /// The highest weight.
    pub const MAX: Self = Self(100);

    /// `None` unless 1 <= `weight` <= 100.
    #[must_use]
    pub fn new(weight: u8) -> Option<Self> {
        (1..=Self::MAX.0).contains(&weight).then_some(Self(weight))
    }

    /// The weight as a number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// What keeps pods from all going to one place at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HerdSettings {
    /// Pods steered to one region within a minute.
    pub max_pods_per_minute: NonZeroU32,
    /// Share of an owner's pods that go by the runner-up for one minute after the winner changes.
    pub jitter: OwnerShare,
    /// A challenger must beat the incumbent's net benefit by this fraction (0 to 1) of its absolute value.
    pub hysteresis: f64,
}

/// `carbon`. A price above the cap is legal: the cap holds, and a warning says so.
pub(super) fn read_carbon(carbon: &mut Section<'_>) -> CarbonPrice {
    let cap = carbon.read(
        "maxPriceUsdPerTonne",
        100.0,
        number(0.0..=HIGHEST_CARBON_CAP, &format!("a cap from 0 to {HIGHEST_CARBON_CAP} USD per tonne")),
    );
    let wanted = format!("a price from 0 to carbon.maxPriceUsdPerTonne ({cap})");
    let price = carbon.read("priceUsdPerTonne", 50.0, number(0.0..=f64::MAX, &wanted));
    if price > cap {
        carbon.warn(
            "priceUsdPerTonne",
            &format!("{price} is above carbon.maxPriceUsdPerTonne ({cap}): {cap} counts"),
        );
    }
    CarbonPrice::new(UsdPerTonne(price), UsdPerTonne(cap))
}

pub(super) fn read_workload(workload: &mut Section<'_>) -> WorkloadSettings {
    let length = Duration::from_secs(1)..=crate::domain::duration::LONGEST;
    let default_duration = workload.read("defaultDuration", Duration::from_hours(24), duration(length));
    let mut utilisation = |key| in_range(Utilisation::new(workload.read(key, 0.5, share)));
    let (cpu, gpu) = (utilisation("cpuUtilisation"), utilisation("gpuUtilisation"));
    let egress = workload.read(
        "egressGb",
        0.0,
        number(0.0..=MAX_EGRESS.0, &format!("gigabytes from 0 to {}", MAX_EGRESS.0)),
    );
    WorkloadSettings {
        default_duration: Hours(default_duration.as_secs_f64() / 3600.0),
        utilisation: Utilisations { cpu, gpu },
        egress: Gigabytes(egress),
    }
}

pub(super) fn read_spot(spot: &mut Section<'_>) -> SpotSteering {
    spot.read("steer", SpotSteering::Never, choice("spot.steer", SpotSteering::ALL))
}

pub(super) fn read_latency(latency: &mut Section<'_>) -> LatencyPolicy {
    let max_added = |class: &mut Section<'_>, default| {
        let range = number(0.0..=60_000.0, "milliseconds from 0 to 60000, or null for no limit");
        class.nullable("maxAddedMs", default, |value| range(value).map(Milliseconds))
    };
    let serving_max_added = latency.section("serving", |class| max_added(class, Some(Milliseconds(50.0))));
    let batch_max_added = latency.section("batch", |class| max_added(class, None));
    let price = latency.read("usdPerMsHour", 0.0, number(0.0..=1000.0, "USD per ms and hour from 0 to 1000"));
    LatencyPolicy { serving_max_added, batch_max_added, price: UsdPerMsHour(price) }
}

pub(super) fn read_decision(decision: &mut Section<'_>) -> DecisionSettings {
    let dollars = || number(0.0..=1e6, "USD from 0 to 1000000");
    let deadline = Duration::from_millis(1)..=LONGEST_DEADLINE;
    let highest = AffinityWeight::MAX.get();
    let weight = integer(1..=highest, "points");
    DecisionSettings {
        deadline: decision.read("deadline", Duration::from_millis(190), duration(deadline)),
        affinity_weight: in_range(AffinityWeight::new(decision.read("affinityWeight", highest, weight))),
        min_net_benefit: Usd(decision.read("minNetBenefitUsd", 0.0, dollars())),
        allow_dirtier: decision.read("allowDirtier", false, boolean),
        migration: Usd(decision.read("migrationUsd", 0.0, dollars())),
        holdout: in_range(OwnerShare::new(decision.read("holdout", 0.0, share))),
    }
}

pub(super) fn read_herd(herd: &mut Section<'_>) -> HerdSettings {
    // Zero would be a way to switch off that looks like a limit.
    let pods = |value: &Value| {
        integer(1..=1_000_000, "pods")(value).map_err(|fault| Fault {
            cure: format!("{}; to steer none, set mode: shadow", fault.cure),
            ..fault
        })
    };
    HerdSettings {
        max_pods_per_minute: in_range(NonZeroU32::new(herd.read("maxPodsPerMinute", 600, pods))),
        jitter: in_range(OwnerShare::new(herd.read("jitter", 0.1, share))),
        hysteresis: herd.read("hysteresis", 0.1, share),
    }
}

/// A type whose range the reader has checked already, with the same bounds.
pub(super) fn in_range<T>(made: Option<T>) -> T {
    made.expect("the reader and the type agree on the range")
}
