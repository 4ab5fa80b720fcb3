//! What a pod's placement is compared with: three counterfactuals that are fixed beforehand, in one order and under one name
//! each wherever they are reckoned with.

use super::region::{RegionId, Regions};

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

/// What stands in the place of a region's name where the base is the scheduler's mix.
pub const SCHEDULER_MIX: &str = "scheduler";

impl Against {
    /// Every counterfactual.
    pub const ALL: [Self; 3] = [Self::Baseline, Self::SchedulerMix, Self::StaticGreenest];

    /// The counterfactual in metrics and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::SchedulerMix => "scheduler_mix",
            Self::StaticGreenest => "static_greenest",
        }
    }
}

/// Of these regions the one with the lowest annual mean intensity times PUE; `None` where no annual mean is known. It does not
/// matter what is known of it now: no other region stands in for it.
#[must_use]
pub fn static_greenest(eligible: impl IntoIterator<Item = RegionId>, regions: &Regions) -> Option<RegionId> {
    let by_mean = eligible.into_iter().filter_map(|id| {
        let region = regions.get(id);
        region.annual_mean.map(|mean| (mean.0 * region.pue.0, id))
    });
    by_mean.min_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, id)| id)
}
