//! What a decision is expected to bring, against three counterfactuals that are fixed beforehand.
//!
//! Projected, hence modelled: the realised figures come from where the pod really ran. Savings may be negative.

use crate::domain::counterfactual::static_greenest;
use crate::domain::net_benefit::{Figures, price_delta};
use crate::domain::units::{Grams, KilowattHours, Usd};
use crate::domain::{Against, Decision, Snapshot};

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
        // While its figures are not known there is nothing to compare with.
        Against::StaticGreenest => {
            let eligible = places.clone().map(|place| place.region);
            let greenest = static_greenest(eligible, &snapshot.regions)?;
            places.into_iter().find(|place| place.region == greenest)?.figures.ok()
        }
    }
}
