//! The built-in price tables as a provider: list prices of a known edition, spot as the advisor's percentage off them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalogue::{Catalogue, OnDemand};
use crate::domain::snapshot::{CapacityType, Price, PriceProvider};
use crate::domain::{RegionName, Regions};

/// Reads the tables.
#[derive(Clone, Debug)]
pub struct CataloguePrices {
    catalogue: Arc<Catalogue>,
}

impl CataloguePrices {
    /// Of this catalogue.
    #[must_use]
    pub const fn new(catalogue: Arc<Catalogue>) -> Self {
        Self { catalogue }
    }

    pub(super) fn read(&self, regions: &Regions) -> BTreeMap<RegionName, Vec<Price>> {
        regions
            .iter()
            .map(|(_, region)| (region.name.clone(), self.in_region(region.name.as_str())))
            .collect()
    }

    fn in_region(&self, region: &str) -> Vec<Price> {
        self.catalogue
            .prices_in(region)
            .flat_map(|listed| [Some(on_demand(listed)), self.spot(region, listed)])
            .flatten()
            .collect()
    }

    fn spot(&self, region: &str, listed: &OnDemand) -> Option<Price> {
        let spot = self.catalogue.spot(region, &listed.instance_type)?;
        Some(Price {
            instance_type: listed.instance_type.clone(),
            capacity_type: CapacityType::Spot,
            per_hour: spot.price,
            precision: spot.precision,
            provider: PriceProvider::Catalogue,
            reported_at: None,
            interruption: Some(spot.interruption.as_str().into()),
        })
    }
}

fn on_demand(listed: &OnDemand) -> Price {
    Price {
        instance_type: listed.instance_type.clone(),
        capacity_type: CapacityType::OnDemand,
        per_hour: listed.price,
        precision: listed.precision,
        provider: PriceProvider::Catalogue,
        reported_at: None,
        interruption: None,
    }
}
