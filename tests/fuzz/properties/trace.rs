//! The text of a trace: whatever is replayed of it is a cell of it, can be, and is of a time that has come.

use std::task::{Context, Poll, Waker};

use eco_pulse::domain::Region;
use eco_pulse::domain::plausibility::judge_alone;
use eco_pulse::domain::region::GridZone;
use eco_pulse::domain::snapshot::GridProvider;
use eco_pulse::providers::grid::{GridSource as _, Question, ReplayGrid};
use jiff::Timestamp;

use super::world::world;

/// At the start of a year, on its odd day, and at its end.
const TIMES: [&str; 4] =
    ["2026-01-01T00:00:00Z", "2028-02-29T23:59:59.9Z", "2026-06-01T12:30:00Z", "2026-12-31T23:00:00Z"];
const MOST_ZONES: usize = 4;

pub fn holds(text: &[u8]) {
    let replay = match ReplayGrid::read_text(text) {
        Ok(replay) => replay,
        Err(fault) => {
            assert!(fault.to_string().chars().count() < 2000, "{fault}");
            return;
        }
    };
    let text = std::str::from_utf8(text).unwrap();
    // Cells in quotes may hold anything, separators too.
    let cells: Vec<&str> = text.split([',', '\n', '\r', '"']).map(str::trim).collect();
    let zones = cells.iter().filter(|cell| (2..=20).contains(&cell.len())).take(MOST_ZONES);
    for zone in zones.copied().chain(["DE"]) {
        let region = in_zone(zone);
        for now in TIMES.map(|time| time.parse::<Timestamp>().unwrap()) {
            let mut asked = replay.ask(&region, Question::Latest, now);
            let Poll::Ready(said) = asked.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("a trace in memory keeps nobody waiting");
            };
            let Ok(answer) = said else { continue };
            let [reading] = answer.readings.as_slice() else { panic!("{answer:?}") };
            assert!(judge_alone(reading.intensity.0, GridProvider::Replay).is_ok(), "{reading:?}");
            assert!(reading.starts_at <= now && reading.starts_at < reading.ends_at, "{reading:?} at {now}");
            assert!(reading.unchanged_since <= reading.starts_at, "{reading:?}");
            assert!(reading.replayed_at.is_some());
            let is_said = cells.iter().any(|cell| cell.parse() == Ok(reading.intensity.0));
            assert!(is_said, "{} is not in the trace", reading.intensity);
        }
    }
}

/// A region of the configuration, in a zone.
fn in_zone(zone: &str) -> Region {
    let (_, region) = world().config.regions.iter().next().unwrap();
    Region { zone: Some(GridZone::from(zone)), ..region.clone() }
}
