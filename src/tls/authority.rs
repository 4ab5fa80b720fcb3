//! An authority that is kept, to sign again: made, read back, and asked for leaves.
//!
//! The development authority of [`super::issue`] forgets its key. This one's key is written to a Secret, so that the next
//! leaf needs no new trust.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::certificate::validity_of;
use super::self_signed::{params, span, subject_alternative_names};
use super::{Certificate, Host, TlsError, Validity, load, provider};

/// How long a kept authority is valid.
pub(super) const KEPT_AUTHORITY_DAYS: i64 = 365;
/// How long a leaf of it is valid, unless the authority ends before.
pub(super) const KEPT_LEAF_DAYS: i64 = 90;

/// A line of PEM.
const PEM_COLUMNS: usize = 64;

/// An authority's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) der: CertificateDer<'static>,
    pub(super) validity: Validity,
}

/// A certificate and its key, as they are stored.
pub(super) struct Pair {
    pub(super) certificate_pem: String,
    pub(super) key_pem: String,
}

impl Authority {
    /// All certificates of a bundle that may sign others. What else is in there, or no PEM at all, is passed over:
    /// people edit bundles.
    pub(super) fn of_bundle(bundle_pem: &[u8]) -> Vec<Self> {
        let certificates = load::certificates(Path::new("bundle"), bundle_pem).unwrap_or_default();
        certificates.into_iter().filter_map(Self::read).collect()
    }

    fn read(der: CertificateDer<'static>) -> Option<Self> {
        let (_, x509) = x509_parser::parse_x509_certificate(&der).ok()?;
        let may_sign = x509.basic_constraints().ok()??.value.ca;
        let validity = validity_of(&x509).ok()?;
        may_sign.then_some(Self { der, validity })
    }

    /// Whether this is its key.
    pub(super) fn has_key(&self, key_pem: &[u8]) -> bool {
        Certificate::from_pem(Path::new("authority"), self.to_pem().as_bytes(), key_pem).is_ok()
    }

    /// Whether it signed this leaf: as a client finds out who trusts nobody else.
    pub(super) fn signed(&self, leaf: &Certificate) -> bool {
        let Some((certificate, name)) = leaf.certified_key().cert.split_first().zip(leaf.names().first())
        else {
            return false;
        };
        let (end_entity, intermediates) = certificate;
        // A wildcard stands for any one label.
        let name = name.strip_prefix('*').map_or_else(|| name.clone(), |rest| format!("any{rest}"));
        let verified = || {
            let mut roots = RootCertStore::empty();
            roots.add(self.der.clone()).ok()?;
            let verifier =
                WebPkiServerVerifier::builder_with_provider(roots.into(), provider()).build().ok()?;
            let name = ServerName::try_from(name).ok()?;
            // When it was signed: whether it has ended is another question.
            let seconds = u64::try_from(leaf.validity().not_before.as_second()).ok()?;
            let then = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
            verifier.verify_server_cert(end_entity, intermediates, &name, &[], then).ok()
        };
        verified().is_some()
    }

    /// In PEM form.
    pub(super) fn to_pem(&self) -> String {
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        let encoded = STANDARD.encode(&self.der);
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(PEM_COLUMNS));
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        pem
    }
}

/// A new authority and its key.
///
/// # Errors
/// The random generator or the signer fails.
pub(super) fn new_authority(now: Timestamp) -> Result<Pair, TlsError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    // Named by the moment, so that several of them in one bundle can be told apart.
    let mut authority = params(&format!("Eco-Pulse authority {now:.0}"), span(now, KEPT_AUTHORITY_DAYS));
    // Path length 0: it may sign leaves, not further authorities.
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = authority.self_signed(&key)?;
    Ok(Pair { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
}

/// A new leaf for `hosts`, signed by `authority`, valid no longer than it.
///
/// # Errors
/// No host, an authority's key that cannot sign, or the random generator fails.
pub(super) fn new_leaf(
    authority: &Authority,
    authority_key_pem: &[u8],
    hosts: &[Host],
    now: Timestamp,
) -> Result<Pair, TlsError> {
    let key_text = std::str::from_utf8(authority_key_pem).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
    let issuer = Issuer::from_ca_cert_der(&authority.der, KeyPair::from_pem(key_text)?)?;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut validity = span(now, KEPT_LEAF_DAYS);
    validity.not_after = validity.not_after.min(authority.validity.not_after);
    let mut leaf = params("eco-pulse", validity);
    leaf.subject_alt_names = subject_alternative_names(hosts)?;
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let certificate = leaf.signed_by(&key, &issuer)?;
    Ok(Pair { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
}

/// Whether less than a third of its time is left.
pub(super) fn ends_soon(validity: Validity, now: Timestamp) -> bool {
    let whole: SignedDuration = validity.not_before.duration_until(validity.not_after);
    now.duration_until(validity.not_after) < whole / 3
}
