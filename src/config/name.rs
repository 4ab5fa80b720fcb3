//! Names with rules of their own: label keys and values, hosts, grid zones, addresses.

use std::net::IpAddr;

use serde_json::Value;

use super::value::{Fault, text};

/// Longest label value, and longest name part of a label key (Kubernetes API conventions, "Labels and Selectors").
const MAX_LABEL: usize = 63;
/// Longest DNS name (RFC 1123), and so the longest prefix of a label key.
const MAX_DNS_NAME: usize = 253;

/// The schemes of an address that is asked over HTTP.
pub(super) const WEB: &[&str] = &["https://", "http://"];

/// A Kubernetes label key: a name, or a DNS name, `/`, and a name.
pub(super) fn label_key(value: &Value) -> Result<String, Fault> {
    let key = text(value)?;
    let legal = match key.split_once('/') {
        Some((prefix, name)) => is_dns_name(prefix) && is_label(name),
        None => is_label(&key),
    };
    if legal {
        return Ok(key);
    }
    Err(Fault::of(value, "is not a label key", "give one such as topology.kubernetes.io/region"))
}

/// A Kubernetes label value that is not empty.
pub(super) fn label_value(value: &Value) -> Result<String, Fault> {
    let label = text(value)?;
    if is_label(&label) {
        return Ok(label);
    }
    Err(Fault::of(
        value,
        "cannot be the value of a label",
        "give up to 63 letters, digits, `-`, `_` or `.`, a letter or digit at both ends",
    ))
}

/// A grid zone as Electricity Maps writes it. Whether there is such a zone only the provider knows.
pub(super) fn grid_zone(value: &Value) -> Result<String, Fault> {
    let zone = text(value)?;
    let mut parts = zone.split('-');
    let is_upper = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let legal = zone.len() <= MAX_LABEL
        && parts.next().is_some_and(|country| country.len() >= 2 && is_upper(country))
        && parts.all(is_upper);
    if legal {
        return Ok(zone);
    }
    Err(Fault::of(
        value,
        "is not a grid zone",
        "give the zone's Electricity Maps key, such as DE, SE-SE3 or US-MIDA-PJM",
    ))
}

/// A DNS name or an IP address, as a certificate names its host.
pub(super) fn host(value: &Value) -> Result<String, Fault> {
    let host = text(value)?;
    if host.parse::<IpAddr>().is_ok() || is_dns_name(&host) {
        return Ok(host);
    }
    Err(Fault::of(
        value,
        "is not a host",
        "give a DNS name in lower case or an IP address, without scheme or port",
    ))
}

/// The name of an instance type.
pub(super) fn instance_type(value: &Value) -> Result<String, Fault> {
    let name = text(value)?;
    if is_label(&name) {
        return Ok(name);
    }
    Err(Fault::of(value, "is not an instance type", "give one such as m5.xlarge"))
}

/// An address that starts with one of `schemes` and carries no user, password, query or fragment: those hold
/// secrets, so an address that is refused is never quoted.
pub(super) fn address(schemes: &'static [&'static str]) -> impl FnOnce(&Value) -> Result<String, Fault> {
    move |value| {
        let cure =
            format!("give {}host[:port][/path], without user, query or fragment", schemes.join(" or "));
        let fault = |problem: &str| Fault::silent(problem, cure.clone());
        let Value::String(address) = value else { return Err(fault("is not an address")) };
        let rest = schemes.iter().find_map(|scheme| address.strip_prefix(scheme));
        let rest = rest.ok_or_else(|| fault("has another scheme"))?;
        if rest.contains('@') {
            return Err(Fault::silent(
                "holds a user or password",
                format!("put the password into a Secret and name its file (tokenFile, passwordFile); {cure}"),
            ));
        }
        if rest.contains(['?', '#']) {
            return Err(fault("has a query or fragment"));
        }
        let authority = rest.split('/').next().unwrap_or_default().parse::<http::uri::Authority>();
        let has_host = authority.is_ok_and(|authority| !authority.host().is_empty());
        // The second is what it will be read with: `https://host:99999` passes the first.
        if !has_host || address.parse::<http::Uri>().is_err() || reqwest::Url::parse(address).is_err() {
            return Err(fault("is not an address"));
        }
        Ok(address.clone())
    }
}

/// Whether an address of HTTP names this machine itself, whatever a resolver says.
pub(super) fn is_loopback(address: &str) -> bool {
    let Ok(address) = address.parse::<http::Uri>() else { return false };
    let host = address.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
fn is_label(text: &str) -> bool {
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    text.len() <= MAX_LABEL
        && ends(bytes.first())
        && ends(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// Labels of lower-case letters, digits and `-`, joined by points (RFC 1123 subdomain, as Kubernetes asks).
fn is_dns_name(text: &str) -> bool {
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        part.len() <= MAX_LABEL
            && bytes.first().is_some_and(alphanumeric)
            && bytes.last().is_some_and(alphanumeric)
            && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
    };
    text.len() <= MAX_DNS_NAME && text.split('.').all(is_part)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("topology.kubernetes.io/region", true)]
    #[case("region", true)]
    #[case("Region_1.x", true)]
    #[case("", false)]
    #[case("/region", false)]
    #[case("a/b/c", false)]
    #[case("Example.com/region", false)]
    #[case("example..com/region", false)]
    #[case("example.com/", false)]
    #[case("example.com/-x", false)]
    #[case("region ", false)]
    fn label_keys(#[case] key: &str, #[case] legal: bool) {
        assert_eq!(label_key(&json!(key)).is_ok(), legal);
    }

    #[test]
    fn label_keys_have_a_greatest_length() {
        let prefix =
            [&"a".repeat(63), ".", &"b".repeat(63), ".", &"c".repeat(63), ".", &"d".repeat(61)].concat();
        let name = "n".repeat(63);
        assert!(label_key(&json!(format!("{prefix}/{name}"))).is_ok());
        assert!(label_key(&json!(format!("{prefix}d/{name}"))).is_err());
        assert!(label_key(&json!(format!("{prefix}/{name}n"))).is_err());
    }

    #[rstest]
    #[case("DE", true)]
    #[case("SE-SE3", true)]
    #[case("US-MIDA-PJM", true)]
    #[case("de", false)]
    #[case("D", false)]
    #[case("SE-", false)]
    #[case("SE--SE3", false)]
    #[case("eu-north-1", false)]
    fn grid_zones(#[case] zone: &str, #[case] legal: bool) {
        assert_eq!(grid_zone(&json!(zone)).is_ok(), legal);
    }

    #[rstest]
    #[case("eco-pulse.eco-pulse.svc", true)]
    #[case("127.0.0.1", true)]
    #[case("::1", true)]
    #[case("localhost", true)]
    #[case("https://localhost", false)]
    #[case("localhost:8443", false)]
    #[case("UPPER.example", false)]
    #[case("*.example.com", false)]
    #[case("-x.example.com", false)]
    fn hosts(#[case] name: &str, #[case] legal: bool) {
        assert_eq!(host(&json!(name)).is_ok(), legal);
    }

    #[rstest]
    #[case("https://api.electricitymaps.com/v4", true)]
    #[case("http://127.0.0.1:8080", true)]
    #[case("http://[::1]:8080/x", true)]
    #[case("https://", false)]
    #[case("https:///v4", false)]
    #[case("ftp://api.electricitymaps.com", false)]
    #[case("api.electricitymaps.com", false)]
    #[case("https://user:hunter2@api.electricitymaps.com", false)]
    #[case("https://api.electricitymaps.com?auth-token=hunter2", false)]
    #[case("https://api.electricitymaps.com/#hunter2", false)]
    #[case("https://hunter2 x", false)]
    #[case("https://api.example:99999/v4", false)]
    #[case("https://256.1.1.1", false)]
    fn addresses(#[case] text: &str, #[case] legal: bool) {
        match address(WEB)(&json!(text)) {
            Ok(read) => assert!(legal && read == text),
            Err(fault) => assert!(!legal && !format!("{fault:?}").contains("hunter2"), "{fault:?}"),
        }
    }

    #[rstest]
    #[case("http://localhost", true)]
    #[case("http://localhost:8080/v4", true)]
    #[case("http://127.0.0.1:8080", true)]
    #[case("http://127.1.2.3", true)]
    #[case("http://[::1]:8080/v4", true)]
    #[case("http://127.0.0.1.example.com", false)]
    #[case("http://localhost.example.com", false)]
    #[case("http://api.electricitymaps.com/localhost", false)]
    #[case("http://10.0.0.1", false)]
    #[case("http://0.0.0.0", false)]
    #[case("http://[::]", false)]
    fn loopback(#[case] address: &str, #[case] expected: bool) {
        assert_eq!(is_loopback(address), expected);
    }
}
