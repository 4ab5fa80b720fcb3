//! The last step of a decision: from scores to a winner.

use super::decision::{Base, Outcome, Score};
use super::demand::{Candidates, PodDemand};
use super::policy::EffectivePolicy;
use super::reason::StayReason;
use super::snapshot::Snapshot;
use super::units::Usd;

/// Picks the outcome and ranks what is worth preferring.
pub(super) fn choose(
    scores: &[Score],
    base: &Base,
    demand: &PodDemand,
    candidates: &Candidates,
    snapshot: &Snapshot,
    policy: &EffectivePolicy,
) -> (Outcome, Vec<usize>) {
    let stay = |reason| (Outcome::Stay { reason }, Vec::new());
    if policy.holdout.contains(demand.owner_hash) {
        return stay(StayReason::Holdout);
    }
    let mut positive: Vec<(usize, Usd)> = scores
        .iter()
        .enumerate()
        .filter(|(_, score)| score.exclusion.is_none() && base.region != Some(score.region()))
        .filter_map(|(index, score)| Some((index, score.net_benefit()?)))
        .filter(|(_, net_benefit)| net_benefit.0 > 0.0)
        .collect();
    positive.sort_by(|(a, a_benefit), (b, b_benefit)| {
        let emissions =
            |index: usize| scores[index].assessment.figures.map_or(f64::INFINITY, |f| f.emissions.0);
        let name = |index: usize| &snapshot.regions.get(scores[index].region()).name;
        b_benefit
            .0
            .total_cmp(&a_benefit.0)
            .then_with(|| emissions(*a).total_cmp(&emissions(*b)))
            .then_with(|| name(*a).cmp(name(*b)))
    });
    if positive.is_empty() {
        return stay(StayReason::BaselineBest);
    }
    let mut worthwhile: Vec<(usize, Usd)> =
        positive.into_iter().filter(|(_, benefit)| benefit.0 > policy.min_net_benefit.0).collect();
    if worthwhile.is_empty() {
        return stay(StayReason::BelowMinimum);
    }
    // The base is never among these: worth nothing against itself, a fraction of its benefit is no margin to hold.
    let incumbent =
        worthwhile.iter().position(|(index, _)| candidates.incumbent == Some(scores[*index].region()));
    if let Some(place) = incumbent {
        let (held, best) = (worthwhile[place].1, worthwhile[0].1);
        if best.0 <= held.0 + policy.hysteresis * held.0.abs() {
            let incumbent = worthwhile.remove(place);
            worthwhile.insert(0, incumbent);
        }
    }
    let ranking: Vec<usize> = worthwhile
        .into_iter()
        .map(|(index, _)| index)
        .filter(|index| candidates.list[*index].quota_left != Some(0))
        .collect();
    match ranking.first() {
        Some(&target) => (Outcome::Steer { target }, ranking),
        None => stay(StayReason::HerdLimit),
    }
}
