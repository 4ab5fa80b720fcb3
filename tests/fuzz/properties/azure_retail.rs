//! Pages of Azure's list: a price is what an item for that machine in that region says, and of no other.

use std::sync::{Arc, LazyLock};

use eco_pulse::providers::price::Listing;
use serde_json::Value;

use super::world::NOW;
use super::{grid, prices};

const REGION: &str = "swedencentral";
static TYPES: LazyLock<[Arc<str>; 2]> =
    LazyLock::new(|| ["Standard_D4s_v5".into(), "Standard_F4s_v2".into()]);

pub fn holds(body: &[u8]) {
    let mut listing = Listing::new(REGION, &*TYPES, NOW.parse().unwrap());
    let next = match listing.read(body) {
        Ok(next) => next,
        Err(error) => return grid::judge_error(&error),
    };
    assert!(next.is_none_or(|link| !link.is_empty()));
    // A page that says the same again changes nothing.
    let twice = {
        let mut twice = Listing::new(REGION, &*TYPES, NOW.parse().unwrap());
        let read = [twice.read(body), twice.read(body)];
        assert!(read.iter().all(Result::is_ok));
        twice.prices()
    };
    let list = listing.prices();
    assert_eq!(list, twice);
    prices::judge(&list);
    // Deeper than a reader of any JSON goes.
    let Ok(page) = serde_json::from_slice::<Value>(body) else { return };
    for price in &list {
        let says = |item: &Value| {
            item["armRegionName"] == REGION
                && item["armSkuName"] == *price.instance_type
                && item["currencyCode"] == "USD"
                && item["type"] == "Consumption"
                && item["unitOfMeasure"] == "1 Hour"
                && item["retailPrice"].as_f64() == Some(price.per_hour.0)
        };
        // A reader of structs takes a list for one, field by field; the list never has any.
        let Some(items) = page["Items"].as_array().filter(|items| items.iter().all(|item| !item.is_array()))
        else {
            return;
        };
        assert!(items.iter().any(says), "nobody says {price:?}");
    }
}
