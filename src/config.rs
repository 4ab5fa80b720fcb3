//! The configuration: one YAML file, read once into types that cannot be wrong.
//!
//! ```text
//! text --yaml--> tree of values --reader + value/name--> drafts --join with the catalogue--> Config
//! ```
//!
//! Every error is found in one pass and carries its path, its value and the cure; a value that may be a secret is
//! never shown. Unknown keys are errors. What the contract names and this version lacks is in `not_yet`. Nothing here
//! watches the file, opens a file it names, or reads the environment.

mod choices;
mod error;
mod facts;
mod grid;
mod name;
mod nearest;
mod not_yet;
mod policy;
mod prices;
mod reader;
mod redis_url;
mod region_tables;
mod regions;
mod server;
mod store;
mod value;
mod yaml;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use jiff::SignedDuration;

use self::choices::choices;
use self::reader::{Report, Section};
use self::value::{choice, text};
use crate::domain::policy::{Baseline, CarbonPrice, EffectivePolicy, LatencyPolicy};
use crate::domain::region::{RegionId, Regions};
use crate::domain::units::UsdPerHour;

pub use self::error::{ConfigError, ConfigErrors};
pub use self::facts::{KnownRegion, RegionFacts};
pub use self::grid::{
    ElectricityMapsSettings, GbSettings, GridSettings, MOCK_HIGH, MOCK_LOW, MOCK_MAX, MockError,
    ReplaySettings, parse_mock,
};
pub use self::policy::{
    AffinityWeight, DecisionSettings, HerdSettings, LONGEST_DEADLINE, SpotSteering, WorkloadSettings,
};
pub use self::prices::{PriceProviderKind, PriceSettings};
pub use self::region_tables::MAX_REGIONS;
pub use self::regions::BUILT_IN;
pub use self::server::{
    ExtenderSettings, FilterMode, LedgerSettings, LogSettings, ServerSettings, TlsMode, TlsSettings,
};
pub use self::store::{RedisSettings, StoreSettings};

choices! {
    /// What becomes of decisions.
    Mode {
        /// Pods are steered.
        Steer = "steer",
        /// Decided, logged and counted; no pod is changed.
        Shadow = "shadow",
        /// Nothing is decided.
        Off = "off",
    }
}

impl Mode {
    /// The one of two modes that does less.
    #[must_use]
    pub const fn lower(self, other: Self) -> Self {
        match (self, other) {
            (Self::Off, _) | (_, Self::Off) => Self::Off,
            (Self::Shadow, _) | (_, Self::Shadow) => Self::Shadow,
            (Self::Steer, Self::Steer) => Self::Steer,
        }
    }
}

/// The top-level keys that two configuration texts say different things of, for people.
#[must_use]
pub fn changed_sections(before: &str, after: &str) -> Vec<String> {
    let read = |text| yaml::parse(text).unwrap_or_default();
    let (before, after) = (read(before), read(after));
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

/// A whole, valid configuration, joined with the catalogue.
#[derive(Clone, Debug)]
pub struct Config {
    /// What becomes of decisions.
    pub mode: Mode,
    /// The node label that says a node's region; a valid label key.
    pub topology_key: String,
    /// What regions are compared with.
    pub baseline: Baseline,
    /// The regions, in the file's order; at least one.
    pub regions: Arc<Regions>,
    /// Price of one vCPU, for the regions the file gives one.
    pub per_vcpu: HashMap<RegionId, UsdPerHour>,
    /// What a tonne is worth.
    pub carbon: CarbonPrice,
    /// Where carbon intensity comes from.
    pub grid: GridSettings,
    /// Where prices come from.
    pub prices: PriceSettings,
    /// What is assumed of a pod that does not say.
    pub workload: WorkloadSettings,
    /// Which pods also weigh spot capacity.
    pub spot: SpotSteering,
    /// How far from its users a pod may go.
    pub latency: LatencyPolicy,
    /// How decisions are made.
    pub decision: DecisionSettings,
    /// What keeps pods from all going to one place at once.
    pub herd: HerdSettings,
    /// The scheduler extender.
    pub extender: ExtenderSettings,
    /// Limits of the servers.
    pub server: ServerSettings,
    /// The webhook's certificate.
    pub tls: TlsSettings,
    /// Where readings are shared and kept.
    pub store: StoreSettings,
    /// How long decisions and readings are kept.
    pub ledger: LedgerSettings,
    /// What is written to the standard streams.
    pub log: LogSettings,
    /// What is legal and hardly meant, each with its path.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads a configuration from YAML text. What it does not say is as in [`Self::built_in`].
    ///
    /// # Errors
    /// All that is wrong with it, at once.
    pub fn parse(yaml: &str, facts: &dyn RegionFacts) -> Result<Self, ConfigErrors> {
        let mut fields = yaml::parse(yaml)?;
        fields.entry("regions").or_insert_with(regions::built_in);
        let mut report = Report::default();
        let config = Section::root(&fields, &mut report, |root| Self::read(root, facts));
        if report.errors.is_empty() {
            Ok(Self { warnings: report.warnings, ..config })
        } else {
            Err(ConfigErrors::new(report.errors))
        }
    }

    /// Reads a configuration from a file.
    ///
    /// # Errors
    /// As [`Self::parse`], naming the file; and a file that cannot be read or is not UTF-8.
    pub fn load(file: &Path, facts: &dyn RegionFacts) -> Result<Self, ConfigErrors> {
        std::fs::read_to_string(file)
            .map_err(|error| {
                let problem = format!("cannot read the file: {error}");
                ConfigErrors::whole_file(problem, "give --config a readable file of YAML text in UTF-8")
            })
            .and_then(|yaml| Self::parse(&yaml, facts))
            .map_err(|errors| errors.in_file(file))
    }

    /// The configuration without a file: the [`BUILT_IN`] regions, the first of them the baseline, on catalogue data.
    ///
    /// # Errors
    /// When `facts` lack a built-in region.
    pub fn built_in(facts: &dyn RegionFacts) -> Result<Self, ConfigErrors> {
        Self::parse("", facts)
    }

    /// What decisions need to know of it.
    #[must_use]
    pub fn policy(&self) -> EffectivePolicy {
        let signed = |duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        EffectivePolicy {
            baseline: self.baseline,
            carbon_price: self.carbon,
            latency: self.latency,
            min_net_benefit: self.decision.min_net_benefit,
            min_savings: None,
            min_carbon_reduction: None,
            allow_dirtier: self.decision.allow_dirtier,
            migration: self.decision.migration,
            holdout: self.decision.holdout,
            hysteresis: self.herd.hysteresis,
            grid_max_age: signed(self.grid.max_age),
            price_max_age: signed(self.prices.max_age),
            utilisation: self.workload.utilisation,
        }
    }

    /// Reads every key. After an error the result is of no use.
    fn read(root: &mut Section<'_>, facts: &dyn RegionFacts) -> Self {
        let mode = root.read("mode", Mode::Steer, choice("mode", Mode::ALL));
        let topology_key =
            root.read("topologyKey", "topology.kubernetes.io/region".to_owned(), name::label_key);
        let baseline = root.section("baseline", |baseline| baseline.optional("region", text));
        let grid = root.section("grid", grid::read);
        let drafts = regions::read(root, facts, grid.needs_zones());
        let joined = drafts.join(facts, root.report());
        let baseline = drafts.baseline(baseline.as_deref(), &joined.regions, root.report());
        let grid = grid.finish(&joined.regions, &drafts.names(), root.report());
        let carbon = root.section("carbon", policy::read_carbon);
        let prices = root.section("prices", |prices| prices::read(prices, facts, &joined));
        let store = root.section("store", store::read);
        Self {
            mode,
            topology_key,
            baseline,
            regions: joined.regions,
            per_vcpu: joined.per_vcpu,
            carbon,
            grid,
            prices,
            workload: root.section("workload", policy::read_workload),
            spot: root.section("spot", policy::read_spot),
            latency: root.section("latency", policy::read_latency),
            decision: root.section("decision", policy::read_decision),
            herd: root.section("herd", policy::read_herd),
            extender: root.section("extender", server::read_extender),
            server: root.section("server", server::read_server),
            tls: root.section("tls", server::read_tls),
            store,
            ledger: root.section("ledger", server::read_ledger),
            log: root.section("log", server::read_log),
            warnings: Vec::new(),
        }
    }
}
