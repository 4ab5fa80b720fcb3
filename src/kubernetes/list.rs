//! Lists of a JSON document, no longer than anything real: an item can be written in three bytes and take a hundred in
//! memory, so that a body within its limit could otherwise take gigabytes.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};

/// Items in one list of a pod at most. An object of 3 MiB, the most that the API server takes, has room for fewer
/// containers.
const MAX_ITEMS: usize = 20_000;

/// A list that is refused as soon as it is longer than `MAX`.
#[derive(Clone, Debug)]
pub struct AtMost<T, const MAX: usize>(pub Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for AtMost<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(AtMostVisitor(PhantomData))
    }
}

struct AtMostVisitor<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for AtMostVisitor<T, MAX> {
    type Value = AtMost<T, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a sequence of at most {MAX} items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            if list.len() == MAX {
                return Err(A::Error::invalid_length(MAX + 1, &self));
            }
            list.push(item);
        }
        Ok(AtMost(list))
    }
}

/// Reads a list of a pod; `null` is an empty one, as in Go. For use with `#[serde(default)]`, which covers absence.
///
/// # Errors
/// Those of the items, and a list longer than any that is real.
pub fn short_list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    short_list_or_none(deserializer).map(Option::unwrap_or_default)
}

/// The same where absence matters: `None` for `null`.
///
/// # Errors
/// Those of the items, and a list longer than any that is real.
pub fn short_list_or_none<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<AtMost<T, MAX_ITEMS>>::deserialize(deserializer).map(|list| list.map(|list| list.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::decode::decode_pod;

    #[test]
    fn a_pod_with_more_containers_than_fit_into_an_object_is_refused() {
        let pod = |count| {
            format!(r#"{{"metadata":{{}},"spec":{{"containers":[{}]}}}}"#, vec!["{}"; count].join(","))
        };
        assert_eq!(decode_pod(&pod(MAX_ITEMS)).unwrap().spec.containers.len(), MAX_ITEMS);
        let error = decode_pod(&pod(MAX_ITEMS + 1)).unwrap_err().to_string();
        assert!(error.contains("at most 20000 items"), "{error}");
    }
}
