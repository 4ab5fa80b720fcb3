//! The AWS spot advisor's public feed: what spot saves against on-demand, off the built-in on-demand prices.
//!
//! The feed has no prices of its own, only whole percents, so a spot price here is as exact as those. On-demand prices
//! are the catalogue's, and say so; so are those of regions that are not Amazon's, which have no spot price here.

use std::sync::Arc;

use http::HeaderMap;
use http::header::LAST_MODIFIED;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Url;

use self::feed::{Advice, Feed};
use super::answer::{AddressError, accepted, address};
use super::catalogue::on_demand;
use super::{PriceSource, PricesByRegion};
use crate::catalogue::{Catalogue, OnDemand};
use crate::domain::region::CloudProvider;
use crate::domain::snapshot::{CapacityType, Failure, Price, PriceProvider};
use crate::domain::{Region, RegionName, Regions};
use crate::providers::FetchError;
use crate::providers::grid::Asked;
use crate::providers::web::Web;

mod feed;

const SETTING: &str = "prices.awsSpotAdvisor.url";
/// The feed had 0.92 MB in July 2025, with 33 regions; this leaves room to grow eightfold.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Asks for the feed.
#[derive(Clone, Debug)]
pub struct AwsSpotAdvisor {
    web: Web,
    url: Url,
    catalogue: Arc<Catalogue>,
}

impl AwsSpotAdvisor {
    /// Of the feed at this address, with the on-demand prices of this catalogue.
    ///
    /// # Errors
    /// The address is none of HTTP, or holds a user or password.
    pub fn new(web: Web, url: &str, catalogue: Arc<Catalogue>) -> Result<Self, AddressError> {
        Ok(Self { web, url: address(SETTING, url)?, catalogue })
    }

    /// The catalogue's, which the feed only takes from.
    fn on_demand(&self, regions: &Regions) -> PricesByRegion {
        regions
            .iter()
            .map(|(_, region)| (region.name.clone(), self.listed(region).map(on_demand).collect()))
            .collect()
    }

    async fn read(&self, regions: &Regions, now: Timestamp) -> Result<PricesByRegion, FetchError> {
        let mut prices = self.on_demand(regions);
        let amazons: Vec<&Region> = regions
            .iter()
            .map(|(_, region)| region)
            .filter(|region| region.provider == CloudProvider::Aws && self.listed(region).next().is_some())
            .collect();
        if amazons.is_empty() {
            // The feed can add nothing.
            return Ok(prices);
        }
        let page = self.web.get(self.url.clone(), HeaderMap::new(), MOST_BYTES).await?;
        let (headers, body) = accepted(page, SETTING)?;
        let reported_at = last_modified(&headers).map_or(now, |at| at.min(now));
        let names = amazons.iter().map(|region| &region.name);
        for (name, spot) in Self::read_feed(&body, names, &self.catalogue, reported_at)? {
            prices.entry(name).or_default().extend(spot);
        }
        Ok(prices)
    }

    /// The spot prices that a feed comes to, of those regions it names, with the on-demand prices of a catalogue.
    ///
    /// # Errors
    /// It is no feed, or names none of the regions.
    pub fn read_feed<'r>(
        body: &[u8],
        regions: impl Iterator<Item = &'r RegionName>,
        catalogue: &Catalogue,
        reported_at: Timestamp,
    ) -> Result<PricesByRegion, FetchError> {
        let feed = Feed::read(body)?;
        let mut prices = PricesByRegion::new();
        for name in regions {
            let Some(advice) = feed.region(name.as_str())? else { continue };
            let listed = catalogue.prices_in(name.as_str());
            let spot = listed.filter_map(|listed| spot(listed, &advice, reported_at));
            prices.insert(name.clone(), spot.collect());
        }
        if prices.is_empty() {
            let detail = format!("the feed names none of the configured AWS regions: check `{SETTING}`");
            return Err(FetchError::new(Failure::NoData, detail));
        }
        Ok(prices)
    }

    fn listed<'a>(&'a self, region: &'a Region) -> impl Iterator<Item = &'a OnDemand> {
        self.catalogue.prices_in(region.name.as_str())
    }
}

impl PriceSource for AwsSpotAdvisor {
    fn provider(&self) -> PriceProvider {
        PriceProvider::AwsSpotAdvisor
    }

    fn beforehand(&self, regions: &Regions) -> PricesByRegion {
        self.on_demand(regions)
    }

    fn ask<'a>(&'a self, regions: &'a Regions, now: Timestamp) -> Asked<'a, PricesByRegion> {
        Box::pin(self.read(regions, now))
    }
}

/// The spot price of a machine, where the feed states what it saves.
fn spot(listed: &OnDemand, advice: &Advice<'_>, reported_at: Timestamp) -> Option<Price> {
    let said = advice.of(&listed.instance_type)?;
    let (per_hour, precision) = listed.less(said.saving_percent);
    Some(Price {
        instance_type: listed.instance_type.clone(),
        capacity_type: CapacityType::Spot,
        per_hour,
        precision,
        provider: PriceProvider::AwsSpotAdvisor,
        reported_at: Some(reported_at),
        interruption: said.interruption.map(|band| band.as_str().into()),
    })
}

/// When the feed was written; dates of HTTP are those of mail, always in GMT.
fn last_modified(headers: &HeaderMap) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(headers.get(LAST_MODIFIED)?.to_str().ok()?.trim()).ok()
}
