//! The list's JSON, and which of its items are the price of a Linux machine by the hour.
//!
//! The list mixes what is sold under one type's name: with Windows, for Cloud Services, at low priority, reserved, for
//! development, in tiers. Everything here is about telling those apart; what is not surely a price is none.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::snapshot::{CapacityType, Price, PriceProvider};
use crate::domain::units::UsdPerHour;
use crate::providers::FetchError;
use crate::providers::price::answer::unreadable;

/// One page of the list, its items unread.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
    #[serde(borrow)]
    next_page_link: Option<Cow<'a, str>>,
}

/// What is needed of an item.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    currency_code: String,
    tier_minimum_units: f64,
    retail_price: f64,
    arm_region_name: String,
    effective_start_date: Timestamp,
    meter_name: String,
    product_name: String,
    unit_of_measure: String,
    #[serde(rename = "type")]
    price_type: String,
    #[serde(default)]
    is_primary_meter_region: bool,
    arm_sku_name: String,
}

/// Of several items for the same machine the greatest counts: the meter's own region before another one's, then the
/// one that took effect last.
type Rank = (bool, Timestamp);

/// The prices of one region, as they come in.
#[derive(Debug)]
pub struct Listing<'a> {
    region: &'a str,
    types: &'a [Arc<str>],
    now: Timestamp,
    /// No price when two items of the same rank contradict each other.
    best: BTreeMap<(Arc<str>, CapacityType), (Rank, Option<f64>)>,
}

impl<'a> Page<'a> {
    /// Reads the outer shape.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, FetchError> {
        serde_json::from_slice(body).map_err(|error| unreadable("the list", &error))
    }

    /// Where the list goes on, if it does.
    pub(super) fn next(&self) -> Option<&str> {
        self.next_page_link.as_deref().filter(|link| !link.is_empty())
    }
}

impl<'a> Listing<'a> {
    /// Nothing yet, of these types in this region.
    #[must_use]
    pub const fn new(region: &'a str, types: &'a [Arc<str>], now: Timestamp) -> Self {
        Self { region, types, now, best: BTreeMap::new() }
    }

    /// Takes what a body has; gives the address where the list goes on, if it does.
    ///
    /// # Errors
    /// It is no page of the list, or not one of its items can be read.
    pub fn read(&mut self, body: &[u8]) -> Result<Option<String>, FetchError> {
        let page = Page::read(body)?;
        self.take(&page)?;
        Ok(page.next().map(str::to_owned))
    }

    /// Takes what a page has. An item that cannot be read is passed over.
    ///
    /// # Errors
    /// Not one of its items can be read: the list has changed its shape, which does not mean that nothing is sold.
    pub(super) fn take(&mut self, page: &Page<'_>) -> Result<(), FetchError> {
        let mut first_error = None;
        let mut read = 0_usize;
        for text in &page.items {
            match serde_json::from_str::<Item>(text.get()) {
                Ok(item) => {
                    read += 1;
                    self.take_item(&item);
                }
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        match first_error {
            Some(error) if read == 0 => Err(unreadable("every item of the list, the first one too,", &error)),
            _ => Ok(()),
        }
    }

    fn take_item(&mut self, item: &Item) {
        let Some(capacity_type) = item.capacity_type() else { return };
        let known = self.types.iter().find(|name| ***name == *item.arm_sku_name);
        let Some(instance_type) = known.filter(|_| item.arm_region_name == self.region) else { return };
        if item.effective_start_date > self.now {
            return;
        }
        let rank = (item.is_primary_meter_region, item.effective_start_date);
        let price = Some(item.retail_price);
        let entry = self.best.entry((instance_type.clone(), capacity_type)).or_insert((rank, price));
        if rank > entry.0 {
            *entry = (rank, price);
        } else if rank == entry.0 && entry.1 != price {
            entry.1 = None;
        }
    }

    /// What is known when every page was taken.
    #[must_use]
    pub fn prices(self) -> Vec<Price> {
        let now = self.now;
        let known = |((instance_type, capacity_type), (_, price)): (_, (Rank, Option<f64>))| {
            Some(Price {
                instance_type,
                capacity_type,
                per_hour: UsdPerHour(price?),
                // The list is what is charged, to its last digit.
                precision: UsdPerHour::ZERO,
                provider: PriceProvider::AzureRetail,
                reported_at: Some(now),
                interruption: None,
            })
        };
        self.best.into_iter().filter_map(known).collect()
    }
}

impl Item {
    /// The capacity this is the hourly price of; `None` when it is the price of something else.
    fn capacity_type(&self) -> Option<CapacityType> {
        let by_the_hour = self.unit_of_measure == "1 Hour" && self.tier_minimum_units == 0.0;
        let pay_as_you_go = self.price_type == "Consumption" && self.currency_code == "USD";
        // Types that are announced and not yet sold stand there with 0.
        let is_price = self.retail_price.is_finite() && self.retail_price > 0.0;
        if !(by_the_hour && pay_as_you_go && is_price) || self.has_more_than_the_machine() {
            return None;
        }
        if self.meter_name.ends_with(" Low Priority") {
            // What spot replaced; still listed, below what spot costs.
            None
        } else if self.meter_name.ends_with(" Spot") {
            Some(CapacityType::Spot)
        } else {
            Some(CapacityType::OnDemand)
        }
    }

    /// A licence for Windows, or the platform of that name, which is billed under the same types at its own rate.
    fn has_more_than_the_machine(&self) -> bool {
        let product = &self.product_name;
        product.ends_with(" Windows")
            || product.contains("Cloud Services")
            || product.contains("CloudServices")
    }
}

#[cfg(test)]
mod tests;
