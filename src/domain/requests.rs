//! What a pod asks the scheduler for: the one list of amounts that Kubernetes itself computes from a pod's
//! containers.
//!
//! The rule is `PodRequests` in `k8s.io/component-helpers/resource`, as the scheduler calls it before a pod
//! has a node: from the specification alone, without status. [`PodResources::fill_in_defaults`] is for pod
//! *templates*, which the API server has not completed yet; a pod at admission has been through it already.
//! This module makes up no amount: a container without requests adds nothing.

mod gpu;
mod list;
#[cfg(test)]
mod tests;

use serde::Deserialize;

pub use self::gpu::{GpuRequest, GpuVendor};
pub use self::list::ResourceList;

/// What a container, or a pod as a whole, asks for and is held to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ResourceRequirements<'a> {
    /// What the scheduler sets aside.
    #[serde(borrow, default)]
    pub requests: ResourceList<'a>,
    /// What the node enforces; here it matters only as the default of `requests`.
    #[serde(borrow, default)]
    pub limits: ResourceList<'a>,
}

/// One container or init container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerRequests<'a> {
    /// Its own requests and limits.
    pub resources: ResourceRequirements<'a>,
    /// An init container with `restartPolicy: Always`, which keeps running beside the containers. Without
    /// meaning for an ordinary container, whose restart policy does not change what it asks for.
    pub sidecar: bool,
}

/// The parts of a pod specification that say what it asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodResources<'a> {
    /// `spec.containers`.
    pub containers: Vec<ContainerRequests<'a>>,
    /// `spec.initContainers`, in order: a sidecar counts only beside those that start after it.
    pub init_containers: Vec<ContainerRequests<'a>>,
    /// `spec.resources`; empty lists when the pod has none.
    pub pod_level: ResourceRequirements<'a>,
    /// `spec.overhead`: what running the pod costs beyond its containers.
    pub overhead: ResourceList<'a>,
}

impl PodResources<'_> {
    /// Completes a pod template as the API server completes a pod: a limit stands in for a request that is
    /// absent, first in each container, then for the pod as a whole, and whatever is finer than a milli-unit
    /// rounds up.
    ///
    /// Follows `SetDefaults_Pod` and `SetDefaults_ResourceList` in `pkg/apis/core/v1/defaults.go` of
    /// Kubernetes, less the defaults of limits: those change no request of a valid pod, whose huge pages have
    /// equal requests and limits. What a `LimitRange` of the namespace would add is not known here.
    pub fn fill_in_defaults(&mut self) {
        for container in self.containers.iter_mut().chain(&mut self.init_containers) {
            let ResourceRequirements { requests, limits } = &mut container.resources;
            requests.fill_in(limits, |_| true);
        }
        // The order matters: the API server sums the containers before it rounds them.
        self.fill_in_pod_level_requests();
        let of_containers = self.containers.iter_mut().chain(&mut self.init_containers);
        for requirements in
            of_containers.map(|container| &mut container.resources).chain([&mut self.pod_level])
        {
            requirements.requests.round_up_to_milli();
            requirements.limits.round_up_to_milli();
        }
        self.overhead.round_up_to_milli();
    }

    /// Only a pod with pod-level limits gets pod-level requests: what its containers ask for, or else the
    /// limit. Huge pages cannot be overcommitted, so theirs is always the limit.
    fn fill_in_pod_level_requests(&mut self) {
        if self.pod_level.limits.is_empty() {
            return;
        }
        for (name, amount) in container_requests(&self.containers, &self.init_containers) {
            if counts_at_pod_level(&name)
                && !is_huge_pages(&name)
                && self.pod_level.requests.get(&name).is_none()
            {
                self.pod_level.requests.insert(name.into_owned(), amount);
            }
        }
        let ResourceRequirements { requests, limits } = &mut self.pod_level;
        requests.fill_in(limits, counts_at_pod_level);
    }
}

/// What the scheduler sets aside for the pod: the larger of what runs together in the end and what any step
/// of initialisation needs, per resource; replaced by pod-level requests where there are any; plus overhead.
#[must_use]
pub fn effective_requests<'p>(pod: &'p PodResources<'_>) -> ResourceList<'p> {
    let mut effective = container_requests(&pod.containers, &pod.init_containers);
    for (name, amount) in pod.pod_level.requests.iter().filter(|(name, _)| counts_at_pod_level(name)) {
        effective.insert(name, amount);
    }
    for (name, amount) in pod.overhead.iter() {
        effective.add(name, amount);
    }
    effective
}

/// `AggregateContainerRequests` of Kubernetes, in one pass over the init containers.
fn container_requests<'p>(
    containers: &'p [ContainerRequests<'_>],
    init_containers: &'p [ContainerRequests<'_>],
) -> ResourceList<'p> {
    let mut together = ResourceList::default();
    for (name, amount) in containers.iter().flat_map(|container| container.resources.requests.iter()) {
        together.add(name, amount);
    }
    let mut sidecars = ResourceList::default();
    let mut initialising = ResourceList::default();
    for container in init_containers {
        // At its turn an init container runs beside the sidecars before it. Resources it does not name need
        // no look: their sum over the sidecars was compared when it last grew.
        for (name, amount) in container.resources.requests.iter() {
            let at_its_turn = if container.sidecar {
                together.add(name, amount);
                sidecars.add(name, amount)
            } else {
                sidecars.get(name).unwrap_or_default().saturating_add(amount)
            };
            initialising.raise(name, at_its_turn);
        }
    }
    for (name, amount) in initialising {
        together.raise(name, amount);
    }
    together
}

/// The resources that a pod may ask for as a whole.
fn counts_at_pod_level(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || is_huge_pages(name)
}

fn is_huge_pages(name: &str) -> bool {
    name.starts_with("hugepages-")
}
