//! Makes the changes that [`super::next`] asks for: here are the keys.

use jiff::Timestamp;

use super::{Change, Renew, Stored};
use crate::tls::authority::{Authority, new_authority, new_leaf};
use crate::tls::{Host, TlsError, ValidityState};

/// Authorities in a bundle. Who asks for new ones all the time must not fill the Secret; of those that seven others have
/// followed only the one that signed the leaf stays.
pub const MOST_AUTHORITIES: usize = 8;

impl Change {
    /// What the Secret holds after the change.
    ///
    /// # Errors
    /// No host, an authority that cannot sign, or a random generator that fails.
    pub fn apply(&self, stored: &Stored, hosts: &[Host], now: Timestamp) -> Result<Stored, TlsError> {
        let mut next = stored.clone();
        match self {
            Self::Authority(_) => {
                let made = new_authority(now)?;
                let mut bundle = made.certificate_pem;
                let leaf = stored.leaf().ok();
                let signed_leaf =
                    |authority: &Authority| leaf.as_ref().is_some_and(|leaf| authority.signed(leaf));
                let kept = Authority::of_bundle(&stored.authorities_pem)
                    .into_iter()
                    .filter(|authority| authority.validity.state(now) != ValidityState::Expired)
                    .enumerate()
                    .filter(|(index, authority)| *index < MOST_AUTHORITIES - 1 || signed_leaf(authority));
                bundle.extend(kept.map(|(_, authority)| authority.to_pem()));
                next.authorities_pem = bundle.into_bytes();
                next.authority_key_pem = made.key_pem.into_bytes();
                done(&mut next, Renew::Authority);
            }
            Self::Adopt(pem) => next.authorities_pem.extend_from_slice(pem.as_bytes()),
            Self::Leaf(_) => {
                let authorities = Authority::of_bundle(&stored.authorities_pem);
                let newest = authorities.first().ok_or(rcgen::Error::CouldNotParseCertificate)?;
                let made = new_leaf(newest, &stored.authority_key_pem, hosts, now)?;
                next.certificate_pem = made.certificate_pem.into_bytes();
                next.key_pem = made.key_pem.into_bytes();
                done(&mut next, Renew::Leaf);
            }
        }
        Ok(next)
    }
}

fn done(stored: &mut Stored, what: Renew) {
    if stored.renew == Some(what) {
        stored.renew = None;
    }
}
