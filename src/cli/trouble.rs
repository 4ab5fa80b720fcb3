//! What is wrong with getting data, in words with the cure: once for each provider and cause, with the zones it bears on.

use std::collections::BTreeMap;

use crate::domain::Snapshot;
use crate::domain::snapshot::Failure;

/// Zones named one by one before the rest is counted.
const MOST_NAMED: usize = 4;

/// One text for each cause.
pub(super) fn troubles(snapshot: &Snapshot) -> Vec<String> {
    let mut causes: BTreeMap<(&str, Failure), (Vec<&str>, &str)> = BTreeMap::new();
    for (_, region, data) in snapshot.iter() {
        let place = region.zone.as_ref().map_or_else(|| region.name.as_str(), |zone| zone.as_str());
        for trouble in &data.trouble {
            let cause = (trouble.provider.as_str(), trouble.failure);
            let (places, _) = causes.entry(cause).or_insert_with(|| (Vec::new(), &trouble.detail));
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    let grid = causes.iter().map(|((provider, failure), (places, detail))| {
        format!("{provider}, {}: {detail}; {}", named(places), failure.cure())
    });
    let prices = snapshot.price_trouble.iter().map(|trouble| {
        format!("{}, prices: {}; {}", trouble.provider.as_str(), trouble.detail, trouble.failure.cure())
    });
    grid.chain(prices).collect()
}

fn named(places: &[&str]) -> String {
    let named = places.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ");
    match places.len().checked_sub(MOST_NAMED) {
        None | Some(0) => named,
        Some(more) => format!("{named} and {more} more"),
    }
}
