//! From configuration and catalogue to providers, and to what snapshots are joined with.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::catalogue::Catalogue;
use crate::config::{Config, PriceProviderKind};
use crate::domain::Snapshot;
use crate::domain::climatology::Climatology;
use crate::domain::region::GridZone;
use crate::domain::snapshot::{GridProvider, Instance, Instances, StaticTables};
use crate::providers::grid::{CatalogueGrid, GridChain, GridError, GridSource, MockGrid};
use crate::providers::price::{CataloguePrices, PriceSource};
use crate::providers::refresh::fetch_once;

/// What does not change while a configuration is in use.
#[must_use]
pub fn static_tables(config: &Config, catalogue: &Catalogue) -> StaticTables {
    StaticTables {
        regions: config.regions.clone(),
        instances: Arc::new(instances(catalogue)),
        per_vcpu: config.per_vcpu.clone(),
        climatologies: climatologies(config, catalogue),
    }
}

fn instances(catalogue: &Catalogue) -> Instances {
    catalogue
        .instances()
        .map(|listed| {
            let instance = Instance {
                name: listed.name.clone(),
                vcpus: listed.vcpus,
                memory: listed.memory,
                gpus: listed.gpus,
                cpu: listed.cpu,
                gpu: listed.gpu.as_ref().map(|gpu| gpu.power),
            };
            (listed.name.clone(), Arc::new(instance))
        })
        .collect()
}

fn climatologies(config: &Config, catalogue: &Catalogue) -> HashMap<GridZone, Arc<Climatology>> {
    let zones = config.regions.iter().filter_map(|(_, region)| region.zone.as_ref());
    zones.filter_map(|zone| Some((zone.clone(), catalogue.climatology(zone.as_str())?.clone()))).collect()
}

/// The configured provider and those that fill its gaps; the mock grid by itself too, when it is among them.
pub(super) fn grid(config: &Config, catalogue: &Catalogue) -> (GridChain, Option<Arc<MockGrid>>) {
    let mock = (config.grid.provider == GridProvider::Mock).then(|| {
        let name = |id| config.regions.get(id).name.clone();
        let values = config.grid.mock.iter().map(|(id, intensity)| (name(*id), *intensity)).collect();
        Arc::new(MockGrid::new(values))
    });
    let from_catalogue = || GridSource::Catalogue(CatalogueGrid::new(climatologies(config, catalogue)));
    let first = mock.clone().map_or_else(from_catalogue, GridSource::Mock);
    // The mock grid fills no gaps: configuration refuses it as a fallback.
    let fallback = config.grid.fallback.iter().filter(|provider| **provider == GridProvider::Catalogue);
    (GridChain::new(first, fallback.map(|_| from_catalogue())), mock)
}

pub(super) fn prices(config: &Config, catalogue: &Arc<Catalogue>) -> PriceSource {
    match config.prices.provider {
        PriceProviderKind::Catalogue => PriceSource::Catalogue(CataloguePrices::new(catalogue.clone())),
    }
}

/// Asks every provider once and joins the answers: what `explain` and `check` look at.
///
/// # Errors
/// The grid provider does not answer.
pub async fn snapshot_once(
    config: &Config,
    catalogue: &Arc<Catalogue>,
    now: Timestamp,
) -> Result<Snapshot, GridError> {
    let (grid, _) = grid(config, catalogue);
    let prices = prices(config, catalogue);
    let readings = fetch_once(&grid, &prices, &config.regions, now).await?;
    Ok(Snapshot::assemble(&readings, &static_tables(config, catalogue)))
}
