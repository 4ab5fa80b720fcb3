//! The API's ways to give no data, told apart by status and words: the same status means several things.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::snapshot::Failure;
use crate::providers::FetchError;
use crate::providers::web::{Page, plain_words};

/// Asked too often, in the words that providers have for it; none of this one's are on record.
const THROTTLED: &[&str] =
    &["rate limit", "ratelimit", "too many requests", "throttl", "quota", "limit exceeded"];
/// The token is known, and does not cover zone or endpoint: said under 401, in three wordings on record.
const NOT_IN_PLAN: &[&str] =
    &["for zonekey", "for this specific", "do not have access", "endpoint not available", "your plan"];
/// The question makes no sense.
const BAD_REQUEST: &[&str] = &["does not exist", "not a valid", "valid breakdown types"];
/// What is wrong is who asks: `Invalid auth-token` and the like.
const BAD_TOKEN: &[&str] = &["token", "auth", "credential", "api key", "api-key", "apikey"];

/// The refusal that an answer is; none when it holds what was asked for, or seems to.
pub(super) fn of(page: &Page) -> Option<FetchError> {
    let said = said(page);
    if page.status == StatusCode::OK && said.is_none() {
        return None;
    }
    let words = said.clone().unwrap_or_else(|| page.words());
    let failure = failure(page, said.is_some(), &words.to_lowercase());
    let words = if words.is_empty() { "nothing".to_owned() } else { format!("\"{words}\"") };
    Some(page.error(failure, format!("answers {}: {words}", page.status.as_u16())))
}

/// The fields of a body that say what went wrong; all others are passed over.
#[derive(Deserialize)]
struct Complaint {
    error: Option<Value>,
    message: Option<Value>,
    status: Option<Value>,
}

/// What the body says went wrong: `error` and `message`, of which the first is a text or has one. Under a good status
/// only the first tells that something did, or a `status` of `error`.
fn said(page: &Page) -> Option<String> {
    // A list could be read as the fields in their order.
    let body = Some(page.body.trim_ascii_start()).filter(|body| body.starts_with(b"{"))?;
    let Complaint { error, message, status } = serde_json::from_slice(body).ok()?;
    let failed =
        error.is_some() || status.is_some_and(|status| status == "error") || page.status != StatusCode::OK;
    let words: Vec<String> = [&error, &message].into_iter().flatten().filter_map(text).collect();
    failed.then(|| plain_words(&words.join(" "))).filter(|words| !words.is_empty() || error.is_some())
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(fields) => fields.get("message").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    }
}

/// `is_said`: the words are the provider's own, not those of a page that something in between made up.
fn failure(page: &Page, is_said: bool, words: &str) -> Failure {
    let says = |list: &[&str]| list.iter().any(|part| words.contains(part));
    // To wait helps against throttling only.
    let throttled = says(THROTTLED) || page.retry_after().is_some();
    match page.status.as_u16() {
        401..=403 if throttled => Failure::Throttled,
        401 if says(NOT_IN_PLAN) => Failure::NotInPlan,
        401 if words.is_empty() || says(BAD_TOKEN) => Failure::BadToken,
        // New words for the plan cost one zone; taken for a bad token, they would cost all.
        401..=403 => Failure::NotInPlan,
        // No page at all: the address is wrong, not the zone without data.
        404 if (!is_said && !words.is_empty()) || says(BAD_REQUEST) => Failure::BadRequest,
        200 if says(THROTTLED) => Failure::Throttled,
        200 if says(NOT_IN_PLAN) => Failure::NotInPlan,
        200 if words.contains("auth-token") => Failure::BadToken,
        200 if says(BAD_REQUEST) => Failure::BadRequest,
        200 => Failure::NoData,
        _ => page.failure_by_status().unwrap_or(Failure::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue};
    use rstest::rstest;

    use super::*;

    const PLAN: &str = r#"{"error":"Request unauthorized for zoneKey=PT,requestType=past,dataType=power-breakdown.",
        "message":"You do not have access to this specific endpoint for this specific zone. Ask for it."}"#;

    fn page(status: u16, body: &str) -> Page {
        Page {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    #[rstest]
    #[case(401, r#"{"error":"Invalid auth-token"}"#, Failure::BadToken)]
    #[case(401, "", Failure::BadToken)]
    #[case(401, r#"{"message":"Unauthorized"}"#, Failure::BadToken)]
    #[case(401, PLAN, Failure::NotInPlan)]
    #[case(401, r#"{"error":"Token unauthorized for zoneKey=PT"}"#, Failure::NotInPlan)]
    #[case(401, r#"{"error":"Endpoint not available"}"#, Failure::NotInPlan)]
    #[case(401, r#"{"error":"Upgrade to see this"}"#, Failure::NotInPlan)]
    #[case(401, r#"{"error":"Rate limit exceeded for token"}"#, Failure::Throttled)]
    #[case(402, r#"{"error":"Pay"}"#, Failure::NotInPlan)]
    #[case(403, "Access denied", Failure::NotInPlan)]
    #[case(403, "", Failure::NotInPlan)]
    #[case(403, r#"{"error":"Invalid auth-token"}"#, Failure::NotInPlan)]
    #[case(403, r#"{"message":"Too Many Requests"}"#, Failure::Throttled)]
    #[case(429, "", Failure::Throttled)]
    #[case(429, r#"{"error":"Invalid auth-token"}"#, Failure::Throttled)]
    #[case(404, r#"{"error":"No recent data for zone \"US-MIDW-MISO\""}"#, Failure::NoData)]
    #[case(404, "", Failure::NoData)]
    #[case(404, r#"{"status":"error","message":"Zone 'TWN' does not exist."}"#, Failure::BadRequest)]
    #[case(404, "<html>Not Found</html>", Failure::BadRequest)]
    #[case(200, r#"{"error":"No recent data for zone \"US-MIDW-MISO\""}"#, Failure::NoData)]
    #[case(200, r#"{"status":"error","message":"Zone 'TWN' does not exist."}"#, Failure::BadRequest)]
    #[case(200, r#"{"error":"Invalid auth-token"}"#, Failure::BadToken)]
    #[case(200, PLAN, Failure::NotInPlan)]
    #[case(200, r#"{"error":"Too many requests"}"#, Failure::Throttled)]
    #[case(200, r#"{"error":{"code":7}}"#, Failure::NoData)]
    #[case(400, r#"{"error":"Valid breakdown types are: normal, flow-traced"}"#, Failure::BadRequest)]
    #[case(422, "{}", Failure::BadRequest)]
    #[case(500, "", Failure::Outage)]
    #[case(502, "<html>Bad Gateway</html>", Failure::Outage)]
    #[case(503, r#"{"error":"Invalid auth-token"}"#, Failure::Outage)]
    #[case(204, "", Failure::Unreadable)]
    fn refusals_are_told_apart(#[case] status: u16, #[case] body: &str, #[case] failure: Failure) {
        let refusal = of(&page(status, body)).unwrap();
        assert_eq!(refusal.failure, failure, "{refusal}");
        assert!(refusal.detail.contains(&status.to_string()), "{refusal}");
        assert_eq!(refusal.retry_after, None);
    }

    #[rstest]
    #[case(r#"{"zone":"DE","carbonIntensity":599,"datetime":"2024-03-05T20:00:00.000Z"}"#)]
    #[case(r#"{"zone":"DE","error":null}"#)]
    #[case(r#"["No recent data", "for zone", "error"]"#)]
    #[case("<html></html>")]
    #[case("")]
    fn a_good_status_without_an_error_is_no_refusal(#[case] body: &str) {
        assert_eq!(of(&page(200, body)), None);
    }

    #[test]
    fn the_providers_own_words_are_repeated_on_one_short_line() {
        let refusal = of(&page(401, PLAN)).unwrap();
        assert!(refusal.detail.contains("unauthorized for zoneKey=PT"), "{refusal}");
        assert!(refusal.detail.contains("You do not have access"), "{refusal}");
        let long = format!(r#"{{"error":"\u001b[31m{}"}}"#, "x".repeat(5000));
        let refusal = of(&page(500, &long)).unwrap();
        assert!(refusal.detail.len() < 250 && !refusal.detail.contains('\u{1b}'), "{refusal}");
    }

    #[test]
    fn who_asks_to_wait_is_throttling_and_says_how_long() {
        for status in [401, 403, 429] {
            let mut page = page(status, r#"{"error":"Invalid auth-token"}"#);
            page.headers.insert("retry-after", HeaderValue::from_static("90"));
            let refusal = of(&page).unwrap();
            assert_eq!(refusal.failure, Failure::Throttled);
            assert_eq!(refusal.retry_after, Some(Duration::from_secs(90)));
        }
    }
}
