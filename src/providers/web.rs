//! Questions over HTTP, with limits on everything: time, size, and where they go.
//!
//! Knows no provider: it gives back status, headers and body, and names what kept it from getting them.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use jiff::SignedDuration;
use reqwest::Url;
use reqwest::redirect::Policy;

use super::FetchError;
use crate::domain::snapshot::Failure;

mod address;
mod page;

pub use address::{BaseUrl, BaseUrlError, http_address};
pub use page::{CUT, MOST_WORDS, Page, decode_json, plain_words};

/// Until the connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Until the last byte of the answer is there.
const TIMEOUT: Duration = Duration::from_secs(15);
/// As other programs introduce themselves.
const USER_AGENT: &str = concat!("eco-pulse/", env!("CARGO_PKG_VERSION"));

/// By so much two machines' clocks may differ: what lies further ahead here was still to come there too.
pub const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Asks over HTTP.
#[derive(Clone, Debug)]
pub struct Web {
    /// Over the proxies that the environment names.
    client: reqwest::Client,
    /// Straight there, for addresses of this machine: behind a proxy the same address is another machine.
    direct: reqwest::Client,
    timeout: Duration,
}

/// The client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client can be set up: {0}")]
pub struct WebError(#[from] reqwest::Error);

impl Web {
    /// A client that trusts what `tls` trusts. Proxies are as the environment says (`HTTPS_PROXY`, `NO_PROXY`), but for
    /// this machine itself, which is reached without any.
    ///
    /// # Errors
    /// The client cannot be set up.
    pub fn new(tls: rustls::ClientConfig) -> Result<Self, WebError> {
        let client = builder(tls.clone()).build()?;
        let direct = builder(tls).no_proxy().build()?;
        Ok(Self { client, direct, timeout: TIMEOUT })
    }

    /// With another patience for a whole answer.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Asks for a page, of at most `max_bytes`.
    ///
    /// # Errors
    /// There is no answer, not in time, one that is cut off or too long, or one that points elsewhere: redirects are
    /// not followed. Any other status is an answer.
    pub async fn get(&self, url: Url, headers: HeaderMap, max_bytes: usize) -> Result<Page, FetchError> {
        let host = host_of(&url);
        let page = match tokio::time::timeout(self.timeout, self.read(url, headers, max_bytes)).await {
            Ok(Ok(page)) => page,
            Ok(Err(Trouble(failure, why))) => {
                return Err(FetchError::new(failure, format!("{host}: {why}")));
            }
            Err(_) => {
                let why = format!("{host}: no whole answer within {:?}", self.timeout);
                return Err(FetchError::new(Failure::Timeout, why));
            }
        };
        if page.status.is_redirection() {
            let why = format!("{host}: {}", page.redirect());
            return Err(page.error(Failure::Unreadable, why));
        }
        Ok(page)
    }

    async fn read(&self, url: Url, headers: HeaderMap, max_bytes: usize) -> Result<Page, Trouble> {
        let too_long =
            || Trouble(Failure::Unreadable, format!("the answer is longer than {max_bytes} bytes"));
        let client = if is_this_machine(&url) { &self.direct } else { &self.client };
        let mut response = client.get(url).headers(headers).send().await.map_err(unreachable)?;
        // A length that is announced need not be waited for.
        if response.content_length().is_some_and(|length| length > max_bytes as u64) {
            return Err(too_long());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > max_bytes {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        let headers = std::mem::take(response.headers_mut());
        Ok(Page { status: response.status(), headers, body: Bytes::from(body) })
    }
}

fn builder(tls: rustls::ClientConfig) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        // A token is for the host it was given for, and no header but the standard ones is dropped on the way.
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(USER_AGENT)
}

/// What kept an answer from being read, and in words.
struct Trouble(Failure, String);

/// The innermost cause says most: the ones around it say only that a request failed. The address is left out, since
/// it may be long, and its host is named anyway.
fn unreachable(error: reqwest::Error) -> Trouble {
    let error = error.without_url();
    let failure = if error.is_timeout() {
        Failure::Timeout
    } else if error.is_body() || error.is_decode() {
        Failure::Unreadable
    } else {
        Failure::Unreachable
    };
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    let words = plain_words(&innermost.to_string());
    let words = if failure == Failure::Unreadable {
        format!("the answer breaks off: {words}")
    } else if words.contains("invalid peer certificate") {
        format!("{words}; SSL_CERT_FILE can name the authorities to trust")
    } else {
        words
    };
    Trouble(failure, words)
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    // Names below `localhost` are this machine too (RFC 6761, 6.3).
    let is_name = host == "localhost" || host.ends_with(".localhost");
    is_name || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:8080/v4", true, "127.0.0.1:8080")]
    #[case("http://127.9.9.9/", true, "127.9.9.9")]
    #[case("https://[::1]:8443/", true, "[::1]:8443")]
    #[case("http://localhost/", true, "localhost")]
    #[case("http://grid.localhost/", true, "grid.localhost")]
    #[case("https://api.electricitymaps.com/v4", false, "api.electricitymaps.com")]
    #[case("https://localhost.example/", false, "localhost.example")]
    #[case("http://10.0.0.1/", false, "10.0.0.1")]
    fn which_addresses_are_of_this_machine(#[case] url: &str, #[case] here: bool, #[case] host: &str) {
        let url = Url::parse(url).unwrap();
        assert_eq!(is_this_machine(&url), here);
        assert_eq!(host_of(&url), host);
    }
}
