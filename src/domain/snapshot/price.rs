//! What a machine costs, with its provenance.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::units::UsdPerHour;

/// Who said what a machine costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PriceProvider {
    /// The built-in price tables.
    Catalogue,
    /// The configuration: `priceUsdPerVcpuHour` of a region.
    Configuration,
    /// The public feed of the AWS spot instance advisor, off the built-in on-demand prices.
    AwsSpotAdvisor,
    /// Azure's public list of retail prices.
    AzureRetail,
    /// A file of the operator's.
    File,
}

impl PriceProvider {
    /// Its name in configuration, metrics and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Configuration => "configuration",
            Self::AwsSpotAdvisor => "aws-spot-advisor",
            Self::AzureRetail => "azure-retail",
            Self::File => "file",
        }
    }
}

/// What kind of capacity a price is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CapacityType {
    /// Kept until given back.
    OnDemand,
    /// May be taken away at short notice.
    Spot,
}

impl CapacityType {
    /// Its name in configuration, metrics and records.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnDemand => "on-demand",
            Self::Spot => "spot",
        }
    }
}

/// What one machine of a type costs in one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// The machine, by its provider's name.
    pub instance_type: Arc<str>,
    /// The capacity.
    pub capacity_type: CapacityType,
    /// The price.
    pub per_hour: UsdPerHour,
    /// Half the width of what the source cannot tell apart; a difference within the two sides' sum is no difference.
    pub precision: UsdPerHour,
    /// Who said it.
    pub provider: PriceProvider,
    /// When a feed reported it; `None` for a table, which has an edition instead of an age.
    pub reported_at: Option<Timestamp>,
    /// For spot: how often such capacity is taken away within a month, in the source's own bands.
    pub interruption: Option<Arc<str>>,
}

/// More than any machine costs, in USD an hour: what is above it was misread somewhere.
const HIGHEST: f64 = 10_000.0;

impl Price {
    /// Whether a machine can cost that.
    pub(super) fn can_be(&self) -> bool {
        (0.0..=HIGHEST).contains(&self.per_hour.0) && (0.0..=HIGHEST).contains(&self.precision.0)
    }

    /// Whether a feed reported it longer ago than `max_age`.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp, max_age: SignedDuration) -> bool {
        self.reported_at.is_some_and(|reported_at| now.duration_since(reported_at) > max_age)
    }
}
