//! What the Secret holds, and what that is worth.

use std::fmt;
use std::path::Path;

use jiff::Timestamp;

use super::Cause;
use crate::tls::authority::Authority;
use crate::tls::{Certificate, TlsError, ValidityState};

/// The Secret's content. Any part may be missing or damaged: people edit Secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// `ca.crt`: authorities in PEM form, newest first.
    pub authorities_pem: Vec<u8>,
    /// `ca.key`: the newest one's key.
    pub authority_key_pem: Vec<u8>,
    /// `tls.crt`: the leaf.
    pub certificate_pem: Vec<u8>,
    /// `tls.key`: its key.
    pub key_pem: Vec<u8>,
    /// What somebody asked for by annotation.
    pub renew: Option<Renew>,
}

/// What somebody asks for by the annotation `eco-pulse.io/renew`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renew {
    /// A new leaf, now.
    Leaf,
    /// A new authority, now, and then a leaf of it.
    Authority,
}

impl std::str::FromStr for Renew {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "leaf" => Ok(Self::Leaf),
            "authority" => Ok(Self::Authority),
            _ => Err(()),
        }
    }
}

impl fmt::Debug for Stored {
    // By hand, so that no key ever reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("authorities", &Authority::of_bundle(&self.authorities_pem).len())
            .field("leaf", &self.leaf().ok())
            .field("renew", &self.renew)
            .finish_non_exhaustive()
    }
}

impl Stored {
    /// The leaf, ready to serve.
    ///
    /// # Errors
    /// It is missing, damaged, or has another's key.
    pub fn leaf(&self) -> Result<Certificate, TlsError> {
        Certificate::from_pem(Path::new("Secret"), &self.certificate_pem, &self.key_pem)
    }
}

/// A Secret whose newest authority can sign.
pub(super) struct Held {
    pub(super) newest: Authority,
    pub(super) older: Vec<Authority>,
    pub(super) leaf: Option<Certificate>,
    /// Why there is no leaf, when there is none.
    pub(super) no_leaf: Cause,
}

impl Held {
    /// Looks at everything; the error is why the newest authority cannot sign.
    pub(super) fn examine(stored: &Stored, now: Timestamp) -> Result<Self, Cause> {
        let mut older = Authority::of_bundle(&stored.authorities_pem);
        if older.is_empty() {
            return Err(Cause::Missing);
        }
        let newest = older.remove(0);
        match newest.validity.state(now) {
            ValidityState::Valid => {}
            ValidityState::Expired => return Err(Cause::EndsSoon),
            ValidityState::NotYetValid => return Err(Cause::NotYetValid),
        }
        if !newest.has_key(&stored.authority_key_pem) {
            return Err(Cause::Key);
        }
        let (leaf, no_leaf) = match stored.leaf() {
            Ok(leaf) => (Some(leaf), Cause::Missing),
            Err(TlsError::KeyMismatch { .. }) => (None, Cause::Key),
            Err(_) => (None, Cause::Missing),
        };
        Ok(Self { newest, older, leaf, no_leaf })
    }

    /// What the API server is to trust: the authorities alone, whatever else people wrote between them.
    pub(super) fn bundle_pem(&self) -> Vec<u8> {
        self.authorities().iter().map(Authority::to_pem).collect::<String>().into_bytes()
    }

    pub(super) fn authorities(&self) -> Vec<Authority> {
        std::iter::once(&self.newest).chain(&self.older).cloned().collect()
    }
}
