//! The one pass over the init containers against the rule as Kubernetes states it, container by container.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::domain::quantity::Quantity;
use crate::domain::requests::{
    ContainerRequests, PodResources, ResourceList, ResourceRequirements, effective_requests,
};

type Amounts = BTreeMap<&'static str, i128>;

#[derive(Clone, Debug)]
struct Container {
    requests: Amounts,
    sidecar: bool,
}

fn containers(most: usize) -> impl Strategy<Value = Vec<Container>> {
    let names = prop::sample::select(vec!["cpu", "memory", "nvidia.com/gpu"]);
    let requests = prop::collection::btree_map(names, 0_i128..5, 0..4);
    let container = (requests, any::<bool>()).prop_map(|(requests, sidecar)| Container { requests, sidecar });
    prop::collection::vec(container, 0..=most)
}

/// What runs at an init container's turn is the container and *all* that the sidecars before it ask for.
fn by_the_book(init_containers: &[Container], containers: &[Container]) -> Amounts {
    let sum = |containers: &mut dyn Iterator<Item = &Container>| {
        containers.fold(Amounts::new(), |mut sum, container| {
            for (name, amount) in &container.requests {
                *sum.entry(name).or_default() += amount;
            }
            sum
        })
    };
    let is_sidecar = |container: &&Container| container.sidecar;
    let mut largest = sum(&mut containers.iter().chain(init_containers.iter().filter(is_sidecar)));
    for (turn, container) in init_containers.iter().enumerate() {
        let before = init_containers.iter().take(turn).filter(is_sidecar);
        for (name, amount) in sum(&mut before.chain([container])) {
            let listed = largest.entry(name).or_insert(amount);
            *listed = amount.max(*listed);
        }
    }
    largest
}

fn converted(containers: &[Container]) -> Vec<ContainerRequests<'static>> {
    let list = |requests: &Amounts| {
        requests
            .iter()
            .map(|(&name, &amount)| (name, Quantity::from_nanos(amount)))
            .collect::<ResourceList<'_>>()
    };
    containers
        .iter()
        .map(|container| ContainerRequests {
            resources: ResourceRequirements { requests: list(&container.requests), ..Default::default() },
            sidecar: container.sidecar,
        })
        .collect()
}

proptest! {
    #[test]
    fn one_pass_gives_what_the_rule_says(init_containers in containers(6), containers in containers(3)) {
        let pod = PodResources {
            containers: converted(&containers),
            init_containers: converted(&init_containers),
            ..PodResources::default()
        };
        let computed = effective_requests(&pod);
        let computed: BTreeMap<_, _> = computed.iter().map(|(name, amount)| (name, amount.nanos())).collect();
        prop_assert_eq!(computed, by_the_book(&init_containers, &containers));
    }
}
