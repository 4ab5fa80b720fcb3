//! Amounts by resource name: Kubernetes' `ResourceList`.

use std::borrow::Cow;
use std::collections::{BTreeMap, btree_map};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::domain::quantity::Quantity;

/// Amounts by resource name, in the order of the names; a name that is absent differs from one at zero.
// A map, not a small vector: the names come from whoever writes the pod, and thousands of them must not cost
// a square.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceList<'a>(BTreeMap<Cow<'a, str>, Quantity>);

impl<'a> ResourceList<'a> {
    /// The amount listed under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Quantity> {
        self.0.get(name).copied()
    }

    /// CPU, in cores; zero when not listed.
    #[must_use]
    pub fn cpu(&self) -> Quantity {
        self.get("cpu").unwrap_or_default()
    }

    /// Memory, in bytes; zero when not listed.
    #[must_use]
    pub fn memory(&self) -> Quantity {
        self.get("memory").unwrap_or_default()
    }

    /// Lists `amount` under `name`, in place of what was there.
    pub fn insert(&mut self, name: impl Into<Cow<'a, str>>, amount: Quantity) {
        self.0.insert(name.into(), amount);
    }

    /// Whether nothing is listed, not even at zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is listed, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Quantity)> {
        self.0.iter().map(|(name, &amount)| (name.as_ref(), amount))
    }

    /// Adds `amount` to what is listed under `name` and says what is listed now.
    pub(super) fn add(&mut self, name: &'a str, amount: Quantity) -> Quantity {
        let listed = self.0.entry(name.into()).or_default();
        *listed = listed.saturating_add(amount);
        *listed
    }

    /// Lists `amount` under `name` unless there is as much already.
    pub(super) fn raise(&mut self, name: impl Into<Cow<'a, str>>, amount: Quantity) {
        self.0.entry(name.into()).and_modify(|listed| *listed = amount.max(*listed)).or_insert(amount);
    }

    /// Lists what `defaults` lists under a name that is `wanted` and absent here.
    pub(super) fn fill_in(&mut self, defaults: &Self, wanted: impl Fn(&str) -> bool) {
        for (name, &amount) in defaults.0.iter().filter(|(name, _)| wanted(name)) {
            self.0.entry(name.clone()).or_insert(amount);
        }
    }

    /// Drops what the API server does not store: anything finer than a milli-unit, rounded up.
    pub(super) fn round_up_to_milli(&mut self) {
        for amount in self.0.values_mut() {
            *amount = amount.round_up_to_milli();
        }
    }
}

/// A name given twice keeps its last amount, as in a JSON object that Kubernetes reads.
impl<'a, N: Into<Cow<'a, str>>> FromIterator<(N, Quantity)> for ResourceList<'a> {
    fn from_iter<I: IntoIterator<Item = (N, Quantity)>>(listed: I) -> Self {
        Self(listed.into_iter().map(|(name, amount)| (name.into(), amount)).collect())
    }
}

impl<'a> IntoIterator for ResourceList<'a> {
    type Item = (Cow<'a, str>, Quantity);
    type IntoIter = btree_map::IntoIter<Cow<'a, str>, Quantity>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Reads a map of quantities, or `null`, which is an empty one; borrows the names where the input allows it.
impl<'de: 'a, 'a> Deserialize<'de> for ResourceList<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = ResourceList<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from resource names to quantities")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        /// Without this, a `Cow` in a map is always copied.
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        let mut list = ResourceList::default();
        while let Some((Name(name), amount)) = map.next_entry()? {
            list.insert(name, amount);
        }
        Ok(list)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(ResourceList::default())
    }
}
