//! The decision: which region a pod should prefer, and why.
//!
//! One type serves the webhook, the extender, `explain`, `backtest` and the ledger, so that what is explained is
//! what was decided. The function is pure: the same arguments give the same decision, on any machine, at any time.

use jiff::Timestamp;

use super::assessment::{Assessment, Exclusion, Origins, assess};
use super::choice::choose;
use super::demand::{Candidates, PodDemand};
use super::net_benefit::{Figures, Terms, UnknownTerm, terms};
use super::policy::{Baseline, EffectivePolicy};
use super::reason::{BypassReason, Reason, StayReason};
use super::region::RegionId;
use super::snapshot::{Basis, DataState, Signal, Snapshot};
use super::units::{Milliseconds, Usd};

/// What is to be done with the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Prefer `target`: index into the decision's scores.
    Steer {
        /// The winner.
        target: usize,
    },
    /// Nothing beats the base by enough; prefer the base where there is one region to prefer.
    Stay {
        /// Why.
        reason: StayReason,
    },
    /// Leave the pod as it came.
    Bypass {
        /// Why.
        reason: BypassReason,
    },
}

/// What the regions were compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Base {
    /// The region; `None` for the scheduler mix.
    pub region: Option<RegionId>,
    /// What running the pod at the base comes to.
    pub figures: Figures,
}

/// One candidate, assessed and compared with the base.
#[derive(Clone, Debug)]
pub struct Score {
    /// What is known of it by itself.
    pub assessment: Assessment,
    /// The terms against the base, when all are known.
    pub terms: Option<Terms>,
    /// Round trip added over the base, when known.
    pub added_round_trip: Option<Milliseconds>,
    /// Why it cannot win; `None` when it can.
    pub exclusion: Option<Exclusion>,
}

impl Score {
    /// The region.
    #[must_use]
    pub fn region(&self) -> RegionId {
        self.assessment.region
    }

    /// The sum of the terms, when all are known.
    #[must_use]
    pub fn net_benefit(&self) -> Option<Usd> {
        self.terms.as_ref().map(Terms::net_benefit)
    }

    /// Why the scores' grid data are in the state they are in, the comparison with the base included.
    #[must_use]
    pub fn state(&self) -> DataState {
        match self.exclusion {
            Some(Exclusion::GridData(state)) => state,
            _ => self.assessment.state,
        }
    }
}

/// A decision with everything it was made of.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What is to be done.
    pub outcome: Outcome,
    /// What the regions were compared with; `None` when it did not come to that.
    pub base: Option<Base>,
    /// Every candidate, in the order it was given.
    pub scores: Vec<Score>,
    /// Candidates that are worth preferring, best first; the winner leads when there is one.
    pub ranking: Vec<usize>,
    /// Where the owner's pods were sent last: with the quotas in the scores, all that a replay needs beside them.
    pub incumbent: Option<RegionId>,
}

impl Decision {
    /// A decision to leave the pod alone, made before anything was scored.
    #[must_use]
    pub const fn bypass(reason: BypassReason) -> Self {
        Self {
            outcome: Outcome::Bypass { reason },
            base: None,
            scores: Vec::new(),
            ranking: Vec::new(),
            incumbent: None,
        }
    }

    /// The reason of the outcome.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self.outcome {
            Outcome::Steer { .. } => Reason::NetBenefit,
            Outcome::Stay { reason } => Reason::Stay(reason),
            Outcome::Bypass { reason } => Reason::Bypass(reason),
        }
    }

    /// The outcome as it stands in metrics and records.
    #[must_use]
    pub const fn outcome_str(&self) -> &'static str {
        match self.outcome {
            Outcome::Steer { .. } => "steer",
            Outcome::Stay { .. } => "stay",
            Outcome::Bypass { .. } => "bypass",
        }
    }

    /// The winner, when the pod is steered.
    #[must_use]
    pub fn target(&self) -> Option<&Score> {
        match self.outcome {
            Outcome::Steer { target } => self.scores.get(target),
            Outcome::Stay { .. } | Outcome::Bypass { .. } => None,
        }
    }

    /// The region the pod should prefer: the target, or the base region it stays in. `None` when there is nothing to
    /// prefer: left alone, in the control group, or the base is no one region.
    #[must_use]
    pub fn preferred_region(&self) -> Option<RegionId> {
        match self.outcome {
            Outcome::Steer { target } => self.scores.get(target).map(Score::region),
            Outcome::Stay { reason: StayReason::Holdout } | Outcome::Bypass { .. } => None,
            Outcome::Stay { .. } => self.base.and_then(|base| base.region),
        }
    }

    /// This decision with its outcome replaced by an earlier one for the same pod, which sent it to `region`: the
    /// terms are of now, the outcome of then. `None` when the region is not among the candidates, or may not win any
    /// more: then nobody's word stands against the policy.
    #[must_use]
    pub fn following(mut self, region: RegionId) -> Option<Self> {
        let target =
            self.scores.iter().position(|score| score.region() == region && score.exclusion.is_none())?;
        let base = self.base?;
        if base.region == Some(region) {
            self.outcome = Outcome::Stay { reason: StayReason::BaselineBest };
            self.ranking.clear();
        } else {
            self.outcome = Outcome::Steer { target };
            self.ranking.retain(|index| *index != target);
            self.ranking.insert(0, target);
        }
        Some(self)
    }

    /// What the preferred candidate does against the base.
    #[must_use]
    pub fn preferred_score(&self) -> Option<&Score> {
        let region = self.preferred_region()?;
        self.target().or_else(|| self.scores.iter().find(|score| score.region() == region))
    }
}

/// Decides where a pod should go.
///
/// Leaves alone what cannot be decided (no requests, fewer than two regions, a base that is not known); otherwise
/// scores every candidate against the base and picks the highest net benefit above the policy's minimum. Ties go to
/// less carbon, then to the name.
#[must_use]
pub fn decide(
    demand: &PodDemand,
    candidates: &Candidates,
    snapshot: &Snapshot,
    policy: &EffectivePolicy,
    now: Timestamp,
) -> Decision {
    if demand.cpu.0 <= 0.0 && demand.memory.0 <= 0.0 && demand.gpus == 0 {
        return Decision::bypass(BypassReason::NoRequests);
    }
    if !spans_two_regions(candidates) {
        return Decision::bypass(BypassReason::SingleRegion);
    }
    // Data and users are where pods were before Eco-Pulse came, also when this pod cannot go there.
    let home = match policy.baseline {
        Baseline::Region(region) => Some(region),
        Baseline::SchedulerMix => None,
    };
    let base_region = home.filter(|home| candidates.list.iter().any(|place| place.region == *home));
    let origins = Origins { data: demand.data_region.or(home), traffic: demand.traffic_region.or(home) };
    let assessments: Vec<Assessment> = candidates
        .list
        .iter()
        .map(|candidate| assess(candidate, demand, origins, snapshot, policy, now))
        .collect();

    let reference = match reference_reading(base_region, &assessments) {
        Ok(reference) => reference,
        Err(reason) => return unscored(reason, assessments),
    };
    let assessments = exclude_incomparable(assessments, reference);
    let Some(figures) = base_figures(base_region, &assessments, candidates) else {
        let at_base = |place: &Assessment| base_region.is_none_or(|base| place.region == base);
        let gpu_unknown = |place: &Assessment| place.figures == Err(Exclusion::GpuUnknown);
        let reason = if assessments.iter().any(|place| at_base(place) && gpu_unknown(place)) {
            BypassReason::UnknownGpu
        } else {
            BypassReason::BaselineUnknown
        };
        return unscored(reason, assessments);
    };
    let base = Base { region: base_region, figures };
    // What is not known of the base is not known of any difference to it.
    if terms(&base.figures, &base.figures, demand, policy, false).is_err() {
        return unscored(BypassReason::BaselineUnknown, assessments);
    }
    let scores: Vec<Score> = assessments
        .into_iter()
        .map(|assessment| score(assessment, &base, demand, candidates.running_in, policy))
        .collect();
    let (outcome, ranking) = choose(&scores, &base, demand, candidates, snapshot, policy);
    let base_is_excluded =
        scores.iter().any(|score| base.region == Some(score.region()) && score.exclusion.is_some());
    let outcome = match outcome {
        // Staying means to prefer the base, which the pod itself does not want: then nobody's region is preferred.
        Outcome::Stay { reason } if base_is_excluded && reason != StayReason::Holdout => {
            Outcome::Bypass { reason: BypassReason::Policy }
        }
        outcome => outcome,
    };
    Decision { outcome, base: Some(base), scores, ranking, incumbent: candidates.incumbent }
}

fn spans_two_regions(candidates: &Candidates) -> bool {
    let mut regions = candidates.list.iter().map(|candidate| candidate.region);
    regions.next().is_some_and(|first| regions.any(|other| other != first))
}

/// Signal and basis that all others must share: the base region's, or for the mix the first usable one.
fn reference_reading(
    base_region: Option<RegionId>,
    assessments: &[Assessment],
) -> Result<(Signal, Basis), BypassReason> {
    let at_base = |place: &&Assessment| base_region.is_none_or(|base| place.region == base);
    let kind = |place: &Assessment| {
        place.intensity.and(place.reading.as_ref()).map(|reading| (reading.signal, reading.basis))
    };
    if let Some(reference) = assessments.iter().filter(at_base).find_map(kind) {
        return Ok(reference);
    }
    let stale = assessments.iter().filter(at_base).any(|place| place.state == DataState::Stale);
    Err(if stale { BypassReason::StaleSnapshot } else { BypassReason::BaselineUnknown })
}

fn exclude_incomparable(mut assessments: Vec<Assessment>, reference: (Signal, Basis)) -> Vec<Assessment> {
    for place in &mut assessments {
        let comparable =
            place.reading.as_ref().is_none_or(|reading| (reading.signal, reading.basis) == reference);
        if !comparable && place.figures.is_ok() {
            place.figures = Err(Exclusion::GridData(DataState::Incomparable));
        }
    }
    assessments
}

fn base_figures(
    base_region: Option<RegionId>,
    assessments: &[Assessment],
    candidates: &Candidates,
) -> Option<Figures> {
    if let Some(region) = base_region {
        return assessments.iter().find(|place| place.region == region)?.figures.ok();
    }
    let usable = assessments.iter().zip(&candidates.list).filter_map(|(place, candidate)| {
        place.figures.as_ref().ok().map(|figures| (figures, candidate.mix_weight))
    });
    Figures::weighted_mean(&usable)
}

/// The decision when there is nothing to compare with: the candidates are shown, none is scored.
fn unscored(reason: BypassReason, assessments: Vec<Assessment>) -> Decision {
    let scores = assessments
        .into_iter()
        .map(|assessment| Score {
            exclusion: assessment.figures.err(),
            assessment,
            terms: None,
            added_round_trip: None,
        })
        .collect();
    Decision { outcome: Outcome::Bypass { reason }, base: None, scores, ranking: Vec::new(), incumbent: None }
}

fn score(
    assessment: Assessment,
    base: &Base,
    demand: &PodDemand,
    running_in: Option<RegionId>,
    policy: &EffectivePolicy,
) -> Score {
    let figures = match assessment.figures {
        Ok(figures) => figures,
        Err(exclusion) => {
            return Score { assessment, terms: None, added_round_trip: None, exclusion: Some(exclusion) };
        }
    };
    let moves = running_in.is_some_and(|here| here != assessment.region);
    let (terms, unknown) = match terms(&figures, &base.figures, demand, policy, moves) {
        Ok(terms) => (Some(terms), None),
        Err(UnknownTerm::Egress) => (None, Some(Exclusion::EgressUnknown)),
        Err(UnknownTerm::Latency) => (None, Some(Exclusion::LatencyUnknown)),
    };
    let is_base = base.region == Some(assessment.region);
    let exclusion = unknown
        .or_else(|| own_limit_broken(&figures, demand))
        .or_else(|| if is_base { None } else { limit_broken(&figures, &base.figures, demand, policy) })
        .or_else(|| {
            terms
                .filter(|_| !is_base)
                .and_then(|terms| minimum_missed(&terms, &figures, &base.figures, policy))
        });
    let added_round_trip = figures.added_round_trip(&base.figures);
    Score { assessment, terms, added_round_trip, exclusion }
}

/// The pod's own limit, which holds for the base as for any other region.
fn own_limit_broken(place: &Figures, demand: &PodDemand) -> Option<Exclusion> {
    let limit = demand.max_latency?;
    match place.round_trip {
        None => Some(Exclusion::LatencyUnknown),
        Some(round_trip) => (round_trip.0 > limit.0).then_some(Exclusion::MaxLatency),
    }
}

/// What a policy asks of a move at least, and this one does not bring.
fn minimum_missed(
    terms: &Terms,
    place: &Figures,
    base: &Figures,
    policy: &EffectivePolicy,
) -> Option<Exclusion> {
    if policy.min_savings.is_some_and(|least| terms.cash().0 < least.0) {
        return Some(Exclusion::MinSavings);
    }
    let least = policy.min_carbon_reduction?;
    // Of nothing, nothing can be avoided.
    let reached =
        place.emissions.0 <= base.emissions.0 * (1.0 - least) && (base.emissions.0 > 0.0 || least <= 0.0);
    (!reached).then_some(Exclusion::MinCarbonReduction)
}

/// A limit that keeps a region other than the base from winning, however good it is.
fn limit_broken(
    place: &Figures,
    base: &Figures,
    demand: &PodDemand,
    policy: &EffectivePolicy,
) -> Option<Exclusion> {
    if let Some(limit) = policy.latency.max_added(demand.class) {
        match place.added_round_trip(base) {
            None => return Some(Exclusion::LatencyUnknown),
            Some(added) if added.0 > limit.0 => return Some(Exclusion::AddedLatency),
            Some(_) => {}
        }
    }
    (!policy.allow_dirtier && place.emissions.0 > base.emissions.0).then_some(Exclusion::Dirtier)
}
