//! Metrics of what pods use and save: counted at the decision while nobody watches pods, and else shown as the accountant's
//! books say, by the one process that keeps them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use prometheus::{CounterVec, GaugeVec, IntCounterVec, IntGauge, Registry};

use super::MetricsError;
use super::register::{counters, gauges, int_counters, register, savings_counters};
use crate::accounts::books::Books;
use crate::accounts::sums::{Group, Sums};
use crate::accounts::totals::{MAX_NAMESPACES, OTHER_NAMESPACES, Total};
use crate::audit::entry::Entry;
use crate::audit::projection::{project, savings};
use crate::audit::record::base_name;
use crate::domain::{Against, Snapshot};

/// The kind of owner of a pod that nobody owns.
const POD: &str = "Pod";
/// Owners that are shown.
const MAX_OWNERS: usize = 20;
const PROJECTED: &str = "projected";
const REALISED: &str = "realised";

/// Who counts savings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// Whoever decides, since nobody watches pods.
    AtDecisions,
    /// The accountant, once a pod is bound.
    ByAccountant,
}

/// What pods use and save.
#[derive(Debug)]
pub struct SavingsMetrics {
    counting: Counting,
    steered: IntCounterVec,
    energy: CounterVec,
    emissions: CounterVec,
    carbon_avoided: CounterVec,
    carbon_added: CounterVec,
    cost_saved: CounterVec,
    cost_added: CounterVec,
    placements: IntCounterVec,
    owner_carbon: GaugeVec,
    owner_cost: GaugeVec,
    accountant: IntGauge,
    runs_open: IntGauge,
    waiting_hours: IntGauge,
    namespaces: Mutex<HashSet<String>>,
    /// What the books say, since they were last looked at.
    books: Mutex<Option<Shown>>,
}

/// What is shown of the books.
#[derive(Debug, Default)]
struct Shown {
    totals: Vec<(Total, f64)>,
    owners: Vec<(Owner, Sums)>,
    runs_open: usize,
    waiting_hours: usize,
}

/// Namespace, kind, name.
type Owner = (String, String, String);

impl SavingsMetrics {
    pub(super) fn new(registry: &Registry, counting: Counting) -> Result<Self, MetricsError> {
        let (when, run) = match counting {
            Counting::AtDecisions => ("Counted at the decision: nobody watches pods.", "expected run"),
            Counting::ByAccountant => {
                ("Counted once a pod, by the process that keeps the accounts.", "run so far")
            }
        };
        let gauge = |name: &str, help: &str| -> Result<IntGauge, MetricsError> {
            let gauge = IntGauge::new(name, help)?;
            // Where nobody keeps accounts there is nothing to say.
            if counting == Counting::ByAccountant { register(registry, gauge) } else { Ok(gauge) }
        };
        Ok(Self {
            counting,
            steered: int_counters(
                registry,
                "eco_pulse_steered_pods_total",
                &format!("Pods sent to another region than the baseline. {when}"),
                &["namespace", "baseline", "target"],
            )?,
            energy: counters(
                registry,
                "eco_pulse_energy_kwh_total",
                &format!("Energy of decided pods over their {run}, modelled, in kWh. {when}"),
                &["namespace", "region"],
            )?,
            emissions: counters(
                registry,
                "eco_pulse_emissions_grams_total",
                &format!("Emissions of decided pods over their {run}, modelled. {when}"),
                &["namespace", "region"],
            )?,
            carbon_avoided: savings_counters(
                registry,
                "eco_pulse_carbon_avoided_grams_total",
                &format!("Emissions avoided, modelled. {when}"),
            )?,
            carbon_added: savings_counters(
                registry,
                "eco_pulse_carbon_added_grams_total",
                &format!("Emissions added, modelled. {when}"),
            )?,
            cost_saved: savings_counters(
                registry,
                "eco_pulse_cost_saved_usd_total",
                &format!("Cash saved, attributed. {when}"),
            )?,
            cost_added: savings_counters(
                registry,
                "eco_pulse_cost_added_usd_total",
                &format!("Cash added, attributed. {when}"),
            )?,
            placements: int_counters(
                registry,
                "eco_pulse_placements_total",
                "Pods bound, by what was decided about them and whether they landed where they were asked to go.",
                &["outcome", "landed"],
            )?,
            owner_carbon: gauges(
                registry,
                "eco_pulse_owner_carbon_avoided_grams",
                "Emissions avoided against the baseline by the owners with the most in seven days; below zero: added.",
                &["namespace", "kind", "owner", "method"],
            )?,
            owner_cost: gauges(
                registry,
                "eco_pulse_owner_cost_saved_usd",
                "Cash saved against the baseline by the owners that avoided the most in seven days; below zero: added.",
                &["namespace", "kind", "owner", "method"],
            )?,
            accountant: gauge(
                "eco_pulse_accountant",
                "1 on the process that keeps the accounts, else 0; absent where nobody watches pods.",
            )?,
            runs_open: gauge("eco_pulse_runs_open", "Pods whose accounts go on.")?,
            waiting_hours: gauge("eco_pulse_waiting_pod_hours", "Pod-hours that wait for readings.")?,
            namespaces: Mutex::new(HashSet::new()),
            books: Mutex::new(None),
        })
    }

    /// Counts a decision, where decisions are what is counted.
    pub(super) fn decided(&self, entry: &Entry, snapshot: &Snapshot) {
        if self.counting != Counting::AtDecisions {
            return;
        }
        let decision = &entry.decision;
        let Some((projection, preferred)) = project(decision).zip(decision.preferred_region()) else {
            return;
        };
        let namespace = self.namespace_label(&entry.subject.namespace);
        let region = snapshot.regions.get(preferred).name.as_str();
        if decision.target().is_some() {
            let baseline = base_name(entry, snapshot).unwrap_or_default();
            self.steered.with_label_values(&[namespace.as_str(), baseline, region]).inc();
        }
        self.energy.with_label_values(&[namespace.as_str(), region]).inc_by(projection.energy.0.max(0.0));
        self.emissions
            .with_label_values(&[namespace.as_str(), region])
            .inc_by(projection.emissions.0.max(0.0));
        let egress_gb = entry.demand.as_ref().map_or(0.0, |demand| demand.egress.0);
        for against in Against::ALL {
            let Some(savings) = savings(decision, snapshot, egress_gb, against) else { continue };
            let labels = [namespace.as_str(), against.as_str(), PROJECTED];
            count_signed(&self.carbon_avoided, &self.carbon_added, &labels, savings.avoided.0);
            if let Some(saved) = savings.saved {
                count_signed(&self.cost_saved, &self.cost_added, &labels, saved.0);
            }
        }
    }

    /// Takes what the books say, with the owners of some days; it is shown from the next scrape on.
    pub fn show(&self, books: &Books, days: &BTreeSet<i64>) {
        let mut owners: BTreeMap<Owner, Sums> = BTreeMap::new();
        for (key, sums) in books.owners() {
            // Pods that nobody owns have no owner to name, and a pod's name is no label.
            if days.contains(&key.day) && key.group == Group::Decided && key.kind != POD {
                let owner = (key.namespace.clone(), key.kind.clone(), key.name.clone());
                *owners.entry(owner).or_default() += *sums;
            }
        }
        let mut owners: Vec<(Owner, Sums)> = owners.into_iter().collect();
        let weight = |sums: &Sums| sums.against[0].avoided_g.abs().max(sums.projected[0].avoided_g.abs());
        owners.sort_by(|(_, one), (_, other)| weight(other).total_cmp(&weight(one)));
        owners.truncate(MAX_OWNERS);
        let shown = Shown {
            totals: books.totals().iter().map(|(total, amount)| (total.clone(), *amount)).collect(),
            owners,
            runs_open: books.open_runs().count(),
            waiting_hours: books.open_runs().map(|open| open.progress.waiting.len()).sum(),
        };
        *self.books.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
    }

    /// From now on somebody else keeps the books, or nobody.
    pub fn resign(&self) {
        *self.books.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Brings the series to what the books say, before they are read.
    pub(super) fn refresh(&self) {
        if self.counting != Counting::ByAccountant {
            return;
        }
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        for series in [&self.steered, &self.placements] {
            series.reset();
        }
        for series in [&self.energy, &self.emissions] {
            series.reset();
        }
        for series in [&self.carbon_avoided, &self.carbon_added, &self.cost_saved, &self.cost_added] {
            series.reset();
        }
        for series in [&self.owner_carbon, &self.owner_cost] {
            series.reset();
        }
        self.accountant.set(i64::from(books.is_some()));
        let Some(shown) = &*books else {
            self.runs_open.set(0);
            self.waiting_hours.set(0);
            return;
        };
        self.runs_open.set(i64::try_from(shown.runs_open).unwrap_or(i64::MAX));
        self.waiting_hours.set(i64::try_from(shown.waiting_hours).unwrap_or(i64::MAX));
        for (total, amount) in &shown.totals {
            self.add(total, *amount);
        }
        for ((namespace, kind, owner), sums) in &shown.owners {
            let methods = [
                (REALISED, sums.against[0].avoided_g, sums.against[0].saved_usd),
                (PROJECTED, sums.projected[0].avoided_g, sums.projected[0].saved_usd),
            ];
            for (method, grams, usd) in methods {
                let labels = [namespace.as_str(), kind.as_str(), owner.as_str(), method];
                self.owner_carbon.with_label_values(&labels).set(grams);
                self.owner_cost.with_label_values(&labels).set(usd);
            }
        }
    }

    /// Adds what the books have under a total; how many namespaces have totals of their own is their business.
    fn add(&self, total: &Total, amount: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of pods")]
        let count = amount.round().max(0.0) as u64;
        let method = |realised: bool| if realised { REALISED } else { PROJECTED };
        let against = |index: usize| Against::ALL.get(index).map_or("", |against| against.as_str());
        match total {
            Total::Steered { namespace, baseline, target } => {
                self.steered
                    .with_label_values(&[namespace.as_str(), baseline.as_str(), target.as_str()])
                    .inc_by(count);
            }
            Total::Placed { treatment, landed } => {
                let landed = match landed {
                    Some(true) => "target",
                    Some(false) => "elsewhere",
                    None => "unknown",
                };
                self.placements.with_label_values(&[treatment.as_str(), landed]).inc_by(count);
            }
            Total::Energy { namespace, region } => {
                self.energy.with_label_values(&[namespace.as_str(), region.as_str()]).inc_by(amount);
            }
            Total::Emissions { namespace, region } => {
                self.emissions.with_label_values(&[namespace.as_str(), region.as_str()]).inc_by(amount);
            }
            Total::Carbon { namespace, against: index, realised, gain } => {
                let series = if *gain { &self.carbon_avoided } else { &self.carbon_added };
                series
                    .with_label_values(&[namespace.as_str(), against(*index), method(*realised)])
                    .inc_by(amount);
            }
            Total::Cost { namespace, against: index, realised, gain } => {
                let series = if *gain { &self.cost_saved } else { &self.cost_added };
                series
                    .with_label_values(&[namespace.as_str(), against(*index), method(*realised)])
                    .inc_by(amount);
            }
        }
    }

    fn namespace_label(&self, namespace: &str) -> String {
        let mut known = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(namespace) {
            return namespace.to_owned();
        }
        if known.len() < MAX_NAMESPACES {
            known.insert(namespace.to_owned());
            return namespace.to_owned();
        }
        OTHER_NAMESPACES.to_owned()
    }
}

/// A counter only rises, so what may be negative is two of them; the net is their difference.
fn count_signed(gains: &CounterVec, losses: &CounterVec, labels: &[&str], amount: f64) {
    let (rising, other) = if amount < 0.0 { (losses, gains) } else { (gains, losses) };
    rising.with_label_values(labels).inc_by(amount.abs());
    // Both sides exist as soon as one does: a difference with a missing side is missing.
    other.with_label_values(labels).inc_by(0.0);
}
