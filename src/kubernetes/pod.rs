//! A pod as the API server and the scheduler send it, as far as a decision needs it: everything else is skipped
//! without being kept, `managedFields` above all.

use serde::Deserialize;

use super::list::{short_list, short_list_or_none};
use super::text::{Text, TextMap, null_is_default};
use crate::domain::requests::{ContainerRequests, PodResources, ResourceList, ResourceRequirements};

/// A pod. Fields that Eco-Pulse does not read are not here.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Pod<'a> {
    /// Its metadata; an object without is no pod, and a patch would find no place for its marks.
    #[serde(borrow)]
    pub metadata: Metadata<'a>,
    /// Its specification.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub spec: PodSpec<'a>,
}

/// `metadata`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata<'a> {
    /// Absent while only `generateName` is known.
    #[serde(borrow, default)]
    pub name: Option<Text<'a>>,
    /// Prefix of the name to come.
    #[serde(borrow, default)]
    pub generate_name: Option<Text<'a>>,
    /// Filled before admission since 1.36; older servers say it in the request only.
    #[serde(borrow, default)]
    pub namespace: Option<Text<'a>>,
    /// Absent before the pod is stored.
    #[serde(borrow, default)]
    pub uid: Option<Text<'a>>,
    /// `None` when the key is absent or null: then a patch must add the map first.
    #[serde(borrow, default)]
    pub labels: Option<TextMap<'a>>,
    /// `None` when the key is absent or null: then a patch must add the map first.
    #[serde(borrow, default)]
    pub annotations: Option<TextMap<'a>>,
    /// Who made it.
    #[serde(borrow, default, deserialize_with = "short_list")]
    pub owner_references: Vec<OwnerReference<'a>>,
}

/// `metadata.ownerReferences[]`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct OwnerReference<'a> {
    /// Its kind.
    #[serde(borrow, default)]
    pub kind: Text<'a>,
    /// Its name.
    #[serde(borrow, default)]
    pub name: Text<'a>,
    /// Its uid.
    #[serde(borrow, default)]
    pub uid: Text<'a>,
    /// Whether it manages the pod.
    #[serde(default, deserialize_with = "null_is_default")]
    pub controller: bool,
}

/// `spec`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSpec<'a> {
    /// Set when the pod is bound, or made for one node.
    #[serde(borrow, default)]
    pub node_name: Option<Text<'a>>,
    /// All must match.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub node_selector: TextMap<'a>,
    /// `None` when the key is absent or null.
    #[serde(borrow, default)]
    pub affinity: Option<Affinity<'a>>,
    /// Its containers.
    #[serde(borrow, default, deserialize_with = "short_list")]
    pub containers: Vec<Container<'a>>,
    /// Its init containers, sidecars among them, in order.
    #[serde(borrow, default, deserialize_with = "short_list")]
    pub init_containers: Vec<Container<'a>>,
    /// Requests of the pod as a whole.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub resources: ResourceRequirements<'a>,
    /// What its runtime class adds.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub overhead: ResourceList<'a>,
    /// `Always`, `OnFailure` or `Never`.
    #[serde(borrow, default)]
    pub restart_policy: Option<Text<'a>>,
    /// Its volumes.
    #[serde(borrow, default, deserialize_with = "short_list")]
    pub volumes: Vec<Volume<'a>>,
    /// Which taints it puts up with.
    #[serde(borrow, default, deserialize_with = "short_list")]
    pub tolerations: Vec<Toleration<'a>>,
    /// How it wants to be spread.
    #[serde(borrow, default, deserialize_with = "short_list")]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint<'a>>,
}

/// `spec.affinity`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Affinity<'a> {
    /// `None` when the key is absent or null.
    #[serde(borrow, default)]
    pub node_affinity: Option<NodeAffinity<'a>>,
    /// Near which pods.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub pod_affinity: PodAffinity<'a>,
    /// Away from which pods.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub pod_anti_affinity: PodAffinity<'a>,
}

/// `spec.affinity.podAffinity` and `podAntiAffinity`: what is required there, the scheduler has seen to.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PodAffinity<'a> {
    /// Should hold.
    #[serde(borrow, default, deserialize_with = "short_list")]
    #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
    pub preferred: Vec<WeightedPodTerm<'a>>,
}

/// A weighted wish about other pods.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WeightedPodTerm<'a> {
    /// The wish.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub pod_affinity_term: PodTerm<'a>,
}

/// A wish about other pods, as far as it names a place.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodTerm<'a> {
    /// What counts as one place.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub topology_key: Text<'a>,
}

/// `spec.affinity.nodeAffinity`.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NodeAffinity<'a> {
    /// Must hold.
    #[serde(borrow, default, rename = "requiredDuringSchedulingIgnoredDuringExecution")]
    pub required: Option<NodeSelector<'a>>,
    /// Should hold; `None` when the key is absent or null.
    #[serde(
        borrow,
        default,
        rename = "preferredDuringSchedulingIgnoredDuringExecution",
        deserialize_with = "short_list_or_none"
    )]
    pub preferred: Option<Vec<PreferredTerm<'a>>>,
}

/// Terms of which one must match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeSelector<'a> {
    /// The terms.
    #[serde(borrow, default, deserialize_with = "short_list")]
    pub node_selector_terms: Vec<NodeSelectorTerm<'a>>,
}

/// A weighted wish.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PreferredTerm<'a> {
    /// 1 to 100.
    #[serde(default)]
    pub weight: i64,
    /// The wish.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub preference: NodeSelectorTerm<'a>,
}

/// Requirements of which all must match; a term without any matches nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeSelectorTerm<'a> {
    /// On labels.
    #[serde(borrow, default, deserialize_with = "short_list")]
    pub match_expressions: Vec<Requirement<'a>>,
    /// On fields; `metadata.name` is the only one there is.
    #[serde(borrow, default, deserialize_with = "short_list")]
    pub match_fields: Vec<Requirement<'a>>,
}

/// One requirement of a node selector term.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Requirement<'a> {
    /// Label or field.
    #[serde(borrow, default)]
    pub key: Text<'a>,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt` or `Lt`.
    #[serde(borrow, default)]
    pub operator: Text<'a>,
    /// Its values.
    #[serde(borrow, default, deserialize_with = "short_list")]
    pub values: Vec<Text<'a>>,
}

/// A container's part in the pod's requests.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container<'a> {
    /// What it asks for.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub resources: ResourceRequirements<'a>,
    /// `Always` makes an init container a sidecar.
    #[serde(borrow, default)]
    pub restart_policy: Option<Text<'a>>,
}

/// A volume, as far as it may pin the pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume<'a> {
    /// A claim that outlives the pod.
    #[serde(borrow, default)]
    pub persistent_volume_claim: Option<ClaimSource<'a>>,
}

/// `spec.volumes[].persistentVolumeClaim`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimSource<'a> {
    /// The claim's name.
    #[serde(borrow, default)]
    pub claim_name: Text<'a>,
}

/// `spec.tolerations[]`; what is absent is empty, which means "any".
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Toleration<'a> {
    /// The taint's key.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub key: Text<'a>,
    /// `Equal` (when empty, too) or `Exists`.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub operator: Text<'a>,
    /// The taint's value.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub value: Text<'a>,
    /// The taint's effect.
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    pub effect: Text<'a>,
}

/// `spec.topologySpreadConstraints[]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TopologySpreadConstraint<'a> {
    /// What it spreads over.
    #[serde(borrow, default)]
    pub topology_key: Text<'a>,
}

impl<'a> Pod<'a> {
    /// The value of a label.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata.labels.as_ref()?.get(key).map(|value| &**value)
    }

    /// The value of an annotation.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(key).map(|value| &**value)
    }

    /// The owner that manages it, else the first there is.
    #[must_use]
    pub fn owner(&self) -> Option<&OwnerReference<'a>> {
        let owners = &self.metadata.owner_references;
        owners.iter().find(|owner| owner.controller).or_else(|| owners.first())
    }

    /// Its own preferred node-affinity terms.
    #[must_use]
    pub fn preferred_terms(&self) -> &[PreferredTerm<'a>] {
        self.spec
            .affinity
            .as_ref()
            .and_then(|affinity| affinity.node_affinity.as_ref())
            .and_then(|affinity| affinity.preferred.as_deref())
            .unwrap_or_default()
    }

    /// The terms of which a node must satisfy one; `None` when it requires nothing.
    #[must_use]
    pub fn required_terms(&self) -> Option<&NodeSelector<'a>> {
        self.spec.affinity.as_ref()?.node_affinity.as_ref()?.required.as_ref()
    }

    /// The claims that it mounts, by name.
    pub fn claims(&self) -> impl Iterator<Item = &str> {
        let claims = self.spec.volumes.iter().filter_map(|volume| volume.persistent_volume_claim.as_ref());
        claims.map(|claim| &*claim.claim_name)
    }

    /// What it asks for, container by container.
    #[must_use]
    pub fn resources(&self) -> PodResources<'a> {
        let requests = |container: &Container<'a>| ContainerRequests {
            resources: container.resources.clone(),
            sidecar: container.restart_policy.as_deref() == Some("Always"),
        };
        PodResources {
            containers: self.spec.containers.iter().map(requests).collect(),
            init_containers: self.spec.init_containers.iter().map(requests).collect(),
            pod_level: self.spec.resources.clone(),
            overhead: self.spec.overhead.clone(),
        }
    }

    /// Completes a pod template as the API server completes a pod: limits stand in for requests that are absent.
    pub fn fill_in_defaults(&mut self) {
        let mut resources = self.resources();
        resources.fill_in_defaults();
        let PodResources { containers, init_containers, pod_level, overhead } = resources;
        for (container, completed) in self.spec.containers.iter_mut().zip(containers) {
            container.resources = completed.resources;
        }
        for (container, completed) in self.spec.init_containers.iter_mut().zip(init_containers) {
            container.resources = completed.resources;
        }
        self.spec.resources = pod_level;
        self.spec.overhead = overhead;
    }
}
