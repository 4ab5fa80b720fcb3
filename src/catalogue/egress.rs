//! What each provider charges for data that leaves a region.
//!
//! A provider prices by groups of regions: Azure and Google by part of the world, AWS by pairs, so that each of its
//! regions is a group of its own. Prices are those of the first tier; volume discounts are not modelled.

use std::sync::Arc;

use super::regions::RegionRow;
use super::table::{CatalogueError, Keyed, Sorted, Table};
use crate::domain::region::CloudProvider;
use crate::domain::units::UsdPerGb;

const EGRESS: Table =
    Table { file: "egress.csv", columns: &["provider", "from_group", "to_group", "usd_per_gb", "source"] };

/// The group of everything outside the provider.
const INTERNET: &str = "internet";
/// Above the dearest published price, so that a slipped decimal point is noticed.
const POSSIBLE_USD_PER_GB: f64 = 1.0;

#[derive(Clone, Debug)]
struct Transfer {
    provider: CloudProvider,
    from_group: Arc<str>,
    to_group: Arc<str>,
    price: UsdPerGb,
}

impl Keyed for Transfer {
    fn key(&self) -> [&str; 3] {
        [self.provider.as_str(), &self.from_group, &self.to_group]
    }
}

/// `egress.csv`.
#[derive(Clone, Debug)]
pub(super) struct Egress(Sorted<Transfer>);

impl Egress {
    pub(super) fn read(text: &str) -> Result<Self, CatalogueError> {
        let rows = EGRESS.read(text, |row| {
            row.text("source")?;
            Ok(Transfer {
                provider: row.provider("provider")?,
                from_group: row.text("from_group")?.into(),
                to_group: row.text("to_group")?.into(),
                price: UsdPerGb(row.number("usd_per_gb", 0.0..=POSSIBLE_USD_PER_GB)?),
            })
        })?;
        Ok(Self(rows))
    }

    pub(super) fn between(&self, from: &RegionRow, to: &RegionRow) -> Option<UsdPerGb> {
        if from.name == to.name {
            return Some(UsdPerGb::ZERO);
        }
        let to_group = if from.provider == to.provider { to.egress_group.as_deref()? } else { INTERNET };
        let key = [from.provider.as_str(), from.egress_group.as_deref()?, to_group];
        self.0.find(key).map(|row| row.price)
    }
}
