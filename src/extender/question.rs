//! What both extender endpoints do first: find the nodes' regions, and the decision for the pod.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::wire::{Args, Nodes, WireNode};
use crate::audit::entry::Subject;
use crate::decider::{Decided, Decider, subject_of};
use crate::domain::{BypassReason, Decision, RegionId, Regions};
use crate::kubernetes::affinity::{LEGACY_REGION, RegionSelector};
use crate::kubernetes::annotations::{self, DecisionMark};
use crate::kubernetes::cluster::{ClusterView, Watched};
use crate::kubernetes::decode::decode_pod;
use crate::kubernetes::nodes::{INSTANCE_TYPE, NodeFacts, NodeIndex};
use crate::kubernetes::placement::PodInContext;
use crate::kubernetes::pod::Pod;

/// Clocks of replicas differ; a decision from further ahead than this is nobody's.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// A question with its nodes found.
#[derive(Debug)]
pub struct Question<'a> {
    /// The nodes as they came.
    pub nodes: Nodes<'a>,
    /// Their names, in order.
    pub names: Vec<Cow<'a, str>>,
    /// Their regions, in order; `None` where it is not known or not configured.
    pub regions: Vec<Option<RegionId>>,
}

/// The decision for a question's pod.
#[derive(Debug)]
pub struct Resolved {
    /// For whom.
    pub subject: Subject,
    /// What was decided.
    pub decided: Decided,
    /// The region an earlier decision sent the pod to, when that decision is believed.
    pub followed: Option<RegionId>,
}

impl<'a> Question<'a> {
    /// Finds the nodes of a question and decides about its pod.
    #[must_use]
    pub fn resolve(args: Args<'a>, decider: &Decider, now: Timestamp) -> (Self, Resolved) {
        let cluster = decider.cluster();
        let topology_key = &decider.settings().placement.topology_key;
        let facts = node_facts(&args.nodes, topology_key);
        // Whole nodes tell what the view does not know, where nobody watches.
        let told = (matches!(cluster.nodes, Watched::Unwatched) && !facts.is_empty()).then(|| {
            let nodes = NodeIndex::found_feasible(facts.iter().cloned(), topology_key);
            ClusterView { nodes: Watched::Known(Arc::new(nodes)), ..ClusterView::clone(&cluster) }
        });
        let view = told.as_ref().unwrap_or(&cluster);
        let snapshot = decider.snapshot();
        let regions = snapshot.as_ref().map(|snapshot| &*snapshot.regions);
        let names = names(&args.nodes, &facts);
        let region_of = |name: &str| view.nodes.known()?.region_of(name);
        let question = Self {
            regions: names
                .iter()
                .map(|name| regions.zip(region_of(name)).and_then(|(regions, label)| regions.by_label(label)))
                .collect(),
            names,
            nodes: args.nodes,
        };
        let resolved =
            question.decide(args.pod.map(serde_json::value::RawValue::get), view, decider, regions, now);
        (question, resolved)
    }

    fn decide(
        &self,
        pod: Option<&str>,
        view: &ClusterView,
        decider: &Decider,
        regions: Option<&Regions>,
        now: Timestamp,
    ) -> Resolved {
        let unknown = |subject, reason| Resolved { subject, decided: decider.bypass(reason), followed: None };
        let pod = match pod.map(decode_pod) {
            Some(Ok(pod)) => pod,
            undecodable => {
                let error = undecodable.and_then(Result::err).map(|error| error.to_string());
                tracing::warn!(error, "pod cannot be decoded; all nodes pass");
                return unknown(Subject::default(), BypassReason::Undecodable);
            }
        };
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let subject = subject_of(&pod, pod.metadata.uid.as_deref().unwrap_or_default(), namespace);

        let mut offered: Vec<RegionId> = self.regions.iter().flatten().copied().collect();
        offered.sort_unstable();
        offered.dedup();
        let context = PodInContext { pod: &pod, namespace };
        let mut decided = decider.decide_in(context, Some(&offered), view, now);

        let max_age = decider.settings().policy.grid_max_age;
        let mark = regions.and_then(|regions| Mark::read(&pod, regions, now, max_age));
        let mut followed = None;
        if let Some(mark) = mark
            && let Some(decision) = decided.decision.clone().following(mark.target)
        {
            decided.decision = decision;
            decided.id = mark.id;
            decided.made_at_admission = true;
            followed = Some(mark.target);
        }
        let selector = RegionSelector { topology_key: &decider.settings().placement.topology_key };
        let target_label = followed.zip(regions).map(|(target, regions)| &*regions.get(target).label);
        if decided.decision.base.is_some() && has_own_preference(&pod, selector, target_label) {
            decided.decision = Decision::bypass(BypassReason::OwnPreference);
            followed = None;
        }
        Resolved { subject, decided, followed }
    }
}

/// An earlier decision, as the pod's annotations tell it.
struct Mark {
    id: crate::audit::entry::DecisionId,
    target: RegionId,
}

impl Mark {
    /// Reads it; `None` when it is not ours, too old, from the future, or names no configured region. Whether the
    /// region is eligible and allowed shows when the decision's candidates are searched for it.
    fn read(pod: &Pod<'_>, regions: &Regions, now: Timestamp, max_age: SignedDuration) -> Option<Self> {
        let mark = DecisionMark::of(pod)?;
        let age = now.duration_since(mark.at);
        if age > max_age || age < -CLOCK_SKEW {
            return None;
        }
        Some(Self {
            id: mark.id.parse().ok()?,
            target: regions.by_name(pod.annotation(annotations::TARGET_REGION)?)?,
        })
    }
}

/// Whether the pod itself prefers regions or zones, or wants to be spread over them. Terms of an earlier decision do
/// not count: plain preferences for one region each, none weightier than the one for its target, as only they can be,
/// since Eco-Pulse's are always below the user's.
fn has_own_preference(pod: &Pod<'_>, selector: RegionSelector<'_>, target_label: Option<&str>) -> bool {
    let spread = pod.spec.topology_spread_constraints.iter().map(|constraint| &constraint.topology_key);
    let near_pods = pod.spec.affinity.iter().flat_map(|affinity| {
        let wishes = affinity.pod_affinity.preferred.iter().chain(&affinity.pod_anti_affinity.preferred);
        wishes.map(|wish| &wish.pod_affinity_term.topology_key)
    });
    if spread.chain(near_pods).any(|key| selector.names_region_or_zone(key)) {
        return true;
    }
    let terms = pod.preferred_terms();
    let decided_weight = target_label.and_then(|label| {
        terms
            .iter()
            .filter(|term| selector.is_plain_preference_for(&term.preference, label))
            .map(|term| term.weight)
            .min()
    });
    terms.iter().any(|term| {
        let ours = decided_weight.is_some_and(|decided| {
            term.weight <= decided && selector.plain_preference(&term.preference).is_some()
        });
        !ours
            && term
                .preference
                .match_expressions
                .iter()
                .any(|requirement| selector.names_region_or_zone(&requirement.key))
    })
}

/// What whole nodes say of region, type and size. The scheduler has found them feasible, so nothing else of them matters.
fn node_facts(nodes: &Nodes<'_>, topology_key: &str) -> Vec<Arc<NodeFacts>> {
    let Nodes::Full { items, .. } = nodes else { return Vec::new() };
    let kept = |key: &str| matches!(key, INSTANCE_TYPE | LEGACY_REGION) || key == topology_key;
    // A node that cannot be read stays in its place without a name, and is kept like any unknown one.
    items
        .iter()
        .map(|item| serde_json::from_str::<WireNode<'_>>(item.get()).unwrap_or_default())
        .map(|node| {
            let labels = node.metadata.labels.iter().filter(|(key, _)| kept(key));
            let allocatable = node.status.allocatable.iter();
            Arc::new(NodeFacts {
                labels: labels.map(|(key, value)| (&**key, &**value)).collect(),
                allocatable: allocatable.map(|(resource, amount)| (Arc::from(resource), amount)).collect(),
                ..NodeFacts::new(&*node.metadata.name)
            })
        })
        .collect()
}

fn names<'a>(nodes: &Nodes<'a>, facts: &[Arc<NodeFacts>]) -> Vec<Cow<'a, str>> {
    match nodes {
        Nodes::Names(names) => names.iter().map(|name| name.0.clone()).collect(),
        Nodes::Full { .. } => facts.iter().map(|facts| Cow::Owned(facts.name.to_string())).collect(),
        Nodes::Absent => Vec::new(),
    }
}
