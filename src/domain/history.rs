//! What the grid said in the past, for accounts of what really happened: one entry a region and half an hour.

use jiff::{SignedDuration, Timestamp};

use super::RegionName;
use super::snapshot::{Basis, GridProvider, Reading, Signal};
use super::units::GramsPerKwh;

/// The finest interval that providers are asked in (Great Britain's half hours; Electricity Maps is asked for hours). Of
/// two values of one slot the later one counts.
pub const SLOT: SignedDuration = SignedDuration::from_mins(30);

/// A reading as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct PastReading {
    /// Where.
    pub region: RegionName,
    /// Start of the interval it describes.
    pub starts_at: Timestamp,
    /// End of the interval it describes.
    pub ends_at: Timestamp,
    /// The value.
    pub intensity: GramsPerKwh,
    /// Who said it.
    pub provider: GridProvider,
    /// Average or marginal.
    pub signal: Signal,
    /// Lifecycle or direct.
    pub basis: Basis,
    /// Whether the provider modelled rather than measured it.
    pub estimated: bool,
}

impl PastReading {
    /// What is kept of a reading.
    #[must_use]
    pub fn of(region: RegionName, reading: &Reading) -> Self {
        Self {
            region,
            starts_at: reading.starts_at,
            ends_at: reading.ends_at,
            intensity: reading.intensity,
            provider: reading.provider,
            signal: reading.signal,
            basis: reading.basis,
            estimated: reading.estimated || reading.is_stuck(),
        }
    }

    /// The slot it is kept in: the start of its half hour, in whole slots since 1970.
    #[must_use]
    pub fn slot(&self) -> i64 {
        self.starts_at.as_second().div_euclid(SLOT.as_secs())
    }

    /// Whether it takes the place of what its slot holds already: a measured value is not replaced by an estimate.
    #[must_use]
    pub fn replaces(&self, kept: &Self) -> bool {
        kept.estimated || !self.estimated
    }
}
