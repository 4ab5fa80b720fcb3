//! Adds up sums as they come, so that a long period takes no more memory than a short one: of the rows only what a report shows
//! of them stays.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Scope;
use super::series::{index_of, points, step_of};
use crate::accounts::cells::{HourKey, OwnerKey};
use crate::accounts::sums::{Group, Sums};
use crate::report::known::Known as _;
use crate::report::model::{Basis, InventoryRow, NamespaceRow, OwnerRow, Point, Step};

/// Figures of a scope, added up.
#[derive(Clone, Debug)]
pub struct Tally {
    pub(super) scope: Scope,
    /// Whole days of the period for which owners are kept, since 1970.
    pub(super) days: Range<i64>,
    /// Every namespace that has pods in the period, whether or not it was asked for.
    pub(super) known: BTreeSet<String>,
    pub(super) total: Sums,
    pub(super) step: Step,
    pub(super) points: Vec<Point>,
    pub(super) has_holdout: bool,
    namespaces: BTreeMap<String, Sums>,
    places: BTreeMap<(String, String), Sums>,
    owners: BTreeMap<(String, String, String, Group), Sums>,
}

impl Tally {
    /// Nothing yet. `owner_days` are the days since 1970, half-open, for which sums by owner are kept.
    #[must_use]
    pub fn new(scope: Scope, basis: Basis, owner_days: Range<i64>) -> Self {
        let (whole, step) = (scope.period.whole_days(), step_of(scope.period, basis));
        Self {
            days: whole.start.max(owner_days.start)..whole.end.min(owner_days.end),
            points: points(scope.period, step),
            step,
            scope,
            known: BTreeSet::new(),
            total: Sums::default(),
            has_holdout: false,
            namespaces: BTreeMap::new(),
            places: BTreeMap::new(),
            owners: BTreeMap::new(),
        }
    }

    /// Adds sums of an hour. Those outside of the scope change nothing; several with one key are added up.
    pub fn add_hour(&mut self, key: HourKey, sums: Sums) {
        if !self.scope.period.contains(key.hour) || !self.is_asked_for(&key.namespace) {
            return;
        }
        if key.group == Group::Decided {
            self.total += sums;
            if let Some(point) = self.points.get_mut(index_of(self.scope.period, self.step, key.hour)) {
                point.sums += sums;
            }
            *self.namespaces.entry(key.namespace.clone()).or_default() += sums;
        } else {
            self.has_holdout = true;
        }
        *self.places.entry((key.namespace, key.region)).or_default() += sums;
    }

    /// Adds sums of an owner's day, likewise.
    pub fn add_owner(&mut self, key: OwnerKey, sums: Sums) {
        if !self.days.contains(&key.day) || !self.is_asked_for(&key.namespace) {
            return;
        }
        self.has_holdout |= key.group == Group::Holdout;
        *self.owners.entry((key.namespace, key.kind, key.name, key.group)).or_default() += sums;
    }

    /// Notes namespaces that there are, with or without figures: a name that is none of them is most likely misspelt.
    pub fn know<'n>(&mut self, namespaces: impl Iterator<Item = &'n String>) {
        self.known.extend(namespaces.cloned());
    }

    fn is_asked_for(&mut self, namespace: &str) -> bool {
        if !self.known.contains(namespace) {
            self.known.insert(namespace.to_owned());
        }
        self.scope.namespace.as_deref().is_none_or(|only| only == namespace)
    }

    /// Most emissions first.
    pub(super) fn namespaces(&self) -> Vec<NamespaceRow> {
        let rows = self.namespaces.iter();
        let mut rows: Vec<_> = rows
            .map(|(namespace, sums)| NamespaceRow { namespace: namespace.clone(), sums: *sums })
            .collect();
        // Stable: what emits alike stays in the order of names.
        rows.sort_by(|one, other| most_emissions(&one.sums, &other.sums));
        rows
    }

    /// Most emissions first.
    pub(super) fn owners(&self) -> Vec<OwnerRow> {
        let rows = self.owners.iter().map(|((namespace, kind, name, group), sums)| OwnerRow {
            namespace: namespace.clone(),
            kind: kind.clone(),
            name: name.clone(),
            group: *group,
            sums: *sums,
        });
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by(|one, other| most_emissions(&one.sums, &other.sums));
        rows
    }

    /// By namespace and region, in order.
    pub(super) fn inventory(&self) -> Vec<InventoryRow> {
        // A pod without a place yet is no line of an inventory: it has neither energy nor hours. One that asks for GPUs or
        // memory alone has no core-hours, and emits all the same.
        let used = self.places.iter().filter(|(_, sums)| sums.pod_hours() > 0.0);
        let rows = used.map(|((namespace, region), sums)| InventoryRow {
            namespace: namespace.clone(),
            region: region.clone(),
            core_hours: sums.core_hours,
            energy_kwh: sums.actual.energy_kwh,
            emissions_g: sums.actual.emissions_g,
            missing_hours: sums.missing_hours,
        });
        rows.collect()
    }
}

fn most_emissions(one: &Sums, other: &Sums) -> std::cmp::Ordering {
    let by = |of: fn(&Sums) -> f64| of(other).total_cmp(&of(one));
    by(|sums| sums.actual.emissions_g).then_with(|| by(|sums| sums.projected_hours))
}
