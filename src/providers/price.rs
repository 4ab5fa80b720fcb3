//! Prices: what each provider says machines cost.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use super::FetchError;
use super::grid::{Asked, Reach};
use crate::domain::snapshot::{Price, PriceProvider};
use crate::domain::{RegionName, Regions};

mod answer;
mod aws_spot_advisor;
mod azure_retail;
mod catalogue;
mod file;

pub use answer::AddressError;
pub use aws_spot_advisor::AwsSpotAdvisor;
pub use azure_retail::{AzureRetail, Listing};
pub use catalogue::CataloguePrices;
pub use file::{FilePrices, PriceFileError, TableError};

/// Prices by region. A region that is absent is one there is no news of: its last prices stand until they are too old.
/// A region that is there is known whole: a type of machine that is not listed has no known price.
pub type PricesByRegion = BTreeMap<RegionName, Vec<Price>>;

/// One provider of prices.
pub trait PriceSource: Send + Sync + fmt::Debug {
    /// Which it is.
    fn provider(&self) -> PriceProvider;

    /// How it is reached: what is in this process, or in a file of its, is read anew by each process.
    fn reach(&self) -> Reach {
        Reach::Network
    }

    /// What it knows without asking anybody: what there is until its first answer.
    fn beforehand(&self, _regions: &Regions) -> PricesByRegion {
        PricesByRegion::new()
    }

    /// What its last answer lacks, and why, when it was one and is not whole.
    fn shortfall(&self) -> Option<FetchError> {
        None
    }

    /// Asks for all regions at once.
    fn ask<'a>(&'a self, regions: &'a Regions, now: Timestamp) -> Asked<'a, PricesByRegion>;
}
