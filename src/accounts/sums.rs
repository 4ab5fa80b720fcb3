//! What is added up: the same figures for a pod, an owner's day, a namespace's hour, and a report's total.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// What the pods are compared with, in this order everywhere: the configured baseline, the scheduler's mix, the region
/// that is greenest by the year's mean.
pub const COUNTERFACTUALS: usize = 3;

/// How a pod was treated: only the decided ones may claim savings, the others are what they are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Steered, or held where the base is.
    #[default]
    Decided,
    /// In the control group: decided about, and left alone.
    Holdout,
}

impl Group {
    /// The group in keys and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Holdout => "holdout",
        }
    }
}

/// Energy, emissions and cash of something that ran. All modelled: none of it is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// kWh, the data centre's overhead included.
    pub energy_kwh: f64,
    /// gCO2e, location-based.
    pub emissions_g: f64,
    /// USD, attributed: the pod's share of its machine's price.
    pub cost_usd: f64,
    /// Pod-hours whose price is not known: they are in the other figures and not in the cost.
    pub unpriced_hours: f64,
}

/// What the same pods would have done elsewhere, over the hours in which both sides are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Pod-hours compared.
    pub hours: f64,
    /// Of them, those in which all prices are known, for the figures in USD.
    pub priced_hours: f64,
    /// gCO2e elsewhere.
    pub emissions_g: f64,
    /// USD elsewhere, where both prices are known.
    pub cost_usd: f64,
    /// gCO2e elsewhere less gCO2e here: below zero where more was emitted.
    pub avoided_g: f64,
    /// Cash: price and transfer elsewhere less here, below zero where more was paid. Differences within what the prices'
    /// sources can tell apart count as none, so it is not the difference of two costs.
    pub saved_usd: f64,
}

/// What was expected when the pods were bound, over their expected runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Projected {
    /// Pods of which something was expected: of the others it could not be said.
    pub pods: u64,
    /// gCO2e expected to be avoided.
    pub avoided_g: f64,
    /// Of them, those of which it could be said in USD too: transfer has no price everywhere.
    pub priced_pods: u64,
    /// Cash expected to be saved by those.
    pub saved_usd: f64,
}

/// All figures of some pods over some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sums {
    /// Pods bound.
    pub pods: u64,
    /// Of them, sent to another region than the base.
    pub steered: u64,
    /// Of them, with a preferred region, and bound in another one.
    pub missed: u64,
    /// Moves that ended: pods steered, bound where they were sent, and gone again.
    pub moves_ended: u64,
    /// Of them, with a realised net benefit above zero.
    pub moves_gained: u64,
    /// Requested CPU cores times hours.
    pub core_hours: f64,
    /// Of them, those that nothing is known of.
    pub missing_core_hours: f64,
    /// Pod-hours in which the readings were measured.
    pub measured_hours: f64,
    /// Pod-hours in which a reading was an estimate.
    pub estimated_hours: f64,
    /// Pod-hours that nothing is known of, and nothing will be.
    pub missing_hours: f64,
    /// What was used where the pods ran.
    pub actual: Used,
    /// Against each counterfactual.
    pub against: [Compared; COUNTERFACTUALS],
    /// Expected at the binding, against each counterfactual.
    pub projected: [Projected; COUNTERFACTUALS],
    /// Expected hours of the pods bound.
    pub projected_hours: f64,
}

impl AddAssign for Used {
    fn add_assign(&mut self, other: Self) {
        self.energy_kwh += other.energy_kwh;
        self.emissions_g += other.emissions_g;
        self.cost_usd += other.cost_usd;
        self.unpriced_hours += other.unpriced_hours;
    }
}

impl AddAssign for Compared {
    fn add_assign(&mut self, other: Self) {
        self.hours += other.hours;
        self.priced_hours += other.priced_hours;
        self.emissions_g += other.emissions_g;
        self.cost_usd += other.cost_usd;
        self.avoided_g += other.avoided_g;
        self.saved_usd += other.saved_usd;
    }
}

impl AddAssign for Projected {
    fn add_assign(&mut self, other: Self) {
        self.pods += other.pods;
        self.avoided_g += other.avoided_g;
        self.priced_pods += other.priced_pods;
        self.saved_usd += other.saved_usd;
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.pods += other.pods;
        self.steered += other.steered;
        self.missed += other.missed;
        self.moves_ended += other.moves_ended;
        self.moves_gained += other.moves_gained;
        self.core_hours += other.core_hours;
        self.missing_core_hours += other.missing_core_hours;
        self.measured_hours += other.measured_hours;
        self.estimated_hours += other.estimated_hours;
        self.missing_hours += other.missing_hours;
        self.actual += other.actual;
        for (sum, other) in self.against.iter_mut().zip(other.against) {
            *sum += other;
        }
        for (sum, other) in self.projected.iter_mut().zip(other.projected) {
            *sum += other;
        }
        self.projected_hours += other.projected_hours;
    }
}
