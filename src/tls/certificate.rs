//! A certificate chain with its key, checked, and what an operator asks about it: which names, until when.

use std::{fmt, path::Path, sync::Arc};

use jiff::Timestamp;
use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer},
    sign::CertifiedKey,
};
use x509_parser::{extensions::GeneralName, prelude::X509Certificate};

use super::{TlsError, load, provider};

/// A certificate chain and its private key that are known to belong together.
#[derive(Clone)]
pub struct Certificate {
    certified_key: Arc<CertifiedKey>,
    validity: Validity,
    names: Vec<String>,
}

/// The time span that the leaf certificate states for itself, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// First moment of validity.
    pub not_before: Timestamp,
    /// Last moment of validity.
    pub not_after: Timestamp,
}

/// Where a moment lies in a [`Validity`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidityState {
    /// The certificate starts later (or the clock is behind).
    NotYetValid,
    /// The certificate can be used.
    Valid,
    /// The certificate has ended: clients that verify it refuse the connection.
    Expired,
}

impl Validity {
    /// Where `now` lies.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> ValidityState {
        if now < self.not_before {
            ValidityState::NotYetValid
        } else if now > self.not_after {
            ValidityState::Expired
        } else {
            ValidityState::Valid
        }
    }
}

impl Certificate {
    /// Reads `tls.crt` and `tls.key` from a directory, as a mounted `kubernetes.io/tls` Secret has them.
    ///
    /// An expired certificate is *not* an error. The process must start and keep serving with it: the admin listener,
    /// the metrics and the renewal of the certificate do not depend on it, and the API server's `failurePolicy: Ignore`
    /// already admits the pods that it cannot ask about. See [`Certificate::warning`].
    ///
    /// # Errors
    /// A missing, unreadable, empty or damaged file, a key of an unknown kind, or a key of another certificate.
    pub fn load(dir: &Path) -> Result<Self, TlsError> {
        load::load(dir)
    }

    /// The same checks for a pair that is already in memory; `dir` only names it in errors.
    ///
    /// # Errors
    /// As [`Certificate::load`], except for files that are missing or unreadable.
    pub fn from_pem(dir: &Path, certificate_pem: &[u8], key_pem: &[u8]) -> Result<Self, TlsError> {
        load::from_pem(dir, certificate_pem, key_pem)
    }

    /// Joins a parsed chain and key. `certificate_path` and `key_path` only name them in errors.
    pub(super) fn from_der(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        certificate_path: &Path,
        key_path: &Path,
    ) -> Result<Self, TlsError> {
        let bad = |reason: String| TlsError::BadCertificate { path: certificate_path.to_owned(), reason };
        let leaf = chain.first().ok_or_else(|| bad("the chain is empty".to_owned()))?;
        let (validity, names) = inspect(leaf).map_err(bad)?;

        // `CertifiedKey::from_der` also compares the two, but its error does not tell an unusable key from a foreign one.
        let signing_key = provider()
            .key_provider
            .load_private_key(key)
            .map_err(|source| TlsError::UnsupportedKey { path: key_path.to_owned(), source })?;
        let certified_key = CertifiedKey::new(chain, signing_key);
        certified_key.keys_match().map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError::KeyMismatch { certificate: certificate_path.to_owned(), key: key_path.to_owned() }
            }
            other => bad(other.to_string()),
        })?;
        Ok(Self { certified_key: Arc::new(certified_key), validity, names })
    }

    /// The chain and key as rustls serves them.
    #[must_use]
    pub fn certified_key(&self) -> &Arc<CertifiedKey> {
        &self.certified_key
    }

    /// The leaf's validity; export `not_after` as a metric.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// DNS names and IP addresses that the leaf is made out to.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What an operator should be told about the certificate's age, if anything.
    #[must_use]
    pub fn warning(&self, now: Timestamp) -> Option<String> {
        let Validity { not_before, not_after } = self.validity;
        let names = self.names.join(", ");
        match self.validity.state(now) {
            ValidityState::Valid => None,
            ValidityState::Expired => Some(format!(
                "the TLS certificate for {names} expired at {not_after}: the API server will not trust it and pods are \
                 admitted without a decision; renew it",
            )),
            ValidityState::NotYetValid => Some(format!(
                "the TLS certificate for {names} is valid only from {not_before}, it is now {now}: check this \
                 machine's clock, or wait",
            )),
        }
    }
}

impl fmt::Debug for Certificate {
    // By hand, so that no key type's own `Debug` can ever reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("names", &self.names)
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

/// Reads validity and names out of the leaf; the error is the parser's, in words.
fn inspect(leaf: &CertificateDer<'_>) -> Result<(Validity, Vec<String>), String> {
    let (rest, x509) = x509_parser::parse_x509_certificate(leaf).map_err(|error| error.to_string())?;
    if !rest.is_empty() {
        return Err(format!("{} stray bytes after the certificate", rest.len()));
    }
    Ok((validity_of(&x509)?, subject_names(&x509)))
}

/// From when to when; the error is in words.
pub(super) fn validity_of(x509: &X509Certificate<'_>) -> Result<Validity, String> {
    let moment = |seconds: i64| Timestamp::from_second(seconds).map_err(|error| error.to_string());
    Ok(Validity {
        not_before: moment(x509.validity().not_before.timestamp())?,
        not_after: moment(x509.validity().not_after.timestamp())?,
    })
}

fn subject_names(x509: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = x509.subject_alternative_name() else { return Vec::new() };
    extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(octets) => ip_name(octets),
            _ => None,
        })
        .collect()
}

fn ip_name(octets: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(octets).map(std::net::IpAddr::from);
    let v6 = <[u8; 16]>::try_from(octets).map(std::net::IpAddr::from);
    v4.or(v6).ok().map(|address| address.to_string())
}
