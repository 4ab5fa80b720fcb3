//! The bodies of Great Britain's grid operator, good and bad.

use std::sync::Arc;

use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;

use super::HALF_HOUR;
use crate::domain::snapshot::{Basis, Failure, Forecast, GridProvider, Outlook, Reading, Signal};
use crate::domain::units::GramsPerKwh;
use crate::providers::FetchError;
use crate::providers::grid::Answer;
use crate::providers::web::{CLOCK_SKEW, Page, decode_json, plain_words};

#[derive(Deserialize)]
struct Body {
    data: Vec<Row>,
}

/// One half-hour; its times come without seconds.
#[derive(Deserialize)]
struct Row {
    from: Timestamp,
    to: Timestamp,
    intensity: Intensity,
}

#[derive(Deserialize)]
struct Intensity {
    forecast: Option<f64>,
    /// Null until the half-hour is over.
    actual: Option<f64>,
}

#[derive(Deserialize)]
struct Refusal {
    error: Complaint,
}

#[derive(Deserialize)]
struct Complaint {
    /// A status and its name, as `400 Bad Request`.
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// Lets an answer pass that is none of the ways to give no data.
///
/// # Errors
/// It is one.
pub(super) fn refusal(page: &Page) -> Result<(), FetchError> {
    let said = serde_json::from_slice::<Refusal>(&page.body).ok().map(|refusal| refusal.error);
    if page.status == StatusCode::OK && said.is_none() {
        return Ok(());
    }
    let status = match &said {
        // A good status around a bad one: the inner one is meant.
        Some(said) if page.status.is_success() => status_of(&said.code),
        _ => Some(page.status),
    };
    let failure = match status {
        // There is no plan and no token: who refuses stands in between.
        Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Failure::Unreachable,
        // Of an address that is always there, as long as it is the right one.
        Some(StatusCode::NOT_FOUND) if said.is_none() && !page.body.is_empty() => Failure::BadRequest,
        Some(status) => Page { status, ..page.clone() }.failure_by_status().unwrap_or(Failure::Unreadable),
        // An error of no kind.
        None => Failure::NoData,
    };
    let words =
        said.map_or_else(|| page.words(), |said| plain_words(&format!("{} {}", said.code, said.message)));
    let words = if words.is_empty() { "nothing".to_owned() } else { format!("\"{words}\"") };
    Err(page.error(failure, format!("answers {}: {words}", page.status.as_u16())))
}

fn status_of(code: &str) -> Option<StatusCode> {
    code.split_whitespace().next()?.parse().ok()
}

/// The half-hour that is current: what was metered, or, until it is, the operator's own estimate.
pub(super) fn latest(body: &[u8], now: Timestamp) -> Result<Answer, FetchError> {
    let rows = rows(body)?;
    let row =
        rows.iter().rfind(|row| row.from.duration_since(now) <= CLOCK_SKEW).ok_or_else(|| {
            match rows.first() {
                Some(row) => {
                    unreadable(&format!("the half-hour from {} is still to come at {now}", row.from))
                }
                None => FetchError::new(Failure::NoData, "the list of half-hours is empty"),
            }
        })?;
    let (value, estimated) = match (row.intensity.actual, row.intensity.forecast) {
        (Some(actual), _) => (actual, false),
        (None, Some(forecast)) => (forecast, true),
        (None, None) => {
            let detail = format!("actual and forecast of the half-hour from {} are null", row.from);
            return Err(FetchError::new(Failure::NoData, detail));
        }
    };
    let reading = Reading {
        intensity: GramsPerKwh(value),
        starts_at: row.from,
        ends_at: row.to,
        provider: GridProvider::GbCarbonIntensity,
        signal: Signal::Average,
        basis: Basis::Direct,
        estimated,
        estimation_method: estimated.then(|| "forecast".into()),
        reported_at: now,
        unchanged_since: row.from,
        replayed_at: None,
        outlook: Outlook::Climatology,
    };
    Ok(reading.into())
}

/// The half-hours from the current one on, up to the first one without a value.
pub(super) fn forecast(body: &[u8], now: Timestamp) -> Result<Answer, FetchError> {
    let rows = rows(body)?;
    let mut ahead = rows.iter().skip_while(|row| row.to <= now).peekable();
    let starts_at = ahead.peek().map(|row| row.from);
    let mut values = Vec::new();
    let mut end = starts_at;
    for row in ahead {
        let Some(value) = row.intensity.forecast.filter(|_| end == Some(row.from)) else { break };
        values.push(value);
        end = Some(row.to);
    }
    let starts_at = starts_at
        .filter(|_| !values.is_empty())
        .ok_or_else(|| FetchError::new(Failure::NoData, "the forecast has no value from now on"))?;
    let step_seconds = u32::try_from(HALF_HOUR.as_secs()).unwrap_or(u32::MAX);
    let forecast = Forecast::new(now, starts_at, step_seconds, values)
        .map_err(|error| FetchError::new(Failure::Implausible, error.to_string()))?;
    Ok(Answer { readings: Vec::new(), forecast: Some(Arc::new(forecast)) })
}

/// In the order of time, and each of half an hour.
fn rows(body: &[u8]) -> Result<Vec<Row>, FetchError> {
    let mut rows = decode_json::<Body>(body)?.data;
    if let Some(row) = rows.iter().find(|row| row.to.duration_since(row.from) != HALF_HOUR) {
        return Err(unreadable(&format!("from {} to {} is no half-hour", row.from, row.to)));
    }
    rows.sort_by_key(|row| row.from);
    Ok(rows)
}

fn unreadable(what: &str) -> FetchError {
    FetchError::new(Failure::Unreadable, format!("unexpected body: {what}"))
}

#[cfg(test)]
mod tests;
