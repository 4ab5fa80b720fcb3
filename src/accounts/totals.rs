//! Sums since the beginning, one for each series of a metric. Kept, so that whoever accounts next goes on counting where
//! the one before stopped, and nothing is counted twice or lost between them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::run::{Expected, Run, Treatment};
use super::sums::Sums;
use crate::domain::counterfactual::SCHEDULER_MIX;

/// One series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Total {
    /// Pods sent to another region than the base.
    Steered {
        /// Their namespace.
        namespace: String,
        /// The base; a region's name, or the scheduler's mix.
        baseline: String,
        /// Where they were sent.
        target: String,
    },
    /// Pods bound, by where they landed.
    Placed {
        /// What was decided.
        treatment: Treatment,
        /// Whether they landed where they were asked to go; `None`: they were not asked, or nobody knows.
        landed: Option<bool>,
    },
    /// kWh used, modelled.
    Energy {
        /// The namespace.
        namespace: String,
        /// Where.
        region: String,
    },
    /// gCO2e emitted, modelled.
    Emissions {
        /// The namespace.
        namespace: String,
        /// Where.
        region: String,
    },
    /// gCO2e avoided, or added where `gain` is false.
    Carbon {
        /// The namespace.
        namespace: String,
        /// Index of the counterfactual.
        against: usize,
        /// Whether it was realised, or projected.
        realised: bool,
        /// Avoided, or added: a counter cannot fall.
        gain: bool,
    },
    /// USD saved, or added where `gain` is false.
    Cost {
        /// The namespace.
        namespace: String,
        /// Index of the counterfactual.
        against: usize,
        /// Whether it was realised, or projected.
        realised: bool,
        /// Saved, or added: a counter cannot fall.
        gain: bool,
    },
}

/// Namespaces beyond these share one name, so that neither the books nor a time-series database grow without end.
pub const MAX_NAMESPACES: usize = 1000;
/// The name that they share.
pub const OTHER_NAMESPACES: &str = "_other";

impl Total {
    /// The namespace it is of, if it is of one.
    pub(super) const fn namespace_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Steered { namespace, .. }
            | Self::Energy { namespace, .. }
            | Self::Emissions { namespace, .. }
            | Self::Carbon { namespace, .. }
            | Self::Cost { namespace, .. } => Some(namespace),
            Self::Placed { .. } => None,
        }
    }
}

/// All series.
pub type Totals = BTreeMap<Total, f64>;

/// What a base is called that was not known when the pod was bound.
const UNKNOWN: &str = "unknown";

/// What a binding adds.
#[must_use]
pub fn of_binding(run: &Run) -> Vec<(Total, f64)> {
    let mut added = vec![(Total::Placed { treatment: run.treatment, landed: run.landed() }, 1.0)];
    if run.treatment == Treatment::Steer {
        let base = run.base.and_then(|base| run.places.get(base));
        added.push((
            Total::Steered {
                namespace: run.namespace.clone(),
                baseline: match base {
                    Some(place) => place.price.region.clone(),
                    None if run.compares => SCHEDULER_MIX.to_owned(),
                    None => UNKNOWN.to_owned(),
                },
                target: run.target.clone().unwrap_or_default(),
            },
            1.0,
        ));
    }
    if run.treatment != Treatment::Holdout {
        for (against, expected) in run.projected.iter().enumerate() {
            let Some(Expected { avoided_g, saved_usd }) = *expected else { continue };
            add_signed(&mut added, &run.namespace, against, false, Some(avoided_g), saved_usd);
        }
    }
    added
}

/// What an hour adds.
#[must_use]
pub fn of_hour(run: &Run, sums: &Sums) -> Vec<(Total, f64)> {
    let mut added = Vec::new();
    if let Some(region) = run.region() {
        let (namespace, region) = (run.namespace.clone(), region.to_owned());
        added.push((
            Total::Energy { namespace: namespace.clone(), region: region.clone() },
            sums.actual.energy_kwh,
        ));
        added.push((Total::Emissions { namespace, region }, sums.actual.emissions_g));
    }
    // What happens to pods that are left alone is nobody's doing.
    if run.treatment != Treatment::Holdout {
        for (against, compared) in sums.against.iter().enumerate() {
            let avoided = (compared.hours > 0.0).then_some(compared.avoided_g);
            let saved = (compared.priced_hours > 0.0).then_some(compared.saved_usd);
            add_signed(&mut added, &run.namespace, against, true, avoided, saved);
        }
    }
    added
}

fn add_signed(
    added: &mut Vec<(Total, f64)>,
    namespace: &str,
    against: usize,
    realised: bool,
    avoided_g: Option<f64>,
    saved_usd: Option<f64>,
) {
    // Both sides exist as soon as one does: a difference with a missing side is missing.
    for gain in [true, false] {
        let side = |amount: f64| if gain { amount.max(0.0) } else { (-amount).max(0.0) };
        let namespace = || namespace.to_owned();
        if let Some(grams) = avoided_g {
            added.push((Total::Carbon { namespace: namespace(), against, realised, gain }, side(grams)));
        }
        if let Some(usd) = saved_usd {
            added.push((Total::Cost { namespace: namespace(), against, realised, gain }, side(usd)));
        }
    }
}
