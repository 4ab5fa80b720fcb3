//! Traces as they are read and replayed: files good and bad, and what the clock shows of them.

use std::fmt::Write as _;

use super::*;
use crate::domain::energy::CpuPower;
use crate::domain::region::{CloudProvider, GridZone};
use crate::domain::units::{Pue, Watts};

mod faults;
mod files;
mod properties;
mod readings;
mod speeds;

/// A region of a zone.
fn region(zone: Option<&str>) -> Region {
    Region {
        name: "here".into(),
        label: "here".into(),
        provider: CloudProvider::OnPrem,
        zone: zone.map(GridZone::from),
        location: None,
        pue: Pue(1.0),
        default_cpu: CpuPower { idle: Watts(1.0), max: Watts(2.0) },
        annual_mean: None,
    }
}

/// A trace that is right.
fn grid(text: &str, speed: f64) -> ReplayGrid {
    ReplayGrid { trace: parse::parse(text.as_bytes()).unwrap(), speed: Speed::new(speed).unwrap() }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What `grid` says of DE at `now`.
fn reading(grid: &ReplayGrid, now: &str) -> Reading {
    grid.reading(&region(Some("DE")), time(now)).unwrap()
}

/// The wide form with one zone, DE: each value an hour, from `first` on; `None` is a gap.
fn hours(first: &str, values: &[Option<f64>]) -> String {
    let mut text = "datetime_utc,DE\n".to_owned();
    for (hour, value) in (0_i64..).zip(values) {
        let at = time(first) + SignedDuration::from_hours(hour);
        writeln!(text, "{at},{}", value.map(|value| value.to_string()).unwrap_or_default()).unwrap();
    }
    text
}
