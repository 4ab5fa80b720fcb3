//! An answer over HTTP of any status, and what can be said of it whoever gave it.

use std::time::Duration;

use bytes::Bytes;
use http::header::{DATE, HeaderName, LOCATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use serde::de::DeserializeOwned;

use crate::domain::snapshot::Failure;
use crate::providers::FetchError;

/// The longest that a provider can ask to be left alone: a date misread must not silence it for good.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(1);
/// How many characters of what others say are repeated.
pub const MOST_WORDS: usize = 200;
/// What stands where words were cut.
pub const CUT: char = '…';

/// An answer of any status.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, whole.
    pub body: Bytes,
}

impl Page {
    /// How long the provider asks to be left alone: seconds, or a date less the date of the answer itself, so that
    /// nobody's clock matters but the provider's.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let said = self.header(&RETRY_AFTER)?;
        let seconds = if said.bytes().all(|byte| byte.is_ascii_digit()) && !said.is_empty() {
            // More digits than fit are a long time too.
            said.parse().unwrap_or(u64::MAX)
        } else {
            let until = date(said)?.duration_since(date(self.header(&DATE)?)?);
            u64::try_from(until.as_secs()).unwrap_or(0)
        };
        Some(Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER))
    }

    /// A failure of this answer, with the time it asks to be left alone.
    #[must_use]
    pub fn error(&self, failure: Failure, detail: impl Into<std::sync::Arc<str>>) -> FetchError {
        FetchError { retry_after: self.retry_after(), ..FetchError::new(failure, detail) }
    }

    /// The failure that the status alone tells; none for success, and for what says nothing without its body.
    #[must_use]
    pub fn failure_by_status(&self) -> Option<Failure> {
        match self.status.as_u16() {
            429 => Some(Failure::Throttled),
            404 => Some(Failure::NoData),
            408 | 425 | 500..=599 => Some(Failure::Outage),
            401..=403 => None,
            // The proxy's word, not the provider's.
            407 => Some(Failure::Unreachable),
            400..=499 => Some(Failure::BadRequest),
            _ => None,
        }
    }

    /// The beginning of its body, made fit to be shown.
    #[must_use]
    pub fn words(&self) -> String {
        // A character has at most four bytes, and what is stripped is not worth more than as much again.
        let beginning = self.body.get(..MOST_WORDS * 8).unwrap_or(&self.body);
        let mut words = plain_words(&String::from_utf8_lossy(beginning));
        // Also where white space has used up the beginning: what looks for secrets goes by this mark.
        if beginning.len() < self.body.len() && !words.ends_with(CUT) {
            words.push(CUT);
        }
        words
    }

    /// What a redirect says. Where it leads is shown without its query, which may hold anything.
    pub(super) fn redirect(&self) -> String {
        let to = self.header(&LOCATION).map(|to| to.split(['?', '#']).next().unwrap_or_default());
        let to = to.map_or_else(String::new, |to| format!(" to {}", plain_words(to)));
        format!(
            "answers {} with a redirect{to}, which is not followed; give the address where the data is itself",
            self.status.as_u16()
        )
    }

    fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// Reads a body of JSON, and nothing after it.
///
/// # Errors
/// It is none, or of another shape: the error names the field.
pub fn decode_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, FetchError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| error.to_string());
    let read = read.and_then(|value| json.end().map(|()| value).map_err(|error| error.to_string()));
    read.map_err(|error| {
        FetchError::new(Failure::Unreadable, format!("unexpected body: {}", plain_words(&error)))
    })
}

/// Dates of HTTP are those of mail, always in GMT.
fn date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

/// What somebody else says, fit for one line of a log: white space is one space, control characters are gone, and
/// after [`MOST_WORDS`] characters it is cut.
#[must_use]
pub fn plain_words(text: &str) -> String {
    let mut words = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let space = usize::from(length > 0);
        for c in std::iter::repeat_n(' ', space).chain(word.chars().filter(|c| !is_hidden(*c))) {
            if length == MOST_WORDS {
                words.push(CUT);
                return words;
            }
            words.push(c);
            length += 1;
        }
    }
    words
}

/// Control characters, and those that turn the direction of the text around them or are not seen at all.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn page(status: u16, headers: &[(HeaderName, &str)], body: &str) -> Page {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect();
        Page {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::copy_from_slice(body.as_bytes()),
        }
    }

    #[rstest]
    #[case("0", Some(0))]
    #[case(" 120 ", Some(120))]
    #[case("86400", Some(3600))]
    #[case("99999999999999999999999", Some(3600))]
    #[case("Sat, 22 Aug 2026 17:02:05 GMT", Some(125))]
    #[case("Sat, 22 Aug 2026 16:00:00 GMT", Some(0))]
    #[case("Sun, 23 Aug 2026 17:00:00 GMT", Some(3600))]
    #[case("", None)]
    #[case("-5", None)]
    #[case("1.5", None)]
    #[case("soon", None)]
    #[case("2026-08-22T17:02:05Z", None)]
    fn how_long_to_wait(#[case] said: &str, #[case] seconds: Option<u64>) {
        let headers = [(DATE, "Sat, 22 Aug 2026 17:00:00 GMT"), (RETRY_AFTER, said)];
        assert_eq!(page(429, &headers, "").retry_after(), seconds.map(Duration::from_secs));
    }

    #[test]
    fn a_date_without_the_answers_own_is_no_wait() {
        let headers = [(RETRY_AFTER, "Sat, 22 Aug 2026 17:02:05 GMT")];
        assert_eq!(page(429, &headers, "").retry_after(), None);
        assert_eq!(page(429, &[], "").retry_after(), None);
    }

    #[rstest]
    #[case(200, None)]
    #[case(401, None)]
    #[case(403, None)]
    #[case(400, Some(Failure::BadRequest))]
    #[case(404, Some(Failure::NoData))]
    #[case(407, Some(Failure::Unreachable))]
    #[case(422, Some(Failure::BadRequest))]
    #[case(429, Some(Failure::Throttled))]
    #[case(500, Some(Failure::Outage))]
    #[case(503, Some(Failure::Outage))]
    fn what_a_status_says(#[case] status: u16, #[case] failure: Option<Failure>) {
        assert_eq!(page(status, &[], "").failure_by_status(), failure);
    }

    #[test]
    fn where_a_redirect_leads_is_shown_without_its_query() {
        let said = page(301, &[(LOCATION, "https://login.example/in?key=hunter2")], "").redirect();
        assert!(said.contains("301") && said.contains("https://login.example/in,"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }

    #[test]
    fn words_are_one_short_line() {
        assert_eq!(plain_words("  No\r\n recent\tdata \u{1b}[31m\u{202e}x "), "No recent data [31mx");
        let long = page(500, &[], &"ä".repeat(2000)).words();
        assert_eq!(long.chars().count(), MOST_WORDS + 1);
        assert!(long.ends_with(CUT));
        assert_eq!(page(500, &[], "").words(), "");
        let blank = format!("{}hunter2", " ".repeat(MOST_WORDS * 8 - 6));
        assert_eq!(page(500, &[], &blank).words(), "hunter…");
    }

    proptest! {
        #[test]
        fn nothing_said_gets_out_of_its_line(text in any::<String>()) {
            let words = plain_words(&text);
            prop_assert!(words.chars().count() <= MOST_WORDS + 1);
            prop_assert!(!words.chars().any(is_hidden));
        }
    }
}
