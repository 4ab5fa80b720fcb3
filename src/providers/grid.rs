//! Grid data: one question to each provider, "what is the carbon intensity of these regions now?".

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::snapshot::{GridProvider, GridReading};
use crate::domain::{RegionName, Regions};

mod catalogue;
mod chain;
mod mock;

pub use catalogue::CatalogueGrid;
pub use chain::{Fetched, GridChain};
pub use mock::MockGrid;

/// A provider could not answer at all; regions it knows nothing of are [`GridReading::Missing`] instead.
#[derive(Debug, thiserror::Error)]
pub enum GridError {
    /// The mock grid was unplugged.
    #[error("the mock grid is unplugged")]
    Unplugged,
}

/// One provider of grid data.
#[derive(Clone, Debug)]
pub enum GridSource {
    /// Values set by hand.
    Mock(Arc<MockGrid>),
    /// The built-in climatology.
    Catalogue(CatalogueGrid),
}

impl GridSource {
    /// Which it is.
    #[must_use]
    pub const fn provider(&self) -> GridProvider {
        match self {
            Self::Mock(_) => GridProvider::Mock,
            Self::Catalogue(_) => GridProvider::Catalogue,
        }
    }

    /// Asks for all regions.
    ///
    /// # Errors
    /// The provider cannot answer at all.
    #[expect(clippy::unused_async, reason = "providers that are asked over a network wait here")]
    pub async fn fetch(
        &self,
        regions: &Regions,
        now: Timestamp,
    ) -> Result<BTreeMap<RegionName, GridReading>, GridError> {
        match self {
            Self::Mock(mock) => mock.read(regions, now),
            Self::Catalogue(catalogue) => Ok(catalogue.read(regions, now)),
        }
    }
}
