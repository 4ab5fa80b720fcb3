//! What the price feeds have in common over HTTP: the address they are asked at, and what a status means.

use bytes::Bytes;
use http::HeaderMap;
use reqwest::Url;
use serde_json::error::Category;

use crate::domain::snapshot::Failure;
use crate::providers::FetchError;
use crate::providers::web::{Page, http_address};

/// A text is no address to ask for prices at. It is not repeated here: where it should have none, it may hold a
/// password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` {wrong}: give https://host[:port]/path")]
pub struct AddressError {
    setting: &'static str,
    wrong: &'static str,
}

/// Reads the address that stands at `setting` in the configuration.
pub(super) fn address(setting: &'static str, text: &str) -> Result<Url, AddressError> {
    http_address(text).map_err(|error| AddressError { setting, wrong: error.wrong() })
}

/// Reads an address to which questions are added, so that it may not bring any of its own.
pub(super) fn address_without_query(setting: &'static str, text: &str) -> Result<Url, AddressError> {
    let url = address(setting, text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(AddressError {
            setting,
            wrong: "has a query or fragment, which are put there by the program",
        });
    }
    Ok(url)
}

/// Headers and body of an answer that says it is good; `setting` is where the address stands that was asked.
pub(super) fn accepted(page: Page, setting: &str) -> Result<(HeaderMap, Bytes), FetchError> {
    let failure = match page.status.as_u16() {
        200 => return Ok((page.headers, page.body)),
        // There is one address and no key: what is not there or not allowed was asked for wrongly.
        401..=404 => Failure::BadRequest,
        // A redirect among them: it is not followed.
        _ => page.failure_by_status().unwrap_or(Failure::Unreadable),
    };
    let cure = match failure {
        Failure::Throttled => "a longer `prices.refresh` asks less often".to_owned(),
        Failure::BadRequest => format!("check `{setting}`"),
        Failure::Unreadable => format!("give the address of the data itself as `{setting}`"),
        _ => "it is asked again by itself".to_owned(),
    };
    Err(page.error(failure, format!("it answered {}: {cure}", page.status)))
}

/// The error for a JSON text that is not what it should be. The reader's own words are left out: they may quote what
/// stands there, at any length.
pub(super) fn unreadable(what: &str, error: &serde_json::Error) -> FetchError {
    let wrong = match error.classify() {
        Category::Eof => "breaks off",
        Category::Data => "has another shape than it should",
        Category::Syntax | Category::Io => "is no JSON",
    };
    let (line, column) = (error.line(), error.column());
    FetchError::new(Failure::Unreadable, format!("{what} {wrong}, at line {line} column {column}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::header::RETRY_AFTER;
    use http::{HeaderValue, StatusCode};
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::an_outage(500, Failure::Outage)]
    #[case::overloaded(503, Failure::Outage)]
    #[case::too_slow_for_it(408, Failure::Outage)]
    #[case::throttled(429, Failure::Throttled)]
    #[case::bad_question(400, Failure::BadRequest)]
    #[case::forbidden(403, Failure::BadRequest)]
    #[case::gone(404, Failure::BadRequest)]
    #[case::moved(301, Failure::Unreadable)]
    #[case::no_content(204, Failure::Unreadable)]
    fn a_status_names_the_failure_and_keeps_what_it_asks_for(#[case] status: u16, #[case] failure: Failure) {
        let headers = [(RETRY_AFTER, HeaderValue::from_static("120"))].into_iter().collect();
        let status = StatusCode::from_u16(status).unwrap();
        let page = Page { status, headers, body: Bytes::from_static(b"{}") };
        let error = accepted(page, "prices.some.url").unwrap_err();
        assert_eq!(error.failure, failure);
        assert_eq!(error.retry_after, Some(Duration::from_mins(2)));
        assert!(error.detail.contains(status.as_str()), "{error}");
    }

    #[rstest]
    #[case("")]
    #[case("prices.example/data.json")]
    #[case("ftp://prices.example/data.json")]
    #[case("file:///data.json")]
    #[case("https://reader:hunter2@prices.example/data.json")]
    #[case("https://hunter2@prices.example/data.json")]
    fn what_is_no_address_is_refused_unrepeated(#[case] text: &str) {
        let error = address("prices.some.url", text).unwrap_err().to_string();
        assert!(error.contains("`prices.some.url`") && error.contains("give https://"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    /// As it stands in the list's own documentation.
    #[rstest]
    #[case("https://prices.example/list?api-version=2023-01-01-preview")]
    #[case("https://prices.example/list#prices")]
    fn an_address_that_brings_questions_of_its_own_is_refused_where_they_are_added(#[case] text: &str) {
        assert!(address("prices.some.url", text).is_ok());
        let error = address_without_query("prices.some.url", text).unwrap_err().to_string();
        assert!(error.starts_with("`prices.some.url` has a query or fragment"), "{error}");
    }
}
