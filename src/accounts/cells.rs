//! Where figures are kept: by hour for long, by owner and day for less long.

use super::sums::Group;

/// Seconds of an hour.
pub const HOUR_SECONDS: i64 = 3600;
/// Hours of a day.
pub const DAY_HOURS: i64 = 24;

/// Where an hour's figures are kept, for `ledger.retentionDays`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HourKey {
    /// Whole hours since 1970, UTC.
    pub hour: i64,
    /// The pods' namespace.
    pub namespace: String,
    /// Their owners' kind; `Pod` for pods nobody owns.
    pub kind: String,
    /// Where they ran; empty while the region of their node is not known.
    pub region: String,
    /// How they were treated.
    pub group: Group,
}

/// Where an owner's figures of a day are kept, for `ledger.rawRetentionDays`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerKey {
    /// Whole days since 1970, UTC.
    pub day: i64,
    /// The pods' namespace.
    pub namespace: String,
    /// The owner's kind; `Pod` for a pod nobody owns.
    pub kind: String,
    /// The owner's name.
    pub name: String,
    /// How its pods were treated.
    pub group: Group,
}
