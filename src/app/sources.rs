//! From configuration and catalogue to providers, and to what snapshots are joined with.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::SignedDuration;

use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::{Config, PriceProviderKind};
use crate::domain::Snapshot;
use crate::domain::climatology::Climatology;
use crate::domain::region::GridZone;
use crate::domain::snapshot::{GridProvider, Instance, Instances, Readings, StaticTables};
use crate::metrics::Metrics;
use crate::providers::grid::{
    CatalogueGrid, ElectricityMaps, GbCarbonIntensity, GridSource, MockGrid, ReplayGrid,
};
use crate::providers::price::{AwsSpotAdvisor, AzureRetail, CataloguePrices, FilePrices, PriceSource};
use crate::providers::refresh::{Collector, Progress};
use crate::providers::token::TokenFile;
use crate::providers::web::Web;
use crate::store::{MemoryStore, SnapshotStore};
use crate::tls::system_client_config;

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

/// The configured providers of grid data.
pub(super) struct Grid {
    /// In the order in which their words count.
    pub(super) sources: Vec<Arc<dyn GridSource>>,
    /// The mock grid, when it is among them.
    pub(super) mock: Option<Arc<MockGrid>>,
}

/// The configured provider and those that fill its gaps.
pub(super) fn grid(config: &Config, catalogue: &Catalogue) -> anyhow::Result<Grid> {
    let mut grid = Grid { sources: Vec::new(), mock: None };
    for provider in [config.grid.provider].iter().chain(&config.grid.fallback) {
        grid.sources.push(match provider {
            GridProvider::Mock => {
                let mock = Arc::new(mock(config));
                grid.mock = Some(mock.clone());
                mock
            }
            GridProvider::Catalogue => Arc::new(CatalogueGrid::new(climatologies(config, catalogue))),
            GridProvider::Replay => Arc::new(replay(config)?),
            GridProvider::ElectricityMaps => {
                let settings = &config.grid.electricity_maps;
                let token = TokenFile::new(&settings.token_file);
                let source = ElectricityMaps::new(web()?, &settings.base_url, token);
                Arc::new(source.context("grid.electricityMaps.baseUrl")?)
            }
            GridProvider::GbCarbonIntensity => {
                let source = GbCarbonIntensity::new(web()?, &config.grid.gb_carbon_intensity.base_url);
                Arc::new(source.context("grid.gbCarbonIntensity.baseUrl")?)
            }
        });
    }
    Ok(grid)
}

/// A client for providers on the network. Made only where one is asked: it reads the machine's authorities.
fn web() -> anyhow::Result<Web> {
    Ok(Web::new(system_client_config()?)?)
}

fn replay(config: &Config) -> anyhow::Result<ReplayGrid> {
    let settings = config.grid.replay.as_ref().context("grid.replay.file is missing: name the trace")?;
    ReplayGrid::load(&settings.file, settings.speed).context("grid.replay")
}

fn mock(config: &Config) -> MockGrid {
    let name = |id| config.regions.get(id).name.clone();
    MockGrid::new(config.grid.mock.iter().map(|(id, intensity)| (name(*id), *intensity)).collect())
}

pub(super) fn prices(config: &Config, catalogue: &Arc<Catalogue>) -> anyhow::Result<Arc<dyn PriceSource>> {
    Ok(match config.prices.provider {
        PriceProviderKind::Catalogue => Arc::new(CataloguePrices::new(catalogue.clone())),
        PriceProviderKind::AwsSpotAdvisor => {
            let url = &config.prices.aws_spot_advisor_url;
            let source = AwsSpotAdvisor::new(web()?, url, catalogue.clone());
            Arc::new(source.context("prices.awsSpotAdvisor.url")?)
        }
        PriceProviderKind::AzureRetail => {
            let url = &config.prices.azure_retail_url;
            let machine = [config.prices.instance_type.clone()];
            Arc::new(AzureRetail::new(web()?, url, catalogue, machine).context("prices.azureRetail.url")?)
        }
        PriceProviderKind::File => {
            let file = config.prices.file.as_ref().context("prices.file is missing: name the file")?;
            Arc::new(FilePrices::load(file).context("prices.file")?)
        }
    })
}

/// Asks every provider once: what `explain` and `check` look at. What failed is in the readings; `tell` hears how far
/// it has come.
///
/// # Errors
/// A provider cannot be set up: a file it needs is missing or wrong.
pub async fn readings_once(
    config: &Config,
    catalogue: &Arc<Catalogue>,
    clock: &Clock,
    tell: impl Fn(Progress),
) -> anyhow::Result<Readings> {
    let collector = Collector {
        grid: grid(config, catalogue)?.sources,
        prices: prices(config, catalogue)?,
        regions: config.regions.clone(),
        grid_max_age: config.policy().grid_max_age,
        // Long enough for nothing to be asked twice.
        grid_interval: Duration::from_hours(24),
        price_interval: Duration::from_hours(24),
        store: SnapshotStore::Memory(MemoryStore::new(SignedDuration::ZERO)),
        metrics: Arc::new(Metrics::new()?),
        clock: clock.clone(),
    };
    Ok(collector.once(tell).await)
}

/// Asks every provider once and joins the answers.
///
/// # Errors
/// As [`readings_once`].
pub async fn snapshot_once(
    config: &Config,
    catalogue: &Arc<Catalogue>,
    clock: &Clock,
) -> anyhow::Result<Snapshot> {
    let readings = readings_once(config, catalogue, clock, |_| {}).await?;
    Ok(Snapshot::assemble(&readings, &static_tables(config, catalogue)))
}
