//! What was configured, as far as figures depend on it, with where its constants come from.

use super::model::{Setting, SettingRegion};
use crate::catalogue::{Catalogue, PueBasis};
use crate::config::Config;
use crate::domain::counterfactual::SCHEDULER_MIX;
use crate::domain::{Baseline, Region};

/// Where a figure comes from that the configuration gives itself.
pub const CONFIGURATION: &str = "configuration";
/// Source of the PUE of a provider's whole fleet, which stands in for regions without one of their own.
const FLEET_PUE: &str = "ccf-pue";

impl Setting {
    /// Of a configuration on the catalogue that it was joined with.
    #[must_use]
    pub fn new(config: &Config, catalogue: &Catalogue) -> Self {
        let baseline = match config.baseline {
            Baseline::Region(id) => config.regions.get(id).name.to_string(),
            Baseline::SchedulerMix => SCHEDULER_MIX.to_owned(),
        };
        let grid = [config.grid.provider].into_iter().chain(config.grid.fallback.iter().copied());
        let utilisation = config.workload.utilisation;
        Self {
            baseline,
            carbon_price_usd_per_tonne: config.carbon.effective().0,
            cpu_utilisation: utilisation.cpu.get(),
            gpu_utilisation: utilisation.gpu.get(),
            holdout: config.decision.holdout.get(),
            grid_providers: grid.map(|provider| provider.as_str().to_owned()).collect(),
            price_provider: config.prices.provider.as_str().to_owned(),
            regions: config.regions.iter().map(|(_, region)| SettingRegion::new(region, catalogue)).collect(),
        }
    }
}

impl SettingRegion {
    fn new(region: &Region, catalogue: &Catalogue) -> Self {
        let row = catalogue.region(region.name.as_str());
        let has_zone = |row: &crate::catalogue::RegionRow| region.zone.as_ref() == Some(&row.zone);
        let as_built_in = row.is_some_and(|row| has_zone(row) && row.pue.value == region.pue);
        let mut sources: Vec<String> =
            row.into_iter().flat_map(|row| row.source.split('+')).map(ToOwned::to_owned).collect();
        if row.is_some_and(|row| row.pue.basis == PueBasis::Fleet) {
            sources.push(FLEET_PUE.to_owned());
        }
        if !as_built_in {
            sources.push(CONFIGURATION.to_owned());
        }
        Self {
            name: region.name.to_string(),
            provider: region.provider.as_str().to_owned(),
            zone: region.zone.as_ref().map(ToString::to_string),
            pue: region.pue.0,
            idle_w_per_vcpu: region.default_cpu.idle.0,
            max_w_per_vcpu: region.default_cpu.max.0,
            sources,
            annual_mean_g_per_kwh: region.annual_mean.map(|mean| mean.0),
        }
    }
}
