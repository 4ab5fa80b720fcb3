//! What to do next about a certificate that is kept in a Secret: a state machine, without the Secret.
//!
//! The Secret holds a bundle of authorities (newest first), the newest one's key, and a leaf with its key. The webhook
//! configuration holds the bundle that the API server trusts. Several controllers may look at both and write at any time;
//! each write is bound to the version that was looked at. [`next`] says what one of them should do, and keeps one promise:
//!
//! > A leaf is only made by an authority that the webhook configuration names already, and what it names is never taken
//! > away before it has ended, while a leaf of it may be in use.
//!
//! So the order is always: authority into the Secret, bundle into the webhook configuration, then, some time after it was
//! read back there, the leaf.
//!
//! What this must not do: read a clock, or talk to anybody.

mod make;
mod stored;
#[cfg(test)]
mod tests;

use std::time::Duration;

use jiff::Timestamp;

use self::stored::Held;
use super::authority::{Authority, ends_soon};
use super::{Certificate, Host, ValidityState};

pub use make::MOST_AUTHORITIES;
pub use stored::{Renew, Stored};

/// What the webhook configuration names as authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// It cannot be read at present.
    Unknown,
    /// There is none: nobody asks, so nobody has to trust.
    Absent,
    /// The `caBundle` of each of its webhooks, in PEM form.
    Bundles(Vec<Vec<u8>>),
}

/// What is wanted of the leaf, and how careful to be.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The names it has to be valid for.
    pub hosts: Vec<Host>,
    /// How long a bundle has to be published before a leaf of a new authority is made: the API server keeps a copy of
    /// webhook configurations.
    pub settle: Duration,
}

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Everything is as it should be.
    Nothing,
    /// Nothing, until the published bundle has settled.
    Wait,
    /// Write this to the Secret, bound to the version that was looked at.
    Write(Change),
    /// Write this bundle into every webhook of the configuration, bound to the version that was looked at.
    Publish(Vec<u8>),
}

/// A change of the Secret. [`Change::apply`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new authority before those that are there.
    Authority(Cause),
    /// Authorities that the webhook configuration names go behind those that are there: somebody may still show a
    /// leaf of theirs. PEM.
    Adopt(String),
    /// A new leaf of the newest authority.
    Leaf(Cause),
}

/// Why something is made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// There is none.
    Missing,
    /// Somebody asked for it.
    Asked,
    /// Less than a third of its time is left, or none.
    EndsSoon,
    /// It starts later than now: the clock of who made it is ahead.
    NotYetValid,
    /// The key does not belong to it, or is not there.
    Key,
    /// It is not valid for every host.
    Hosts,
    /// The newest authority did not sign it.
    OtherAuthority,
}

impl Cause {
    /// For the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "there was none",
            Self::Asked => "asked for by the annotation eco-pulse.io/renew",
            Self::EndsSoon => "less than a third of its time is left",
            Self::NotYetValid => "it starts in the future",
            Self::Key => "its key is missing or belongs to another",
            Self::Hosts => "it is not valid for every host",
            Self::OtherAuthority => "the newest authority did not sign it",
        }
    }
}

/// What to do next, given what the Secret holds (`None`: there is no Secret), what is published, and for how long the
/// newest authority of the Secret has been published without a break, as far as the caller has seen.
///
/// What is published must have been read *before* the Secret: then a bundle that is older than the published one can
/// never be written over it, since that write is bound to the version read.
#[must_use]
pub fn next(
    stored: Option<&Stored>,
    published: &Published,
    published_for: Duration,
    wanted: &Wanted,
    now: Timestamp,
) -> Action {
    let Some(stored) = stored else { return Action::Write(Change::Authority(Cause::Missing)) };
    let held = match Held::examine(stored, now) {
        Ok(held) => held,
        Err(cause) => return Action::Write(Change::Authority(cause)),
    };
    if let Published::Bundles(bundles) = published {
        let adopted = adopted(&held, bundles, now);
        if !adopted.is_empty() {
            return Action::Write(Change::Adopt(adopted));
        }
        let bundle = held.bundle_pem();
        if bundles.iter().any(|published| *published != bundle) {
            return Action::Publish(bundle);
        }
    }
    if let Some(cause) = leaf_is_wanted(&held, stored.renew, &wanted.hosts, now) {
        return if may_sign(&held, published, published_for, wanted.settle) {
            Action::Write(Change::Leaf(cause))
        } else {
            Action::Wait
        };
    }
    // The change of authorities before this one is complete: the leaf in use is of the newest. And no new one is begun
    // while it could not be published.
    if *published == Published::Unknown {
        return Action::Nothing;
    }
    match stored.renew {
        Some(Renew::Authority) => Action::Write(Change::Authority(Cause::Asked)),
        _ if ends_soon(held.newest.validity, now) => Action::Write(Change::Authority(Cause::EndsSoon)),
        _ => Action::Nothing,
    }
}

/// Whether the API server trusts the newest authority of `stored`, as far as `published` tells.
#[must_use]
pub fn is_published(stored: &Stored, published: &Published) -> bool {
    let newest = Authority::of_bundle(&stored.authorities_pem).into_iter().next();
    match (newest, published) {
        (Some(newest), Published::Bundles(bundles)) => {
            bundles.iter().all(|bundle| Authority::of_bundle(bundle).contains(&newest))
        }
        _ => false,
    }
}

/// Published authorities that are not in the Secret and whose leaf somebody may still show: the one that signed the
/// Secret's leaf; or, as long as the Secret has no leaf, any.
fn adopted(held: &Held, bundles: &[Vec<u8>], now: Timestamp) -> String {
    let mut pem = String::new();
    let mut known = held.authorities();
    for authority in bundles.iter().flat_map(|bundle| Authority::of_bundle(bundle)) {
        let may_be_shown = held.leaf.as_ref().is_none_or(|leaf| authority.signed(leaf));
        if may_be_shown
            && authority.validity.state(now) != ValidityState::Expired
            && !known.contains(&authority)
        {
            pem.push_str(&authority.to_pem());
            known.push(authority);
        }
    }
    pem
}

fn leaf_is_wanted(held: &Held, renew: Option<Renew>, hosts: &[Host], now: Timestamp) -> Option<Cause> {
    let Some(leaf) = &held.leaf else { return Some(held.no_leaf) };
    if !held.newest.signed(leaf) {
        return Some(Cause::OtherAuthority);
    }
    let covers = |host: &Host| leaf.names().contains(&host.to_string());
    if !hosts.iter().all(covers) {
        return Some(Cause::Hosts);
    }
    if leaf.validity().state(now) == ValidityState::NotYetValid {
        return Some(Cause::NotYetValid);
    }
    if ends_soon(leaf.validity(), now) {
        return Some(Cause::EndsSoon);
    }
    (renew == Some(Renew::Leaf)).then_some(Cause::Asked)
}

/// Whether a leaf of the newest authority would be trusted by whoever asks.
fn may_sign(held: &Held, published: &Published, published_for: Duration, settle: Duration) -> bool {
    let is_of_newest = |leaf: &Certificate| held.newest.signed(leaf);
    match published {
        // The leaf in use is of it already: another one changes nothing for those who ask.
        _ if held.leaf.as_ref().is_some_and(is_of_newest) => true,
        Published::Unknown => false,
        Published::Absent => true,
        // It is published, or that would come first. Alone, it is waited for by nobody who has something better.
        Published::Bundles(_) => held.older.is_empty() || published_for >= settle,
    }
}
