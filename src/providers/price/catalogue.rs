//! The built-in price tables as a provider: list prices of a known edition, spot as the advisor's percentage off them.

use std::sync::Arc;

use jiff::Timestamp;

use super::{PriceSource, PricesByRegion};
use crate::catalogue::{Catalogue, OnDemand};
use crate::domain::Regions;
use crate::domain::snapshot::{CapacityType, Price, PriceProvider};
use crate::providers::grid::{Asked, Reach};

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

    fn read(&self, regions: &Regions) -> PricesByRegion {
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

impl PriceSource for CataloguePrices {
    fn provider(&self) -> PriceProvider {
        PriceProvider::Catalogue
    }

    fn reach(&self) -> Reach {
        Reach::Memory
    }

    fn ask<'a>(&'a self, regions: &'a Regions, _: Timestamp) -> Asked<'a, PricesByRegion> {
        let prices = self.read(regions);
        Box::pin(async { Ok(prices) })
    }
}

/// A list price as it stands in the tables.
pub(super) fn on_demand(listed: &OnDemand) -> Price {
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
