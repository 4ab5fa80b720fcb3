//! From a pod to the arguments of a decision: is it ours to decide about, what does it ask for, where could it go.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::annotations::{self, AllowedRegions, Hints};
use super::cluster::{ClusterView, NamespaceView, Watched};
use super::labels::Labels;
use super::pod::Pod;
use super::policies::{Applied, PolicyMode};
use super::reach::{Place, reach};
use crate::domain::demand::Defaulted;
use crate::domain::requests::{GpuRequest, ResourceList, effective_requests};
use crate::domain::units::{Gigabytes, Hours};
use crate::domain::{
    BypassReason, Candidate, Candidates, CapacityType, PodDemand, RegionId, Regions, Snapshot, WorkloadClass,
};

/// Marks the mirror of a static pod.
const MIRROR_ANNOTATION: &str = "kubernetes.io/config.mirror";
/// By these labels a pod's selector asks for a type of machine.
const INSTANCE_TYPE_LABELS: [&str; 2] =
    ["node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"];

/// What configuration says where a pod says nothing.
#[derive(Clone, Debug)]
pub struct PlacementSettings {
    /// The label whose values are regions.
    pub topology_key: String,
    /// Expected run.
    pub default_duration: Hours,
    /// Data moved over the run.
    pub default_egress: Gigabytes,
    /// Machine, where neither pod nor nodes tell.
    pub instance_type: Arc<str>,
    /// Capacity that every region is priced at.
    pub capacity_type: CapacityType,
}

/// A pod as a request presents it.
#[derive(Clone, Copy, Debug)]
pub struct PodInContext<'a> {
    /// The pod.
    pub pod: &'a Pod<'a>,
    /// Its namespace; the request's word counts, since older servers leave the pod's own empty.
    pub namespace: &'a str,
}

/// A pod that is ours to decide about.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it asks for.
    pub demand: PodDemand,
    /// Where it could go.
    pub candidates: Candidates,
}

/// The answer to whether and about what to decide.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What placement policies come to for the pod; nothing where it did not come to that.
    pub policies: Applied,
    /// The arguments of the decision, or why there is none to make.
    pub plan: Result<Plan, BypassReason>,
    /// Annotations that could not be read.
    pub warnings: Vec<String>,
}

impl Planned {
    fn leave_alone(reason: BypassReason) -> Self {
        Self { plan: Err(reason), warnings: Vec::new(), policies: Applied::default() }
    }
}

/// Plans a decision. `offered` are the regions a caller already narrowed the choice to (the scheduler's candidates);
/// `None` considers all configured ones.
#[must_use]
pub fn plan(
    subject: PodInContext<'_>,
    offered: Option<&[RegionId]>,
    cluster: &ClusterView,
    snapshot: &Snapshot,
    settings: &PlacementSettings,
) -> Planned {
    if let Some(reason) = off_limits(subject, cluster) {
        return Planned::leave_alone(reason);
    }
    let policies = match policies_for(subject, cluster, &snapshot.regions) {
        Ok(policies) => policies,
        Err(reason) => return Planned::leave_alone(reason),
    };
    if policies.mode == PolicyMode::Off {
        return Planned { policies, ..Planned::leave_alone(BypassReason::ModeOff) };
    }
    let mut hints = annotations::read_hints(subject.pod, &snapshot.regions);
    // What the pod says of itself is nearer than any policy; where both limit, the stricter counts.
    hints.duration = hints.duration.or(policies.duration);
    hints.egress = hints.egress.or(policies.egress);
    hints.data_region = hints.data_region.or(policies.data_region);
    hints.max_latency = match (hints.max_latency, policies.max_latency) {
        (Some(own), Some(limit)) => Some(if own.0 < limit.0 { own } else { limit }),
        (own, limit) => own.or(limit),
    };
    let residency = match cluster.namespace(subject.namespace) {
        NamespaceView::Known(facts) => facts.allowed_regions.as_deref(),
        NamespaceView::Unwatched | NamespaceView::Unknown => None,
    }
    .map_or(AllowedRegions::Any, |text| {
        let read = AllowedRegions::parse(text, &snapshot.regions);
        hints.warnings.extend(read.warning_for_namespace(text));
        read
    });
    let admits = |region| residency.admits(region) && policies.admits(region);
    let plan = plan_with_hints(subject, offered, cluster, snapshot, settings, &hints, admits);
    Planned { plan, warnings: hints.warnings, policies }
}

/// What placement policies come to for a pod.
fn policies_for(
    subject: PodInContext<'_>,
    cluster: &ClusterView,
    regions: &Regions,
) -> Result<Applied, BypassReason> {
    let PodInContext { pod, namespace } = subject;
    let no_labels = Labels::default();
    let labels = match cluster.namespace(namespace) {
        NamespaceView::Known(facts) => &facts.labels,
        NamespaceView::Unwatched | NamespaceView::Unknown => &no_labels,
    };
    match &cluster.policies {
        Watched::Unwatched => Ok(Applied::default()),
        Watched::Pending => Err(BypassReason::ClusterUnknown),
        // What a policy that cannot be read forbids, nobody knows.
        Watched::Known(book) => book.apply(pod, namespace, labels, regions).ok_or(BypassReason::Policy),
    }
}

/// Pods that Eco-Pulse never touches, whatever the grid says.
fn off_limits(subject: PodInContext<'_>, cluster: &ClusterView) -> Option<BypassReason> {
    let PodInContext { pod, namespace } = subject;
    let owned_by =
        |kinds: &[&str]| pod.metadata.owner_references.iter().any(|owner| kinds.contains(&&*owner.kind));
    if pod.annotation(MIRROR_ANNOTATION).is_some() {
        return Some(BypassReason::Mirror);
    }
    if pod.spec.node_name.as_deref().is_some_and(|node| !node.is_empty()) {
        return Some(BypassReason::Bound);
    }
    if owned_by(&["DaemonSet", "Node"]) {
        return Some(BypassReason::Daemonset);
    }
    if cluster.system_namespaces.contains(namespace) {
        return Some(BypassReason::SystemNamespace);
    }
    if cluster.nodes.is_pending() || cluster.namespaces.is_pending() {
        return Some(BypassReason::ClusterUnknown);
    }
    let namespace_opted_out = match cluster.namespace(namespace) {
        NamespaceView::Unwatched => false,
        // It may have opted out, or may keep its data in one place: until it is known, the pod is not ours.
        NamespaceView::Unknown => return Some(BypassReason::Policy),
        NamespaceView::Known(facts) => facts.opted_out,
    };
    if namespace_opted_out || pod.label(annotations::INJECT) == Some(annotations::INJECT_DISABLED) {
        return Some(BypassReason::OptedOut);
    }
    None
}

fn plan_with_hints(
    subject: PodInContext<'_>,
    offered: Option<&[RegionId]>,
    cluster: &ClusterView,
    snapshot: &Snapshot,
    settings: &PlacementSettings,
    hints: &Hints,
    admits: impl Fn(RegionId) -> bool,
) -> Result<Plan, BypassReason> {
    let pod = subject.pod;
    let resources = pod.resources();
    let requests = effective_requests(&resources);
    let mut demand = demand(subject, &requests, settings, hints)?;

    let is_offered = |id: RegionId| offered.is_none_or(|offered| offered.contains(&id));
    let reachable =
        reach(subject, &requests, is_offered, cluster, &snapshot.regions, &settings.topology_key)?;
    let allowed: Vec<Place> = reachable
        .into_iter()
        .filter(|place| admits(place.region) && hints.allowed_regions.admits(place.region))
        .collect();
    if allowed.len() < 2 {
        return Err(BypassReason::Policy);
    }

    let wanted_type = wanted_instance_type(pod);
    let mut assumes_type = false;
    let list: Vec<Candidate> = allowed
        .into_iter()
        .map(|Place { region, nodes }| {
            let usual_type = || {
                let usual = nodes.as_ref()?.usual_type.clone()?;
                // What has no price cannot be weighed; then the configured type stands in for it.
                snapshot.data(region).price(&usual, settings.capacity_type).is_some().then_some(usual)
            };
            let told = wanted_type.map(Arc::from).or_else(usual_type);
            Candidate {
                region,
                capacity_type: settings.capacity_type,
                instance_type: told.unwrap_or_else(|| {
                    assumes_type = true;
                    settings.instance_type.clone()
                }),
                mix_weight: nodes.as_ref().map_or(1.0, |nodes| nodes.allocatable_cores),
                quota_left: None,
            }
        })
        .collect();
    if assumes_type {
        demand.defaults.push(Defaulted::InstanceType);
    }
    Ok(Plan { demand, candidates: Candidates { list, incumbent: None, running_in: None } })
}

/// What a pod asks for by its own word, whether or not it is ours to decide about.
///
/// # Errors
/// That cannot be said.
pub fn demand_of(
    subject: PodInContext<'_>,
    regions: &Regions,
    settings: &PlacementSettings,
) -> Result<PodDemand, BypassReason> {
    let resources = subject.pod.resources();
    demand(subject, &effective_requests(&resources), settings, &annotations::read_hints(subject.pod, regions))
}

fn demand(
    subject: PodInContext<'_>,
    requests: &ResourceList<'_>,
    settings: &PlacementSettings,
    hints: &Hints,
) -> Result<PodDemand, BypassReason> {
    let pod = subject.pod;
    let gpus = match requests.gpus() {
        GpuRequest::None => 0,
        GpuRequest::Whole { count, .. } => u32::try_from(count).map_err(|_| BypassReason::UnknownGpu)?,
        GpuRequest::Unknown(_) => return Err(BypassReason::UnknownGpu),
    };
    let mut defaults = Vec::new();
    let mut missing = |is_missing: bool, what| {
        if is_missing {
            defaults.push(what);
        }
    };
    missing(hints.duration.is_none(), Defaulted::Duration);
    missing(hints.egress.is_none(), Defaulted::EgressGb);
    missing(hints.data_region.is_none(), Defaulted::DataRegion);
    missing(hints.traffic_region.is_none(), Defaulted::TrafficRegion);
    let demand = PodDemand {
        cpu: requests.cpu().as_cores(),
        memory: requests.memory().as_gibibytes(),
        gpus,
        hours: hints.duration.unwrap_or(settings.default_duration),
        egress: hints.egress.unwrap_or(settings.default_egress),
        data_region: hints.data_region,
        traffic_region: hints.traffic_region,
        class: class(pod),
        max_latency: hints.max_latency,
        owner_hash: owner_hash(subject),
        defaults,
    };
    if demand.is_impossible() {
        return Err(BypassReason::ImpossibleRequests);
    }
    let asks_for_nothing = demand.cpu.0 <= 0.0 && demand.memory.0 <= 0.0 && demand.gpus == 0;
    if asks_for_nothing { Err(BypassReason::NoRequests) } else { Ok(demand) }
}

/// Batch is what a Job owns or what is not restarted always: it runs to an end, and nobody waits for its answers.
fn class(pod: &Pod<'_>) -> WorkloadClass {
    let of_job = pod.metadata.owner_references.iter().any(|owner| &*owner.kind == "Job");
    let ends = pod.spec.restart_policy.as_deref().is_some_and(|policy| policy != "Always");
    if of_job || ends { WorkloadClass::Batch } else { WorkloadClass::Serving }
}

/// The same for all pods of an owner, on every replica and in every release: hence a digest, not a `Hasher`.
fn owner_hash(subject: PodInContext<'_>) -> u64 {
    let PodInContext { pod, namespace } = subject;
    let metadata = &pod.metadata;
    let mut digest = Sha256::new();
    if let Some(owner) = pod.owner() {
        digest.update(owner.uid.as_bytes());
    } else {
        let name = metadata.generate_name.as_deref().or(metadata.name.as_deref()).unwrap_or_default();
        digest.update(namespace.as_bytes());
        digest.update(b"/");
        digest.update(name.as_bytes());
    }
    let bytes = digest.finalize();
    bytes.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// The type of machine the pod's own node selector names.
fn wanted_instance_type<'p>(pod: &'p Pod<'_>) -> Option<&'p str> {
    let selector = &pod.spec.node_selector;
    INSTANCE_TYPE_LABELS.iter().find_map(|label| selector.get(*label)).map(|value| &**value)
}
