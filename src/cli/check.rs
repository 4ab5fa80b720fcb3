//! `eco-pulse check`.

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::table::{Align, Table};
use super::{ConfigArg, Output, load, runtime};
use crate::app::snapshot_once;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::snapshot::{CapacityType, GridReading};
use crate::domain::{Region, Snapshot};
use crate::http::admin::SnapshotView;

const EXAMPLE: &str = "\
Examples:
  eco-pulse check
  eco-pulse check --config eco-pulse.yaml --output json";

/// Arguments of `eco-pulse check`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLE)]
pub struct CheckArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Form of the output
    #[arg(long, value_name = "FORM", default_value = "table")]
    output: Output,
}

impl CheckArgs {
    /// Validates, asks each provider once, and prints what is known of each region.
    ///
    /// # Errors
    /// Invalid configuration, or a provider that does not answer.
    pub fn run(self, clock: &Clock) -> anyhow::Result<()> {
        let (config, catalogue) = load(self.config.config.as_deref())?;
        let now = clock.now();
        let snapshot = runtime()?.block_on(snapshot_once(&config, &catalogue, now))?;
        match self.output {
            Output::Json => {
                let view = SnapshotView::new(&snapshot, config.policy().grid_max_age, now);
                println!("{}", serde_json::to_string_pretty(&view)?);
            }
            Output::Table => report(&config, &snapshot, now).iter().for_each(|line| println!("{line}")),
        }
        Ok(())
    }
}

fn report(config: &Config, snapshot: &Snapshot, now: Timestamp) -> Vec<String> {
    let mut table = Table::new(&[
        ("REGION", Align::Left),
        ("ZONE", Align::Left),
        ("g/kWh", Align::Right),
        ("AGE", Align::Right),
        ("STATE", Align::Left),
        ("PUE", Align::Right),
        ("USD/h", Align::Right),
        ("", Align::Left),
    ]);
    let max_age = config.policy().grid_max_age;
    let base = match config.baseline {
        crate::domain::Baseline::Region(region) => Some(region),
        crate::domain::Baseline::SchedulerMix => None,
    };
    for (id, region, data) in snapshot.iter() {
        let known = data.grid.known();
        let unknown = || "-".to_owned();
        table.row([
            region.name.to_string(),
            region.zone.as_ref().map_or_else(unknown, ToString::to_string),
            known.map_or_else(unknown, |reading| format!("{:.0}", reading.intensity.0)),
            known.map_or_else(unknown, |reading| age(reading.age(now))),
            data.grid.state(now, max_age).as_str().to_owned(),
            format!("{:.2}", region.pue.0),
            price(config, snapshot, id).map_or_else(unknown, |usd| format!("{usd:.4}")),
            if base == Some(id) { "base".to_owned() } else { String::new() },
        ]);
    }
    let mut lines = vec![format!(
        "configuration is valid: {} regions, grid {}, prices {} ({}, {})",
        snapshot.regions.len(),
        config.grid.provider.as_str(),
        config.prices.provider,
        config.prices.instance_type,
        config.prices.capacity_type.as_str(),
    )];
    lines.extend(config.warnings.iter().map(|warning| format!("warning: {warning}")));
    lines.push(String::new());
    lines.extend(table.lines());
    lines.extend(gaps(snapshot));
    lines
}

/// What is missing is said in words too: a dash is easily overlooked.
fn gaps(snapshot: &Snapshot) -> Vec<String> {
    let unread = |(_, region, data): (_, &Region, &crate::domain::snapshot::RegionData)| match &data.grid {
        GridReading::Known(_) => None,
        GridReading::Missing => Some(format!("{}: no grid data; pods are not sent there", region.name)),
        GridReading::Implausible { value, .. } => {
            Some(format!("{}: {value} g/kWh cannot be; pods are not sent there", region.name))
        }
    };
    let gaps: Vec<String> = snapshot.iter().filter_map(unread).collect();
    if gaps.is_empty() { gaps } else { [String::new()].into_iter().chain(gaps).collect() }
}

/// The price of the configured machine, or of a vCPU where the region prices those.
fn price(config: &Config, snapshot: &Snapshot, region: crate::domain::RegionId) -> Option<f64> {
    let data = snapshot.data(region);
    let listed = |capacity: CapacityType| data.price(&config.prices.instance_type, capacity);
    data.per_vcpu.or_else(|| listed(config.prices.capacity_type).map(|price| price.per_hour)).map(|usd| usd.0)
}

fn age(age: SignedDuration) -> String {
    match age.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}
