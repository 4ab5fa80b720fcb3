//! Bodies of Great Britain's grid operator, read as the answer to each question it is asked.

use bytes::Bytes;
use eco_pulse::providers::grid::{GbCarbonIntensity, Question};
use eco_pulse::providers::web::Page;
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};

use super::grid::{judge, judge_error, numbers};

const NOW: &str = "2026-08-22T12:40:12Z";

pub fn holds(body: &[u8]) {
    let now: Timestamp = NOW.parse().unwrap();
    let mut page =
        Page { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body) };
    let values = numbers(body);
    for question in [Question::Latest, Question::Forecast] {
        let said = GbCarbonIntensity::read(&page, question, now);
        if let Ok(answer) = &said {
            let length = |from: Timestamp, to: Timestamp| to.duration_since(from);
            let lengths = answer.readings.iter().map(|reading| length(reading.starts_at, reading.ends_at));
            assert!(lengths.into_iter().all(|length| length == SignedDuration::from_mins(30)));
            let ends_at = answer.forecast.as_ref().map(|forecast| forecast.ends_at());
            assert!(ends_at.is_none_or(|ends_at| ends_at > now), "a forecast of what is over");
        }
        judge(said, question, now, values.as_ref());
    }
    for status in [StatusCode::BAD_REQUEST, StatusCode::SERVICE_UNAVAILABLE] {
        page.status = status;
        judge_error(&GbCarbonIntensity::read(&page, Question::Latest, now).expect_err("data of a refusal"));
    }
}
