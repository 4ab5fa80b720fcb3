//! The address below which a provider answers, as the configuration gives it.

use reqwest::Url;

/// An HTTP address without user, query or fragment, to which paths can be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// A text is no such address. It is not repeated here: where it should have none, it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address {0}; give https://host[:port][/path], without user, query or fragment")]
pub struct BaseUrlError(&'static str);

impl BaseUrlError {
    /// What is wrong with the address, to follow its name.
    #[must_use]
    pub const fn wrong(self) -> &'static str {
        self.0
    }
}

/// Reads an HTTP address without user.
///
/// # Errors
/// It is no address, not of HTTP, or has a user.
pub fn http_address(text: &str) -> Result<Url, BaseUrlError> {
    let url = Url::parse(text).map_err(|_| BaseUrlError("cannot be read"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(BaseUrlError("has another scheme than http or https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BaseUrlError("holds a user or password"));
    }
    Ok(url)
}

impl BaseUrl {
    /// Reads an address; a slash at its end makes no difference.
    ///
    /// # Errors
    /// It is no address, not of HTTP, or has a user, query or fragment.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let url = http_address(text.trim_end_matches('/'))?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError("has a query or fragment"));
        }
        Ok(Self(url))
    }

    /// The address of a page below this one; each part is one segment of its path, whatever it holds.
    #[must_use]
    pub fn page<'a>(&self, path: impl IntoIterator<Item = &'a str>, query: &[(&str, &str)]) -> Url {
        let mut url = self.0.clone();
        // Addresses of HTTP always have a path, so there is nothing to be refused.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// The last part of its path: where providers put the version of their interface.
    #[must_use]
    pub fn last_segment(&self) -> &str {
        self.0.path().rsplit('/').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("https://api.example/v4", "https://api.example/v4/a/latest?zone=SE-SE3", "v4")]
    #[case("https://api.example/v4/", "https://api.example/v4/a/latest?zone=SE-SE3", "v4")]
    #[case("http://127.0.0.1:80/x/v3//", "http://127.0.0.1/x/v3/a/latest?zone=SE-SE3", "v3")]
    #[case("http://[::1]:8080", "http://[::1]:8080/a/latest?zone=SE-SE3", "")]
    fn pages_lie_below_the_address(#[case] base: &str, #[case] page: &str, #[case] last: &str) {
        let base = BaseUrl::parse(base).unwrap();
        assert_eq!(base.page(["a", "latest"], &[("zone", "SE-SE3")]).as_str(), page);
        assert_eq!(base.last_segment(), last);
    }

    #[test]
    fn what_is_put_into_an_address_stays_in_its_place() {
        let base = BaseUrl::parse("https://api.example").unwrap();
        let page = base.page(["../x?y#z"], &[("zone", "A&b=c d")]);
        assert_eq!(page.as_str(), "https://api.example/..%2Fx%3Fy%23z?zone=A%26b%3Dc+d");
        assert_eq!(base.page(["x"], &[]).as_str(), "https://api.example/x");
    }

    #[rstest]
    #[case("")]
    #[case("api.example/v4")]
    #[case("ftp://api.example")]
    #[case("file:///etc/passwd")]
    #[case("mailto:hunter2@example")]
    #[case("https://user:hunter2@api.example")]
    #[case("https://hunter2@api.example")]
    #[case("https://api.example/?key=hunter2")]
    #[case("https://api.example/#hunter2")]
    #[case("https://")]
    fn what_is_no_base_address_is_refused_unrepeated(#[case] text: &str) {
        let error = BaseUrl::parse(text).unwrap_err().to_string();
        assert!(error.contains("give https://host"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
