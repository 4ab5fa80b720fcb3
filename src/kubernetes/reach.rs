//! Which regions a pod could run in: by the nodes there are where they are known, else by its own selectors alone.
//!
//! Says nothing of whether it may be sent there; that is policy's.

use super::affinity::RegionSelector;
use super::cluster::{ClusterView, Watched};
use super::nodes::{Eligible, Needs, NodeIndex};
use super::placement::PodInContext;
use super::pod::Pod;
use super::volumes::{self, VolumeTopology};
use crate::domain::requests::{GpuRequest, ResourceList};
use crate::domain::{BypassReason, RegionId, Regions};

/// A region that a pod could run in.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The region.
    pub(super) region: RegionId,
    /// What the pod finds there; `None` where nodes are not known.
    pub(super) nodes: Option<Eligible>,
}

/// The regions, of those that are `offered`, that a pod could run in, which asks for `requests` in all.
///
/// # Errors
/// They are fewer than two, or that cannot be said.
pub(super) fn reach(
    subject: PodInContext<'_>,
    requests: &ResourceList<'_>,
    offered: impl Fn(RegionId) -> bool,
    cluster: &ClusterView,
    regions: &Regions,
    topology_key: &str,
) -> Result<Vec<Place>, BypassReason> {
    let pod = subject.pod;
    let volumes = volumes_of(subject, cluster)?;
    let offered = || regions.iter().filter(|(id, _)| offered(*id));
    let Some(nodes) = cluster.nodes.known() else {
        return if volumes.is_empty() {
            by_selectors(pod, offered().map(|(id, region)| (id, &*region.label)), topology_key)
        } else {
            Err(BypassReason::VolumePinned)
        };
    };
    let needs = Needs::new(pod, requests, &volumes);
    let gpus = requests.gpus() != GpuRequest::None;
    let places = |needs: &Needs<'_>, nodes: &NodeIndex| -> Vec<Place> {
        let place = |(region, eligible): (RegionId, Option<Eligible>)| {
            eligible.map(|eligible| Place { region, nodes: Some(eligible) })
        };
        offered()
            .map(|(id, region)| (id, nodes.eligible(&region.label, needs, gpus)))
            .filter_map(place)
            .collect()
    };
    let found = places(&needs, nodes);
    if found.len() >= 2 {
        return Ok(found);
    }
    let could_choose = !volumes.is_empty() && places(&needs.without_volumes(), nodes).len() >= 2;
    Err(if could_choose { BypassReason::VolumePinned } else { BypassReason::SingleRegion })
}

/// Where the volumes of a pod's claims are.
fn volumes_of<'c>(
    subject: PodInContext<'_>,
    cluster: &'c ClusterView,
) -> Result<Vec<&'c VolumeTopology>, BypassReason> {
    let mut claims = subject.pod.claims().peekable();
    if claims.peek().is_none() {
        return Ok(Vec::new());
    }
    match (&cluster.claims, &cluster.volumes) {
        (Watched::Known(known), Watched::Known(volumes)) => {
            volumes::volumes_of(known, volumes, subject.namespace, claims).ok_or(BypassReason::VolumePinned)
        }
        (Watched::Pending, _) | (_, Watched::Pending) => Err(BypassReason::ClusterUnknown),
        _ => Err(BypassReason::VolumePinned),
    }
}

fn by_selectors<'r>(
    pod: &Pod<'_>,
    regions: impl Iterator<Item = (RegionId, &'r str)>,
    topology_key: &str,
) -> Result<Vec<Place>, BypassReason> {
    let selector = RegionSelector { topology_key };
    if selector.pins_to_nodes(pod) {
        return Err(BypassReason::SingleRegion);
    }
    let admitted = regions.filter(|(_, label)| selector.admits(pod, label));
    let places: Vec<Place> = admitted.map(|(region, _)| Place { region, nodes: None }).collect();
    if places.len() < 2 { Err(BypassReason::SingleRegion) } else { Ok(places) }
}
