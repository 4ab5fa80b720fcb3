//! What the grid was like in a part of an hour, from the readings that were kept.

use jiff::Timestamp;

use super::cells::HOUR_SECONDS;
use crate::domain::history::{PastReading, SLOT};
use crate::domain::snapshot::{Basis, GridProvider, Signal};

/// The mean over a stretch of time that readings cover without a gap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mean {
    /// gCO2e/kWh.
    pub intensity_g_per_kwh: f64,
    /// What the readings are of; only like may be compared with like.
    pub kind: (Signal, Basis),
    /// Whether one of them is an estimate.
    pub estimated: bool,
    /// Whether an estimate among them may yet be replaced by what its provider measures.
    pub may_change: bool,
}

/// The mean of one region's readings over `[from, to)`, each by its time; `None` where they leave a gap, or are not all of one
/// kind. Of two that overlap the one that begins later counts.
#[must_use]
pub fn mean(readings: &[PastReading], from: Timestamp, to: Timestamp) -> Option<Mean> {
    let mut spans: Vec<(i64, i64, &PastReading)> = readings
        .iter()
        .map(|reading| {
            let (start, end) = span(reading);
            (start, end, reading)
        })
        .collect();
    spans.sort_by_key(|(start, _, _)| *start);
    let (from, to) = (from.as_second(), to.as_second());
    let mut mean: Option<Mean> = None;
    let (mut covered_to, mut weighted) = (from, 0.0);
    for (index, (start, end, reading)) in spans.iter().enumerate() {
        let next = spans.get(index + 1).map_or(i64::MAX, |(start, _, _)| *start);
        let (start, end) = ((*start).max(from), (*end).min(next).min(to));
        if start >= end {
            continue;
        }
        if start > covered_to {
            return None;
        }
        let of_this = Mean {
            intensity_g_per_kwh: 0.0,
            kind: (reading.signal, reading.basis),
            estimated: reading.estimated,
            may_change: reading.estimated && measures_later(reading.provider),
        };
        let so_far = mean.get_or_insert(of_this);
        if so_far.kind != of_this.kind {
            return None;
        }
        so_far.estimated |= of_this.estimated;
        so_far.may_change |= of_this.may_change;
        weighted += reading.intensity.0 * (end - covered_to.max(start)) as f64;
        covered_to = covered_to.max(end);
    }
    if covered_to < to || to <= from {
        return None;
    }
    mean.map(|mean| Mean { intensity_g_per_kwh: weighted / (to - from) as f64, ..mean })
}

/// The seconds that a reading speaks for. One that describes a moment, as a mock grid's does, speaks for its half hour.
fn span(reading: &PastReading) -> (i64, i64) {
    let (start, end) = (reading.starts_at.as_second(), reading.ends_at.as_second());
    if end > start {
        return (start, end);
    }
    let slot = SLOT.as_secs();
    (reading.slot() * slot, (reading.slot() + 1) * slot)
}

/// Whether a provider tells of the same hour again once it has been measured.
const fn measures_later(provider: GridProvider) -> bool {
    matches!(provider, GridProvider::ElectricityMaps | GridProvider::GbCarbonIntensity)
}

/// The start of a whole hour since 1970.
#[must_use]
pub fn start_of(hour: i64) -> Timestamp {
    let second = hour.saturating_mul(HOUR_SECONDS);
    Timestamp::from_second(second).unwrap_or(if hour < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The whole hour since 1970 that a moment is in.
#[must_use]
pub fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(HOUR_SECONDS)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::RegionName;
    use crate::domain::units::GramsPerKwh;

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    fn reading(from: i64, to: i64, intensity: f64) -> PastReading {
        PastReading {
            region: RegionName::from("here"),
            starts_at: at(from),
            ends_at: at(to),
            intensity: GramsPerKwh(intensity),
            provider: GridProvider::ElectricityMaps,
            signal: Signal::Average,
            basis: Basis::Lifecycle,
            estimated: false,
        }
    }

    fn intensity(readings: &[PastReading], from: i64, to: i64) -> Option<f64> {
        mean(readings, at(from), at(to)).map(|mean| mean.intensity_g_per_kwh)
    }

    #[test]
    fn each_reading_counts_by_its_time() {
        let halves = [reading(0, 30, 100.0), reading(30, 60, 200.0)];
        assert_eq!(intensity(&halves, 0, 60), Some(150.0));
        assert_eq!(intensity(&halves, 15, 45), Some(150.0));
        assert_eq!(intensity(&halves, 0, 40), Some(125.0));
    }

    #[test]
    fn a_gap_leaves_the_hour_open_and_nothing_is_made_up() {
        let gap = [reading(0, 20, 100.0), reading(30, 60, 200.0)];
        assert_eq!(intensity(&gap, 0, 60), None);
        assert_eq!(intensity(&gap, 30, 60), Some(200.0));
        assert_eq!(intensity(&gap, 0, 20), Some(100.0));
        assert_eq!(intensity(&[reading(0, 50, 1.0)], 0, 60), None);
        assert_eq!(intensity(&[], 0, 60), None);
    }

    #[test]
    fn the_later_of_two_that_overlap_counts() {
        let overlap = [reading(0, 60, 100.0), reading(30, 60, 200.0)];
        assert_eq!(intensity(&overlap, 0, 60), Some(150.0));
        // A long reading does not speak again after a short one inside of it: what it said is older.
        assert_eq!(intensity(&[reading(0, 60, 100.0), reading(20, 30, 200.0)], 0, 60), None);
    }

    #[test]
    fn a_reading_of_a_moment_speaks_for_its_half_hour() {
        assert_eq!(intensity(&[reading(10, 10, 70.0)], 0, 30), Some(70.0));
        assert_eq!(intensity(&[reading(10, 10, 70.0)], 0, 31), None);
    }

    #[test]
    fn unlike_readings_have_no_mean() {
        let direct = PastReading { basis: Basis::Direct, ..reading(30, 60, 200.0) };
        assert_eq!(intensity(&[reading(0, 30, 100.0), direct], 0, 60), None);
    }

    #[test]
    fn an_estimate_may_change_only_where_its_provider_measures_later() {
        let guessed = PastReading { estimated: true, ..reading(0, 60, 100.0) };
        let usual = PastReading { provider: GridProvider::Catalogue, ..guessed.clone() };
        let told = |reading| mean(&[reading], at(0), at(60)).map(|mean| (mean.estimated, mean.may_change));
        assert_eq!(told(guessed), Some((true, true)));
        assert_eq!(told(usual), Some((true, false)));
        assert_eq!(told(reading(0, 60, 100.0)), Some((false, false)));
    }
}
