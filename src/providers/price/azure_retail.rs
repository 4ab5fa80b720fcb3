//! Azure's public list of retail prices: on-demand and spot, Linux, pay as you go, in US dollars.
//!
//! One question a region, for the types the catalogue knows and those that are named. Regions of other clouds have no
//! price here. A region whose question fails is absent from the answer, as long as another one's did not.

use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use jiff::Timestamp;
use reqwest::Url;

use self::question::{following, question};
use self::rounds::Rounds;
use super::answer::{AddressError, accepted, address_without_query};
use super::{PriceSource, PricesByRegion};
use crate::catalogue::Catalogue;
use crate::domain::region::CloudProvider;
use crate::domain::snapshot::{Failure, Price, PriceProvider};
use crate::domain::{RegionName, Regions};
use crate::providers::FetchError;
use crate::providers::grid::Asked;
use crate::providers::web::Web;

mod list;
mod question;
mod rounds;

pub use list::Listing;

const SETTING: &str = "prices.azureRetail.url";
/// A page has at most 1,000 items of under 1 kB (the documentation's sample item has 0.7 kB).
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// A type has a few meters a region (on-demand, spot, low priority; each with Windows and without), so that all types
/// of the catalogue fit into one page: more than this is an answer to another question.
const MOST_PAGES: usize = 10;
/// After so many regions failed the others are left for the next round: each may take as long as patience lasts.
const MOST_FAILURES: usize = 3;

/// Asks for the list.
#[derive(Debug)]
pub struct AzureRetail {
    web: Web,
    url: Url,
    types: Vec<Arc<str>>,
    rounds: Mutex<Rounds>,
    /// What the last answer lacks, and why.
    shortfall: Mutex<Option<FetchError>>,
}

impl AzureRetail {
    /// Of the list at this address, for the catalogue's Azure types and for those named besides; of these, types the
    /// catalogue knows to be another cloud's are not asked for.
    ///
    /// # Errors
    /// The address is none of HTTP, holds a user or password, or has a query: the questions are put there.
    pub fn new(
        web: Web,
        url: &str,
        catalogue: &Catalogue,
        more_types: impl IntoIterator<Item = Arc<str>>,
    ) -> Result<Self, AddressError> {
        let of_azure = |name: &str| {
            catalogue.instance(name).is_none_or(|instance| instance.provider == CloudProvider::Azure)
        };
        let mut types: Vec<Arc<str>> = catalogue.instances().map(|instance| instance.name.clone()).collect();
        types.extend(more_types);
        types.retain(|name| of_azure(name));
        types.sort_unstable();
        types.dedup();
        let url = address_without_query(SETTING, url)?;
        Ok(Self { web, url, types, rounds: Mutex::default(), shortfall: Mutex::default() })
    }

    async fn read(&self, regions: &Regions, now: Timestamp) -> Result<PricesByRegion, FetchError> {
        let of_azure = |provider| provider == CloudProvider::Azure;
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            regions.iter().map(|(_, region)| region).partition(|region| of_azure(region.provider));
        let mut prices: PricesByRegion =
            elsewhere.iter().map(|region| (region.name.clone(), Vec::new())).collect();
        let mut waiting = self.rounds().order(here.iter().map(|region| region.name.clone())).into_iter();
        let mut failed: Vec<(RegionName, FetchError)> = Vec::new();
        let mut answered = 0_usize;
        for region in waiting.by_ref() {
            match self.region(&region, now).await {
                Ok(list) => {
                    answered += 1;
                    prices.insert(region, list);
                }
                Err(error) => {
                    let throttled = error.failure == Failure::Throttled;
                    failed.push((region, error));
                    if throttled || failed.len() >= MOST_FAILURES {
                        break;
                    }
                }
            }
        }
        self.rounds().over(&failed, waiting.collect());
        let first = failed.into_iter().next();
        let first = first.map(|(region, error)| FetchError {
            detail: format!("{region}: {}", error.detail).into(),
            ..error
        });
        self.shortfall.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&first);
        match first {
            Some(error) if answered == 0 => Err(error),
            _ => Ok(prices),
        }
    }

    /// Everything the list has of a region.
    async fn region(&self, region: &RegionName, now: Timestamp) -> Result<Vec<Price>, FetchError> {
        let mut listing = Listing::new(region.as_str(), &self.types, now);
        let mut asked: Vec<Url> = Vec::new();
        let mut next = Some(question(&self.url, region.as_str(), &self.types));
        while let Some(url) = next {
            if asked.len() >= MOST_PAGES {
                return Err(misled(&format!("has more than {MOST_PAGES} pages")));
            }
            if asked.contains(&url) {
                return Err(misled("leads back to a page that was read"));
            }
            let page = self.web.get(url.clone(), HeaderMap::new(), MOST_BYTES).await?;
            let (_, body) = accepted(page, SETTING)?;
            next = match listing.read(&body)? {
                Some(link) => Some(following(&link, &self.url).map_err(misled)?),
                None => None,
            };
            asked.push(url);
        }
        Ok(listing.prices())
    }

    /// Nothing is awaited while it is held, and what it holds is whole at every moment.
    fn rounds(&self) -> std::sync::MutexGuard<'_, Rounds> {
        self.rounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PriceSource for AzureRetail {
    fn provider(&self) -> PriceProvider {
        PriceProvider::AzureRetail
    }

    fn shortfall(&self) -> Option<FetchError> {
        self.shortfall.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn ask<'a>(&'a self, regions: &'a Regions, now: Timestamp) -> Asked<'a, PricesByRegion> {
        Box::pin(self.read(regions, now))
    }
}

fn misled(why: &str) -> FetchError {
    FetchError::new(Failure::Unreadable, format!("the list {why}: check `{SETTING}`"))
}
