//! `eco-pulse check`.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::table::{Align, Table};
use super::trouble::{HEAD, told, troubles, wrapped};
use super::{ConfigArg, Output, load, runtime};
use crate::app::{StoreCheck, check_store, readings_once, static_tables};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::snapshot::{Basis, DataState, Price, Reading, RegionData};
use crate::domain::{Baseline, RegionId, Snapshot};
use crate::http::snapshot_view::SnapshotView;
use crate::providers::refresh::Progress;

const EXAMPLE: &str = "\
Examples:
  eco-pulse check
  eco-pulse check --config eco-pulse.yaml --output json

Exit code 0 when every region can be chosen, 1 when one cannot or the store
does not answer, 2 when the configuration is not valid.";

/// What every line of the tables has to fit into, as far as names allow.
const COLUMNS: usize = 80;

/// What errors are printed after.
const PROGRAM: &str = "eco-pulse: ";

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
    /// Validates, asks each provider and the store once, and prints what is known of each region.
    ///
    /// # Errors
    /// Invalid configuration, a region that no pod would be sent to, or a store that does not answer.
    pub fn run(self, clock: &Clock) -> anyhow::Result<()> {
        let (config, catalogue) = load(self.config.config.as_deref())?;
        let (readings, store) = runtime()?.block_on(async {
            let readings = readings_once(&config, &catalogue, clock, show).await;
            end_progress();
            anyhow::Ok((readings?, Box::pin(check_store(&config)).await?))
        })?;
        let snapshot = Snapshot::assemble(&readings, &static_tables(&config, &catalogue));
        let now = clock.now();
        let report = Report { config: &config, snapshot: &snapshot, now };
        match self.output {
            Output::Json => {
                let view = SnapshotView::new(&snapshot, config.policy().grid_max_age, now);
                println!("{}", serde_json::to_string_pretty(&view)?);
            }
            Output::Table => report.lines(&store).iter().for_each(|line| println!("{line}")),
        }
        if let StoreCheck::Failed(error) = store {
            anyhow::bail!("store.redis: {error}");
        }
        report.verdict().map_or(Ok(()), |verdict| {
            // Broken as it is printed: after the program's name.
            let lines = wrapped(&format!("{PROGRAM}{verdict}")).join("\n");
            anyhow::bail!("{}", lines.strip_prefix(PROGRAM).unwrap_or(&lines).to_owned())
        })
    }
}

/// Providers may take their time: on a terminal one sees how far they are.
fn show(progress: Progress) {
    if std::io::stderr().is_terminal() {
        eprint!("\rasking providers: {} of {} ", progress.answered, progress.questions);
        let _ = std::io::stderr().flush();
    }
}

fn end_progress() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\u{1b}[K");
    }
}

struct Report<'r> {
    config: &'r Config,
    snapshot: &'r Snapshot,
    now: Timestamp,
}

impl Report<'_> {
    fn lines(&self, store: &StoreCheck) -> Vec<String> {
        let mut lines =
            vec![format!("configuration is valid: {} regions (* baseline)", self.snapshot.regions.len())];
        lines.extend(self.config.warnings.iter().flat_map(|warning| wrapped(&format!("warning: {warning}"))));
        if let StoreCheck::Fine(found) = store {
            lines.push(format!("store: Redis answers, {found}"));
        }
        lines.push(String::new());
        lines.extend(self.grid().lines_within(COLUMNS));
        lines.push(String::new());
        lines.extend(self.prices().lines_within(COLUMNS));
        let mut troubles = troubles(self.snapshot, HEAD);
        troubles.extend(self.without_price());
        if !troubles.is_empty() {
            lines.push(String::new());
            lines.extend(troubles);
        }
        lines
    }

    fn grid(&self) -> Table {
        let mut table = Table::new(&[
            ("REGION", Align::Left),
            ("ZONE", Align::Left),
            ("g/kWh", Align::Right),
            ("BASIS", Align::Left),
            ("AGE", Align::Right),
            ("STATE", Align::Left),
            ("PROVIDER", Align::Left),
        ]);
        for (id, region, data) in self.snapshot.iter() {
            let known = data.grid.known();
            let stuck = known.is_some_and(Reading::is_stuck);
            let state = self.state(id, data).as_str();
            table.row([
                self.name(id),
                or_dash(region.zone.as_ref().map(ToString::to_string)),
                or_dash(known.map(|reading| format!("{:.0}", reading.intensity.0))),
                or_dash(known.map(|reading| basis(reading.basis).to_owned())),
                or_dash(known.map(|reading| age(reading.age(self.now)))),
                if stuck { format!("{state}, stuck") } else { state.to_owned() },
                or_dash(known.map(|reading| reading.provider.as_str().to_owned())),
            ]);
        }
        table
    }

    fn prices(&self) -> Table {
        let mut table = Table::new(&[
            ("REGION", Align::Left),
            ("USD/h", Align::Right),
            ("FOR", Align::Left),
            ("AGE", Align::Right),
            ("INTERRUPTED", Align::Left),
            ("PROVIDER", Align::Left),
        ]);
        let settings = &self.config.prices;
        let machine = format!("{}, {}", settings.instance_type, settings.capacity_type.as_str());
        for (id, _, data) in self.snapshot.iter() {
            if let Some(per_vcpu) = data.per_vcpu {
                let cells = [&format!("{:.4}", per_vcpu.0), "one vCPU", "-", "-", "configuration"];
                table.row([self.name(id)].into_iter().chain(cells.map(ToOwned::to_owned)));
                continue;
            }
            let price = self.listed(data);
            let reported = price.and_then(|price| price.reported_at);
            let old = price.is_some_and(|price| price.is_stale(self.now, self.config.policy().price_max_age));
            table.row([
                self.name(id),
                or_dash(price.map(|price| format!("{:.4}", price.per_hour.0))),
                if old { format!("{machine}, too old") } else { machine.clone() },
                or_dash(reported.map(|at| age(self.now.duration_since(at).max(SignedDuration::ZERO)))),
                or_dash(price.and_then(|price| price.interruption.as_deref()).map(ToOwned::to_owned)),
                or_dash(price.map(|price| price.provider.as_str().to_owned())),
            ]);
        }
        table
    }

    /// The regions where nobody says what the configured machine costs, with the cure.
    fn without_price(&self) -> Vec<String> {
        let unpriced = self.snapshot.iter().filter(|(_, _, data)| {
            data.per_vcpu.is_none() && self.listed(data).is_none() && self.snapshot.price_trouble.is_none()
        });
        let names: Vec<&str> = unpriced.map(|(_, region, _)| region.name.as_str()).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let settings = &self.config.prices;
        let (machine, capacity) = (&settings.instance_type, settings.capacity_type.as_str());
        let what = format!("no price of {machine}, {capacity}, for {}", names.join(", "));
        told(
            HEAD,
            &what,
            None,
            "give the region priceUsdPerVcpuHour, or a prices.instanceType that is sold there",
        )
    }

    /// The base is marked.
    fn name(&self, id: RegionId) -> String {
        let mark = if self.base() == Some(id) { "*" } else { "" };
        format!("{}{mark}", self.snapshot.regions.get(id).name)
    }

    fn base(&self) -> Option<RegionId> {
        match self.config.baseline {
            Baseline::Region(region) => Some(region),
            Baseline::SchedulerMix => None,
        }
    }

    /// The state that a decision would find, comparability with the base included.
    fn state(&self, id: RegionId, data: &RegionData) -> DataState {
        let state = data.grid.state(self.now, self.config.policy().grid_max_age);
        let base = self.base().filter(|base| *base != id).map(|base| &self.snapshot.data(base).grid);
        let of_one_kind =
            |one: &Reading, other: &Reading| (one.signal, one.basis) == (other.signal, other.basis);
        match base.and_then(|base| base.known()).zip(data.grid.known()) {
            Some((base, reading)) if state.is_usable() && !of_one_kind(base, reading) => {
                DataState::Incomparable
            }
            _ => state,
        }
    }

    /// The listed price of the configured machine.
    fn listed<'d>(&self, data: &'d RegionData) -> Option<&'d Price> {
        data.price(&self.config.prices.instance_type, self.config.prices.capacity_type)
    }

    /// What would keep pods from being placed, if anything does.
    fn verdict(&self) -> Option<String> {
        let mut base = None;
        let mut others: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (id, region, data) in self.snapshot.iter() {
            match self.left_out(id, data) {
                Some(why) if self.base() == Some(id) => base = Some(format!("{} ({why})", region.name)),
                Some(why) => others.entry(why).or_default().push(region.name.as_str()),
                None => {}
            }
        }
        let others = others.iter().map(|(why, names)| format!("{} ({why})", names.join(", ")));
        let others = Some(others.collect::<Vec<_>>().join(", ")).filter(|others| !others.is_empty());
        let base = base.map(|base| format!("every pod would be left as it came, for its baseline {base}"));
        match (base, others) {
            (None, None) => None,
            (None, Some(others)) => Some(format!("no pod would be sent to {others}")),
            (Some(base), None) => Some(base),
            (Some(base), Some(others)) => Some(format!("{base}; nor could one be sent to {others}")),
        }
    }

    /// Why no pod would be sent to a region.
    fn left_out(&self, id: RegionId, data: &RegionData) -> Option<String> {
        let state = self.state(id, data);
        let max_age = self.config.policy().price_max_age;
        let priced = self.listed(data).is_some_and(|price| !price.is_stale(self.now, max_age));
        match state {
            state if !state.is_usable() => Some(format!("grid data {}", state.as_str())),
            _ if data.per_vcpu.is_none() && !priced => Some("no price".to_owned()),
            _ => None,
        }
    }
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".to_owned())
}

const fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Lifecycle => "lifecycle",
        Basis::Direct => "direct",
    }
}

fn age(age: SignedDuration) -> String {
    match age.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}
