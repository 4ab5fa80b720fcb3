//! A pod from its binding to its end: what is fixed once it is bound, and how far its account has come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::sums::{COUNTERFACTUALS, Group, Projected, Sums};
use crate::domain::snapshot::CapacityType;

/// What was decided about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// Sent to another region than the base.
    Steer,
    /// Held where the base is.
    Stay,
    /// Left alone, as one of the control group.
    Holdout,
}

impl Treatment {
    /// From the decision label; `None` for what is none of its values.
    #[must_use]
    pub fn of_label(label: &str) -> Option<Self> {
        [Self::Steer, Self::Stay, Self::Holdout].into_iter().find(|known| known.as_str() == label)
    }

    /// The decision label's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Steer => "steer",
            Self::Stay => "stay",
            Self::Holdout => "holdout",
        }
    }
}

/// What a place is priced by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PriceKey {
    /// The region.
    pub region: String,
    /// The type of machine; `None` where configuration prices a vCPU.
    pub instance_type: Option<String>,
    /// The capacity.
    pub capacity_type: CapacityType,
}

/// What running the pod in one place takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// What it is priced by; the region with it.
    pub price: PriceKey,
    /// The pod's share of what is priced; `None`: it cannot be told.
    pub share: Option<f64>,
    /// Power drawn by the pod's requests, W, before the overhead; `None`: the GPU's model is not known.
    pub watts: Option<f64>,
    /// The data centre's overhead: energy drawn per energy used.
    pub pue: f64,
    /// Weight in the scheduler's mix; 0 where the pod could not have gone there.
    pub weight: f64,
    /// USD per GB between the pod's data and here; `None`: no source says.
    pub egress_usd_per_gb: Option<f64>,
}

/// What the pod asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// CPU cores.
    pub cpu_cores: f64,
    /// Expected hours.
    pub hours: f64,
    /// GB moved over the expected hours.
    pub egress_gb: f64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// Whether somebody saw it end; otherwise it was gone, and the time is the last at which it was known to be there.
    pub seen: bool,
}

/// A pod that was bound. What it is compared with is fixed here, before anybody knows how it will come out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The pod's uid.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// Its owner's kind; `Pod` where nobody owns it.
    pub kind: String,
    /// Its owner's name; its own where nobody owns it.
    pub owner: String,
    /// Its name.
    pub pod: String,
    /// The decision about it.
    pub decision_id: String,
    /// What was decided.
    pub treatment: Treatment,
    /// Where it was asked to go.
    pub target: Option<String>,
    /// The node it got.
    pub node: String,
    /// When it was bound.
    pub bound_at: Timestamp,
    /// What it asked for.
    pub asked: Asked,
    /// The places that count.
    pub places: Vec<Place>,
    /// Where it runs; `None`: its node is in no configured region.
    pub actual: Option<usize>,
    /// The baseline region; with `compares`, `None` means the scheduler's mix.
    pub base: Option<usize>,
    /// Whether there is a baseline at all: the base's data were known when the pod was bound.
    pub compares: bool,
    /// The region that is greenest by the year's mean.
    pub greenest: Option<usize>,
    /// What a tonne is worth, USD.
    pub carbon_price_usd_per_tonne: f64,
    /// Charge for the distance added over the base, USD an hour.
    pub latency_usd_per_hour: f64,
    /// What was expected against each counterfactual; `None`: not known.
    pub projected: [Option<Expected>; COUNTERFACTUALS],
}

/// What was expected of a run when its pod was bound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// gCO2e avoided; below zero where more was expected to be emitted.
    pub avoided_g: f64,
    /// Cash saved, USD; `None`: transfer matters and has no price.
    pub saved_usd: Option<f64>,
}

impl Run {
    /// The group it counts in.
    #[must_use]
    pub const fn group(&self) -> Group {
        match self.treatment {
            Treatment::Steer | Treatment::Stay => Group::Decided,
            Treatment::Holdout => Group::Holdout,
        }
    }

    /// The region it runs in, when it is a configured one.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.place().map(|place| place.price.region.as_str())
    }

    /// Where it runs, when that is a configured region.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.places.get(self.actual?)
    }

    /// Whether it landed where it was asked to go; `None` where it was not asked, or nobody knows where it is.
    #[must_use]
    pub fn landed(&self) -> Option<bool> {
        Some(self.target.as_deref()? == self.region()?)
    }

    /// What counts at its binding, once.
    #[must_use]
    pub fn at_binding(&self) -> Sums {
        let mut sums = Sums {
            pods: 1,
            steered: u64::from(self.treatment == Treatment::Steer),
            missed: u64::from(self.landed() == Some(false)),
            projected_hours: self.asked.hours,
            ..Sums::default()
        };
        for (sum, projected) in sums.projected.iter_mut().zip(self.projected) {
            let Some(Expected { avoided_g, saved_usd }) = projected else { continue };
            let priced_pods = u64::from(saved_usd.is_some());
            *sum = Projected { pods: 1, avoided_g, priced_pods, saved_usd: saved_usd.unwrap_or_default() };
        }
        sums
    }
}

/// How far a run's account has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The first whole hour since 1970 that has not been looked at.
    pub next_hour: i64,
    /// Hours before it that wait for readings.
    pub waiting: Vec<i64>,
    /// How it ended, once it has.
    pub end: Option<End>,
    /// Whether the API server knows the pod no more.
    pub gone: bool,
    /// What came of it so far.
    pub realised: Sums,
    /// Net benefit so far, USD, over the hours in which all of it is known.
    pub net_benefit_usd: f64,
    /// How many those are.
    pub net_benefit_hours: f64,
}
