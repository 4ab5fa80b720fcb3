//! In which order regions are asked, so that those that fail do not keep the others from being heard, and what is said
//! of them: once when it begins and once when it ends.

use std::collections::BTreeSet;

use crate::domain::RegionName;
use crate::providers::FetchError;

/// What came of the last round.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    failing: BTreeSet<RegionName>,
    passed_over: BTreeSet<RegionName>,
}

impl Rounds {
    /// Those nobody came to last time first, those that failed last.
    pub(super) fn order(&self, regions: impl Iterator<Item = RegionName>) -> Vec<RegionName> {
        let mut regions: Vec<RegionName> = regions.collect();
        regions.sort_by_key(|region| (self.failing.contains(region), !self.passed_over.contains(region)));
        regions
    }

    /// A round is over: these failed, and these were not asked.
    pub(super) fn over(&mut self, failed: &[(RegionName, FetchError)], passed_over: Vec<RegionName>) {
        let passed_over: BTreeSet<RegionName> = passed_over.into_iter().collect();
        for (region, error) in failed.iter().filter(|(region, _)| !self.failing.contains(region)) {
            tracing::warn!(%region, %error, "Azure gives no prices for this region; its last ones grow old");
        }
        let mut failing: BTreeSet<RegionName> = failed.iter().map(|(region, _)| region.clone()).collect();
        for region in &self.failing {
            if passed_over.contains(region) {
                // Nothing new is known of it.
                failing.insert(region.clone());
            } else if !failing.contains(region) {
                tracing::info!(%region, "Azure gives prices for this region again");
            }
        }
        *self = Self { failing, passed_over };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::snapshot::Failure;

    const ALL: [&str; 5] = ["a", "b", "c", "d", "e"];

    fn order(rounds: &Rounds) -> Vec<String> {
        rounds.order(ALL.map(RegionName::from).into_iter()).iter().map(ToString::to_string).collect()
    }

    fn names(names: &[&str]) -> Vec<RegionName> {
        names.iter().map(|name| RegionName::from(*name)).collect()
    }

    fn failed(regions: &[&str]) -> Vec<(RegionName, FetchError)> {
        names(regions).into_iter().map(|name| (name, FetchError::new(Failure::Outage, "500"))).collect()
    }

    #[test]
    fn regions_that_fail_come_last_and_those_passed_over_first() {
        let mut rounds = Rounds::default();
        assert_eq!(order(&rounds), ALL);
        rounds.over(&failed(&["a", "b"]), names(&["d", "e"]));
        assert_eq!(order(&rounds), ["d", "e", "c", "a", "b"]);
        rounds.over(&failed(&["b"]), names(&["a"]));
        assert_eq!(order(&rounds), ["c", "d", "e", "a", "b"], "`a` was not asked, and still failed last");
        rounds.over(&[], Vec::new());
        assert_eq!(order(&rounds), ALL);
    }

    /// As many as a round bears fail for good: every other region is heard in every round after the first.
    #[test]
    fn regions_that_fail_for_good_keep_no_other_from_being_heard() {
        let mut rounds = Rounds::default();
        rounds.over(&failed(&["a", "b", "c"]), names(&["d", "e"]));
        for _ in 0..3 {
            assert_eq!(order(&rounds)[..2], ["d", "e"]);
            rounds.over(&failed(&["a", "b", "c"]), Vec::new());
        }
    }
}
