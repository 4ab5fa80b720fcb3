//! The formula: `NB = price delta + carbon delta - latency penalty - egress cost - migration cost`, in USD over the
//! pod's run, each term signed so that they add up.
//!
//! Says nothing of which region may win; that is [`super::decision`].

use serde::Serialize;

use super::demand::PodDemand;
use super::policy::EffectivePolicy;
use super::units::{Grams, KilowattHours, Milliseconds, Usd, UsdPerGb};

/// What running the pod in one place comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Price of its share of the machine over the run.
    pub cost: Usd,
    /// Half the width of what the price's source cannot tell apart, over the run.
    pub cost_precision: Usd,
    /// Energy over the run, the data centre's overhead included.
    pub energy: KilowattHours,
    /// Emissions over the run.
    pub emissions: Grams,
    /// Price of moving data between the data region and here; `None`: no source says.
    pub egress_per_gb: Option<UsdPerGb>,
    /// Round trip between the traffic region and here; `None`: neither measured nor computable.
    pub round_trip: Option<Milliseconds>,
}

impl Figures {
    /// The mean of several places by weight: what a scheduler that spreads gets. `None` when there is no weight.
    #[must_use]
    pub fn weighted_mean<'a>(places: &(impl Iterator<Item = (&'a Self, f64)> + Clone)) -> Option<Self> {
        let total: f64 = places.clone().map(|(_, weight)| weight).sum();
        if total.is_nan() || total <= 0.0 {
            return None;
        }
        let mean = |value: &dyn Fn(&Self) -> Option<f64>| {
            places
                .clone()
                .map(|(place, weight)| value(place).map(|value| value * weight / total))
                .sum::<Option<f64>>()
        };
        let known = |value: &dyn Fn(&Self) -> f64| mean(&|place| Some(value(place)));
        Some(Self {
            cost: Usd(known(&|place| place.cost.0)?),
            cost_precision: Usd(known(&|place| place.cost_precision.0)?),
            energy: KilowattHours(known(&|place| place.energy.0)?),
            emissions: Grams(known(&|place| place.emissions.0)?),
            egress_per_gb: mean(&|place| place.egress_per_gb.map(|price| price.0)).map(UsdPerGb),
            round_trip: mean(&|place| place.round_trip.map(|time| time.0)).map(Milliseconds),
        })
    }

    /// Round trip that running here adds over `base`; `None` when either is not known.
    #[must_use]
    pub fn added_round_trip(&self, base: &Self) -> Option<Milliseconds> {
        Some((self.round_trip? - base.round_trip?).max(Milliseconds::ZERO))
    }
}

/// The five terms, as signed contributions: what is a cost is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Terms {
    /// Cost at the base less cost here; zero when the sources' precision cannot tell the two apart.
    pub price: Usd,
    /// Worth of the emissions avoided against the base.
    pub carbon: Usd,
    /// Charge for the distance added.
    pub latency: Usd,
    /// Data transfer at the base less data transfer here.
    pub egress: Usd,
    /// Charge for moving a pod that runs.
    pub migration: Usd,
}

impl Terms {
    /// Their sum.
    #[must_use]
    pub fn net_benefit(&self) -> Usd {
        self.price + self.carbon + self.latency + self.egress + self.migration
    }

    /// What the move does to the bill: neither carbon nor latency is money that anybody is paid.
    #[must_use]
    pub fn cash(&self) -> Usd {
        self.price + self.egress + self.migration
    }
}

/// Something the formula needs is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownTerm {
    /// The pod moves data, and no source prices the way.
    Egress,
    /// Distance is charged, and it is not known.
    Latency,
}

/// The terms of `place` against `base`.
///
/// # Errors
/// A term that matters for this pod cannot be computed.
pub fn terms(
    place: &Figures,
    base: &Figures,
    demand: &PodDemand,
    policy: &EffectivePolicy,
    moves_running_pod: bool,
) -> Result<Terms, UnknownTerm> {
    Ok(Terms {
        price: price_delta(place, base),
        carbon: policy.carbon_price.of(base.emissions - place.emissions),
        latency: latency_charge(place, base, demand, policy)?,
        egress: egress_delta(place, base, demand)?,
        migration: if moves_running_pod { Usd::ZERO - policy.migration } else { Usd::ZERO },
    })
}

/// Cost at the base less cost at `place`; zero when the sources' precision cannot tell the two apart.
#[must_use]
pub fn price_delta(place: &Figures, base: &Figures) -> Usd {
    let delta = base.cost - place.cost;
    let indistinguishable = place.cost_precision + base.cost_precision;
    if delta.0.abs() <= indistinguishable.0 { Usd::ZERO } else { delta }
}

fn latency_charge(
    place: &Figures,
    base: &Figures,
    demand: &PodDemand,
    policy: &EffectivePolicy,
) -> Result<Usd, UnknownTerm> {
    if policy.latency.price.0 == 0.0 {
        return Ok(Usd::ZERO);
    }
    let added = place.added_round_trip(base).ok_or(UnknownTerm::Latency)?;
    Ok(Usd::ZERO - policy.latency.price.of(added, demand.hours))
}

fn egress_delta(place: &Figures, base: &Figures, demand: &PodDemand) -> Result<Usd, UnknownTerm> {
    if demand.egress.0 == 0.0 {
        return Ok(Usd::ZERO);
    }
    match (base.egress_per_gb, place.egress_per_gb) {
        (Some(at_base), Some(here)) => Ok(at_base.of(demand.egress) - here.of(demand.egress)),
        _ => Err(UnknownTerm::Egress),
    }
}
