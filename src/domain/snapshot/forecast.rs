//! A provider's forecast of one zone's carbon intensity, in even steps, and its integral over any span in constant time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::units::GramsPerKwh;

/// Longer than any provider looks ahead, in steps; a longer one was misread somewhere.
const MOST_STEPS: usize = 1000;

/// A forecast as it was issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Issued", into = "Issued")]
pub struct Forecast {
    issued: Issued,
    /// Sum over the first `n` steps, in g/kWh times steps.
    so_far: Vec<f64>,
}

/// What is stored of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names as they are stored")]
struct Issued {
    issued_at: Timestamp,
    starts_at: Timestamp,
    step_seconds: u32,
    grams_per_kwh: Vec<f64>,
}

/// A forecast that is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ForecastError {
    /// It has no values, or more than anybody foresees.
    #[error("a forecast of {0} steps")]
    Steps(usize),
    /// Its steps have no length.
    #[error("a forecast with steps of 0 s")]
    Step,
    /// A value is negative, infinite or no number.
    #[error("step {0} of the forecast is no intensity")]
    Value(usize),
}

impl Forecast {
    /// A forecast issued at `issued_at` that begins at `starts_at`, one value every `step_seconds`, in gCO2eq/kWh.
    ///
    /// # Errors
    /// It has no values or too many, steps without length, or a value that is no intensity.
    pub fn new(
        issued_at: Timestamp,
        starts_at: Timestamp,
        step_seconds: u32,
        grams_per_kwh: Vec<f64>,
    ) -> Result<Self, ForecastError> {
        Self::try_from(Issued { issued_at, starts_at, step_seconds, grams_per_kwh })
    }

    /// When it was issued.
    #[must_use]
    pub const fn issued_at(&self) -> Timestamp {
        self.issued.issued_at
    }

    /// Start of its first step.
    #[must_use]
    pub const fn starts_at(&self) -> Timestamp {
        self.issued.starts_at
    }

    /// End of its last step.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        let steps = i64::try_from(self.issued.grams_per_kwh.len()).unwrap_or(i64::MAX);
        let length = i64::from(self.issued.step_seconds).saturating_mul(steps);
        self.issued.starts_at.saturating_add(SignedDuration::from_secs(length)).unwrap_or(Timestamp::MAX)
    }

    /// One value a step, in gCO2eq/kWh.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.issued.grams_per_kwh
    }

    /// Its last value.
    #[must_use]
    pub fn last(&self) -> GramsPerKwh {
        // There is one: a forecast without values is none.
        GramsPerKwh(self.issued.grams_per_kwh.last().copied().unwrap_or_default())
    }

    /// Start of its last step.
    #[must_use]
    pub fn last_step_at(&self) -> Timestamp {
        let step = SignedDuration::from_secs(i64::from(self.issued.step_seconds));
        self.ends_at().saturating_sub(step).unwrap_or(Timestamp::MIN)
    }

    /// Mean over all it covers.
    #[must_use]
    pub fn mean(&self) -> GramsPerKwh {
        let steps = self.issued.grams_per_kwh.len();
        GramsPerKwh(self.so_far[steps] / steps as f64)
    }

    /// Integral from `from` to `to` in (g/kWh) * s, of what the forecast covers of that span.
    #[must_use]
    pub fn integral(&self, from: Timestamp, to: Timestamp) -> f64 {
        self.integral_until(to) - self.integral_until(from)
    }

    /// From the forecast's start to `to`.
    fn integral_until(&self, to: Timestamp) -> f64 {
        let step_seconds = f64::from(self.issued.step_seconds);
        let steps = self.issued.grams_per_kwh.len();
        let passed = to.duration_since(self.issued.starts_at).as_secs_f64() / step_seconds;
        if passed <= 0.0 {
            return 0.0;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and bounded after"
        )]
        let whole = (passed as usize).min(steps);
        let part = self.issued.grams_per_kwh.get(whole).map_or(0.0, |value| value * (passed - whole as f64));
        (self.so_far[whole] + part) * step_seconds
    }
}

impl TryFrom<Issued> for Forecast {
    type Error = ForecastError;

    fn try_from(issued: Issued) -> Result<Self, ForecastError> {
        let steps = issued.grams_per_kwh.len();
        if !(1..=MOST_STEPS).contains(&steps) {
            return Err(ForecastError::Steps(steps));
        }
        if issued.step_seconds == 0 {
            return Err(ForecastError::Step);
        }
        let is_none = |value: &f64| !value.is_finite() || *value < 0.0;
        if let Some(index) = issued.grams_per_kwh.iter().position(is_none) {
            return Err(ForecastError::Value(index));
        }
        let mut so_far = Vec::with_capacity(steps + 1);
        so_far.push(0.0);
        for (index, value) in issued.grams_per_kwh.iter().enumerate() {
            so_far.push(so_far[index] + value);
        }
        Ok(Self { issued, so_far })
    }
}

impl From<Forecast> for Issued {
    fn from(forecast: Forecast) -> Self {
        forecast.issued
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// 100, 200, 300 from noon, an hour each.
    fn rising() -> Forecast {
        let noon = at("2026-06-01T12:00:00Z");
        Forecast::new(noon, noon, 3600, vec![100.0, 200.0, 300.0]).unwrap()
    }

    #[test]
    fn the_integral_counts_what_is_covered_and_nothing_else() {
        let forecast = rising();
        let hours = |from, to| forecast.integral(at(from), at(to)) / 3600.0;
        assert!((hours("2026-06-01T12:00:00Z", "2026-06-01T15:00:00Z") - 600.0).abs() < 1e-9);
        assert!((hours("2026-06-01T12:30:00Z", "2026-06-01T13:30:00Z") - 150.0).abs() < 1e-9);
        assert!((hours("2026-06-01T10:00:00Z", "2026-06-02T10:00:00Z") - 600.0).abs() < 1e-9);
        assert!(hours("2026-06-01T15:00:00Z", "2026-06-01T16:00:00Z").abs() < 1e-9);
        assert!(hours("2026-06-01T10:00:00Z", "2026-06-01T12:00:00Z").abs() < 1e-9);
        assert!((forecast.mean().0 - 200.0).abs() < 1e-9);
        assert_eq!(forecast.ends_at(), at("2026-06-01T15:00:00Z"));
    }

    #[test]
    fn what_is_no_forecast_is_refused_also_when_it_was_stored() {
        let noon = at("2026-06-01T12:00:00Z");
        let refused = |step, values| Forecast::new(noon, noon, step, values).unwrap_err();
        assert_eq!(refused(3600, vec![]), ForecastError::Steps(0));
        assert_eq!(refused(0, vec![1.0]), ForecastError::Step);
        assert_eq!(refused(3600, vec![1.0, -1.0]), ForecastError::Value(1));
        assert_eq!(refused(3600, vec![f64::NAN]), ForecastError::Value(0));
        let text = serde_json::to_string(&rising()).unwrap();
        assert_eq!(serde_json::from_str::<Forecast>(&text).unwrap(), rising());
        assert!(serde_json::from_str::<Forecast>(&text.replace("3600", "0")).is_err());
    }
}
