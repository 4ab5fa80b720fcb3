//! As much of a decision record as a scan needs, borrowed from its line.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use jiff::Timestamp;
use memchr::memchr;
use memchr::memmem::Finder;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Between these two are a record's regions, the brackets included. All are prepared once, and looked for in every line.
static REGIONS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(",\"regions\":["));
static AFTER_REGIONS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("],\"projected\":"));
static STATE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("\"state\""));

/// A record. What records of another kind lack has a default; what only some scans look into is not looked into yet.
#[derive(Debug, Deserialize)]
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
    #[serde(borrow, default)]
    owner: Option<&'l RawValue>,
    #[serde(borrow, default)]
    pub(super) mode: Cow<'l, str>,
    #[serde(borrow, default)]
    pub(super) outcome: Cow<'l, str>,
    #[serde(borrow, default)]
    pub(super) reason: Cow<'l, str>,
    #[serde(borrow, default)]
    demand: Option<&'l RawValue>,
    #[serde(borrow, default)]
    regions: Option<&'l RawValue>,
    #[serde(borrow, default)]
    projected: Option<&'l RawValue>,
}

/// A line whose regions, three quarters of its text, are taken out of it.
#[derive(Debug)]
pub(super) struct Lean<'l> {
    before: &'l [u8],
    /// The regions.
    pub(super) regions: &'l [u8],
    after: &'l [u8],
}

impl<'l> Lean<'l> {
    /// Of a line as this program writes it; `None` where that cannot be relied on.
    ///
    /// Without a backslash a quote always begins or ends a string, so what is looked for are the record's own keys, and never
    /// a part of somebody's name. What is in the regions beside states is then not looked at: whether it is as it was written
    /// is what `--verify` tells.
    pub(super) fn of(line: &'l [u8]) -> Option<Self> {
        let from = REGIONS.find(line)? + REGIONS.needle().len() - 1;
        let to = from + AFTER_REGIONS.find(&line[from..])? + 1;
        let is_plain = memchr(b'\\', &line[..to]).is_none();
        is_plain.then(|| Self { before: &line[..from], regions: &line[from..to], after: &line[to..] })
    }

    /// The line with `null` for its regions, in `room`.
    pub(super) fn write(&self, room: &mut Vec<u8>) {
        room.clear();
        for part in [self.before, b"null", self.after] {
            room.extend_from_slice(part);
        }
    }
}

impl<'l> Record<'l> {
    /// Its regions, as they are written.
    pub(super) fn regions(&self) -> Option<&'l [u8]> {
        self.regions.map(|regions| regions.get().as_bytes())
    }

    /// Who owns the pod.
    pub(super) fn owner(&self) -> serde_json::Result<Option<Owner<'l>>> {
        self.owner.map(|owner| serde_json::from_str(owner.get())).transpose()
    }

    /// What was asked for, and what was expected of it; `None` where it did not come to that.
    pub(super) fn expected(&self) -> serde_json::Result<Option<(Demand, Projected)>> {
        let (Some(demand), Some(projected)) = (self.demand, self.projected) else { return Ok(None) };
        Ok(Some((serde_json::from_str(demand.get())?, serde_json::from_str(projected.get())?)))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Owner<'l> {
    #[serde(borrow)]
    pub(super) kind: Cow<'l, str>,
    #[serde(borrow)]
    pub(super) name: Cow<'l, str>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Demand {
    pub(super) cpu_cores: f64,
    pub(super) hours: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Projected {
    pub(super) usd: f64,
    pub(super) co2e_g: f64,
    pub(super) kwh: f64,
}

/// How many of a record's regions are in which state: few states, so a list does.
#[derive(Debug, Default)]
pub(super) struct StateCounts<'l>(pub(super) Vec<(Cow<'l, str>, u64)>);

impl<'l> StateCounts<'l> {
    /// How many regions are in which state.
    pub(super) fn of(regions: &'l [u8]) -> serde_json::Result<Self> {
        Self::at_a_glance(regions).map_or_else(|| serde_json::from_slice(regions), Ok)
    }

    /// From regions as this program writes them: only the words behind `"state":"` are looked at. `None` where that cannot be
    /// relied on.
    ///
    /// Without a backslash a quote always begins or ends a string. So `"state"` with a colon behind it is always a key, and
    /// the next quote but one ends its value; a text of that spelling, or a space before the value, asks for a closer look.
    fn at_a_glance(regions: &'l [u8]) -> Option<Self> {
        if memchr(b'\\', regions).is_some() {
            return None;
        }
        let mut states = Self::default();
        let mut rest = regions;
        while let Some(at) = STATE.find(rest) {
            let value = rest[at + STATE.needle().len()..].strip_prefix(b":\"")?;
            let (word, after) = value.split_at(memchr(b'"', value)?);
            states.add(Cow::Borrowed(std::str::from_utf8(word).ok()?));
            rest = after;
        }
        Some(states)
    }

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
