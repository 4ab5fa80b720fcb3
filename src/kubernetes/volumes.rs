//! Where a pod's persistent volumes are: a claim that is bound decides which nodes the pod can run on.
//!
//! A claim that is not bound yet is left to whoever binds it: where the pod first ran, its volume would stay for ever,
//! decided by one hour's grid.

use std::collections::HashMap;
use std::sync::Arc;

use super::pod::{NodeSelector, Requirement};

/// What nodes a volume can be mounted on. A volume that says nothing can be mounted anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VolumeTopology {
    /// `spec.nodeAffinity.required`.
    pub required: Option<NodeSelector<'static>>,
    /// Labels of the volume that name region or zone: nodes must carry them as well (the `VolumeZone` filter).
    pub labels: Vec<Requirement<'static>>,
}

/// The volume that each claim is bound to, by [`claim_key`]; `None` for one that is not bound.
pub type Claims = Arc<HashMap<String, Option<Arc<str>>>>;
/// Volumes by name.
pub type Volumes = Arc<HashMap<String, Arc<VolumeTopology>>>;

/// What a claim is found by. Neither part can contain a slash.
#[must_use]
pub fn claim_key(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

/// Where the volumes of a pod's claims are; `None` when one is not bound, or not known yet.
#[must_use]
pub fn volumes_of<'v, 'c>(
    claims: &Claims,
    volumes: &'v Volumes,
    namespace: &str,
    names: impl Iterator<Item = &'c str>,
) -> Option<Vec<&'v VolumeTopology>> {
    let volume = |name: &str| {
        let bound_to = claims.get(&claim_key(namespace, name))?.as_ref()?;
        volumes.get(&**bound_to).map(|volume| &**volume)
    };
    names.map(volume).collect()
}
