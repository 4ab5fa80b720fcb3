//! The one way from a pod to a decision, for webhook, extender, `explain` and demo alike: plan, then decide, on what
//! is in memory.
//!
//! Holds the views that others keep up to date. Calls nobody, waits for nothing.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex};

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;

use crate::audit::entry::{DecisionId, DecisionIds, Subject};
use crate::config::{Config, FilterMode, Mode};
use crate::domain::units::UsdPerTonne;
use crate::domain::{
    BypassReason, Decision, EffectivePolicy, Outcome, PodDemand, RegionId, Regions, Snapshot, decide,
};
use crate::herd::{Herd, Recent, locked};
use crate::kubernetes::affinity::RegionSelector;
use crate::kubernetes::annotations::{self, DecisionMark};
use crate::kubernetes::cluster::ClusterView;
use crate::kubernetes::placement::{PlacementSettings, Planned, PodInContext, plan};
use crate::kubernetes::pod::Pod;
use crate::kubernetes::policies::{Applied, PolicyMode};

/// What configuration says about decisions.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is done with decisions.
    pub mode: Mode,
    /// Where a pod says nothing.
    pub placement: PlacementSettings,
    /// What a decision weighs.
    pub policy: EffectivePolicy,
    /// Weight of the winner's preferred term, 1 to 100.
    pub affinity_weight: u8,
    /// Whether the extender enforces.
    pub filter: FilterMode,
    /// Steered pods per region and minute.
    pub max_pods_per_minute: u32,
}

impl Settings {
    /// The part of a configuration that decisions need.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            mode: config.mode,
            placement: PlacementSettings {
                topology_key: config.topology_key.clone(),
                default_duration: config.workload.default_duration,
                default_egress: config.workload.egress,
                instance_type: config.prices.instance_type.clone(),
                capacity_type: config.prices.capacity_type,
            },
            policy: config.policy(),
            affinity_weight: config.decision.affinity_weight.get(),
            filter: config.extender.filter,
            max_pods_per_minute: config.herd.max_pods_per_minute.get(),
        }
    }
}

/// Where the current snapshot is read from.
pub type SnapshotView = Arc<ArcSwapOption<Snapshot>>;

/// Makes decisions.
#[derive(Debug)]
pub struct Decider {
    settings: Settings,
    snapshot: SnapshotView,
    cluster: Arc<ArcSwap<ClusterView>>,
    herd: Herd,
    ids: DecisionIds,
    /// Which pod each of the last decisions was for, as a hash.
    made_for: Mutex<Recent<DecisionId, u64>>,
    /// Places that the last pods hold whom the scheduler asked about and who carried no decision that is believed, by a hash of the
    /// pod. One that is forgotten is counted again.
    enforced: Mutex<Recent<(u64, RegionId), ()>>,
    hasher: RandomState,
}

/// A decision with what it was made of, and what a caller needs to act on it.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Its id.
    pub id: DecisionId,
    /// The decision.
    pub decision: Decision,
    /// What the pod asked for; `None` when it did not come to that.
    pub demand: Option<PodDemand>,
    /// What was known; `None` when nothing was.
    pub snapshot: Option<Arc<Snapshot>>,
    /// Annotations that could not be read, for people.
    pub warnings: Vec<String>,
    /// What becomes of it: the configuration's mode, or a policy's where that is lower.
    pub mode: Mode,
    /// Names of the placement policies that applied.
    pub policies: Vec<String>,
    /// What carbon was priced at, with what those policies say of it.
    pub carbon_price: UsdPerTonne,
    /// Whether the pod came with it and it is believed: then it has had its place in the herd since admission.
    pub made_at_admission: bool,
}

impl Decider {
    /// A decider over views that others keep up to date. `process` is a random number that makes its ids its own.
    #[must_use]
    pub fn new(
        settings: Settings,
        snapshot: SnapshotView,
        cluster: Arc<ArcSwap<ClusterView>>,
        process: u64,
    ) -> Self {
        let herd = Herd::new(settings.max_pods_per_minute);
        Self {
            settings,
            snapshot,
            cluster,
            herd,
            ids: DecisionIds::new(process),
            made_for: Mutex::default(),
            enforced: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// What configuration says.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is known of the cluster now.
    #[must_use]
    pub fn cluster(&self) -> Arc<ClusterView> {
        self.cluster.load_full()
    }

    /// What is known of grid and market now.
    #[must_use]
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.load_full()
    }

    /// A decision that was not made, for a reason that lies outside the pod.
    #[must_use]
    pub fn bypass(&self, reason: BypassReason) -> Decided {
        Decided {
            id: self.ids.next(),
            decision: Decision::bypass(reason),
            demand: None,
            snapshot: None,
            warnings: Vec::new(),
            mode: self.settings.mode,
            policies: Vec::new(),
            carbon_price: self.settings.policy.carbon_price.effective(),
            made_at_admission: false,
        }
    }

    /// Decides about a pod.
    #[must_use]
    pub fn decide(&self, subject: PodInContext<'_>, now: Timestamp) -> Decided {
        self.decide_in(subject, None, &self.cluster.load(), now)
    }

    /// Decides about a pod in a cluster as a caller sees it, among the regions it offers; `None` offers all that are
    /// configured.
    #[must_use]
    pub fn decide_in(
        &self,
        subject: PodInContext<'_>,
        offered: Option<&[RegionId]>,
        cluster: &ClusterView,
        now: Timestamp,
    ) -> Decided {
        if self.settings.mode == Mode::Off {
            return self.bypass(BypassReason::ModeOff);
        }
        let Some(snapshot) = self.snapshot() else { return self.bypass(BypassReason::NoSnapshot) };
        let planned = plan(subject, offered, cluster, &snapshot, &self.settings.placement);
        let Planned { plan, warnings, policies } = planned;
        let mode = self.settings.mode.lower(mode_of(policies.mode));
        let policy = self.policy_with(&policies);
        let carbon_price = policy.carbon_price.effective();
        let (decision, demand) = match plan {
            Err(reason) => (Decision::bypass(reason), None),
            Ok(mut plan) => {
                let held = self.place_held(subject, &snapshot.regions, now);
                let enforced = self.places_enforced(subject.pod);
                for candidate in &mut plan.candidates.list {
                    let region = candidate.region;
                    let own_place = u32::from(held == Some(region) || enforced(region));
                    candidate.quota_left = Some(self.herd.left(region, now).max(own_place));
                }
                plan.candidates.incumbent = self.herd.incumbent(plan.demand.owner_hash);
                let mut decision = decide(&plan.demand, &plan.candidates, &snapshot, &policy, now);
                if !self.has_room(subject.pod, &decision, &snapshot.regions) {
                    decision.outcome = Outcome::Bypass { reason: BypassReason::OwnPreference };
                }
                (decision, Some(plan.demand))
            }
        };
        let policies = policies.names;
        let (id, snapshot) = (self.ids.next(), Some(snapshot));
        Decided {
            id,
            decision,
            demand,
            snapshot,
            warnings,
            mode,
            policies,
            carbon_price,
            made_at_admission: false,
        }
    }

    /// What the operator wants of decisions, with what policies want of this one.
    fn policy_with(&self, applied: &Applied) -> EffectivePolicy {
        let policy = self.settings.policy.clone();
        let carbon_price =
            applied.carbon_price.map_or(policy.carbon_price, |price| policy.carbon_price.priced_at(price));
        EffectivePolicy {
            carbon_price,
            min_savings: applied.min_savings,
            min_carbon_reduction: applied.min_carbon_reduction,
            ..policy
        }
    }

    /// Whether the decision's preference fits below the pod's own: a user's term of the lowest weight there is leaves
    /// no room, and a pod that cannot be asked to go anywhere is not steered, nor counted as if it were.
    fn has_room(&self, pod: &Pod<'_>, decision: &Decision, regions: &Regions) -> bool {
        const LOWEST_WEIGHT: i64 = 1;
        let Some(preferred) = decision.preferred_region() else { return true };
        let selector = RegionSelector { topology_key: &self.settings.placement.topology_key };
        let label = &*regions.get(preferred).label;
        let terms = pod.preferred_terms();
        terms.iter().all(|term| term.weight > LOWEST_WEIGHT)
            || terms.iter().any(|term| selector.is_plain_preference_for(&term.preference, label))
    }

    /// The region whose quota an earlier pass over the same pod has taken a place of: a second one must not find the
    /// region filled by the pod itself.
    fn place_held(&self, subject: PodInContext<'_>, regions: &Regions, now: Timestamp) -> Option<RegionId> {
        let PodInContext { pod, namespace } = subject;
        self.earlier_pass(pod, &subject_of(pod, "", namespace), now)?;
        regions.by_name(pod.annotation(annotations::TARGET_REGION)?)
    }

    /// The same of earlier questions of the scheduler, which may have ended in one region and in another.
    fn places_enforced(&self, pod: &Pod<'_>) -> impl Fn(RegionId) -> bool {
        let pod = self.hash_of_created(&cut(pod.metadata.uid.as_deref().unwrap_or_default()));
        move |region| pod.is_some_and(|pod| locked(&self.enforced).get(&(pod, region)).is_some())
    }

    /// A pod's uid comes with its creation: at admission there is none.
    fn hash_of_created(&self, uid: &str) -> Option<u64> {
        (!uid.is_empty()).then(|| self.hasher.hash_one(uid))
    }

    /// The decision that an earlier pass of this admission made about this very pod. A pod's mark is believed only when
    /// this process remembers it: anybody can write one, and a copy of a pod brings another pod's.
    #[must_use]
    pub fn earlier_pass(&self, pod: &Pod<'_>, subject: &Subject, now: Timestamp) -> Option<DecisionId> {
        let mark = DecisionMark::of(pod).filter(|mark| mark.is_of_this_admission(now))?;
        let id = mark.id.parse().ok()?;
        (locked(&self.made_for).get(&id)? == self.hash_of(subject)).then_some(id)
    }

    /// The same for every pass over a pod, whose reviews have different uids.
    fn hash_of(&self, subject: &Subject) -> u64 {
        self.hasher.hash_one((&subject.namespace, &subject.pod, &subject.owner))
    }

    /// Takes a steered pod off its region's quota, and remembers where its owner's pods go and whom it was for.
    pub fn carried_out(&self, decided: &Decided, subject: &Subject, now: Timestamp) {
        let decision = &decided.decision;
        if !matches!(decision.outcome, Outcome::Bypass { .. }) {
            locked(&self.made_for).insert(decided.id, self.hash_of(subject));
        }
        if let Some((demand, region)) = decided.demand.as_ref().zip(decision.preferred_region()) {
            self.herd.settle(demand.owner_hash, region);
        }
        if let Some(target) = decision.target() {
            self.herd.take(target.region(), now);
        }
    }

    /// The quota's part alone, for a pod whose nodes were reduced to a region by a decision that it did not come with: it was created
    /// while nobody was asked, or what it came with is not believed any more (a place that it took then is not given back). Once for
    /// each pod and region, however often the scheduler asks.
    pub fn enforced(&self, decided: &Decided, subject: &Subject, now: Timestamp) {
        let Some(target) = decided.decision.target().filter(|_| !decided.made_at_admission) else { return };
        let Some(pod) = self.hash_of_created(&subject.uid) else { return };
        let (place, mut enforced) = ((pod, target.region()), locked(&self.enforced));
        if enforced.get(&place).is_none() {
            enforced.insert(place, ());
            self.herd.take(target.region(), now);
        }
    }
}

const fn mode_of(mode: PolicyMode) -> Mode {
    match mode {
        PolicyMode::Off => Mode::Off,
        PolicyMode::Shadow => Mode::Shadow,
        PolicyMode::Steer => Mode::Steer,
    }
}

/// Longest name that Kubernetes gives anything.
const MAX_NAME_BYTES: usize = 253;

/// Who a decision is for, as the record names it.
#[must_use]
pub fn subject_of(pod: &Pod<'_>, uid: &str, namespace: &str) -> Subject {
    let metadata = &pod.metadata;
    let name = metadata.name.as_deref().filter(|name| !name.is_empty()).or(metadata.generate_name.as_deref());
    Subject {
        uid: cut(uid),
        namespace: cut(namespace),
        pod: cut(name.unwrap_or_default()),
        owner: pod.owner().map(|owner| (cut(&owner.kind), cut(&owner.name))),
    }
}

/// A name as records keep it: a pod is decided about before its names are checked.
#[must_use]
pub fn cut(name: &str) -> String {
    name[..name.floor_char_boundary(MAX_NAME_BYTES)].to_owned()
}
