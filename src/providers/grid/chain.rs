//! Several providers in a row: the first one's word counts, the others fill the gaps it leaves.
//!
//! Judges what providers say, and never makes a value of several: each reading is one provider's, and says whose.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};

use super::{GridError, GridSource};
use crate::domain::snapshot::{GridProvider, GridReading, Reading};
use crate::domain::{RegionName, Regions};
use crate::metrics::FetchResult;

/// More than any grid emits; what is above, below zero or no number was misread somewhere.
const PLAUSIBLE_GRAMS_PER_KWH: RangeInclusive<f64> = 0.0..=2000.0;

/// Providers in the order in which their word counts.
#[derive(Clone, Debug)]
pub struct GridChain(Vec<GridSource>);

/// What the providers of a chain said in one round, in their order; those that did not answer said nothing.
#[derive(Clone, Debug)]
pub struct Fetched(Vec<(GridProvider, BTreeMap<RegionName, GridReading>)>);

impl GridChain {
    /// A provider, and those that fill its gaps.
    #[must_use]
    pub fn new(first: GridSource, fallback: impl IntoIterator<Item = GridSource>) -> Self {
        Self([first].into_iter().chain(fallback).collect())
    }

    /// Asks all of them; `tell` hears what came of each.
    ///
    /// # Errors
    /// None of them answers; the error is the first one's.
    pub async fn fetch(
        &self,
        regions: &Regions,
        now: Timestamp,
        tell: impl Fn(GridProvider, FetchResult),
    ) -> Result<Fetched, GridError> {
        let mut answers = Vec::with_capacity(self.0.len());
        let mut first_error = None;
        let mut answered = false;
        for source in &self.0 {
            let readings = match source.fetch(regions, now).await {
                Ok(readings) => {
                    answered = true;
                    tell(source.provider(), FetchResult::Ok);
                    readings
                }
                Err(error) => {
                    tell(source.provider(), FetchResult::Error);
                    first_error.get_or_insert(error);
                    BTreeMap::new()
                }
            };
            answers.push((source.provider(), readings));
        }
        match first_error {
            Some(error) if !answered => Err(error),
            _ => Ok(Fetched(answers)),
        }
    }
}

impl Fetched {
    /// The best there is for a region: the first provider's word; while it says nothing, its `last` word for as long as
    /// that is young enough to count; then the next provider's. When nobody knows, the last word, which grows old.
    #[must_use]
    pub fn best(
        &self,
        region: &RegionName,
        last: Option<&GridReading>,
        now: Timestamp,
        max_age: SignedDuration,
    ) -> GridReading {
        let mut implausible = None;
        for (provider, readings) in &self.0 {
            match readings.get(region) {
                Some(GridReading::Known(reading)) if is_plausible(reading) => {
                    return GridReading::Known(reading.clone());
                }
                Some(GridReading::Known(Reading { intensity, provider, .. })) => {
                    let refused =
                        GridReading::Implausible { value: intensity.0.to_string(), provider: *provider };
                    implausible.get_or_insert(refused);
                }
                Some(GridReading::Implausible { .. } | GridReading::Missing) | None => {}
            }
            if let Some(GridReading::Known(last)) = last
                && last.provider == *provider
                && last.age(now) <= max_age
            {
                return GridReading::Known(last.clone());
            }
        }
        let last = last.filter(|last| last.known().is_some());
        implausible.or_else(|| last.cloned()).unwrap_or(GridReading::Missing)
    }
}

fn is_plausible(reading: &Reading) -> bool {
    PLAUSIBLE_GRAMS_PER_KWH.contains(&reading.intensity.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::snapshot::{Basis, Outlook, Signal};
    use crate::domain::units::GramsPerKwh;

    const MAX_AGE: SignedDuration = SignedDuration::from_hours(2);

    fn now() -> Timestamp {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    fn reading(provider: GridProvider, grams: f64, age: SignedDuration) -> GridReading {
        GridReading::Known(Reading {
            intensity: GramsPerKwh(grams),
            starts_at: now() - age,
            ends_at: now() - age,
            provider,
            signal: Signal::Average,
            basis: Basis::Lifecycle,
            estimated: false,
            outlook: Outlook::Holds,
        })
    }

    fn fetched(first: Option<GridReading>, second: Option<GridReading>) -> Fetched {
        let said = |reading: Option<GridReading>| {
            reading.map(|reading| ("here".into(), reading)).into_iter().collect()
        };
        Fetched(vec![(GridProvider::Mock, said(first)), (GridProvider::Catalogue, said(second))])
    }

    fn best(fetched: &Fetched, last: Option<&GridReading>) -> GridReading {
        fetched.best(&"here".into(), last, now(), MAX_AGE)
    }

    #[test]
    fn the_first_word_counts_and_the_second_fills_its_gap() {
        let first = reading(GridProvider::Mock, 1.0, SignedDuration::ZERO);
        let second = reading(GridProvider::Catalogue, 2.0, SignedDuration::ZERO);
        assert_eq!(best(&fetched(Some(first.clone()), Some(second.clone())), None), first);
        assert_eq!(best(&fetched(None, Some(second.clone())), None), second);
        assert_eq!(best(&fetched(Some(GridReading::Missing), Some(second.clone())), None), second);
    }

    #[test]
    fn the_first_ones_last_word_goes_before_the_second_while_it_is_young() {
        let young = reading(GridProvider::Mock, 1.0, MAX_AGE);
        let old = reading(GridProvider::Mock, 1.0, MAX_AGE + SignedDuration::from_secs(1));
        let second = reading(GridProvider::Catalogue, 2.0, SignedDuration::ZERO);
        let said = fetched(None, Some(second.clone()));
        assert_eq!(best(&said, Some(&young)), young);
        assert_eq!(best(&said, Some(&old)), second);
    }

    #[test]
    fn when_nobody_knows_the_last_word_stays_and_grows_old() {
        let old = reading(GridProvider::Catalogue, 2.0, SignedDuration::from_hours(50));
        assert_eq!(best(&fetched(None, None), Some(&old)), old);
        assert_eq!(best(&fetched(None, None), Some(&GridReading::Missing)), GridReading::Missing);
        assert_eq!(best(&fetched(None, None), None), GridReading::Missing);
    }

    #[test]
    fn what_cannot_be_is_refused_shown_and_filled_like_a_gap() {
        for grams in [-0.1, 2000.1, f64::NAN, f64::INFINITY] {
            let impossible = reading(GridProvider::Mock, grams, SignedDuration::ZERO);
            let second = reading(GridProvider::Catalogue, 2.0, SignedDuration::ZERO);
            assert_eq!(best(&fetched(Some(impossible.clone()), Some(second.clone())), None), second);
            let refused = best(&fetched(Some(impossible), None), None);
            let shown = GridReading::Implausible { value: grams.to_string(), provider: GridProvider::Mock };
            assert_eq!(refused, shown);
        }
    }
}
