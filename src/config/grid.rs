//! `grid`: where carbon intensity comes from, how often it is fetched, and how old it may be.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use super::name::address;
use super::reader::{Report, Section};
use super::value::{Fault, choice, duration, number, path, secret_path};
use crate::domain::duration::format_duration;
use crate::domain::region::{RegionId, Regions};
use crate::domain::snapshot::GridProvider;
use crate::domain::units::GramsPerKwh;

/// What `high` stands for in mock values.
pub const MOCK_HIGH: GramsPerKwh = GramsPerKwh(700.0);
/// What `low` stands for in mock values.
pub const MOCK_LOW: GramsPerKwh = GramsPerKwh(50.0);
/// Highest mock value: above what any grid emits (pure lignite is near 1,200 with its whole life cycle).
pub const MOCK_MAX: GramsPerKwh = GramsPerKwh(2000.0);

pub(super) const REFRESH: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);
pub(super) const MAX_AGE: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_hours(30 * 24);

const MOCK: (&str, GridProvider) = (GridProvider::Mock.as_str(), GridProvider::Mock);
const CATALOGUE: (&str, GridProvider) = (GridProvider::Catalogue.as_str(), GridProvider::Catalogue);
const PROVIDERS: &[(&str, GridProvider)] = &[MOCK, CATALOGUE];
const FALLBACKS: &[(&str, GridProvider)] = &[CATALOGUE];

/// Where carbon intensity comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct GridSettings {
    /// Asked first.
    pub provider: GridProvider,
    /// Asked in this order for what the first does not give; neither it nor `mock` is among them.
    pub fallback: Vec<GridProvider>,
    /// Time between two fetches.
    pub refresh: Duration,
    /// Age at which a reading is stale: now less the end of the interval it describes. Not below `refresh`.
    pub max_age: Duration,
    /// First values of the mock provider.
    pub mock: BTreeMap<RegionId, GramsPerKwh>,
}

/// `grid` as it stands in the file, before the regions are known.
pub(super) struct GridDraft {
    pub provider: GridProvider,
    fallback: Vec<GridProvider>,
    refresh: Duration,
    max_age: Duration,
    mock: Vec<(String, GramsPerKwh)>,
}

pub(super) fn read(grid: &mut Section<'_>) -> GridDraft {
    let provider = grid.read("provider", GridProvider::Catalogue, choice("grid.provider", PROVIDERS));
    let fallback = read_fallback(grid, provider);
    let (refresh, max_age) = read_ages(grid, Duration::from_mins(5), Duration::from_hours(2));
    let mock = grid.entries("mock", mock_value);
    read_other_providers(grid);
    GridDraft { provider, fallback, refresh, max_age, mock }
}

fn read_fallback(grid: &mut Section<'_>, provider: GridProvider) -> Vec<GridProvider> {
    let mut seen = vec![provider];
    grid.list("fallback", |value| {
        if value == GridProvider::Mock.as_str() {
            let cure = "leave it out: a region without a reading is no candidate";
            return Err(Fault::of(value, "would fill the gaps of real readings with made-up ones", cure));
        }
        let kind = choice("grid.provider", FALLBACKS)(value)?;
        if seen.contains(&kind) {
            return Err(Fault::of(value, "is asked already", "name each provider once"));
        }
        seen.push(kind);
        Ok(kind)
    })
}

/// `refresh` and `maxAge`, of which the second may not be the shorter one.
pub(super) fn read_ages(
    section: &mut Section<'_>,
    refresh: Duration,
    max_age: Duration,
) -> (Duration, Duration) {
    let refresh = section.read("refresh", refresh, duration(REFRESH));
    let max_age = section.read("maxAge", max_age, duration(MAX_AGE));
    if max_age < refresh {
        let problem =
            format!("{} is shorter than refresh ({})", format_duration(max_age), format_duration(refresh));
        section.fault(
            "maxAge",
            Fault::silent(problem, "give at least refresh, or every value is stale before the next comes"),
        );
    }
    (refresh, max_age)
}

/// The settings of providers this version does not have: known keys, checked and not kept.
fn read_other_providers(grid: &mut Section<'_>) {
    const WEB: &[&str] = &["https://", "http://"];
    grid.section("replay", |replay| {
        replay.optional("file", path);
        replay.optional("speed", number(0.001..=1e6, "a factor from 0.001 to 1000000"));
    });
    grid.section("electricityMaps", |electricity_maps| {
        electricity_maps.optional("baseUrl", address(WEB));
        electricity_maps.optional("tokenFile", secret_path);
        for secret in ["token", "authToken", "apiKey"] {
            electricity_maps.forbid_secret(secret, "tokenFile");
        }
    });
    grid.section("gbCarbonIntensity", |gb_carbon_intensity| {
        gb_carbon_intensity.optional("baseUrl", address(WEB));
    });
}

/// A mock value as the configuration has it.
fn mock_value(value: &Value) -> Result<GramsPerKwh, Fault> {
    match value {
        Value::String(text) => parse_mock(text).map_err(|error| Fault::of(value, error.problem(), MOCK_CURE)),
        Value::Number(number) => mock_number(number.as_f64().unwrap_or(f64::NAN))
            .map_err(|error| Fault::of(value, error.problem(), MOCK_CURE)),
        other => Err(Fault::of(other, MockError::NotANumber.problem(), MOCK_CURE)),
    }
}

const MOCK_CURE: &str = "give high (700), low (50) or a number from 0 to 2000, gCO2eq/kWh";

/// Why a text is no mock value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}; {MOCK_CURE}", self.problem())]
pub enum MockError {
    /// Neither `high`, `low` nor a number.
    NotANumber,
    /// NaN or infinite.
    NotFinite,
    /// Below zero.
    Negative,
    /// Above [`MOCK_MAX`].
    TooHigh,
}

impl MockError {
    fn problem(self) -> &'static str {
        match self {
            Self::NotANumber => "is not high, low or a number",
            Self::NotFinite => "is not a finite number",
            Self::Negative => "is negative",
            Self::TooHigh => "is above 2000",
        }
    }
}

/// Reads a mock value: `high`, `low` or a number, in gCO2eq/kWh. The body of `PUT /mock/REGION` is one.
///
/// # Errors
/// Anything else, and numbers outside 0 to [`MOCK_MAX`].
pub fn parse_mock(text: &str) -> Result<GramsPerKwh, MockError> {
    match text {
        "high" => Ok(MOCK_HIGH),
        "low" => Ok(MOCK_LOW),
        ".nan" | ".inf" | "-.inf" => Err(MockError::NotFinite),
        number => mock_number(number.parse().map_err(|_| MockError::NotANumber)?),
    }
}

fn mock_number(number: f64) -> Result<GramsPerKwh, MockError> {
    if !number.is_finite() {
        Err(MockError::NotFinite)
    } else if number < 0.0 {
        Err(MockError::Negative)
    } else if number > MOCK_MAX.0 {
        Err(MockError::TooHigh)
    } else {
        Ok(GramsPerKwh(number))
    }
}

impl GridDraft {
    /// Puts the regions' ids in place of their names. `names` are those of all region entries, also of bad ones.
    pub(super) fn finish(self, regions: &Regions, names: &[&str], report: &mut Report) -> GridSettings {
        let mut mock = BTreeMap::new();
        for (name, intensity) in self.mock {
            if let Some(id) = regions.by_name(&name) {
                mock.insert(id, intensity);
            } else if !names.contains(&name.as_str()) {
                let cure = format!("write one of: {}", names.join(", "));
                report
                    .fault(format!("grid.mock.{name}"), Fault::silent("is not a region of `regions`", cure));
            }
        }
        if self.provider == GridProvider::Mock && self.fallback.is_empty() {
            for (_, region) in regions.iter().filter(|(id, _)| !mock.contains_key(id)) {
                let name = &region.name;
                report.warn(
                    "grid.mock",
                    &format!("has no value for {name}: no pod goes there until PUT /mock/{name} gives one"),
                );
            }
        }
        let Self { provider, fallback, refresh, max_age, .. } = self;
        GridSettings { provider, fallback, refresh, max_age, mock }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("high", Ok(MOCK_HIGH))]
    #[case("low", Ok(MOCK_LOW))]
    #[case("0", Ok(GramsPerKwh(0.0)))]
    #[case("123.5", Ok(GramsPerKwh(123.5)))]
    #[case("2000", Ok(MOCK_MAX))]
    #[case("2000.1", Err(MockError::TooHigh))]
    #[case("-1", Err(MockError::Negative))]
    #[case("NaN", Err(MockError::NotFinite))]
    #[case(".nan", Err(MockError::NotFinite))]
    #[case("inf", Err(MockError::NotFinite))]
    #[case("1e999", Err(MockError::NotFinite))]
    #[case("", Err(MockError::NotANumber))]
    #[case("HIGH", Err(MockError::NotANumber))]
    #[case("low ", Err(MockError::NotANumber))]
    fn mock_values(#[case] text: &str, #[case] expected: Result<GramsPerKwh, MockError>) {
        assert_eq!(parse_mock(text), expected);
    }

    #[test]
    fn a_mock_error_names_the_cure() {
        assert_eq!(
            MockError::Negative.to_string(),
            "is negative; give high (700), low (50) or a number from 0 to 2000, gCO2eq/kWh"
        );
    }
}
