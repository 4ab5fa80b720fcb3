//! Network round trips between regions: measured where someone measured, else read off the same two cities, else
//! estimated from distance.
//!
//! Only Google's regions were measured against each other. A round trip belongs to two cities more than to two
//! providers, so another provider's region in a measured city takes that city's figure.

use std::collections::HashMap;
use std::sync::Arc;

use super::regions::{RegionRow, Regions};
use super::table::{CatalogueError, Keyed, Sorted, Table};
use crate::domain::region::Location;
use crate::domain::units::Milliseconds;

const ROUND_TRIP: Table = Table { file: "round_trip.csv", columns: &["from", "to", "ms", "source"] };

/// Half of the way around the Earth and back takes light in glass 200 ms; no network needs three times that.
const POSSIBLE_MS: f64 = 600.0;

/// `rtt_ms = FIT_INTERCEPT_MS + FIT_SLOPE_MS_PER_KM * km`: least squares of the 561 measured pairs of `round_trip.csv`
/// on the great-circle distance between their regions. RMSE 39.5 ms, median absolute error 18.7 ms. Below 3,000 km it
/// is some 12 ms too high, the safe side for a latency limit; the large errors are routes that go the long way round,
/// as from Korea to Finland. `docs/catalogue.md` has the errors by distance; a test refits the shipped table.
const FIT_INTERCEPT_MS: f64 = 16.658_749_145;
/// Two thirds of it are light in glass, 0.01 ms/km there and back; the rest is cable that does not run straight.
const FIT_SLOPE_MS_PER_KM: f64 = 0.015_151_180_779;

/// A round trip, and how it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundTrip {
    /// There and back.
    pub ms: Milliseconds,
    /// How it is known.
    pub basis: RoundTripBasis,
}

/// How a round trip is known, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundTripBasis {
    /// A region to itself: counted as nothing.
    SameRegion,
    /// Measured between these two regions, mean of both directions.
    Measured,
    /// Measured between Google's regions in the same two cities.
    Metro,
    /// Two regions in one city: the least round trip that was measured between any two regions, an upper bound.
    SameMetro,
    /// Estimated from the great-circle distance.
    Fitted,
}

/// The round trip estimated from distance; see [`FIT_INTERCEPT_MS`].
pub(super) fn fitted(from: Location, to: Location) -> Milliseconds {
    Milliseconds(FIT_INTERCEPT_MS + FIT_SLOPE_MS_PER_KM * from.distance_km(to))
}

/// One measured pair, the alphabetically first region in `from`.
#[derive(Clone, Debug)]
struct Pair {
    from: Arc<str>,
    to: Arc<str>,
    ms: Milliseconds,
}

impl Keyed for Pair {
    fn key(&self) -> [&str; 3] {
        [&self.from, &self.to, ""]
    }
}

/// `round_trip.csv`.
#[derive(Clone, Debug)]
pub(super) struct RoundTrips {
    pairs: Sorted<Pair>,
    least: Milliseconds,
    /// The measured region of each city that has one.
    measured_in: HashMap<Arc<str>, Arc<str>>,
}

impl RoundTrips {
    pub(super) fn read(text: &str, regions: &Regions) -> Result<Self, CatalogueError> {
        let mut measured_in = HashMap::new();
        let pairs = ROUND_TRIP.read(text, |row| {
            row.text("source")?;
            for column in ["from", "to"] {
                let name = row.text(column)?;
                let region =
                    regions.find(name).ok_or_else(|| row.invalid(column, "a region of regions.csv"))?;
                let present: &mut Arc<str> =
                    measured_in.entry(region.metro.clone()).or_insert_with(|| name.into());
                if **present != *name {
                    let expected =
                        format!("only one measured region in `{}`, which has `{present}`", region.metro);
                    return Err(row.invalid(column, expected));
                }
            }
            let (from, to) = (row.text("from")?.into(), row.text("to")?.into());
            if from >= to {
                return Err(row.invalid("from", "the alphabetically first of the two regions"));
            }
            Ok(Pair { from, to, ms: Milliseconds(row.number("ms", 0.1..=POSSIBLE_MS)?) })
        })?;
        let least = pairs.iter().map(|pair| pair.ms.get()).min_by(f64::total_cmp);
        let least = Milliseconds(least.ok_or_else(|| ROUND_TRIP.absent("any pair of regions"))?);
        Ok(Self { pairs, least, measured_in })
    }

    pub(super) fn between(&self, from: &RegionRow, to: &RegionRow) -> RoundTrip {
        let known = |ms, basis| RoundTrip { ms, basis };
        if from.name == to.name {
            return known(Milliseconds::ZERO, RoundTripBasis::SameRegion);
        }
        if let Some(ms) = self.measured(from.name.as_str(), to.name.as_str()) {
            return known(ms, RoundTripBasis::Measured);
        }
        if from.metro == to.metro {
            return known(self.least, RoundTripBasis::SameMetro);
        }
        if let (Some(from), Some(to)) = (self.measured_in.get(&from.metro), self.measured_in.get(&to.metro))
            && let Some(ms) = self.measured(from, to)
        {
            return known(ms, RoundTripBasis::Metro);
        }
        known(fitted(from.location, to.location), RoundTripBasis::Fitted)
    }

    fn measured(&self, one: &str, other: &str) -> Option<Milliseconds> {
        self.pairs.find([one.min(other), one.max(other), ""]).map(|pair| pair.ms)
    }
}
