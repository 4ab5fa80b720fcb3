//! The books as text under keys: what a store keeps, in one step a change, and gives back.

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::cells::{DAY_HOURS, HourKey, OwnerKey};
use super::grid::start_of;
use super::sums::Group;

/// What is written of one thing; without a value it is forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// The table it is in.
    pub table: String,
    /// Its key within the table.
    pub field: String,
    /// Its value, as JSON.
    pub value: Option<String>,
    /// When its whole table may be forgotten; `None`: never.
    pub keep_until: Option<Timestamp>,
}

/// Runs, what is fixed about each.
pub const RUNS: &str = "runs";
/// Runs, how far each has come.
pub const PROGRESS: &str = "progress";
/// Pods whose runs have been closed, and that the API server still knows.
pub const CLOSED: &str = "closed";
/// Prices over time.
pub const PRICES: &str = "prices";
/// Sums since the beginning, by what a metric's labels say.
pub const TOTALS: &str = "totals";
/// Everything else.
pub const META: &str = "meta";
/// In [`META`]: the last moment at which all open runs were known to be there.
pub const CONFIRMED: &str = "confirmed";

/// The table of a day's hours.
#[must_use]
pub fn hours_of(day: i64) -> String {
    format!("hours:{day}")
}

/// The table of a day's owners.
#[must_use]
pub fn owners_of(day: i64) -> String {
    format!("owners:{day}")
}

/// When a day's table may be forgotten.
#[must_use]
pub fn kept_until(day: i64, retention_days: u32) -> Timestamp {
    let end = start_of((day + 1) * DAY_HOURS);
    end.checked_add(SignedDuration::from_hours(DAY_HOURS * i64::from(retention_days)))
        .unwrap_or(Timestamp::MAX)
}

/// Something kept cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{table} {field}: {problem}; a newer release may have written it: finish the upgrade, or go back to that release"
)]
pub struct Unreadable {
    /// The table.
    pub table: String,
    /// The key.
    pub field: String,
    /// What is wrong.
    pub problem: String,
}

/// Reads what is kept under a key.
///
/// # Errors
/// It is not what this release writes.
pub fn read<T: DeserializeOwned>(table: &str, field: &str, text: &str) -> Result<T, Unreadable> {
    serde_json::from_str(text).map_err(|error| Unreadable {
        table: table.to_owned(),
        field: field.to_owned(),
        problem: error.to_string(),
    })
}

/// Text for a value. What the books hold can always be written.
#[must_use]
pub fn write(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// An hour's key as text: anything may be in a name, so it is a JSON list.
#[derive(Serialize, Deserialize)]
struct HourField(i64, String, String, String, Group);

#[derive(Serialize, Deserialize)]
struct OwnerField(String, String, String, Group);

impl HourKey {
    /// The day whose table it is in.
    #[must_use]
    pub const fn day(&self) -> i64 {
        self.hour.div_euclid(DAY_HOURS)
    }

    /// Its key within the table.
    #[must_use]
    pub fn field(&self) -> String {
        let Self { hour, namespace, kind, region, group } = self.clone();
        write(&HourField(hour, namespace, kind, region, group))
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is not what this release writes.
    pub fn read(table: &str, field: &str) -> Result<Self, Unreadable> {
        let HourField(hour, namespace, kind, region, group) = read(table, field, field)?;
        Ok(Self { hour, namespace, kind, region, group })
    }
}

impl OwnerKey {
    /// Its key within its day's table.
    #[must_use]
    pub fn field(&self) -> String {
        let Self { namespace, kind, name, group, .. } = self.clone();
        write(&OwnerField(namespace, kind, name, group))
    }

    /// Reads one of a day.
    ///
    /// # Errors
    /// It is not what this release writes.
    pub fn read(day: i64, field: &str) -> Result<Self, Unreadable> {
        let OwnerField(namespace, kind, name, group) = read(&owners_of(day), field, field)?;
        Ok(Self { day, namespace, kind, name, group })
    }
}
