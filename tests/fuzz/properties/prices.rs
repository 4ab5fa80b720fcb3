//! What must hold of whatever a price feed is taken to have said.

use std::collections::BTreeSet;

use eco_pulse::domain::snapshot::Price;

/// Judges the prices of one region.
pub fn judge(prices: &[Price]) {
    let mut known = BTreeSet::new();
    for price in prices {
        let (per_hour, precision) = (price.per_hour.0, price.precision.0);
        assert!(per_hour.is_finite() && per_hour > 0.0, "{price:?}");
        assert!((0.0..=per_hour).contains(&precision), "{price:?}");
        assert!(!price.instance_type.is_empty());
        assert!(known.insert((price.instance_type.clone(), price.capacity_type)), "{price:?} is there twice");
    }
}
