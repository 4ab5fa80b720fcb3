//! `grid.mock`: the values an operator sets by hand, in the file and over `PUT /mock/REGION`.

use serde_json::Value;

use crate::config::value::Fault;
use crate::domain::units::GramsPerKwh;

/// What `high` stands for in mock values.
pub const MOCK_HIGH: GramsPerKwh = GramsPerKwh(700.0);
/// What `low` stands for in mock values.
pub const MOCK_LOW: GramsPerKwh = GramsPerKwh(50.0);
/// Highest mock value: above what any grid emits (pure lignite is near 1,200 with its whole life cycle).
pub const MOCK_MAX: GramsPerKwh = GramsPerKwh(2000.0);

/// A mock value as the configuration has it.
pub(super) fn mock_value(value: &Value) -> Result<GramsPerKwh, Fault> {
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
