//! Prices: one question to each provider, "what do machines cost in these regions now?".

use std::collections::BTreeMap;

use crate::domain::snapshot::{Price, PriceProvider};
use crate::domain::{RegionName, Regions};

mod catalogue;

pub use catalogue::CataloguePrices;

/// The configured provider of prices.
#[derive(Clone, Debug)]
pub enum PriceSource {
    /// The built-in tables.
    Catalogue(CataloguePrices),
}

impl PriceSource {
    /// Which it is.
    #[must_use]
    pub const fn provider(&self) -> PriceProvider {
        match self {
            Self::Catalogue(_) => PriceProvider::Catalogue,
        }
    }

    /// Asks for all regions; a type of machine that is not listed has no known price.
    #[expect(clippy::unused_async, reason = "providers that are asked over a network wait here")]
    pub async fn fetch(&self, regions: &Regions) -> BTreeMap<RegionName, Vec<Price>> {
        match self {
            Self::Catalogue(catalogue) => catalogue.read(regions),
        }
    }
}
