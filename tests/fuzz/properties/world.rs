//! What requests meet: a configuration, a snapshot of a mock grid, and the recorded cluster, watched or not. Made once.

use std::sync::{Arc, LazyLock};

use arc_swap::{ArcSwap, ArcSwapOption};
use eco_pulse::app::{snapshot_once, static_tables};
use eco_pulse::catalogue::Catalogue;
use eco_pulse::clock::Clock;
use eco_pulse::config::Config;
use eco_pulse::decider::{Decider, Settings};
use eco_pulse::domain::Snapshot;
use eco_pulse::domain::quantity::Quantity;
use eco_pulse::domain::snapshot::StaticTables;
use eco_pulse::kubernetes::affinity::REGION;
use eco_pulse::kubernetes::cluster::{ClusterView, NamespaceFacts};
use eco_pulse::kubernetes::nodes::NodeFacts;
use jiff::Timestamp;

/// Some minutes after the traffic was recorded, so that its own times are neither old nor ahead.
pub const NOW: &str = "2026-11-23T08:00:00Z";

/// The recorded cluster's regions. Stockholm is clean, so that most pods are sent somewhere.
const CONFIGURATION: &str = "
baseline: {region: eu-west-1}
regions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1}]
grid: {provider: mock, mock: {us-east-1: high, eu-west-1: high, eu-north-1: low}}
";

/// What is known before any request comes.
pub struct World {
    pub now: Timestamp,
    pub config: Config,
    pub tables: StaticTables,
    /// Nobody watches the cluster: only what a request says counts.
    pub unwatched: Arc<Decider>,
    /// The recorded nodes and namespaces are known.
    pub watched: Arc<Decider>,
}

pub fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(World::new);
    &WORLD
}

pub fn catalogue() -> &'static Arc<Catalogue> {
    static CATALOGUE: LazyLock<Arc<Catalogue>> = LazyLock::new(|| Arc::new(Catalogue::built_in().unwrap()));
    &CATALOGUE
}

impl World {
    fn new() -> Self {
        let now: Timestamp = NOW.parse().unwrap();
        let config = Config::parse(CONFIGURATION, &**catalogue()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let snapshot =
            runtime.block_on(snapshot_once(&config, catalogue(), &Clock::new(move || now))).unwrap();
        let unwatched = ClusterView::unwatched("eco-pulse");
        let watched = unwatched.clone().with_nodes(nodes(), REGION).with_namespaces(namespaces());
        Self {
            now,
            tables: static_tables(&config, catalogue()),
            unwatched: decider(&config, snapshot.clone(), unwatched),
            watched: decider(&config, snapshot, watched),
            config,
        }
    }
}

/// Decides on what it is given. Nothing is ever carried out, so no decision depends on one before it.
pub fn decider(config: &Config, snapshot: Snapshot, cluster: ClusterView) -> Arc<Decider> {
    let (snapshot, cluster) = (ArcSwapOption::from_pointee(snapshot), ArcSwap::from_pointee(cluster));
    Arc::new(Decider::new(Settings::new(config), Arc::new(snapshot), Arc::new(cluster), 0xEC0))
}

fn nodes() -> impl Iterator<Item = NodeFacts> {
    let hosts = [(0, "us-east-1"), (8, "eu-west-1"), (112, "eu-north-1")];
    hosts.into_iter().flat_map(|(host, region)| (0..4).map(move |net| (net, host, region))).map(
        |(net, host, region)| {
            NodeFacts::new(format!("ip-10-0-{net}-{host}.{region}.compute.internal"))
                .with_label(REGION, region)
                .with_allocatable("cpu", Quantity::from_units(64))
                .with_allocatable("memory", Quantity::from_units(1 << 40))
                .with_allocatable("nvidia.com/gpu", Quantity::from_units(8))
                .with_allocatable("pods", Quantity::from_units(110))
        },
    )
}

fn namespaces() -> [(String, NamespaceFacts); 4] {
    let facts = |opted_out| NamespaceFacts { opted_out, ..NamespaceFacts::default() };
    let known = [("default", false), ("ai-team", false), ("kube-system", false), ("payments", true)];
    known.map(|(name, opted_out)| (name.to_owned(), facts(opted_out)))
}
