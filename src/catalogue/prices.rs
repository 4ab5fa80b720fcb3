//! List prices on demand, and what spot saves against them, each with the precision its source has.
//!
//! Prices are of the day they carry. Nothing here makes one up from another: a type that is priced in one region is
//! not thereby priced in the next, nor a large one by its small sibling.

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

use super::instances::Instances;
use super::regions::Regions;
use super::table::{CatalogueError, Keyed, Row, Sorted, Table};
use crate::domain::units::UsdPerHour;

const ON_DEMAND: Table = Table {
    file: "prices_on_demand.csv",
    columns: &["region", "instance_type", "usd_per_hour", "precision_usd_per_hour", "as_of", "source"],
};

const SPOT_SAVINGS: Table = Table {
    file: "spot_savings.csv",
    columns: &["region", "instance_type", "saving_percent", "interruption_band", "as_of", "source"],
};

/// A tenth of a cent; nothing that runs a pod is cheaper.
const LEAST_PRICE: f64 = 0.001;
/// Above the dearest GPU machine whose price is in the table, so that a slipped decimal point is noticed.
const HIGHEST_PRICE: f64 = 100.0;
/// The advisor states whole percents: the saving lies within half of one, and so does the price, of the on-demand one.
const SAVING_HALF_WIDTH: f64 = 0.005;

/// The on-demand list price of an instance type in a region: Linux, no commitment.
#[derive(Clone, Debug)]
pub struct OnDemand {
    /// The region.
    pub region: Arc<str>,
    /// The instance type.
    pub instance_type: Arc<str>,
    /// The price.
    pub price: UsdPerHour,
    /// How far the price may be off, up or down: half of its source's last digit, 0 where the list price has no more.
    pub precision: UsdPerHour,
    /// The day it was valid; the first of the month or year where the source names no more.
    pub as_of: Date,
    /// Key into `docs/catalogue.md`.
    pub source: Arc<str>,
}

/// What spot saves against on-demand, and how often it is taken away.
#[derive(Clone, Debug)]
pub struct SpotSaving {
    /// The region.
    pub region: Arc<str>,
    /// The instance type.
    pub instance_type: Arc<str>,
    /// Percent off the on-demand price, whole percents, the mean of a month.
    pub saving_percent: u8,
    /// How often instances were interrupted in that month.
    pub interruption: InterruptionBand,
    /// The day it was valid; the first of the month.
    pub as_of: Date,
    /// Key into `docs/catalogue.md`.
    pub source: Arc<str>,
}

/// A spot price computed from the saving and the on-demand price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// The price: on-demand less the saving.
    pub price: UsdPerHour,
    /// How far the price may be off, up or down: half a percent of the on-demand price, and the on-demand price's own
    /// precision in the part that is left.
    pub precision: UsdPerHour,
    /// How often instances were interrupted.
    pub interruption: InterruptionBand,
    /// The day the saving was valid; the on-demand price has its own.
    pub as_of: Date,
}

impl OnDemand {
    /// What a saving of whole percents leaves of this price, and how far that may be off, up or down: half a percent of
    /// this price, and this price's own precision in the part that is left.
    #[must_use]
    pub fn less(&self, saving_percent: u8) -> (UsdPerHour, UsdPerHour) {
        let left = 1.0 - f64::from(saving_percent) / 100.0;
        (self.price * left, self.price * SAVING_HALF_WIDTH + self.precision * left)
    }
}

impl SpotSaving {
    /// The price this saving leaves of an on-demand price.
    #[must_use]
    pub fn off(&self, on_demand: &OnDemand) -> Spot {
        let (price, precision) = on_demand.less(self.saving_percent);
        Spot { price, precision, interruption: self.interruption, as_of: self.as_of }
    }
}

/// The share of spot instances that were interrupted within a month, as the advisor groups it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InterruptionBand {
    /// Under 5 %.
    Under5,
    /// 5 to 10 %.
    From5To10,
    /// 10 to 15 %.
    From10To15,
    /// 15 to 20 %.
    From15To20,
    /// Above 20 %.
    Over20,
}

impl InterruptionBand {
    /// By the number the advisor gives it, 0 to 4.
    #[must_use]
    pub fn from_index(index: u8) -> Option<Self> {
        match index {
            0 => Some(Self::Under5),
            1 => Some(Self::From5To10),
            2 => Some(Self::From10To15),
            3 => Some(Self::From15To20),
            4 => Some(Self::Over20),
            _ => None,
        }
    }

    /// By the words the advisor has for it (`<5%`, `5-10%`), however they are spaced.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Self> {
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        (0..).map_while(Self::from_index).find(|band| bare(band.as_str()) == bare(label))
    }

    /// As people read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Under5 => "<5 %",
            Self::From5To10 => "5-10 %",
            Self::From10To15 => "10-15 %",
            Self::From15To20 => "15-20 %",
            Self::Over20 => ">20 %",
        }
    }
}

impl fmt::Display for InterruptionBand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Keyed for OnDemand {
    fn key(&self) -> [&str; 3] {
        [&self.region, &self.instance_type, ""]
    }
}

impl Keyed for SpotSaving {
    fn key(&self) -> [&str; 3] {
        [&self.region, &self.instance_type, ""]
    }
}

/// `prices_on_demand.csv` and `spot_savings.csv`.
#[derive(Clone, Debug)]
pub(super) struct Prices {
    on_demand: Sorted<OnDemand>,
    spot_savings: Sorted<SpotSaving>,
}

impl Prices {
    pub(super) fn read(
        on_demand: &str,
        spot_savings: &str,
        regions: &Regions,
        instances: &Instances,
    ) -> Result<Self, CatalogueError> {
        let on_demand = ON_DEMAND.read(on_demand, |row| {
            let (region, instance_type) = sold(row, regions, instances)?;
            let price = row.number("usd_per_hour", LEAST_PRICE..=HIGHEST_PRICE)?;
            Ok(OnDemand {
                region,
                instance_type,
                price: UsdPerHour(price),
                precision: UsdPerHour(row.number("precision_usd_per_hour", 0.0..=price)?),
                as_of: date(row)?,
                source: row.text("source")?.into(),
            })
        })?;
        let spot_savings = SPOT_SAVINGS.read(spot_savings, |row| {
            let (region, instance_type) = sold(row, regions, instances)?;
            let saving_percent = row.parsed("saving_percent", "a whole number from 0 to 99")?;
            if saving_percent > 99 {
                return Err(row.invalid("saving_percent", "a whole number from 0 to 99"));
            }
            let band = row.parsed("interruption_band", "a whole number from 0 to 4")?;
            let interruption = InterruptionBand::from_index(band)
                .ok_or_else(|| row.invalid("interruption_band", "a whole number from 0 to 4"))?;
            let source = row.text("source")?.into();
            Ok(SpotSaving { region, instance_type, saving_percent, interruption, as_of: date(row)?, source })
        })?;
        Ok(Self { on_demand, spot_savings })
    }

    pub(super) fn in_region(&self, region: &str) -> &[OnDemand] {
        self.on_demand.starting_with(region)
    }

    pub(super) fn on_demand(&self, region: &str, instance_type: &str) -> Option<&OnDemand> {
        self.on_demand.find([region, instance_type, ""])
    }

    pub(super) fn spot_saving(&self, region: &str, instance_type: &str) -> Option<&SpotSaving> {
        self.spot_savings.find([region, instance_type, ""])
    }
}

/// The region and the type of a row, which must be known and of one provider.
fn sold(
    row: &Row<'_>,
    regions: &Regions,
    instances: &Instances,
) -> Result<(Arc<str>, Arc<str>), CatalogueError> {
    let region = row.text("region")?;
    let provider =
        regions.find(region).ok_or_else(|| row.invalid("region", "a region of regions.csv"))?.provider;
    let instance =
        instances.find(row.text("instance_type")?).filter(|instance| instance.provider == provider);
    let instance = instance.ok_or_else(|| {
        row.invalid("instance_type", format!("a type that instances.csv has for `{}`", provider.as_str()))
    })?;
    Ok((region.into(), instance.name.clone()))
}

fn date(row: &Row<'_>) -> Result<Date, CatalogueError> {
    row.parsed("as_of", "a date such as 2026-06-18")
}
