//! What one provider has said about one zone, judged: the last word that can be true, the last day's words, the
//! forecast, and what is wrong at present. Pure.
//!
//! Never makes a value: what is refused is shown as refused, and what is missing stays missing.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::FetchError;
use super::super::grid::{Answer, Question};
use crate::domain::history::PastReading;
use crate::domain::plausibility::{is_live, judge, judge_alone};
use crate::domain::snapshot::{
    Failure, Forecast, GridProvider, GridReading, Implausibility, Outlook, Reading, RegionReadings, Trouble,
};

/// Words of so long ago are what a new one is held against.
const RECENT: SignedDuration = SignedDuration::from_hours(24);
/// Enough for a day of the shortest intervals that providers speak of (five minutes).
const MOST_RECENT: usize = 288;
/// A forecast is asked for again when it was asked for so long ago; providers renew theirs about hourly.
const FORECAST_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// The last day is asked for again after so long: estimates have given way to measured values by then.
const HISTORY_EVERY: SignedDuration = SignedDuration::from_hours(6);
/// A side question that the provider does not answer is asked again after so long.
const REFUSED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What one provider has said about one zone.
#[derive(Clone, Debug)]
pub struct Known {
    provider: GridProvider,
    /// A word older than this says nothing of now.
    max_age: SignedDuration,
    /// The last word that can be true.
    last: Option<Reading>,
    /// A later word that cannot.
    refused: Option<(String, Implausibility)>,
    /// What it said of the last day, true or not, oldest first.
    recent: VecDeque<(Timestamp, f64)>,
    forecast: Option<Arc<Forecast>>,
    trouble: Option<Trouble<GridProvider>>,
    asked_at: Option<Timestamp>,
    /// When a side question may be asked again.
    forecast_due: Timestamp,
    history_due: Timestamp,
}

/// What came of taking an answer in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// Values that were refused, and why.
    pub refused: Vec<Implausibility>,
    /// Readings to remember for the accounts, oldest first.
    pub accepted: Vec<Reading>,
    /// The trouble that began with it.
    pub began: Option<Trouble<GridProvider>>,
    /// The failure that ended with it.
    pub ended: Option<Failure>,
}

impl Known {
    /// Nothing yet.
    #[must_use]
    pub const fn nothing(provider: GridProvider, max_age: SignedDuration) -> Self {
        Self {
            provider,
            max_age,
            last: None,
            refused: None,
            recent: VecDeque::new(),
            forecast: None,
            trouble: None,
            asked_at: None,
            forecast_due: Timestamp::MIN,
            history_due: Timestamp::MIN,
        }
    }

    /// Takes over what another collector knew: its last word, and the words of the last day.
    pub fn inherit(&mut self, before: &RegionReadings, past: &[PastReading], now: Timestamp) {
        let is_ours = |last: &&Reading| last.provider == self.provider && last.is_believable(now);
        let last = before.grid.known().filter(is_ours);
        let trouble = before.trouble.iter().find(|trouble| trouble.provider == self.provider);
        if (last.is_some() || trouble.is_some()) && self.asked_at < before.asked_at {
            self.asked_at = before.asked_at;
            self.trouble = trouble.cloned();
        }
        let ours = past.iter().filter(|past| past.provider == self.provider);
        let past: Vec<(Timestamp, f64)> = ours.map(|past| (past.starts_at, past.intensity.0)).collect();
        if self.recent.is_empty() {
            self.recent = past.into_iter().rev().take(MOST_RECENT).rev().collect();
        }
        let Some(last) = last else { return };
        let said = |reading: &Reading| (reading.starts_at, reading.reported_at);
        if self.last.as_ref().is_some_and(|own| said(own) >= said(last)) {
            return;
        }
        if let Outlook::Forecast(forecast) = &last.outlook {
            self.forecast_due = forecast.issued_at().saturating_add(FORECAST_EVERY).unwrap_or(Timestamp::MIN);
            self.forecast = Some(forecast.clone());
        }
        // What is kept is the reading as it was said; the forecast is joined to it anew.
        let outlook = match &last.outlook {
            Outlook::Forecast(_) => Outlook::Climatology,
            said => said.clone(),
        };
        self.last = Some(Reading { outlook, ..last.clone() });
        self.refused = None;
    }

    /// When this zone was last asked about.
    #[must_use]
    pub const fn asked_at(&self) -> Option<Timestamp> {
        self.asked_at
    }

    /// What is wrong at present.
    #[must_use]
    pub const fn trouble(&self) -> Option<&Trouble<GridProvider>> {
        self.trouble.as_ref()
    }

    /// The question that one request is best spent on. The intensity now comes first; once this hour's is known, what
    /// else the provider can tell.
    #[must_use]
    pub fn question(&self, now: Timestamp, answers: impl Fn(Question) -> bool) -> Question {
        let is_current = self.trouble.is_none() && self.last.as_ref().is_some_and(|last| last.ends_at > now);
        if is_current && self.forecast_due <= now && answers(Question::Forecast) {
            Question::Forecast
        } else if is_current && self.history_due <= now && answers(Question::History) {
            Question::History
        } else {
            Question::Latest
        }
    }

    /// Takes in what came of a question that was asked at `now`.
    pub fn take(&mut self, question: Question, result: Result<Answer, FetchError>, now: Timestamp) -> Taken {
        self.asked_at = Some(now);
        let later = |length| now.saturating_add(length).unwrap_or(Timestamp::MAX);
        // What the provider is too busy or too broken to say, it may say soon.
        let is_refused = result.as_ref().is_err_and(|error| !error.failure.is_of_provider());
        let wait = |length| later(if is_refused { REFUSED_FOR } else { length });
        match question {
            Question::Latest => {}
            Question::Forecast => self.forecast_due = wait(FORECAST_EVERY),
            Question::History => self.history_due = wait(HISTORY_EVERY),
        }
        match result {
            Ok(answer) => {
                let mut taken = self.take_readings(answer.readings);
                if let Some(forecast) = answer.forecast {
                    let cannot_be = |value: &f64| judge_alone(*value, self.provider).err();
                    match forecast.values().iter().find_map(cannot_be) {
                        None => self.forecast = Some(forecast),
                        // The one before it is as good as it was.
                        Some(why) => taken.refused.push(why),
                    }
                }
                if let Some((value, why)) = &self.refused {
                    let why = why.as_str().replace('_', " ");
                    let detail = format!("it says {value} gCO2eq/kWh, which cannot be: {why}");
                    taken.began = self.fails(&FetchError::new(Failure::Implausible, detail), now);
                } else if let Some(last) = self.last.as_ref().filter(|last| last.age(now) > self.max_age) {
                    let detail =
                        format!("its latest value is of the interval that ended at {}", last.ends_at);
                    taken.began = self.fails(&FetchError::new(Failure::TooOld, detail), now);
                } else {
                    taken.ended = self.trouble.take().map(|trouble| trouble.failure);
                }
                taken
            }
            // What else a provider cannot tell does not bear on what it said of now.
            Err(_) if question != Question::Latest => Taken::default(),
            Err(error) => Taken { began: self.fails(&error, now), ..Taken::default() },
        }
    }

    /// Notes what is wrong; gives it when it is news.
    pub fn fails(&mut self, error: &FetchError, now: Timestamp) -> Option<Trouble<GridProvider>> {
        let before = self.trouble.as_ref().filter(|trouble| trouble.failure == error.failure);
        let trouble = Trouble {
            provider: self.provider,
            failure: error.failure,
            detail: error.detail.clone(),
            since: before.map_or(now, |trouble| trouble.since),
        };
        let is_news = before.is_none();
        self.trouble = Some(trouble.clone());
        is_news.then_some(trouble)
    }

    fn take_readings(&mut self, readings: Vec<Reading>) -> Taken {
        let mut taken = Taken::default();
        for reading in readings {
            let moment = reading.replayed_at.unwrap_or(reading.starts_at);
            let day_before = moment.saturating_sub(RECENT).unwrap_or(Timestamp::MIN);
            let of_day = |(at, _): &&(Timestamp, f64)| (day_before..moment).contains(at);
            let recent: Vec<f64> = self.recent.iter().filter(of_day).map(|(_, value)| *value).collect();
            let verdict = judge(reading.intensity.0, self.provider, &recent);
            self.note(moment, reading.intensity.0);
            // What is made up in this process at the moment of asking is of now, also after the clock was put back, or
            // where a trace has nothing newer.
            let is_newest = !is_live(self.provider)
                || self.last.as_ref().is_none_or(|last| reading.starts_at >= last.starts_at);
            match verdict {
                Ok(()) => {
                    taken.accepted.push(reading.clone());
                    if is_newest {
                        self.refused = None;
                        self.last = Some(self.continued(reading));
                    }
                }
                Err(why) => {
                    taken.refused.push(why);
                    if is_newest {
                        self.refused = Some((reading.intensity.0.to_string(), why));
                    }
                }
            }
        }
        taken
    }

    /// Keeps a word for later ones to be held against, once for each interval.
    fn note(&mut self, moment: Timestamp, value: f64) {
        if !value.is_finite() {
            return;
        }
        let place = self.recent.partition_point(|(at, _)| *at < moment);
        match self.recent.get_mut(place) {
            Some((at, kept)) if *at == moment => *kept = value,
            _ => self.recent.insert(place, (moment, value)),
        }
        while self.recent.len() > MOST_RECENT {
            self.recent.pop_front();
        }
    }

    /// A reading that goes on from the last one has its value for as long as that had.
    fn continued(&self, mut reading: Reading) -> Reading {
        let goes_on = self.last.as_ref().filter(|last| {
            #[expect(clippy::float_cmp, reason = "stuck means the very same value")]
            let same = last.intensity.0 == reading.intensity.0;
            let length = reading.ends_at.duration_since(reading.starts_at);
            same && reading.starts_at.duration_since(last.ends_at) <= length
        });
        if let Some(last) = goes_on {
            reading.unchanged_since = reading.unchanged_since.min(last.unchanged_since);
        }
        reading
    }

    /// What this provider's word on the zone is worth at `now`.
    #[must_use]
    pub fn reading(&self, now: Timestamp) -> GridReading {
        match (&self.refused, &self.last) {
            (Some((value, why)), _) => {
                GridReading::Implausible { value: value.clone(), provider: self.provider, why: *why }
            }
            (None, Some(last)) => GridReading::Known(self.with_forecast(last, now)),
            (None, None) => GridReading::Missing,
        }
    }

    /// The last word that can be true, also while a later one is refused.
    #[must_use]
    pub fn last_good(&self, now: Timestamp) -> Option<Reading> {
        self.last.as_ref().map(|last| self.with_forecast(last, now))
    }

    fn with_forecast(&self, reading: &Reading, now: Timestamp) -> Reading {
        let forecast = self.forecast.as_ref().filter(|forecast| forecast.ends_at() > now);
        match (forecast, &reading.outlook) {
            (Some(forecast), Outlook::Climatology) => {
                Reading { outlook: Outlook::Forecast(forecast.clone()), ..reading.clone() }
            }
            _ => reading.clone(),
        }
    }
}

/// The best there is for a region, of several providers in the order in which their words count: the first word that
/// is young enough, a provider's last good one included while it is silent or says what cannot be. When none is
/// young, what was refused is shown, else the first old word, which grows older.
#[must_use]
pub fn best<'k>(
    providers: impl IntoIterator<Item = &'k Known>,
    now: Timestamp,
    max_age: SignedDuration,
) -> GridReading {
    let mut otherwise = GridReading::Missing;
    for known in providers {
        if let Some(reading) = known.last_good(now).filter(|reading| reading.age(now) <= max_age) {
            return GridReading::Known(reading);
        }
        match (known.reading(now), &otherwise) {
            (_, GridReading::Implausible { .. }) => {}
            (implausible @ GridReading::Implausible { .. }, _) => otherwise = implausible,
            (old @ GridReading::Known(_), GridReading::Missing) => otherwise = old,
            _ => {}
        }
    }
    otherwise
}

#[cfg(test)]
mod tests;
