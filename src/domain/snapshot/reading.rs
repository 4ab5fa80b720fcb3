//! Carbon intensity of one region over one interval, with its provenance; and what became of asking for it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Forecast;
use crate::domain::plausibility::judge_alone;
use crate::domain::units::GramsPerKwh;

/// A value that did not move for so long is no measurement.
///
/// Measured on Electricity Maps' hourly lifecycle traces of 32 zones in 2022 and of ES, NO and US-CAL-CISO in 2023.
/// To a hundredth of a gram the longest rows of one value are 14 hours (KR, BR-CS). The API gives whole grams, and
/// those of clean grids stand longer: 51 hours (CA-QC, 27 g/kWh), 42 (NO-NO1), 38 (SE-SE3). HK, one value for all of
/// 2022, is what this is to find.
/// By so much two machines' clocks may differ.
pub(super) const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// No provider's values are of longer intervals than a day; an hour more for clocks that are changed.
const LONGEST_INTERVAL: SignedDuration = SignedDuration::from_hours(25);
const STUCK_AFTER: SignedDuration = SignedDuration::from_hours(72);

/// Which question an intensity answers. The two never meet in one difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// Emissions of all generation, shared over all use.
    Average,
    /// Emissions of the generation that would answer one more kilowatt-hour.
    Marginal,
}

/// Which emissions an intensity counts. The two never meet in one difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// From building the plant to burning the fuel.
    Lifecycle,
    /// Burning the fuel only.
    Direct,
}

/// Who said what the grid does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GridProvider {
    /// The operator, by hand.
    Mock,
    /// The built-in climatology.
    Catalogue,
    /// A trace in a file.
    Replay,
    /// Electricity Maps' API.
    ElectricityMaps,
    /// The carbon intensity API of Great Britain's grid operator.
    GbCarbonIntensity,
}

impl GridProvider {
    /// Every provider.
    pub const ALL: [Self; 5] =
        [Self::Mock, Self::Catalogue, Self::Replay, Self::ElectricityMaps, Self::GbCarbonIntensity];

    /// Its name in configuration, metrics and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mock => "mock",
            Self::Catalogue => "catalogue",
            Self::Replay => "replay",
            Self::ElectricityMaps => "electricity-maps",
            Self::GbCarbonIntensity => "gb-carbon-intensity",
        }
    }

    /// Which emissions its values count. All of them are averages, as [`Signal::Average`].
    #[must_use]
    pub const fn basis(self) -> Basis {
        match self {
            Self::Mock | Self::Catalogue | Self::Replay | Self::ElectricityMaps => Basis::Lifecycle,
            Self::GbCarbonIntensity => Basis::Direct,
        }
    }
}

/// What is to be expected of the hours after a reading's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outlook {
    /// The provider asserts that the value holds until it says otherwise (a forced mock value).
    Holds,
    /// The zone's climatology; without one the reading's own value is all there is.
    Climatology,
    /// The provider's forecast, and after its end the zone's climatology.
    Forecast(Arc<Forecast>),
}

/// Carbon intensity of one region over one interval, with its provenance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The value.
    pub intensity: GramsPerKwh,
    /// Start of the interval it describes.
    pub starts_at: Timestamp,
    /// End of the interval it describes; its age runs from here.
    pub ends_at: Timestamp,
    /// Who said it.
    pub provider: GridProvider,
    /// Average or marginal.
    pub signal: Signal,
    /// Lifecycle or direct.
    pub basis: Basis,
    /// Whether the provider modelled rather than measured it.
    pub estimated: bool,
    /// How the provider says it modelled it, in its own word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimation_method: Option<Arc<str>>,
    /// When the provider said it; when it was asked, where it does not tell.
    pub reported_at: Timestamp,
    /// Start of the first interval in the unbroken row of intervals with this very value that ends with this one.
    pub unchanged_since: Timestamp,
    /// For a trace: the moment of the trace that was replayed, which is where the pod's run starts in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed_at: Option<Timestamp>,
    /// What to expect of later hours.
    pub outlook: Outlook,
}

/// What became of asking for a region's intensity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GridReading {
    /// A value.
    Known(Reading),
    /// Nobody could say.
    Missing,
    /// Somebody said what cannot be: it is kept to be shown, never used.
    Implausible {
        /// The value as it came, as text: it may be no number at all.
        value: String,
        /// Who said it.
        provider: GridProvider,
        /// Why it cannot be.
        why: Implausibility,
    },
}

/// Why a value cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Implausibility {
    /// Not a number, or infinite.
    NotANumber,
    /// Below zero.
    Negative,
    /// Nothing at all, where the building of power stations counts too.
    Zero,
    /// More than any power station emits.
    TooHigh,
    /// Too far from all the provider itself said of the zone's last day.
    Jump,
}

impl Implausibility {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::NotANumber, Self::Negative, Self::Zero, Self::TooHigh, Self::Jump];

    /// Its name in metrics and `/snapshot`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::Negative => "negative",
            Self::Zero => "zero",
            Self::TooHigh => "too_high",
            Self::Jump => "jump",
        }
    }
}

/// The state of a region's data at the time of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DataState {
    /// Read, and young enough.
    Fresh,
    /// Modelled by the provider, and young enough.
    Estimated,
    /// Older than allowed.
    Stale,
    /// Not known.
    Missing,
    /// Known to be wrong.
    Implausible,
    /// Not of the base's signal or basis.
    Incomparable,
}

impl DataState {
    /// The state in records, tables and `/snapshot`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Estimated => "estimated",
            Self::Stale => "stale",
            Self::Missing => "missing",
            Self::Implausible => "implausible",
            Self::Incomparable => "incomparable",
        }
    }

    /// Whether a decision may use the value.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Fresh | Self::Estimated)
    }
}

impl GridReading {
    /// The reading, when there is one.
    #[must_use]
    pub fn known(&self) -> Option<&Reading> {
        match self {
            Self::Known(reading) => Some(reading),
            Self::Missing | Self::Implausible { .. } => None,
        }
    }

    /// As far as it can be: a value that cannot is kept to be shown, and a forecast that cannot is none.
    pub(super) fn believable(&self) -> Self {
        let Self::Known(reading) = self else { return self.clone() };
        let provider = reading.provider;
        if let Err(why) = judge_alone(reading.intensity.0, provider) {
            return Self::Implausible { value: reading.intensity.0.to_string(), provider, why };
        }
        let cannot_be = |value: &f64| judge_alone(*value, provider).is_err();
        match &reading.outlook {
            Outlook::Forecast(forecast) if forecast.values().iter().any(cannot_be) => {
                Self::Known(Reading { outlook: Outlook::Climatology, ..reading.clone() })
            }
            Outlook::Holds | Outlook::Climatology | Outlook::Forecast(_) => self.clone(),
        }
    }

    /// The state at `now`, before comparability is judged.
    #[must_use]
    pub fn state(&self, now: Timestamp, max_age: SignedDuration) -> DataState {
        match self {
            Self::Missing => DataState::Missing,
            Self::Implausible { .. } => DataState::Implausible,
            Self::Known(reading) if !reading.is_believable(now) => DataState::Implausible,
            Self::Known(reading) if reading.age(now) > max_age => DataState::Stale,
            Self::Known(reading) if reading.estimated || reading.is_stuck() => DataState::Estimated,
            Self::Known(_) => DataState::Fresh,
        }
    }
}

impl Reading {
    /// How long ago the interval ended that the value describes; zero while it lasts.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> SignedDuration {
        now.duration_since(self.ends_at).max(SignedDuration::ZERO)
    }

    /// Whether it can be a reading at all. It was judged where it was fetched; but it comes by way of a store, where somebody else
    /// may have written: a value that cannot be, or one of a time to come, which would never grow old.
    #[must_use]
    pub fn is_believable(&self, now: Timestamp) -> bool {
        // What the operator holds has no hour, and a trace is replayed as slowly as he likes.
        let has_hours = !matches!(self.provider, GridProvider::Mock | GridProvider::Replay);
        judge_alone(self.intensity.0, self.provider).is_ok()
            && self.starts_at.duration_since(now) <= CLOCK_SKEW
            && !(has_hours && self.ends_at.duration_since(now) > LONGEST_INTERVAL)
    }

    /// Whether the value has not moved for so long that it is no measurement, whatever the provider says. A value
    /// that somebody holds by hand never is, nor one from a table.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        let is_measured = self.outlook != Outlook::Holds && self.provider != GridProvider::Catalogue;
        is_measured && self.ends_at.duration_since(self.unchanged_since) >= STUCK_AFTER
    }
}
