//! What must hold of whatever a provider of grid data is taken to have said.

use std::collections::BTreeSet;

use eco_pulse::domain::snapshot::Reading;
use eco_pulse::providers::FetchError;
use eco_pulse::providers::grid::{Answer, Question};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// By so much clocks may differ.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// More than any provider's own words take, with what is said about them.
const LONGEST_DETAIL: usize = 1000;

/// Judges what came of a body: `values` are all the numbers it holds, where it can be read whole.
pub fn judge(
    said: Result<Answer, FetchError>,
    question: Question,
    now: Timestamp,
    values: Option<&BTreeSet<u64>>,
) {
    let answer = match said {
        Ok(answer) => answer,
        Err(error) => return judge_error(&error),
    };
    assert_eq!(answer.forecast.is_some(), question == Question::Forecast);
    assert_eq!(answer.readings.is_empty(), question == Question::Forecast);
    if let Some(forecast) = &answer.forecast {
        assert!(forecast.ends_at() > forecast.starts_at());
        assert!(forecast.values().iter().all(|value| value.is_finite() && *value >= 0.0));
        assert!(forecast.values().iter().all(|value| is_said(*value, values)), "a value nobody said");
    }
    for reading in &answer.readings {
        judge_reading(reading, now);
        assert!(is_said(reading.intensity.0, values), "{} is not in the body", reading.intensity);
    }
    let in_order = |pair: &[Reading]| pair[0].starts_at < pair[1].starts_at;
    assert!(answer.readings.windows(2).all(in_order), "readings are not in order, or there twice");
}

fn judge_reading(reading: &Reading, now: Timestamp) {
    assert!(reading.starts_at < reading.ends_at);
    assert!(reading.starts_at.duration_since(now) <= AHEAD, "{} is still to come", reading.starts_at);
    assert!(reading.unchanged_since <= reading.starts_at);
    let method = reading.estimation_method.as_deref().unwrap_or("none");
    assert!(!method.is_empty() && method.chars().count() <= 64 && !method.contains(char::is_control));
}

/// A failure is told on one short line.
pub fn judge_error(error: &FetchError) {
    let detail = &error.detail;
    assert!(detail.chars().count() <= LONGEST_DETAIL && !detail.contains(char::is_control), "{detail:?}");
    assert!(!detail.is_empty());
}

fn is_said(value: f64, values: Option<&BTreeSet<u64>>) -> bool {
    // Minus nothing is nothing.
    values.is_none_or(|values| values.contains(&(value + 0.0).to_bits()))
}

/// All the numbers in a body, as bits; `None` where something in it that the program passes over is no text, or too deep.
pub fn numbers(body: &[u8]) -> Option<BTreeSet<u64>> {
    let mut found = BTreeSet::new();
    collect(&serde_json::from_slice(body).ok()?, &mut found);
    Some(found)
}

fn collect(value: &Value, found: &mut BTreeSet<u64>) {
    match value {
        Value::Number(number) => found.extend(number.as_f64().map(|number| (number + 0.0).to_bits())),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
