//! The cluster that the demo pretends: its configuration, its nodes and its namespaces.
//!
//! Nothing here says how a scene ends. Whether a region wins is left to the formula.

use std::sync::Arc;
use std::time::Duration;

use crate::catalogue::Catalogue;
use crate::config::{Config, ConfigErrors};
use crate::domain::quantity::Quantity;
use crate::kubernetes::cluster::{ClusterView, KUBERNETES_NAMESPACES, NamespaceFacts};
use crate::kubernetes::nodes::{INSTANCE_TYPE, NodeFacts};

/// Where pods went before.
pub(super) const BASE: &str = "westeurope";
/// Greener, cheaper and near.
pub(super) const NEAR: &str = "francecentral";
/// Greener, cheaper and far.
pub(super) const FAR: &str = "canadacentral";
/// The cheapest and the dirtiest.
pub(super) const CHEAPEST: &str = "eastus";

/// The type of the nodes without GPUs in every region.
pub(super) const NODE_TYPE: &str = "Standard_D4s_v5";
/// The type of those with one: large enough for the training pod, 24 vCPUs and 220 GiB beside one A100.
pub(super) const GPU_NODE_TYPE: &str = "Standard_NC24ads_A100_v4";

/// The namespace whose label opts out.
const OPTED_OUT: &str = "payments";
const NAMESPACES: [&str; 4] = ["default", "ai-team", "kube-system", OPTED_OUT];

/// The configuration, as text.
pub const CONFIG: &str = include_str!("cluster.yaml");

/// The configuration.
pub(super) fn config(catalogue: &Catalogue) -> Result<Config, ConfigErrors> {
    Config::parse(CONFIG, catalogue)
}

/// The same on a grid that is asked often and whose readings are soon too old: what an outage of hours does to two
/// hours' patience is seen in a second.
pub(super) fn impatient(config: &Config) -> Config {
    let mut config = config.clone();
    config.grid.refresh = Duration::from_millis(250);
    config.grid.max_age = Duration::from_secs(1);
    config
}

/// One node of each type in every region.
pub fn nodes(config: &Config) -> impl Iterator<Item = NodeFacts> {
    config.regions.iter().flat_map(|(_, region)| {
        // The cores weigh regions where the base is the mean of them all. Here it is one region, so that what the
        // kubelet keeps of them makes no difference.
        let node = |instance_type: &str, cores: i64, gibibytes: i64| {
            NodeFacts::new(format!("{}-{instance_type}", region.label))
                .with_label(&config.topology_key, &region.label)
                .with_label(INSTANCE_TYPE, instance_type)
                .with_allocatable("cpu", Quantity::from_units(cores))
                .with_allocatable("memory", Quantity::from_units(gibibytes << 30))
                .with_allocatable("pods", Quantity::from_units(110))
        };
        [
            node(NODE_TYPE, 4, 16),
            node(GPU_NODE_TYPE, 24, 220).with_allocatable("nvidia.com/gpu", Quantity::from_units(1)),
        ]
    })
}

/// The namespaces of the recorded pods.
pub fn namespaces() -> impl Iterator<Item = (String, NamespaceFacts)> {
    NAMESPACES.iter().map(|name| {
        let facts = NamespaceFacts { opted_out: *name == OPTED_OUT, ..NamespaceFacts::default() };
        ((*name).to_owned(), facts)
    })
}

/// Every node and every namespace known, as to a process that watches them.
pub(super) fn view(config: &Config) -> ClusterView {
    let nodes = nodes(config);
    ClusterView {
        system_namespaces: Arc::new(KUBERNETES_NAMESPACES.map(str::to_owned).into()),
        ..ClusterView::default().with_nodes(nodes, &config.topology_key).with_namespaces(namespaces())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::RoundTripBasis;

    #[test]
    fn configuration_is_valid_and_leaves_no_gap() {
        let config = config(&Catalogue::built_in().unwrap()).unwrap();
        assert_eq!(config.warnings, Vec::<String>::new());
        let names: Vec<_> = config.regions.iter().map(|(_, region)| region.name.to_string()).collect();
        assert_eq!(names, [BASE, NEAR, FAR, CHEAPEST]);
    }

    #[test]
    fn mock_values_are_near_the_means_of_the_catalogue() {
        let catalogue = Catalogue::built_in().unwrap();
        let config = config(&catalogue).unwrap();
        for (id, region) in config.regions.iter() {
            let (mock, mean) = (config.grid.mock[&id].0, region.annual_mean.unwrap().0);
            assert!((mock - mean).abs() / mean < 0.05, "{}: {mock} g/kWh beside {mean}", region.name);
        }
    }

    #[test]
    fn round_trips_are_estimated_from_distance_as_the_demo_says() {
        let catalogue = Catalogue::built_in().unwrap();
        for region in [NEAR, FAR, CHEAPEST] {
            let round_trip = catalogue.round_trip(BASE, region).unwrap();
            assert_eq!(round_trip.basis, RoundTripBasis::Fitted, "{region}");
        }
    }
}
