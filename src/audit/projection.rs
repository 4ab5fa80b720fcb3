//! What a decision is expected to bring, against three counterfactuals that are fixed beforehand.
//!
//! Projected, hence modelled: the realised figures come from where the pod really ran. Savings may be negative.

use crate::domain::net_benefit::{Figures, price_delta};
use crate::domain::units::{Grams, KilowattHours, Usd};
use crate::domain::{Decision, Snapshot};

/// What the pod is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Against {
    /// The configured baseline.
    Baseline,
    /// What Kubernetes alone does: the mean over the eligible regions, by their weight.
    SchedulerMix,
    /// The eligible region with the lowest annual mean intensity times PUE: without it, any claim is met by a
    /// constant.
    StaticGreenest,
}

impl Against {
    /// Every counterfactual.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::SchedulerMix, Self::StaticGreenest];

    /// The counterfactual in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::SchedulerMix => "scheduler_mix",
            Self::StaticGreenest => "static_greenest",
        }
    }
}

/// What the preferred region brings against the decision's base.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projection {
    /// Cash saved: price, egress and migration; never carbon or latency. Attributed: the bill changes only when
    /// nodes scale.
    pub saved: Usd,
    /// Emissions avoided.
    pub avoided: Grams,
    /// Energy used in the preferred region.
    pub energy: KilowattHours,
    /// Emissions in the preferred region.
    pub emissions: Grams,
}

/// The projection of a decision that prefers a region; `None` for one that prefers none.
#[must_use]
pub fn project(decision: &Decision) -> Option<Projection> {
    let base = decision.base?;
    let preferred = decision.preferred_score()?;
    let figures = preferred.assessment.figures.ok()?;
    Some(Projection {
        saved: preferred.terms?.cash(),
        avoided: base.figures.emissions - figures.emissions,
        energy: figures.energy,
        emissions: figures.emissions,
    })
}

/// Cash saved and emissions avoided against one counterfactual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Savings {
    /// Cash; negative when the choice costs more. `None` when transfer matters and is not priced.
    pub saved: Option<Usd>,
    /// Emissions; negative when the choice emits more.
    pub avoided: Grams,
}

/// What the preferred region brings against a counterfactual; `None` when either side is not known.
#[must_use]
pub fn savings(
    decision: &Decision,
    snapshot: &Snapshot,
    egress_gb: f64,
    against: Against,
) -> Option<Savings> {
    let preferred = decision.preferred_score()?.assessment.figures.ok()?;
    let other = counterfactual(decision, snapshot, against)?;
    let egress = if egress_gb == 0.0 {
        Some(0.0)
    } else {
        other.egress_per_gb.zip(preferred.egress_per_gb).map(|(there, here)| (there.0 - here.0) * egress_gb)
    };
    Some(Savings {
        saved: egress.map(|egress| price_delta(&preferred, &other) + Usd(egress)),
        avoided: other.emissions - preferred.emissions,
    })
}

fn counterfactual(decision: &Decision, snapshot: &Snapshot, against: Against) -> Option<Figures> {
    let places = decision.scores.iter().map(|score| &score.assessment);
    match against {
        Against::Baseline => decision.base.map(|base| base.figures),
        Against::SchedulerMix => Figures::weighted_mean(
            &places.filter_map(|place| Some((place.figures.as_ref().ok()?, place.mix_weight))),
        ),
        // Fixed beforehand: while its figures are not known there is nothing to compare with, and no other region
        // stands in for it.
        Against::StaticGreenest => {
            let greenest = places
                .filter_map(|place| {
                    let region = snapshot.regions.get(place.region);
                    region.annual_mean.map(|mean| (mean.0 * region.pue.0, place))
                })
                .min_by(|(a, _), (b, _)| a.total_cmp(b));
            greenest.and_then(|(_, place)| place.figures.ok())
        }
    }
}
