//! As much of a decision record as a scan needs, borrowed from its line.

mod glance;

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

/// A record. What records of another kind lack has a default.
#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Record<'l> {
    pub(super) schema: u32,
    pub(super) ts: Timestamp,
    /// What kind of record it is; `None`: a decision.
    #[serde(borrow, default, rename = "record")]
    pub(super) kind: Option<Cow<'l, str>>,
    #[serde(borrow, default)]
    pub(super) endpoint: Cow<'l, str>,
    #[serde(borrow, default)]
    pub(super) namespace: Cow<'l, str>,
    /// Who owns the pod.
    #[serde(borrow, default)]
    pub(super) owner: Option<Owner<'l>>,
    #[serde(borrow, default)]
    pub(super) mode: Cow<'l, str>,
    #[serde(borrow, default)]
    pub(super) outcome: Cow<'l, str>,
    #[serde(borrow, default)]
    pub(super) reason: Cow<'l, str>,
    /// What was asked for.
    #[serde(default)]
    pub(super) demand: Option<Demand>,
    /// How many of its regions are in which state.
    #[serde(borrow, default, rename = "regions")]
    pub(super) states: StateCounts<'l>,
    /// What was expected of it.
    #[serde(default)]
    pub(super) projected: Option<Projected>,
}

impl<'l> Record<'l> {
    /// Reads a line, without its newline: at a glance if it is as this program writes decisions, else as any JSON.
    ///
    /// # Errors
    /// It is no record.
    pub(super) fn read(line: &'l [u8]) -> serde_json::Result<Self> {
        glance::decision(line).map_or_else(|| serde_json::from_slice(line), Ok)
    }
}

#[derive(Debug, PartialEq, Deserialize)]
pub(super) struct Owner<'l> {
    #[serde(borrow)]
    pub(super) kind: Cow<'l, str>,
    #[serde(borrow)]
    pub(super) name: Cow<'l, str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(super) struct Demand {
    pub(super) cpu_cores: f64,
    pub(super) hours: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(super) struct Projected {
    pub(super) usd: f64,
    pub(super) co2e_g: f64,
    pub(super) kwh: f64,
}

/// How many of a record's regions are in which state: few states, so a list does.
#[derive(Debug, Default, PartialEq)]
pub(super) struct StateCounts<'l>(pub(super) Vec<(Cow<'l, str>, u64)>);

impl<'l> StateCounts<'l> {
    fn add(&mut self, state: Cow<'l, str>) {
        match self.0.iter_mut().find(|(known, _)| *known == state) {
            Some((_, count)) => *count += 1,
            None => self.0.push((state, 1)),
        }
    }
}

impl<'de: 'l, 'l> Deserialize<'de> for StateCounts<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Regions(StateCounts::default()))
    }
}

struct Regions<'l>(StateCounts<'l>);

#[derive(Deserialize)]
struct Region<'l> {
    #[serde(borrow)]
    state: Cow<'l, str>,
}

impl<'de: 'l, 'l> Visitor<'de> for Regions<'l> {
    type Value = StateCounts<'l>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of regions")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut regions: A) -> Result<Self::Value, A::Error> {
        let mut states = self.0;
        while let Some(Region { state }) = regions.next_element()? {
            states.add(state);
        }
        Ok(states)
    }
}
