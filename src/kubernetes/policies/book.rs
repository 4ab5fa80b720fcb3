//! All policies of the cluster, and what they come to for one pod.

use std::collections::{HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::resource::{ClusterPlacementPolicySpec, PlacementPolicySpec, PlacementRules};
use super::selector::Selector;
use crate::domain::duration::parse_duration;
use crate::domain::units::{Gigabytes, Hours, Milliseconds, Usd, UsdPerTonne};
use crate::domain::{RegionId, Regions};
use crate::kubernetes::labels::Labels;
use crate::kubernetes::pod::Pod;

/// What becomes of decisions: steer, shadow (decide, log and count, and change no pod) or "off" (in quotes). The lowest of the
/// configuration's and of all policies that apply counts.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum PolicyMode {
    /// Nothing is decided.
    Off,
    /// Decided, logged and counted; no pod is changed.
    Shadow,
    /// Pods are steered.
    #[default]
    Steer,
}

/// The policies.
#[derive(Clone, Debug, Default)]
pub struct PolicyBook {
    cluster: Vec<Policy>,
    by_namespace: HashMap<String, Vec<Policy>>,
    /// Namespaces with a policy that cannot be read; what it limits nobody can say.
    unreadable_in: HashSet<String>,
    unreadable_in_cluster: bool,
    /// The names of those that cannot be read, and why.
    unreadable: Vec<(String, Unread)>,
}

/// Policies of a namespace that are read. Each is looked at for each of its pods, by whoever creates them: more are as good as one
/// that cannot be read.
pub(super) const MOST_OF_A_NAMESPACE: usize = 100;

/// Why what a policy says is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It cannot be made out.
    Unreadable,
    /// There are too many before it.
    TooMany,
}

/// One policy.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// As it stands in records: `namespace/name`, or the name alone of a cluster policy; no name has a slash.
    pub(super) name: String,
    pub(super) of_cluster: bool,
    pub(super) generation: i64,
    namespaces: Selector,
    pods: Selector,
    pub(super) rules: PlacementRules,
}

/// A specification with the number of its edit.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<S> {
    /// `metadata.generation`.
    pub generation: i64,
    /// What it says.
    pub spec: S,
}

/// What the policies come to that apply to a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    /// The lowest mode.
    pub mode: PolicyMode,
    /// The shortest round trip.
    pub max_latency: Option<Milliseconds>,
    /// The highest saving that a move must bring.
    pub min_savings: Option<Usd>,
    /// The highest share of emissions, 0 to 1, that a move must avoid.
    pub min_carbon_reduction: Option<f64>,
    /// Regions that every policy allows and none forbids; `None`: none says anything.
    pub allowed: Option<Vec<RegionId>>,
    /// The nearest price of carbon.
    pub carbon_price: Option<UsdPerTonne>,
    /// The nearest expected run.
    pub duration: Option<Hours>,
    /// The nearest amount of data.
    pub egress: Option<Gigabytes>,
    /// The nearest region of data.
    pub data_region: Option<RegionId>,
    /// Names of the policies, farthest first.
    pub names: Vec<String>,
}

impl PolicyBook {
    /// A book of policies by namespace and name, and of cluster policies by name; with the keys of those that could not
    /// be read at all.
    #[must_use]
    pub fn new<'p>(
        namespaced: impl IntoIterator<Item = (&'p str, &'p Versioned<PlacementPolicySpec>)>,
        cluster: impl IntoIterator<Item = (&'p str, &'p Versioned<ClusterPlacementPolicySpec>)>,
        unreadable_namespaced: impl IntoIterator<Item = &'p str>,
        unreadable_in_cluster: impl IntoIterator<Item = &'p str>,
    ) -> Self {
        let mut book = Self::default();
        for name in unreadable_in_cluster {
            book.cannot_read_of_cluster(name);
        }
        for key in unreadable_namespaced {
            book.cannot_read(key, Unread::Unreadable);
        }
        for (name, Versioned { generation, spec }) in cluster {
            let namespaces = Selector::read(spec.namespace_selector.as_ref());
            match namespaces.zip(Selector::read(spec.rules.pod_selector.as_ref())) {
                Some((namespaces, pods)) => book.cluster.push(Policy {
                    name: (*name).to_owned(),
                    of_cluster: true,
                    generation: *generation,
                    namespaces,
                    pods,
                    rules: spec.rules.clone(),
                }),
                None => book.cannot_read_of_cluster(name),
            }
        }
        for (key, Versioned { generation, spec }) in namespaced {
            match Selector::read(spec.rules.pod_selector.as_ref()) {
                Some(pods) => book.by_namespace.entry(namespace_of(key)).or_default().push(Policy {
                    name: key.to_owned(),
                    of_cluster: false,
                    generation: *generation,
                    namespaces: Selector::default(),
                    pods,
                    rules: spec.rules.clone(),
                }),
                None => book.cannot_read(key, Unread::Unreadable),
            }
        }
        // Among several of one scope the first by name counts, so that the answer does not depend on order.
        book.cluster.sort_by(|one, other| one.name.cmp(&other.name));
        let mut beyond = Vec::new();
        for policies in book.by_namespace.values_mut() {
            policies.sort_by(|one, other| one.name.cmp(&other.name));
            beyond.extend(policies.drain(MOST_OF_A_NAMESPACE.min(policies.len())..));
        }
        for policy in beyond {
            book.cannot_read(&policy.name, Unread::TooMany);
        }
        book
    }

    fn cannot_read_of_cluster(&mut self, name: &str) {
        self.unreadable_in_cluster = true;
        self.unreadable.push((name.to_owned(), Unread::Unreadable));
    }

    fn cannot_read(&mut self, key: &str, why: Unread) {
        self.unreadable_in.insert(namespace_of(key));
        self.unreadable.push((key.to_owned(), why));
    }

    /// The namespaces that policies are about; `None`: all, since one is of the cluster.
    #[must_use]
    pub fn namespaces(&self) -> Option<impl Iterator<Item = &str>> {
        self.cluster.is_empty().then(|| self.by_namespace.keys().map(String::as_str))
    }

    /// Names of the policies that cannot be read, and why.
    pub(super) fn unreadable(&self) -> impl Iterator<Item = (&str, Unread)> {
        self.unreadable.iter().map(|(name, why)| (name.as_str(), *why))
    }

    /// The others.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Policy> {
        self.cluster.iter().chain(self.by_namespace.values().flatten())
    }

    /// Those that apply to a pod with these labels, farthest first.
    pub(super) fn applying<'b, 'l>(
        &'b self,
        namespace: &str,
        namespace_labels: &Labels,
        label: impl Fn(&str) -> Option<&'l str> + Copy,
    ) -> impl Iterator<Item = &'b Policy> {
        let of_cluster = self.cluster.iter().filter(|policy| {
            policy.namespaces.selects(|key| namespace_labels.get(key).map(|value| &**value))
        });
        let of_namespace = self.by_namespace.get(namespace).into_iter().flatten();
        of_cluster.chain(of_namespace).filter(move |policy| policy.pods.selects(label))
    }

    /// How many policies there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cluster.len() + self.by_namespace.values().map(Vec::len).sum::<usize>()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a policy that might apply to pods of a namespace cannot be read.
    #[must_use]
    pub fn has_unreadable(&self, namespace: &str) -> bool {
        self.unreadable_in_cluster || self.unreadable_in.contains(namespace)
    }

    /// What applies to a pod of a namespace with these labels; `None` when a policy that might apply cannot be read.
    #[must_use]
    pub fn apply(
        &self,
        pod: &Pod<'_>,
        namespace: &str,
        namespace_labels: &Labels,
        regions: &Regions,
    ) -> Option<Applied> {
        if self.has_unreadable(namespace) {
            return None;
        }
        let mut applied = Applied::default();
        let mut nearest = Applied::default();
        for policy in self.applying(namespace, namespace_labels, |key| pod.label(key)) {
            applied.limit(policy, regions);
            let scope = if policy.of_cluster { &mut applied } else { &mut nearest };
            scope.assume(&policy.rules, regions);
        }
        applied.carbon_price = nearest.carbon_price.or(applied.carbon_price);
        applied.duration = nearest.duration.or(applied.duration);
        applied.egress = nearest.egress.or(applied.egress);
        applied.data_region = nearest.data_region.or(applied.data_region);
        Some(applied)
    }
}

impl Policy {
    /// Whether it allows a region, and does not forbid it. Names that are not configured leave no trace, so that a list
    /// of nothing else allows nothing.
    pub(super) fn admits(&self, region: RegionId, regions: &Regions) -> bool {
        let lists = |names: &Vec<String>| names.iter().any(|name| regions.find(name) == Some(region));
        self.rules.allowed_regions.as_ref().is_none_or(lists)
            && !self.rules.forbidden_regions.as_ref().is_some_and(lists)
    }
}

fn namespace_of(key: &str) -> String {
    key.split_once('/').map_or("", |(namespace, _)| namespace).to_owned()
}

impl Applied {
    /// Takes a further policy's limits: with those so far, the strictest count.
    fn limit(&mut self, policy: &Policy, regions: &Regions) {
        let rules = &policy.rules;
        self.names.push(policy.name.clone());
        self.mode = self.mode.min(rules.mode.unwrap_or_default());
        let stricter =
            |so_far: Option<f64>, more: Option<f64>, choose: fn(f64, f64) -> f64| match (so_far, more) {
                (Some(so_far), Some(more)) => Some(choose(so_far, more)),
                (one, other) => one.or(other),
            };
        let max_latency = stricter(self.max_latency.map(|limit| limit.0), rules.max_latency_ms, f64::min);
        self.max_latency = max_latency.map(Milliseconds);
        self.min_savings =
            stricter(self.min_savings.map(|usd| usd.0), rules.min_savings_usd, f64::max).map(Usd);
        let share = rules.min_carbon_reduction_percent.map(|percent| percent / 100.0);
        self.min_carbon_reduction = stricter(self.min_carbon_reduction, share, f64::max);
        if rules.allowed_regions.is_some() || rules.forbidden_regions.is_some() {
            let allowed = self.allowed.get_or_insert_with(|| regions.iter().map(|(id, _)| id).collect());
            allowed.retain(|region| policy.admits(*region, regions));
        }
    }

    /// Takes a further policy's assumptions, where none has been made yet. What cannot be read is none.
    fn assume(&mut self, rules: &PlacementRules, regions: &Regions) {
        self.carbon_price = self.carbon_price.or(rules.carbon_price_usd_per_tonne.map(UsdPerTonne));
        let duration = rules.expected_duration.as_deref().and_then(|text| parse_duration(text).ok());
        let duration = duration.filter(|duration| !duration.is_zero());
        self.duration = self.duration.or(duration.map(|run| Hours(run.as_secs_f64() / 3600.0)));
        self.egress = self.egress.or(rules.egress_gb.map(Gigabytes));
        self.data_region =
            self.data_region.or(rules.data_region.as_deref().and_then(|name| regions.find(name)));
    }

    /// Whether a region is allowed.
    #[must_use]
    pub fn admits(&self, region: RegionId) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&region))
    }
}
