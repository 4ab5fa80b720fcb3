//! A name that a certificate is made out to.

use std::{fmt, net::IpAddr, str::FromStr};

use rustls::pki_types::DnsName;

/// A DNS name or an IP address, checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A DNS name in lower case; its first label may be `*`.
    Dns(String),
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
}

/// Why a text is not a [`Host`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither a DNS name nor an IP address; write it as `eco-pulse.eco-pulse.svc`, `10.0.0.7` or `::1` \
     (no scheme, no port, no brackets; non-ASCII names in their xn-- form)"
)]
pub struct HostError(String);

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Ip(address));
        }
        let fixed_part = text.strip_prefix("*.").unwrap_or(text);
        // A name with a final dot is legal DNS but never matches in a certificate.
        if fixed_part.ends_with('.') || DnsName::try_from(fixed_part).is_err() {
            return Err(HostError(text.to_owned()));
        }
        Ok(Self::Dns(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

impl Host {
    /// As it stands in a URL: an IPv6 address takes brackets.
    #[must_use]
    pub fn in_url(&self) -> String {
        match self {
            Self::Ip(IpAddr::V6(address)) => format!("[{address}]"),
            other => other.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names_wildcards_and_addresses() {
        for (text, shown) in [
            ("localhost", "localhost"),
            ("Eco-Pulse.eco-pulse.SVC", "eco-pulse.eco-pulse.svc"),
            ("*.example.org", "*.example.org"),
            ("10.0.0.7", "10.0.0.7"),
            ("::1", "::1"),
        ] {
            assert_eq!(text.parse::<Host>().unwrap().to_string(), shown);
        }
        assert_eq!("::1".parse::<Host>().unwrap().in_url(), "[::1]");
    }

    #[test]
    fn refuses_what_could_never_match() {
        for text in
            ["", " ", "a b", "https://x", "x:8443", "[::1]", "x.", "*", "a.*.b", "münchen.de", "1.2.3"]
        {
            let error = text.parse::<Host>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is neither")), "{error}");
        }
    }
}
