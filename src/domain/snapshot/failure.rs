//! Why a provider gave nothing of use, as a closed list: the same names in `/snapshot`, in metrics and in `check`.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What went wrong when a provider was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The file that holds its token is missing, empty or unreadable.
    NoToken,
    /// It does not know the token.
    BadToken,
    /// The token is known, and its plan does not cover the zone.
    NotInPlan,
    /// Asked too often, by its own account.
    Throttled,
    /// It has no value for the zone now.
    NoData,
    /// It does not understand the question.
    BadRequest,
    /// It is out of order, by its own account.
    Outage,
    /// It did not answer in time.
    Timeout,
    /// It could not be reached.
    Unreachable,
    /// It answered for another zone than the one asked about.
    WrongZone,
    /// Its answer could not be read.
    Unreadable,
    /// What it said cannot be.
    Implausible,
    /// What it says of now is older than readings may be.
    TooOld,
    /// It is out of order by our account, after several failures in a row, and is not asked for a while.
    CircuitOpen,
}

impl Failure {
    /// Every one.
    pub const ALL: [Self; 14] = [
        Self::NoToken,
        Self::BadToken,
        Self::NotInPlan,
        Self::Throttled,
        Self::NoData,
        Self::BadRequest,
        Self::Outage,
        Self::Timeout,
        Self::Unreachable,
        Self::WrongZone,
        Self::Unreadable,
        Self::Implausible,
        Self::TooOld,
        Self::CircuitOpen,
    ];

    /// Its name in metrics and `/snapshot`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::BadToken => "bad_token",
            Self::NotInPlan => "not_in_plan",
            Self::Throttled => "throttled",
            Self::NoData => "no_data",
            Self::BadRequest => "bad_request",
            Self::Outage => "outage",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::WrongZone => "wrong_zone",
            Self::Unreadable => "unreadable",
            Self::Implausible => "implausible",
            Self::TooOld => "too_old",
            Self::CircuitOpen => "circuit_open",
        }
    }

    /// What can be done about it.
    #[must_use]
    pub const fn cure(self) -> &'static str {
        match self {
            Self::NoToken => "put the token into the file that grid.electricityMaps.tokenFile names",
            Self::BadToken => "renew the token in the file that grid.electricityMaps.tokenFile names",
            Self::NotInPlan => "add the zone to the provider's plan, or name a provider in grid.fallback",
            Self::Throttled => "wait, or give a longer grid.refresh",
            Self::NoData => "see whether the provider knows the zone; name a provider in grid.fallback",
            Self::BadRequest => "see whether the address in the configuration is the provider's",
            Self::Outage => "wait: it is asked again; see the provider's status page",
            Self::Timeout | Self::Unreachable => "see whether this process may reach the provider's address",
            Self::WrongZone => "see whether the provider knows the region's gridZone",
            Self::Unreadable => {
                "see whether the address in the configuration is the provider's, and no proxy's"
            }
            Self::Implausible => "tell the provider; name another one in grid.fallback",
            Self::TooOld => {
                "give a longer grid.maxAge if it is always so late; name a provider in grid.fallback"
            }
            Self::CircuitOpen => "wait: it is asked again after a pause",
        }
    }

    /// Whether it lies with the provider as a whole rather than with one zone: only such failures open the circuit.
    #[must_use]
    pub const fn is_of_provider(self) -> bool {
        match self {
            Self::NoToken
            | Self::BadToken
            | Self::Throttled
            | Self::Outage
            | Self::Timeout
            | Self::Unreachable
            | Self::Unreadable => true,
            Self::NotInPlan
            | Self::NoData
            | Self::BadRequest
            | Self::WrongZone
            | Self::Implausible
            | Self::TooOld
            | Self::CircuitOpen => false,
        }
    }
}

/// A provider's last failure, while it lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble<P> {
    /// Whose.
    pub provider: P,
    /// What it is.
    pub failure: Failure,
    /// What exactly, for people; never a secret.
    pub detail: Arc<str>,
    /// Since when it has lasted.
    pub since: Timestamp,
}
