//! The text of a price file: every price is a cell of it, of a region that is ours, and of no time to come.

use eco_pulse::domain::RegionName;
use eco_pulse::providers::price::FilePrices;
use jiff::{SignedDuration, Timestamp};

use super::prices;
use super::world::{NOW, world};

pub fn holds(text: &[u8]) {
    let now: Timestamp = NOW.parse().unwrap();
    let regions = &world().config.regions;
    let by_region = match FilePrices::read_text(text, regions, now) {
        Ok(Some(by_region)) => by_region,
        Ok(None) => return,
        Err(error) => {
            let message = error.to_string();
            assert!(message.chars().count() < 1000 && !message.contains(char::is_control), "{message:?}");
            return;
        }
    };
    let ours: Vec<&RegionName> = regions.iter().map(|(_, region)| &region.name).collect();
    assert!(by_region.keys().all(|name| ours.contains(&name)));
    let text = std::str::from_utf8(text).unwrap();
    // Cells in quotes may hold anything, separators too.
    let cells: Vec<&str> = text.split([',', '\n', '\r', '"']).map(str::trim).collect();
    let rows = text.lines().count();
    assert!(by_region.values().map(Vec::len).sum::<usize>() <= rows.max(text.split('\r').count()));
    for price in by_region.values().flatten() {
        assert!(price.per_hour.0 <= 10_000.0);
        assert!(
            price.reported_at.is_none_or(|at| at <= now && now.duration_since(at) >= SignedDuration::ZERO)
        );
        let is_said = cells.iter().any(|cell| cell.parse() == Ok(price.per_hour.0));
        assert!(is_said, "{} is not in the file", price.per_hour);
    }
    for list in by_region.values() {
        prices::judge(list);
    }
}
