//! The API's bodies of good news, of both versions: what they say, with its provenance.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::domain::region::GridZone;
use crate::domain::snapshot::{Basis, Failure, Forecast, GridProvider, Outlook, Reading, Signal};
use crate::domain::units::GramsPerKwh;
use crate::providers::FetchError;
use crate::providers::grid::Answer;
use crate::providers::web::{CLOCK_SKEW, decode_json, plain_words};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// The longest name of a method on record has about 30 characters.
const MOST_OF_A_METHOD: usize = 64;

/// One interval. Rows of a forecast have two fields, those of version 3 lack the last one; only the time is in all.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    zone: Option<String>,
    carbon_intensity: Option<f64>,
    /// Start of the interval.
    datetime: Timestamp,
    updated_at: Option<Timestamp>,
    emission_factor_type: Option<String>,
    is_estimated: Option<bool>,
    estimation_method: Option<String>,
    temporal_granularity: Option<String>,
}

/// Several intervals. Version 3 and what was seen of version 4 say `history` where the documentation of 4 says `data`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rows {
    zone: Option<String>,
    history: Option<Vec<Row>>,
    forecast: Option<Vec<Row>>,
    data: Option<Vec<Row>>,
    updated_at: Option<Timestamp>,
    temporal_granularity: Option<String>,
}

/// The current hour.
pub(super) fn latest(body: &[u8], zone: &GridZone, now: Timestamp) -> Result<Vec<Reading>, FetchError> {
    let row: Row = decode_json(body)?;
    is_of(zone, row.zone.as_deref())?;
    let starts_at = row.datetime;
    if is_future(starts_at, now) {
        return Err(from_the_future(starts_at, now));
    }
    let reading = row.reading(None, now)?;
    reading.map(|reading| vec![reading]).ok_or_else(|| {
        FetchError::new(Failure::NoData, format!("carbonIntensity of the interval from {starts_at} is null"))
    })
}

/// The last day, oldest first. Hours without a value are left out; so are hours to come, which are no history.
pub(super) fn history(body: &[u8], zone: &GridZone, now: Timestamp) -> Result<Vec<Reading>, FetchError> {
    let rows: Rows = decode_json(body)?;
    is_of(zone, rows.zone.as_deref())?;
    let granularity = rows.temporal_granularity.as_deref();
    let list = rows.history.or(rows.data).ok_or_else(|| lacks("history"))?;
    let mut readings = Vec::with_capacity(list.len());
    let mut future = None;
    for row in list {
        is_none_or_of(zone, row.zone.as_deref())?;
        if is_future(row.datetime, now) {
            future = Some(row.datetime);
        } else {
            readings.extend(row.reading(granularity, now)?);
        }
    }
    match future {
        Some(at) if readings.is_empty() => return Err(from_the_future(at, now)),
        _ if readings.is_empty() => {
            return Err(FetchError::new(Failure::NoData, "history holds no value"));
        }
        _ => {}
    }
    // Of two words about one hour the later one counts.
    readings.sort_by_key(|reading| (reading.starts_at, std::cmp::Reverse(reading.reported_at)));
    readings.dedup_by_key(|reading| reading.starts_at);
    mark_unchanged(&mut readings);
    Ok(readings)
}

/// The hours to come, up to the first one without a value.
pub(super) fn forecast(body: &[u8], zone: &GridZone, now: Timestamp) -> Result<Answer, FetchError> {
    let rows: Rows = decode_json(body)?;
    is_of(zone, rows.zone.as_deref())?;
    let step = interval(rows.temporal_granularity.as_deref())?;
    let mut list = rows.forecast.or(rows.data).ok_or_else(|| lacks("forecast"))?;
    list.sort_by_key(|row| row.datetime);
    let mut values = Vec::with_capacity(list.len());
    let mut expected = None;
    for row in &list {
        is_none_or_of(zone, row.zone.as_deref())?;
        match expected {
            Some(expected) if row.datetime < expected => {
                let detail = format!("the forecast has {} within the interval before it", row.datetime);
                return Err(FetchError::new(Failure::Unreadable, detail));
            }
            Some(expected) if row.datetime > expected => break,
            _ => {}
        }
        let Some(value) = row.carbon_intensity else { break };
        values.push(value);
        expected = Some(after(row.datetime, step)?);
    }
    let starts_at = list.first().filter(|_| !values.is_empty()).map(|row| row.datetime);
    let starts_at =
        starts_at.ok_or_else(|| FetchError::new(Failure::NoData, "the forecast begins without a value"))?;
    let step_seconds = u32::try_from(step.as_secs()).unwrap_or(u32::MAX);
    let forecast = Forecast::new(rows.updated_at.unwrap_or(now), starts_at, step_seconds, values)
        .map_err(|error| FetchError::new(Failure::Implausible, error.to_string()))?;
    Ok(Answer { readings: Vec::new(), forecast: Some(Arc::new(forecast)) })
}

impl Row {
    /// None when there is no value.
    fn reading(self, granularity: Option<&str>, now: Timestamp) -> Result<Option<Reading>, FetchError> {
        let length = interval(self.temporal_granularity.as_deref().or(granularity))?;
        let ends_at = after(self.datetime, length)?;
        let method = self.estimation_method.as_deref().map(plain_words).unwrap_or_default();
        let method: String = method.chars().take(MOST_OF_A_METHOD).collect();
        Ok(self.carbon_intensity.map(|grams| Reading {
            intensity: GramsPerKwh(grams),
            starts_at: self.datetime,
            ends_at,
            provider: GridProvider::ElectricityMaps,
            signal: Signal::Average,
            // Lifecycle is what was asked for; an answer that does not repeat it is taken to keep to it.
            basis: match self.emission_factor_type.as_deref() {
                None | Some("lifecycle") => Basis::Lifecycle,
                Some(_) => Basis::Direct,
            },
            // What is not said to be measured is not passed off as measured.
            estimated: self.is_estimated.unwrap_or(true),
            estimation_method: (!method.is_empty()).then(|| method.into()),
            reported_at: self.updated_at.unwrap_or(now),
            unchanged_since: self.datetime,
            replayed_at: None,
            outlook: Outlook::Climatology,
        }))
    }
}

/// Sets in each reading where the unbroken row of equal values began that ends with it.
fn mark_unchanged(readings: &mut [Reading]) {
    let mut before: Option<(Timestamp, u64, Timestamp)> = None;
    for reading in readings {
        let bits = reading.intensity.0.to_bits();
        if let Some((end, value, since)) = before
            && end == reading.starts_at
            && value == bits
        {
            reading.unchanged_since = since;
        }
        before = Some((reading.ends_at, bits, reading.unchanged_since));
    }
}

fn interval(granularity: Option<&str>) -> Result<SignedDuration, FetchError> {
    match granularity {
        // Version 3 does not say; it has hours only.
        None | Some("hourly") => Ok(HOUR),
        Some("15_minutes") => Ok(SignedDuration::from_mins(15)),
        Some("5_minutes") => Ok(SignedDuration::from_mins(5)),
        Some(other) => {
            let detail =
                format!("temporalGranularity is \"{}\", and hourly was asked for", plain_words(other));
            Err(FetchError::new(Failure::Unreadable, detail))
        }
    }
}

fn after(start: Timestamp, length: SignedDuration) -> Result<Timestamp, FetchError> {
    let end = start.checked_add(length);
    end.map_err(|_| FetchError::new(Failure::Unreadable, format!("datetime {start} is out of all range")))
}

fn is_future(starts_at: Timestamp, now: Timestamp) -> bool {
    starts_at.duration_since(now) > CLOCK_SKEW
}

fn from_the_future(starts_at: Timestamp, now: Timestamp) -> FetchError {
    let detail =
        format!("datetime {starts_at} is still to come; if it is not, this machine's clock ({now}) is slow");
    FetchError::new(Failure::Unreadable, detail)
}

fn lacks(field: &str) -> FetchError {
    FetchError::new(Failure::Unreadable, format!("unexpected body: it has neither {field} nor data"))
}

fn is_of(asked: &GridZone, said: Option<&str>) -> Result<(), FetchError> {
    if said.is_none() {
        return Err(FetchError::new(Failure::Unreadable, "unexpected body: it has no zone"));
    }
    is_none_or_of(asked, said)
}

fn is_none_or_of(asked: &GridZone, said: Option<&str>) -> Result<(), FetchError> {
    match said {
        Some(said) if said != asked.as_str() => {
            let detail = format!("the answer is about zone \"{}\"", plain_words(said));
            Err(FetchError::new(Failure::WrongZone, detail))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
