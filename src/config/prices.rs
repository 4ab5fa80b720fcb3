//! `prices`: where prices come from and what every region is priced at.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::choices::choices;
use super::facts::RegionFacts;
use super::grid::read_ages;
use super::name::{WEB, address, instance_type};
use super::reader::Section;
use super::region_tables::Joined;
use super::value::{choice, path};
use crate::domain::region::CloudProvider;
use crate::domain::snapshot::CapacityType;

/// The public feed of the AWS spot instance advisor.
const AWS_SPOT_ADVISOR: &str = "https://spot-bid-advisor.s3.amazonaws.com/spot-advisor-data.json";
/// Azure's public list of retail prices.
const AZURE_RETAIL: &str = "https://prices.azure.com/api/retail/prices";

choices! {
    /// Where prices come from.
    PriceProviderKind {
        /// The built-in tables.
        Catalogue = "catalogue",
        /// The AWS spot instance advisor's percentages, off the built-in tables.
        AwsSpotAdvisor = "aws-spot-advisor",
        /// Azure's list of retail prices.
        AzureRetail = "azure-retail",
        /// A file of the operator's.
        File = "file",
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
    /// The operator's prices; there exactly when they are asked.
    pub file: Option<PathBuf>,
    /// Where the feed of the AWS spot instance advisor is, when it is asked.
    pub aws_spot_advisor_url: String,
    /// Where Azure's list of retail prices is, when it is asked.
    pub azure_retail_url: String,
}

pub(super) fn read(prices: &mut Section<'_>, facts: &dyn RegionFacts, joined: &Joined) -> PriceSettings {
    let provider = prices.read(
        "provider",
        PriceProviderKind::Catalogue,
        choice("prices.provider", PriceProviderKind::ALL),
    );
    let capacity_type =
        prices.read("capacityType", CapacityType::OnDemand, choice("prices.capacityType", CAPACITY_TYPES));
    let instance_type = prices.read("instanceType", "m5.xlarge".to_owned(), instance_type);
    warn_of_instance_type(prices, &instance_type, provider, facts);
    let (refresh, max_age) = read_ages(prices, Duration::from_hours(1), Duration::from_hours(48));
    let file = prices.optional("file", path);
    let asks_file = provider == PriceProviderKind::File;
    if asks_file {
        prices.missing("file", "give the CSV file of the prices");
    }
    let aws_spot_advisor_url = read_url(prices, "awsSpotAdvisor", AWS_SPOT_ADVISOR);
    let azure_retail_url = read_url(prices, "azureRetail", AZURE_RETAIL);
    warn_of_unpriced(prices, provider, capacity_type, joined);
    PriceSettings {
        provider,
        capacity_type,
        instance_type: instance_type.into(),
        refresh,
        max_age,
        file: file.filter(|_| asks_file),
        aws_spot_advisor_url,
        azure_retail_url,
    }
}

fn read_url(prices: &mut Section<'_>, key: &'static str, default: &str) -> String {
    prices.section(key, |section| section.read("url", default.to_owned(), address(WEB)))
}

fn warn_of_instance_type(
    prices: &mut Section<'_>,
    name: &str,
    provider: PriceProviderKind,
    facts: &dyn RegionFacts,
) {
    const CONSEQUENCE: &str = "pods that name no type of their own have no price";
    // Every machine of Azure's is called one or the other.
    let is_azures = name.starts_with("Standard_") || name.starts_with("Basic_");
    if !facts.knows_instance_type(name) {
        prices.warn("instanceType", &format!("{name} is not in the catalogue: {CONSEQUENCE}"));
    } else if provider == PriceProviderKind::AzureRetail && !is_azures {
        prices.warn(
            "instanceType",
            &format!("{name} is no machine of Azure's, the only ones that {provider} prices: {CONSEQUENCE}"),
        );
    }
}

/// Names the regions that the provider can never price, and that have no price of their own.
fn warn_of_unpriced(
    prices: &mut Section<'_>,
    provider: PriceProviderKind,
    capacity_type: CapacityType,
    joined: &Joined,
) {
    let (cloud, capacity) = match (provider, capacity_type) {
        (PriceProviderKind::AzureRetail, _) => (CloudProvider::Azure, ""),
        (PriceProviderKind::AwsSpotAdvisor, CapacityType::Spot) => (CloudProvider::Aws, "spot "),
        (PriceProviderKind::AwsSpotAdvisor, CapacityType::OnDemand) => {
            if !joined.regions.iter().any(|(_, region)| region.provider == CloudProvider::Aws) {
                let text = format!(
                    "{provider} knows regions of aws only, and there is none: all prices are built in"
                );
                prices.warn("provider", &text);
            }
            return;
        }
        (PriceProviderKind::Catalogue | PriceProviderKind::File, _) => return,
    };
    let unpriced: Vec<&str> = joined
        .regions
        .iter()
        .filter(|(id, region)| region.provider != cloud && !joined.per_vcpu.contains_key(id))
        .map(|(_, region)| region.name.as_str())
        .collect();
    if !unpriced.is_empty() {
        let (cloud, unpriced) = (cloud.as_str(), unpriced.join(", "));
        prices.warn(
            "provider",
            &format!(
                "{provider} has {capacity}prices of {cloud} only: no pod goes to {unpriced} without one"
            ),
        );
    }
}
