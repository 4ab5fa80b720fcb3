//! Strings of a JSON document, borrowed from it where they carry no escapes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize};

/// A string that borrows from the document when it can. A bare `Cow` inside a map or list would always be copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Labels, annotations, selectors.
pub type TextMap<'a> = BTreeMap<Text<'a>, Text<'a>>;

/// Reads `null` as the type's default, as Go does; for use with `#[serde(default)]`, which covers absence.
///
/// # Errors
/// Those of the value itself.
pub fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}
