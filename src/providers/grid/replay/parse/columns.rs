//! Which of the two forms a trace has, by its header, and where in it things stand.

use csv::StringRecord;

use super::shown;
use crate::providers::grid::replay::TraceFault;

/// Enough of a wrong header to know the file by.
const SHOWN_OF_HEADER: usize = 300;

/// The form of a trace.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Columns {
    /// A time, and one column a zone.
    Wide,
    /// One row an hour and zone, as Electricity Maps' portal gives them out.
    Portal(Portal),
}

/// Where things stand in the portal's form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Portal {
    pub(super) time: usize,
    pub(super) zone: usize,
    pub(super) lifecycle: usize,
    pub(super) estimated: usize,
    pub(super) method: Option<usize>,
}

impl Columns {
    pub(super) fn of(header: &StringRecord) -> Result<Self, TraceFault> {
        let columns = Portal::of(header)
            .map(Self::Portal)
            .or_else(|| is_wide(header).then_some(Self::Wide))
            .ok_or_else(|| TraceFault::Columns {
                found: shown(&header.iter().collect::<Vec<_>>().join(","), SHOWN_OF_HEADER),
            })?;
        let mut names: Vec<&str> = header.iter().collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| matches!(pair, [one, other] if one == other)) {
            Some([name, ..]) => Err(TraceFault::TwoColumns { column: (*name).to_owned() }),
            _ => Ok(columns),
        }
    }
}

impl Portal {
    /// By name and in any case, as the portal has renamed its columns: `(LCA)` became `(Life cycle)`.
    fn of(header: &StringRecord) -> Option<Self> {
        let names: Vec<String> = header.iter().map(str::to_lowercase).collect();
        let named = |wanted: &str| names.iter().position(|name| name == wanted);
        let is_lifecycle = |name: &String| {
            name.starts_with("carbon intensity")
                && (name.ends_with("(lca)") || name.ends_with("(life cycle)"))
        };
        Some(Self {
            time: named("datetime (utc)")?,
            zone: named("zone id")?,
            lifecycle: names.iter().position(is_lifecycle)?,
            estimated: named("data estimated")?,
            method: named("data estimation method"),
        })
    }
}

fn is_wide(header: &StringRecord) -> bool {
    let mut names = header.iter();
    let is_time = |name: &str| {
        let name = name.to_lowercase();
        ["time", "date", "hour"].iter().any(|part| name.contains(part))
    };
    names.next().is_some_and(is_time) && header.len() > 1 && names.all(is_zone)
}

/// Whether a text has the shape of a zone's Electricity Maps key: capitals and digits, divided by hyphens.
pub(super) fn is_zone(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    text.len() <= 63
        && text.split('-').all(is_part)
        && text.split('-').next().is_some_and(|country| country.len() > 1)
}
