//! From a decision to a JSON Patch: the pod's preference, and the marks that say what was decided.
//!
//! A patch that does not apply, or gives a pod that does not decode, gets the pod rejected whatever the failure policy
//! says. So: only `add`, each path chosen by which parents exist, no user's entry replaced or moved. Where marks that
//! came with the pod have to go, the whole map is added anew without them.

use std::fmt::Write as _;

use serde::Serialize;

use crate::kubernetes::affinity::RegionSelector;
use crate::kubernetes::annotations::{self, OUTPUT_ANNOTATIONS};
use crate::kubernetes::pod::Pod;
use crate::kubernetes::text::{Text, TextMap};

/// Preferred terms that one decision adds at most: the winner and where to spill over when it is full. More would bloat
/// every pod for regions that three full ones come before.
pub const MAX_TERMS: usize = 3;

/// Regions to prefer, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preference<'a> {
    /// The label whose values are regions.
    pub topology_key: &'a str,
    /// Their labels; the first is the decision's own.
    pub region_labels: Vec<&'a str>,
    /// Weight of the first, 1 to 100.
    pub weight: u8,
}

/// The marks a decision leaves on a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The decision label's value: `steer`, `stay` or `holdout`.
    pub label: &'static str,
    /// Output annotations, by key.
    pub annotations: Vec<(&'static str, String)>,
}

impl Marks {
    /// Whether the pod carries these marks already: all but the decision's id and time are equal.
    #[must_use]
    pub fn repeat(&self, pod: &Pod<'_>) -> bool {
        let expected =
            |key| self.annotations.iter().find(|(of, _)| *of == key).map(|(_, value)| value.as_str());
        pod.label(annotations::DECISION) == Some(self.label)
            && OUTPUT_ANNOTATIONS
                .iter()
                .all(|key| *key == annotations::DECISION || pod.annotation(key) == expected(*key))
    }
}

#[derive(Serialize)]
struct Add<'v, V: Serialize + ?Sized> {
    op: &'static str,
    path: &'v str,
    value: &'v V,
}

#[derive(Serialize)]
struct Term<'a> {
    weight: u8,
    preference: TermPreference<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TermPreference<'a> {
    match_expressions: [Expression<'a>; 1],
}

#[derive(Serialize)]
struct Expression<'a> {
    key: &'a str,
    operator: &'static str,
    values: [&'a str; 1],
}

/// A patch under construction; empty when nothing has to change.
#[derive(Debug, Default)]
pub struct Patch {
    operations: Vec<u8>,
}

impl Patch {
    /// Adds the preference for regions, below everything the user prefers.
    ///
    /// # Errors
    /// None that the types admit; the caller treats one as a defect.
    pub fn prefer(&mut self, pod: &Pod<'_>, preference: &Preference<'_>) -> Result<(), serde_json::Error> {
        const AFFINITY: &str = "/spec/affinity";
        const NODE_AFFINITY: &str = "/spec/affinity/nodeAffinity";
        const PREFERRED: &str = "/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution";
        const PREFERRED_KEY: &str = "preferredDuringSchedulingIgnoredDuringExecution";
        const PREFERRED_END: &str =
            "/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution/-";

        let terms = terms(pod, preference);
        if terms.is_empty() {
            return Ok(());
        }
        let affinity = pod.spec.affinity.as_ref();
        let node_affinity = affinity.and_then(|affinity| affinity.node_affinity.as_ref());
        let preferred = node_affinity.and_then(|affinity| affinity.preferred.as_ref());
        match (affinity, node_affinity, preferred) {
            (None, ..) => {
                self.add(AFFINITY, &serde_json::json!({ "nodeAffinity": { PREFERRED_KEY: terms } }))
            }
            (_, None, _) => self.add(NODE_AFFINITY, &serde_json::json!({ PREFERRED_KEY: terms })),
            (_, _, None) => self.add(PREFERRED, &terms),
            (_, _, Some(_)) => terms.iter().try_for_each(|term| self.add(PREFERRED_END, term)),
        }
    }

    /// Writes the marks over whatever the pod came with.
    ///
    /// # Errors
    /// None that the types admit; the caller treats one as a defect.
    pub fn mark(&mut self, pod: &Pod<'_>, marks: &Marks) -> Result<(), serde_json::Error> {
        let label = [(annotations::DECISION, marks.label.to_owned())];
        self.set("/metadata/labels", pod.metadata.labels.as_ref(), &[annotations::DECISION], &label)?;
        let existing = pod.metadata.annotations.as_ref();
        self.set("/metadata/annotations", existing, &OUTPUT_ANNOTATIONS, &marks.annotations)
    }

    /// Answers a pod that asks whether Eco-Pulse was asked about it; so it has annotations.
    ///
    /// # Errors
    /// None that the types admit; the caller treats one as a defect.
    pub fn answer_canary(&mut self) -> Result<(), serde_json::Error> {
        let path = format!("/metadata/annotations/{}", escaped(annotations::CANARY));
        self.add(&path, annotations::CANARY_ANSWERED)
    }

    /// Takes off the marks the pod came with, when there are any: they are of another pod, or nobody's.
    ///
    /// # Errors
    /// None that the types admit; the caller treats one as a defect.
    pub fn unmark(&mut self, pod: &Pod<'_>) -> Result<(), serde_json::Error> {
        self.set("/metadata/labels", pod.metadata.labels.as_ref(), &[annotations::DECISION], &[])?;
        self.set("/metadata/annotations", pod.metadata.annotations.as_ref(), &OUTPUT_ANNOTATIONS, &[])
    }

    /// Makes `entries` the only ones of `ours` in a map, leaving all others.
    fn set(
        &mut self,
        path: &str,
        existing: Option<&TextMap<'_>>,
        ours: &[&str],
        entries: &[(&str, String)],
    ) -> Result<(), serde_json::Error> {
        let Some(existing) = existing else {
            if entries.is_empty() {
                return Ok(());
            }
            return self.add(path, &entries.iter().map(|(key, value)| (*key, value)).collect::<Map<'_>>());
        };
        let stays = |key: &str| !ours.contains(&key) || entries.iter().any(|(entry, _)| *entry == key);
        if existing.keys().any(|key| !stays(key)) {
            let kept = existing
                .iter()
                .filter(|(key, _)| !ours.contains(&&***key))
                .map(|(key, value): (&Text<'_>, &Text<'_>)| (&**key, &**value));
            let added = entries.iter().map(|(key, value)| (*key, value.as_str()));
            return self.add(path, &kept.chain(added).collect::<std::collections::BTreeMap<&str, &str>>());
        }
        entries
            .iter()
            .filter(|(key, value)| existing.get(*key).is_none_or(|old| **old != **value))
            .try_for_each(|(key, value)| self.add(&format!("{path}/{}", escaped(key)), value))
    }

    fn add<V: Serialize + ?Sized>(&mut self, path: &str, value: &V) -> Result<(), serde_json::Error> {
        self.operations.push(if self.operations.is_empty() { b'[' } else { b',' });
        serde_json::to_writer(&mut self.operations, &Add { op: "add", path, value })
    }

    /// Whether nothing has to change so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The RFC 6902 array; `None` when nothing has to change.
    #[must_use]
    pub fn finish(mut self) -> Option<Vec<u8>> {
        if self.operations.is_empty() {
            return None;
        }
        self.operations.push(b']');
        Some(self.operations)
    }
}

type Map<'a> = std::collections::BTreeMap<&'a str, &'a String>;

/// The terms to add: weights below the user's smallest, falling from the winner on, none that is there already.
fn terms<'a>(pod: &Pod<'_>, preference: &Preference<'a>) -> Vec<Term<'a>> {
    let selector = RegionSelector { topology_key: preference.topology_key };
    let existing = pod.preferred_terms();
    let Some(winner) = preference.region_labels.first() else { return Vec::new() };
    // A term for the winner is this decision's own, from an earlier pass, or the user's wish for the same: either way
    // there is nothing to add.
    if existing.iter().any(|term| selector.is_plain_preference_for(&term.preference, winner)) {
        return Vec::new();
    }
    let users_smallest = existing.iter().map(|term| term.weight).min();
    let below_user =
        users_smallest.map_or(i64::from(preference.weight), |smallest| smallest.saturating_sub(1));
    let top = below_user.min(i64::from(preference.weight));
    preference
        .region_labels
        .iter()
        .take(MAX_TERMS)
        .enumerate()
        .map_while(|(rank, label)| Some((graded(top, rank)?, *label)))
        .map(|(weight, label)| Term {
            weight,
            preference: TermPreference {
                match_expressions: [Expression {
                    key: preference.topology_key,
                    operator: "In",
                    values: [label],
                }],
            },
        })
        .collect()
}

/// The weight of the region at `rank`: a tenth of the one before it; `None` when there is no weight left.
///
/// The scheduler scores a node by its weight's share of the highest weight that is to be had. So the winner stands nearly
/// as far above the next as above all others, and spreading does not send pods to the next while the winner has room;
/// where the winner is full, the next has the highest weight and stands just as far above the third.
fn graded(top: i64, rank: usize) -> Option<u8> {
    let weight = top / 10_i64.checked_pow(u32::try_from(rank).ok()?)?;
    u8::try_from(weight).ok().filter(|weight| *weight >= 1)
}

/// A key as part of a JSON pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.chars().fold(String::with_capacity(key.len() + 4), |mut text, c| {
        // Writing into a String cannot fail.
        let _ = match c {
            '~' => text.write_str("~0"),
            '/' => text.write_str("~1"),
            other => text.write_char(other),
        };
        text
    })
}
