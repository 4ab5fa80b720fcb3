//! From a pod that was bound to what is fixed about its run: where it is, where it could have been, what was expected.
//!
//! The decision is made once more, on what is known now, as the scheduler's extender does; what stands on the pod says only
//! where it was asked to go. Whoever can edit pods can so not write savings onto them.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod as ApiPod;

use crate::accounts::run::{Asked, Expected, Place, PriceKey, Run, Treatment};
use crate::audit::projection::savings;
use crate::decider::{Decided, Decider};
use crate::domain::assessment::needs;
use crate::domain::counterfactual::static_greenest;
use crate::domain::decision::Score;
use crate::domain::policy::Baseline;
use crate::domain::{Against, BypassReason, CapacityType, Decision, Outcome, PodDemand, RegionId, Snapshot};
use crate::kubernetes::bound::{Bound, capacity_type};
use crate::kubernetes::decode::decode_pod;
use crate::kubernetes::nodes::{INSTANCE_TYPE, NodeFacts};
use crate::kubernetes::placement::{PodInContext, demand_of};
use crate::kubernetes::pod::Pod;

/// The label by which a ReplicaSet's pods carry the end of its name, which a Deployment gave it.
const TEMPLATE_HASH: &str = "pod-template-hash";
/// A CronJob names its Jobs by the minute they were due in; one that is due longer ago is named like that by chance.
const LATEST_JOB: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A run cannot be opened yet: the grid's data, the node, or something else that it is fixed by has not been read, and may be in a
/// moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotYet;

/// The run of a pod. `patient`: what is not known may become known in a moment.
pub(super) fn open(
    bound: &Bound,
    pod: &ApiPod,
    decider: &Decider,
    now: Timestamp,
    patient: bool,
) -> Result<Option<Run>, NotYet> {
    let Some(treatment) = Treatment::of_label(&bound.label) else { return Ok(None) };
    let snapshot = decider.snapshot().ok_or(NotYet)?;
    let cluster = decider.cluster();
    let node = cluster.nodes.known().and_then(|nodes| nodes.node(&bound.node));
    if node.is_none() && patient {
        return Err(NotYet);
    }
    let Ok(json) = serde_json::to_string(pod) else { return Ok(None) };
    let Ok(mut lean) = decode_pod(&json) else { return Ok(None) };
    lean.spec.node_name = None;
    let context = PodInContext { pod: &lean, namespace: &bound.namespace };
    let settings = decider.settings();
    let decided = decider.decide(context, now);
    if patient && comes(&decided.decision) {
        return Err(NotYet);
    }
    let demand =
        decided.demand.clone().or_else(|| demand_of(context, &snapshot.regions, &settings.placement).ok());
    let target = bound.target.as_deref().filter(|_| treatment != Treatment::Holdout);
    let target = target.and_then(|name| snapshot.regions.by_name(name));
    let here = node.and_then(|node| {
        let label = node.region_label(&settings.placement.topology_key)?;
        snapshot.regions.by_label(label)
    });
    let (kind, owner) = owner(&lean, bound.bound_at.unwrap_or(now));
    let mut run = Run {
        uid: bound.uid.clone(),
        namespace: bound.namespace.clone(),
        kind,
        owner,
        pod: lean.metadata.name.as_deref().unwrap_or_default().to_owned(),
        decision_id: bound.decision_id.clone(),
        treatment,
        target: target.map(|id| snapshot.regions.get(id).name.to_string()),
        node: bound.node.clone(),
        bound_at: bound.bound_at.unwrap_or(now),
        asked: Asked {
            cpu_cores: demand.as_ref().map_or(0.0, |demand| demand.cpu.0),
            hours: demand.as_ref().map_or(0.0, |demand| demand.hours.0),
            egress_gb: demand.as_ref().map_or(0.0, |demand| demand.egress.0),
        },
        places: Vec::new(),
        actual: None,
        base: None,
        compares: false,
        greenest: None,
        carbon_price_usd_per_tonne: decided.carbon_price.0,
        latency_usd_per_hour: 0.0,
        projected: [None; 3],
    };
    if let Some(demand) = &demand {
        Opening { decider, snapshot: &snapshot, demand, decided: &decided, node, here }
            .fill(&mut run, target);
    }
    Ok(Some(run))
}

/// Whether there is no decision for want of data that a process has not read yet when it starts.
const fn comes(decision: &Decision) -> bool {
    use BypassReason::{BaselineUnknown, ClusterUnknown, StaleSnapshot};
    matches!(decision.outcome, Outcome::Bypass { reason: ClusterUnknown | StaleSnapshot | BaselineUnknown })
}

struct Opening<'o> {
    decider: &'o Decider,
    snapshot: &'o Snapshot,
    demand: &'o PodDemand,
    decided: &'o Decided,
    node: Option<&'o std::sync::Arc<NodeFacts>>,
    here: Option<RegionId>,
}

impl Opening<'_> {
    fn fill(&self, run: &mut Run, target: Option<RegionId>) {
        let decision = &self.decided.decision;
        let settings = self.decider.settings();
        let capacity =
            self.node.and_then(|node| capacity_type(node)).unwrap_or(settings.placement.capacity_type);
        let known = decision.scores.iter().filter(|score| score.assessment.figures.is_ok());
        let mut regions: Vec<RegionId> = Vec::new();
        for score in known {
            let place = &score.assessment;
            run.places.push(self.place(place.region, &place.instance_type, capacity, place.mix_weight));
            regions.push(place.region);
        }
        run.compares = decision.base.is_some();
        let at = |region: RegionId| regions.iter().position(|known| *known == region);
        run.base = decision.base.and_then(|base| base.region).and_then(at);
        // Fixed beforehand: while its figures are not known, no other region stands in for it.
        let eligible = decision.scores.iter().map(Score::region);
        run.greenest = static_greenest(eligible, &self.snapshot.regions).and_then(at);
        if let Some(here) = self.here {
            let usual = at(here).and_then(|index| run.places.get(index)?.price.instance_type.clone());
            let actual = self.place(here, &self.instance_type(here, usual, capacity), capacity, 0.0);
            // Where it is, it is compared with itself: another machine in its own region is no counterfactual.
            run.actual = Some(if let Some(index) = at(here) {
                let weight = run.places[index].weight;
                run.places[index] = Place { weight, ..actual };
                index
            } else {
                run.places.push(actual);
                run.places.len() - 1
            });
            let score = decision.scores.iter().find(|score| score.region() == here);
            let added = score.and_then(|score| score.added_round_trip).map_or(0.0, |added| added.0);
            run.latency_usd_per_hour = settings.policy.latency.price.0 * added;
        }
        if let Some(followed) = target.and_then(|target| decision.clone().following(target)) {
            run.projected = self.projected(&followed);
        }
    }

    fn projected(&self, decision: &Decision) -> [Option<Expected>; 3] {
        Against::ALL.map(|against| {
            let savings = savings(decision, self.snapshot, self.demand.egress.0, against)?;
            Some(Expected { avoided_g: savings.avoided.0, saved_usd: savings.saved.map(|saved| saved.0) })
        })
    }

    /// The node's own type where that has a price; what has none is priced as the decision prices it.
    fn instance_type(&self, here: RegionId, usual: Option<String>, capacity: CapacityType) -> String {
        let own = self.node.and_then(|node| node.labels.get(INSTANCE_TYPE));
        let priced = own.filter(|own| self.snapshot.data(here).price(own, capacity).is_some());
        let configured = || self.decider.settings().placement.instance_type.to_string();
        priced.map(ToString::to_string).or(usual).unwrap_or_else(configured)
    }

    fn place(&self, region: RegionId, instance_type: &str, capacity: CapacityType, weight: f64) -> Place {
        let policy = &self.decider.settings().policy;
        let home = match policy.baseline {
            Baseline::Region(region) => Some(region),
            Baseline::SchedulerMix => None,
        };
        let data = self.demand.data_region.or(home);
        let needs = needs(region, instance_type, self.demand, data, self.snapshot, policy);
        let facts = self.snapshot.regions.get(region);
        Place {
            price: PriceKey {
                region: facts.name.to_string(),
                instance_type: (!needs.by_vcpu).then(|| instance_type.to_owned()),
                capacity_type: capacity,
            },
            share: needs.share,
            watts: needs.power.map(|power| power.0),
            pue: facts.pue.0,
            weight,
            egress_usd_per_gb: needs.egress_per_gb.map(|price| price.0),
        }
    }
}

/// Kind and name of what people call the pod's workload: the Deployment of a ReplicaSet and the CronJob of a Job, which both
/// show in names, so that nobody has to be asked.
fn owner(pod: &Pod<'_>, bound_at: Timestamp) -> (String, String) {
    let Some(owner) = pod.owner() else {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        return ("Pod".to_owned(), name.to_owned());
    };
    let (kind, name) = (&*owner.kind, &*owner.name);
    let above = match kind {
        "ReplicaSet" => pod
            .label(TEMPLATE_HASH)
            .and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-'))
            .map(|name| ("Deployment", name)),
        "Job" => name.rsplit_once('-').and_then(|(name, minute)| {
            let due = Timestamp::from_second(minute.parse::<i64>().ok()?.checked_mul(60)?).ok()?;
            let late = bound_at.duration_since(due);
            (late >= SignedDuration::ZERO && late <= LATEST_JOB).then_some(("CronJob", name))
        }),
        _ => None,
    };
    let (kind, name) = above.unwrap_or((kind, name));
    (kind.to_owned(), name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(kind: &str, name: &str, hash: &str) -> (String, String) {
        let json = serde_json::json!({ "metadata": { "name": "p-1", "labels": { TEMPLATE_HASH: hash },
            "ownerReferences": [{ "kind": kind, "name": name, "uid": "u", "controller": true }] } })
        .to_string();
        owner(&decode_pod(&json).unwrap(), "2026-06-01T00:00:30Z".parse().unwrap())
    }

    #[test]
    fn pods_are_counted_under_what_people_call_their_workload() {
        let named = |kind: &str, name: &str| (kind.to_owned(), name.to_owned());
        assert_eq!(owned("ReplicaSet", "web-5d9c", "5d9c"), named("Deployment", "web"));
        assert_eq!(owned("ReplicaSet", "web-5d9c", "77"), named("ReplicaSet", "web-5d9c"));
        // 2026-06-01T00:00Z is minute 29,671,200.
        assert_eq!(owned("Job", "report-29671200", ""), named("CronJob", "report"));
        assert_eq!(owned("Job", "report-20260601", ""), named("Job", "report-20260601"));
        assert_eq!(owned("Job", "report", ""), named("Job", "report"));
        assert_eq!(owned("StatefulSet", "db", ""), named("StatefulSet", "db"));
        let alone = decode_pod(r#"{"metadata":{"name":"p-1"}}"#).unwrap();
        assert_eq!(owner(&alone, Timestamp::UNIX_EPOCH), named("Pod", "p-1"));
    }
}
