//! The spot advisor's feed: a spot price is what the feed's own percentage leaves of the list price, and nothing else is one.

use eco_pulse::domain::RegionName;
use eco_pulse::domain::snapshot::CapacityType;
use eco_pulse::providers::price::AwsSpotAdvisor;
use serde_json::Value;

use super::world::{NOW, catalogue};
use super::{grid, prices};

const REGIONS: [&str; 2] = ["eu-north-1", "us-east-1"];

pub fn holds(body: &[u8]) {
    let names = REGIONS.map(RegionName::from);
    let read = AwsSpotAdvisor::read_feed(body, names.iter(), catalogue(), NOW.parse().unwrap());
    let by_region = match read {
        Ok(by_region) => by_region,
        Err(error) => return grid::judge_error(&error),
    };
    assert!(!by_region.is_empty());
    // Deeper than a reader of any JSON goes.
    let Ok(feed) = serde_json::from_slice::<Value>(body) else { return };
    for (region, list) in &by_region {
        prices::judge(list);
        for listed in catalogue().prices_in(region.as_str()) {
            let entry = &feed["spot_advisor"][region.as_str()]["Linux"][&*listed.instance_type];
            // A reader of structs takes a list for one, field by field; the feed never has any.
            if !entry.is_object() {
                continue;
            }
            let saving = &entry["s"];
            let expected = saving.as_u64().filter(|percent| *percent <= 99);
            let price = list.iter().find(|price| price.instance_type == listed.instance_type);
            // Where it is given twice plain JSON has the last one, and the program neither.
            let Some(price) = price else { continue };
            assert_eq!(price.capacity_type, CapacityType::Spot);
            let percent = expected.unwrap_or_else(|| panic!("{price:?} of a saving of {saving}"));
            let left = listed.price.0 * (100.0 - percent as f64) / 100.0;
            assert!((price.per_hour.0 - left).abs() <= 1e-9 * left, "{price:?}, not {left}");
        }
    }
}
