//! What a provider's words come to, zone by zone, and which of several providers' words counts.

use super::*;
use crate::domain::snapshot::{Basis, Signal};
use crate::domain::units::GramsPerKwh;

const MAX_AGE: SignedDuration = SignedDuration::from_hours(2);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const EMAPS: GridProvider = GridProvider::ElectricityMaps;

fn now() -> Timestamp {
    "2026-06-01T12:30:00Z".parse().unwrap()
}

/// What `provider` says of the hour that began so many hours before noon.
fn said(provider: GridProvider, grams: f64, hours_before: i64) -> Reading {
    let noon: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    let starts_at = noon - SignedDuration::from_hours(hours_before);
    Reading {
        intensity: GramsPerKwh(grams),
        starts_at,
        ends_at: starts_at + HOUR,
        provider,
        signal: Signal::Average,
        basis: Basis::Lifecycle,
        estimated: false,
        estimation_method: None,
        reported_at: now(),
        unchanged_since: starts_at,
        replayed_at: None,
        outlook: Outlook::Climatology,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "one of the two things that may come of asking")]
fn answer(reading: Reading) -> Result<Answer, FetchError> {
    Ok(Answer { readings: vec![reading], forecast: None })
}

fn no_answer(failure: Failure) -> Result<Answer, FetchError> {
    Err(FetchError::new(failure, "said so"))
}

/// A provider that was asked for each of these in turn.
fn known(provider: GridProvider, answers: impl IntoIterator<Item = Result<Answer, FetchError>>) -> Known {
    let mut known = Known::nothing(provider, MAX_AGE);
    for answer in answers {
        known.take(Question::Latest, answer, now());
    }
    known
}

fn intensity(reading: &GridReading) -> Option<(GridProvider, f64)> {
    reading.known().map(|reading| (reading.provider, reading.intensity.0))
}

fn best_of(providers: &[Known]) -> GridReading {
    best(providers, now(), MAX_AGE)
}

#[test]
fn the_first_word_counts_and_the_second_fills_its_gap() {
    let first = known(EMAPS, [answer(said(EMAPS, 100.0, 0))]);
    let silent = known(EMAPS, [no_answer(Failure::NoData)]);
    let second = known(GridProvider::Catalogue, [answer(said(GridProvider::Catalogue, 200.0, 0))]);
    assert_eq!(intensity(&best_of(&[first.clone(), second.clone()])), Some((EMAPS, 100.0)));
    assert_eq!(intensity(&best_of(&[silent, second])), Some((GridProvider::Catalogue, 200.0)));
    assert_eq!(intensity(&best_of(&[first])), Some((EMAPS, 100.0)));
}

#[test]
fn the_first_ones_last_word_goes_before_the_second_while_it_is_young() {
    let second = known(GridProvider::Catalogue, [answer(said(GridProvider::Catalogue, 200.0, 0))]);
    let young = known(EMAPS, [answer(said(EMAPS, 100.0, 2)), no_answer(Failure::Outage)]);
    assert_eq!(intensity(&best_of(&[young, second.clone()])), Some((EMAPS, 100.0)));
    let old = known(EMAPS, [answer(said(EMAPS, 100.0, 4)), no_answer(Failure::Outage)]);
    assert_eq!(intensity(&best_of(&[old, second])), Some((GridProvider::Catalogue, 200.0)));
}

#[test]
fn last_weeks_data_are_a_gap_to_fill_and_grow_old_where_nobody_fills_it() {
    let second = known(GridProvider::Catalogue, [answer(said(GridProvider::Catalogue, 200.0, 0))]);
    let first = known(EMAPS, [answer(said(EMAPS, 100.0, 7 * 24))]);
    assert_eq!(intensity(&best_of(&[first.clone(), second])), Some((GridProvider::Catalogue, 200.0)));
    let alone = best_of(&[first]);
    assert_eq!(intensity(&alone), Some((EMAPS, 100.0)));
    assert_eq!(alone.state(now(), MAX_AGE).as_str(), "stale");
}

#[test]
fn an_older_word_never_takes_the_place_of_a_newer_one() {
    let known = known(EMAPS, [answer(said(EMAPS, 100.0, 0)), answer(said(EMAPS, 999.0, 1))]);
    assert_eq!(intensity(&best_of(&[known])), Some((EMAPS, 100.0)));
}

#[test]
fn what_cannot_be_is_refused_and_counted_and_the_last_good_word_goes_on() {
    let mut known = known(EMAPS, [answer(said(EMAPS, 100.0, 1))]);
    for grams in [-0.1, 2000.1, f64::NAN, f64::INFINITY, 0.0] {
        let taken = known.take(Question::Latest, answer(said(EMAPS, grams, 0)), now());
        assert_eq!(taken.refused.len(), 1, "{grams}");
        assert!(taken.accepted.is_empty());
        assert_eq!(known.trouble().map(|trouble| trouble.failure), Some(Failure::Implausible));
        assert_eq!(intensity(&best_of(&[known.clone()])), Some((EMAPS, 100.0)));
    }
    let taken = known.take(Question::Latest, answer(said(EMAPS, 120.0, 0)), now());
    assert_eq!(taken.ended, Some(Failure::Implausible));
    assert_eq!(intensity(&best_of(&[known])), Some((EMAPS, 120.0)));
}

#[test]
fn what_cannot_be_is_shown_where_nothing_else_is_known() {
    let refused = best_of(&[known(EMAPS, [answer(said(EMAPS, -3.0, 0))])]);
    let expected =
        GridReading::Implausible { value: "-3".to_owned(), provider: EMAPS, why: Implausibility::Negative };
    assert_eq!(refused, expected);
}

#[test]
fn when_nobody_knows_the_last_word_stays_and_grows_old() {
    let old = known(EMAPS, [answer(said(EMAPS, 100.0, 50)), no_answer(Failure::Outage)]);
    let silent = Known::nothing(GridProvider::Catalogue, MAX_AGE);
    assert_eq!(intensity(&best_of(&[old, silent.clone()])), Some((EMAPS, 100.0)));
    assert_eq!(best_of(&[silent]), GridReading::Missing);
}

#[test]
fn a_trouble_is_news_once_and_has_begun_when_it_first_came() {
    let mut known = Known::nothing(EMAPS, MAX_AGE);
    let later = now() + HOUR;
    assert!(known.take(Question::Latest, no_answer(Failure::Outage), now()).began.is_some());
    assert_eq!(known.take(Question::Latest, no_answer(Failure::Outage), later).began, None);
    assert_eq!(known.trouble().map(|trouble| trouble.since), Some(now()));
    let other = known.take(Question::Latest, no_answer(Failure::Throttled), later).began;
    assert_eq!(other.map(|trouble| trouble.since), Some(later));
    let ended = known.take(Question::Latest, answer(said(EMAPS, 1.0, 0)), later).ended;
    assert_eq!(ended, Some(Failure::Throttled));
}

#[test]
fn a_value_that_does_not_move_for_days_is_no_measurement() {
    let mut known = Known::nothing(EMAPS, MAX_AGE);
    for hours_before in (0..80).rev() {
        known.take(Question::Latest, answer(said(EMAPS, 435.0, hours_before)), now());
    }
    let stuck = known.last_good(now()).unwrap();
    assert!(stuck.is_stuck());
    assert_eq!(GridReading::Known(stuck).state(now(), MAX_AGE).as_str(), "estimated");
    let mut known = Known::nothing(EMAPS, MAX_AGE);
    for hours_before in (0..80).rev() {
        let grams = if hours_before == 30 { 436.0 } else { 435.0 };
        known.take(Question::Latest, answer(said(EMAPS, grams, hours_before)), now());
    }
    assert!(!known.last_good(now()).unwrap().is_stuck());
}

#[test]
fn a_gap_ends_a_row_of_equal_values() {
    let mut known = Known::nothing(EMAPS, MAX_AGE);
    for hours_before in (0..80).rev().filter(|hours| !(20..30).contains(hours)) {
        known.take(Question::Latest, answer(said(EMAPS, 435.0, hours_before)), now());
    }
    assert!(!known.last_good(now()).unwrap().is_stuck());
}

fn forecast(hours: usize) -> Arc<Forecast> {
    Arc::new(Forecast::new(now(), now(), 3600, vec![50.0; hours]).unwrap())
}

#[test]
fn the_intensity_now_is_asked_for_first_then_what_else_there_is() {
    let mut known = Known::nothing(EMAPS, MAX_AGE);
    let everything = |_| true;
    assert_eq!(known.question(now(), everything), Question::Latest);
    known.take(Question::Latest, answer(said(EMAPS, 100.0, 0)), now());
    assert_eq!(known.question(now(), everything), Question::Forecast);
    let ahead = Answer { readings: Vec::new(), forecast: Some(forecast(48)) };
    known.take(Question::Forecast, Ok(ahead), now());
    assert_eq!(known.question(now(), everything), Question::History);
    let past = (0..24).rev().map(|hours| said(EMAPS, 100.0, hours)).collect();
    known.take(Question::History, Ok(Answer { readings: past, forecast: None }), now());
    assert_eq!(known.question(now(), everything), Question::Latest);
    // The next hour has begun, and nothing is known of it.
    assert_eq!(known.question(now() + HOUR, everything), Question::Latest);
    assert_eq!(known.question(now(), |question| question == Question::Latest), Question::Latest);
}

#[test]
fn a_side_question_that_is_refused_bears_on_nothing_and_is_not_asked_again_soon() {
    let mut known = known(EMAPS, [answer(said(EMAPS, 100.0, 0))]);
    let taken = known.take(Question::Forecast, no_answer(Failure::NotInPlan), now());
    assert_eq!(taken, Taken::default());
    assert_eq!(known.trouble(), None);
    let at_two = said(EMAPS, 100.0, -2);
    known.take(Question::Latest, answer(at_two), now() + HOUR * 2);
    assert_eq!(known.question(now() + HOUR * 2, |question| question != Question::History), Question::Latest);
}

#[test]
fn a_forecast_is_joined_to_the_reading_until_it_has_ended() {
    let mut known = known(EMAPS, [answer(said(EMAPS, 100.0, 0))]);
    known.take(Question::Forecast, Ok(Answer { readings: Vec::new(), forecast: Some(forecast(3)) }), now());
    assert!(matches!(known.last_good(now()).unwrap().outlook, Outlook::Forecast(_)));
    assert_eq!(known.last_good(now() + HOUR * 3).unwrap().outlook, Outlook::Climatology);
}

#[test]
fn a_new_collector_takes_over_what_the_one_before_it_knew() {
    let mut before = known(EMAPS, [answer(said(EMAPS, 100.0, 1))]);
    before.take(Question::Forecast, Ok(Answer { readings: Vec::new(), forecast: Some(forecast(48)) }), now());
    let last = before.last_good(now()).unwrap();
    let published = RegionReadings {
        zone: None,
        grid: GridReading::Known(last.clone()),
        asked_at: Some(now()),
        trouble: Vec::new(),
        prices: Vec::new(),
    };
    let mut after = Known::nothing(EMAPS, MAX_AGE);
    after.inherit(&published, &[], now());
    assert_eq!(after.last_good(now()), Some(last));
    assert_eq!(after.asked_at(), Some(now()));
    // Another provider's word is not its own, nor is its being asked.
    let mut other = Known::nothing(GridProvider::GbCarbonIntensity, MAX_AGE);
    other.inherit(&published, &[], now());
    assert_eq!((other.last_good(now()), other.asked_at()), (None, None));
}

/// Taken over, it would be the newest for ever: no word of the provider's own is of so late an hour.
#[test]
fn a_reading_of_a_time_to_come_is_not_taken_over() {
    let mut to_come = known(EMAPS, [answer(said(EMAPS, 100.0, 1))]).last_good(now()).unwrap();
    to_come.starts_at = now() + SignedDuration::from_hours(24 * 365);
    let published = RegionReadings {
        zone: None,
        grid: GridReading::Known(to_come),
        asked_at: Some(now()),
        trouble: Vec::new(),
        prices: Vec::new(),
    };
    let mut after = Known::nothing(EMAPS, MAX_AGE);
    after.inherit(&published, &[], now());
    assert_eq!(after.last_good(now()), None);
}

#[test]
fn a_provider_that_goes_on_with_old_news_says_so_once_until_it_has_newer() {
    let mut known = Known::nothing(EMAPS, MAX_AGE);
    let old = || answer(said(EMAPS, 100.0, 24));
    let began = known.take(Question::Latest, old(), now()).began.unwrap();
    assert_eq!(began.failure, Failure::TooOld);
    assert!(began.detail.contains("2026-05-31T13:00:00Z"), "{}", began.detail);
    let again = known.take(Question::Latest, old(), now() + HOUR);
    assert_eq!((again.began, again.ended), (None, None));
    assert_eq!(known.trouble().unwrap().since, now());
    // The hour from ten o'clock ended as long ago as is allowed, at one.
    let young = known.take(Question::Latest, answer(said(EMAPS, 100.0, 2)), now() + HOUR / 2);
    assert_eq!(young.ended, Some(Failure::TooOld));
}

#[test]
fn a_forecast_with_a_value_that_cannot_be_is_refused_and_the_one_before_it_stays() {
    let mut known = known(EMAPS, [answer(said(EMAPS, 100.0, 0))]);
    let ahead = |grams| {
        let forecast = Forecast::new(now(), now(), 3600, vec![100.0, grams]).unwrap();
        Ok(Answer { readings: Vec::new(), forecast: Some(Arc::new(forecast)) })
    };
    assert_eq!(known.take(Question::Forecast, ahead(90.0), now()).refused, []);
    let zero = known.take(Question::Forecast, ahead(0.0), now());
    assert_eq!((zero.refused, zero.began), (vec![Implausibility::Zero], None));
    let high = known.take(Question::Forecast, ahead(5000.0), now());
    assert_eq!(high.refused, [Implausibility::TooHigh]);
    let Outlook::Forecast(forecast) = known.last_good(now()).unwrap().outlook else { panic!("no forecast") };
    assert_eq!(forecast.values(), [100.0, 90.0]);
}

#[test]
fn a_trace_that_has_nothing_newer_says_so_at_any_speed() {
    // At an hour a second: the last hour of the trace is four hours back a few seconds after it was now.
    let replayed =
        |grams, hours_before| Reading { provider: GridProvider::Replay, ..said(EMAPS, grams, hours_before) };
    let mut known = known(GridProvider::Replay, [answer(replayed(100.0, 0))]);
    known.take(Question::Latest, answer(replayed(100.0, 4)), now());
    let age = known.last_good(now()).unwrap().age(now());
    assert_eq!(age, SignedDuration::from_mins(3 * 60 + 30));
}

#[test]
fn one_outage_does_not_cost_a_day_of_forecasts() {
    let mut known = known(EMAPS, [answer(said(EMAPS, 100.0, 0))]);
    known.take(Question::Forecast, no_answer(Failure::Outage), now());
    let later = now() + HOUR * 2;
    known.take(Question::Latest, answer(said(EMAPS, 100.0, -2)), later);
    assert_eq!(known.question(later, |question| question != Question::History), Question::Forecast);
}
