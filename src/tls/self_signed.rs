//! A development authority and one leaf that it signs, made in memory.
//!
//! The authority's key lives only inside [`issue`] and is never handed out: nobody can sign anything more with it, so
//! trusting `ca.crt` on a laptop trusts exactly one leaf.

use std::{fmt, path::Path, time::Duration};

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};

use super::{Certificate, Host, TlsError, Validity};

/// How long a generated leaf is valid.
pub const LEAF_DAYS: i64 = 365;
/// How long a generated authority is valid.
pub const AUTHORITY_DAYS: i64 = 3650;

/// Machines of one cluster disagree about the time by seconds; without this margin a certificate that was made just now
/// would be "not yet valid" on some of them.
const BACKDATE_SECONDS: i64 = 300;
const SECONDS_PER_DAY: i64 = 86_400;
/// 9980-01-01T00:00:00Z: with ten years added, still a date that X.509 can write (four digits of year).
const LATEST_START_SECONDS: i64 = 252_771_667_200;

/// An authority's certificate, a leaf signed by it, and the leaf's key, all as PEM.
#[expect(clippy::struct_field_names, reason = "the form, PEM, is part of what each is")]
pub struct Issued {
    authority_pem: String,
    certificate_pem: String,
    key_pem: String,
}

impl Issued {
    /// What clients are to trust (`ca.crt`, or a webhook configuration's `caBundle`).
    #[must_use]
    pub fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// The leaf (`tls.crt`).
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The leaf's key (`tls.key`): secret, and only for the file writer.
    pub(super) fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// The leaf and its key, ready to serve, for `tls.mode: self-signed`.
    ///
    /// # Errors
    /// None in practice: the same checks run as for files.
    pub fn certificate(&self) -> Result<Certificate, TlsError> {
        Certificate::from_pem(
            Path::new("(self-signed)"),
            self.certificate_pem.as_bytes(),
            self.key_pem.as_bytes(),
        )
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("certificate_pem", &self.certificate_pem).finish_non_exhaustive()
    }
}

/// Makes a new authority ([`AUTHORITY_DAYS`]) and a leaf ([`LEAF_DAYS`]) for `hosts`, both ECDSA P-256, both valid from
/// five minutes before `now`.
///
/// # Errors
/// No host, or the random generator or the signer fails.
pub fn issue(hosts: &[Host], now: Timestamp) -> Result<Issued, TlsError> {
    let names = subject_alternative_names(hosts)?;

    let authority_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut authority = params("Eco-Pulse development authority", span(now, AUTHORITY_DAYS));
    // Path length 0: it may sign leaves, not further authorities.
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let leaf_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    // Clients match the alternative names; a common name is limited to 64 characters and ignored.
    let mut leaf = params("eco-pulse", span(now, LEAF_DAYS));
    leaf.subject_alt_names = names;
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let leaf_certificate = leaf.signed_by(&leaf_key, &issuer)?;

    Ok(Issued {
        authority_pem: authority_certificate.pem(),
        certificate_pem: leaf_certificate.pem(),
        key_pem: leaf_key.serialize_pem(),
    })
}

/// So many days, from a little before `now`.
pub(super) fn span(now: Timestamp, days: i64) -> Validity {
    let start = (now.as_second() - BACKDATE_SECONDS).clamp(0, LATEST_START_SECONDS);
    let at = |second| Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
    Validity { not_before: at(start), not_after: at(start + days * SECONDS_PER_DAY) }
}

/// What every certificate here has in common.
pub(super) fn params(common_name: &str, validity: Validity) -> CertificateParams {
    let at = |moment: Timestamp| {
        let seconds = u64::try_from(moment.as_second()).unwrap_or(0);
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds)
    };
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = at(validity.not_before);
    params.not_after = at(validity.not_after);
    params
}

/// Each name once.
pub(super) fn subject_alternative_names(hosts: &[Host]) -> Result<Vec<SanType>, TlsError> {
    if hosts.is_empty() {
        return Err(TlsError::NoHost);
    }
    let mut names = Vec::with_capacity(hosts.len());
    for host in hosts {
        let name = match host {
            Host::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
            Host::Ip(address) => SanType::IpAddress(*address),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;
    use crate::tls::ValidityState;

    fn hosts(names: &[&str]) -> Vec<Host> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn leaf_is_valid_for_a_year_from_a_little_before_now() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let validity = issue(&hosts(&["localhost"]), now).unwrap().certificate().unwrap().validity();
        assert_eq!(validity.not_before, "2026-03-01T11:55:00Z".parse().unwrap());
        assert_eq!(validity.not_after, "2027-03-01T11:55:00Z".parse().unwrap());
        assert_eq!(validity.state(now), ValidityState::Valid);
        assert_eq!(validity.state(validity.not_after), ValidityState::Valid);
        assert_eq!(validity.state(validity.not_after + 1.second()), ValidityState::Expired);
        assert_eq!(validity.state(validity.not_before - 1.second()), ValidityState::NotYetValid);
    }

    #[test]
    fn authority_is_valid_for_ten_years_and_may_sign_leaves_only() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let issued = issue(&hosts(&["localhost"]), now).unwrap();
        let (_, pem) = x509_parser::pem::parse_x509_pem(issued.authority_pem().as_bytes()).unwrap();
        let authority = pem.parse_x509().unwrap();
        let constraints = authority.basic_constraints().unwrap().unwrap().value;
        assert!(constraints.ca);
        assert_eq!(constraints.path_len_constraint, Some(0));
        let seconds =
            authority.validity().not_after.timestamp() - authority.validity().not_before.timestamp();
        assert_eq!(seconds, 3650 * 86_400);
    }

    #[test]
    fn names_appear_once_and_in_order() {
        let issued =
            issue(&hosts(&["b.test", "::1", "a.test", "B.test", "127.0.0.1"]), Timestamp::UNIX_EPOCH);
        let certificate = issued.unwrap().certificate().unwrap();
        assert_eq!(certificate.names(), ["b.test", "::1", "a.test", "127.0.0.1"]);
    }

    #[test]
    fn a_certificate_needs_a_name() {
        assert!(matches!(issue(&[], Timestamp::UNIX_EPOCH), Err(TlsError::NoHost)));
    }

    #[test]
    fn a_clock_at_either_end_of_time_does_not_panic() {
        for now in [Timestamp::MIN, Timestamp::MAX] {
            issue(&hosts(&["localhost"]), now).unwrap().certificate().unwrap();
        }
    }

    #[test]
    fn debug_output_holds_no_key() {
        let issued = issue(&hosts(&["localhost"]), Timestamp::UNIX_EPOCH).unwrap();
        let secret = issued.key_pem().lines().nth(1).unwrap();
        let shown = format!("{issued:?} {:?}", issued.certificate().unwrap());
        assert!(shown.contains("localhost"));
        assert!(!shown.contains(secret) && !shown.contains("PRIVATE KEY"), "{shown}");
    }
}
