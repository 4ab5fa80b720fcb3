//! `prices`: where prices come from and what every region is priced at.

use std::sync::Arc;
use std::time::Duration;

use super::choices::choices;
use super::facts::RegionFacts;
use super::grid::read_ages;
use super::name::{address, instance_type};
use super::reader::Section;
use super::value::{choice, path};
use crate::domain::snapshot::CapacityType;

choices! {
    /// Where prices come from.
    PriceProviderKind {
        /// The built-in tables.
        Catalogue = "catalogue",
    }
}

const CAPACITY_TYPES: &[(&str, CapacityType)] = &[
    (CapacityType::OnDemand.as_str(), CapacityType::OnDemand),
    (CapacityType::Spot.as_str(), CapacityType::Spot),
];

/// Where prices come from and what every region is priced at.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceSettings {
    /// Asked for prices.
    pub provider: PriceProviderKind,
    /// What every region is priced at; what a pod really cost goes by its node's own label.
    pub capacity_type: CapacityType,
    /// The machine to price when neither the pod nor the region's nodes tell.
    pub instance_type: Arc<str>,
    /// Time between two fetches.
    pub refresh: Duration,
    /// Age at which a reported price is stale. Not below `refresh`.
    pub max_age: Duration,
}

pub(super) fn read(prices: &mut Section<'_>, facts: &dyn RegionFacts) -> PriceSettings {
    const WEB: &[&str] = &["https://", "http://"];
    let provider = prices.read(
        "provider",
        PriceProviderKind::Catalogue,
        choice("prices.provider", PriceProviderKind::ALL),
    );
    let capacity_type =
        prices.read("capacityType", CapacityType::OnDemand, choice("prices.capacityType", CAPACITY_TYPES));
    let instance_type = prices.read("instanceType", "m5.xlarge".to_owned(), instance_type);
    if !facts.knows_instance_type(&instance_type) {
        prices.warn(
            "instanceType",
            &format!(
                "{instance_type} is not in the catalogue: pods that name no type of their own have no price"
            ),
        );
    }
    let (refresh, max_age) = read_ages(prices, Duration::from_hours(1), Duration::from_hours(48));
    // The settings of providers this version does not have: known keys, checked and not kept.
    prices.optional("file", path);
    prices.section("awsSpotAdvisor", |advisor| advisor.optional("url", address(WEB)));
    prices.section("azureRetail", |retail| retail.optional("url", address(WEB)));
    PriceSettings { provider, capacity_type, instance_type: instance_type.into(), refresh, max_age }
}
