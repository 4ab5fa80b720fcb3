//! What a machine costs, with its provenance.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::reading::CLOCK_SKEW;
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

    /// Whether a feed reported it longer ago than `max_age`; or at a time to come, which no feed does and which would never grow old.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp, max_age: SignedDuration) -> bool {
        self.reported_at.is_some_and(|reported_at| {
            let age = now.duration_since(reported_at);
            age > max_age || age < -CLOCK_SKEW
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::within(-3600, false)]
    #[case::too_old(-3601, true)]
    #[case::by_a_clock_that_is_ahead(300, false)]
    #[case::of_a_time_to_come(301, true)]
    fn a_price_is_stale_when_it_is_old_and_when_it_cannot_have_been_said(
        #[case] reported_seconds: i64,
        #[case] expected: bool,
    ) {
        let now = Timestamp::from_second(1_795_435_200).unwrap();
        let price = Price {
            instance_type: "m5.large".into(),
            capacity_type: CapacityType::OnDemand,
            per_hour: UsdPerHour(0.1),
            precision: UsdPerHour(0.0),
            provider: PriceProvider::AzureRetail,
            reported_at: Some(now + SignedDuration::from_secs(reported_seconds)),
            interruption: None,
        };
        assert_eq!(price.is_stale(now, SignedDuration::from_hours(1)), expected);
    }
}
