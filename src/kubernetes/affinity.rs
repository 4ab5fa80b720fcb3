//! Which regions a pod's own selectors leave it, judged without nodes: only region and zone are known of a region,
//! so any other label is taken to be there. The scheduler has the last word.

use super::pod::{NodeSelectorTerm, Pod, Requirement};
use super::text::TextMap;

/// The region label of old nodes, still accepted by Kubernetes.
pub const LEGACY_REGION: &str = "failure-domain.beta.kubernetes.io/region";
/// The region label.
pub const REGION: &str = "topology.kubernetes.io/region";
const ZONE: &str = "topology.kubernetes.io/zone";
const LEGACY_ZONE: &str = "failure-domain.beta.kubernetes.io/zone";
const HOSTNAME: &str = "kubernetes.io/hostname";
const NODE_NAME_FIELD: &str = "metadata.name";

/// What a selector's key says of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Region,
    Zone,
    Node,
    Other,
}

/// Reads selectors for one topology key.
#[derive(Clone, Copy, Debug)]
pub struct RegionSelector<'a> {
    /// The label whose values are regions.
    pub topology_key: &'a str,
}

impl RegionSelector<'_> {
    fn key(self, key: &str) -> Key {
        match key {
            _ if key == self.topology_key => Key::Region,
            REGION | LEGACY_REGION if self.topology_key == REGION => Key::Region,
            ZONE | LEGACY_ZONE => Key::Zone,
            HOSTNAME | NODE_NAME_FIELD => Key::Node,
            _ => Key::Other,
        }
    }

    /// Whether a key speaks of region or zone; Kubernetes' own region label does so under any topology key.
    #[must_use]
    pub fn names_region_or_zone(self, key: &str) -> bool {
        matches!(self.key(key), Key::Region | Key::Zone) || matches!(key, REGION | LEGACY_REGION)
    }

    /// Whether the pod's selectors bind it to single nodes: then the region is settled, whichever it is.
    #[must_use]
    pub fn pins_to_nodes(self, pod: &Pod<'_>) -> bool {
        let pins = |requirement: &Requirement<'_>| {
            self.key(&requirement.key) == Key::Node && &*requirement.operator == "In"
        };
        let required = pod.required_terms().map_or(&[][..], |required| &required.node_selector_terms);
        pod.spec.node_selector.keys().any(|key| self.key(key) == Key::Node)
            || (!required.is_empty()
                && required.iter().all(|term| {
                    term.match_expressions.iter().any(pins) || term.match_fields.iter().any(pins)
                }))
    }

    /// Whether a node of the region with this label could satisfy the pod's node selector and required affinity.
    #[must_use]
    pub fn admits(self, pod: &Pod<'_>, region_label: &str) -> bool {
        self.node_selector_admits(&pod.spec.node_selector, region_label)
            && pod.required_terms().is_none_or(|required| {
                required.node_selector_terms.iter().any(|term| self.term_admits(term, region_label))
            })
    }

    fn node_selector_admits(self, selector: &TextMap<'_>, region_label: &str) -> bool {
        selector.iter().all(|(key, value)| match self.key(key) {
            Key::Region => **value == *region_label,
            Key::Zone => zone_may_lie_in(value, region_label),
            Key::Node | Key::Other => true,
        })
    }

    fn term_admits(self, term: &NodeSelectorTerm<'_>, region_label: &str) -> bool {
        let empty = term.match_expressions.is_empty() && term.match_fields.is_empty();
        !empty && term.match_expressions.iter().all(|requirement| self.may_hold(requirement, region_label))
    }

    fn may_hold(self, requirement: &Requirement<'_>, region_label: &str) -> bool {
        let Requirement { key, operator, values } = requirement;
        match (self.key(key), &**operator) {
            (Key::Region, "In") => values.iter().any(|value| **value == *region_label),
            (Key::Region, "NotIn") => values.iter().all(|value| **value != *region_label),
            (Key::Zone, "In") => values.iter().any(|value| zone_may_lie_in(value, region_label)),
            // Nothing is known of other labels; and a region has other zones than the ones named.
            (Key::Node | Key::Other, _) | (Key::Region | Key::Zone, "Exists") | (Key::Zone, "NotIn") => true,
            (Key::Region, "Gt") => compares(values, region_label, |label, bound| label > bound),
            (Key::Region, "Lt") => compares(values, region_label, |label, bound| label < bound),
            (Key::Region | Key::Zone, _) => false,
        }
    }

    /// The one region a term prefers, when it says nothing else: the shape of the terms Eco-Pulse adds.
    #[must_use]
    pub fn plain_preference<'t>(self, term: &'t NodeSelectorTerm<'_>) -> Option<&'t str> {
        let [requirement] = term.match_expressions.as_slice() else { return None };
        let [value] = requirement.values.as_slice() else { return None };
        let plain = term.match_fields.is_empty()
            && &*requirement.key == self.topology_key
            && &*requirement.operator == "In";
        plain.then_some(&**value)
    }

    /// Whether a term prefers this region and says nothing else.
    #[must_use]
    pub fn is_plain_preference_for(self, term: &NodeSelectorTerm<'_>, region_label: &str) -> bool {
        self.plain_preference(term) == Some(region_label)
    }
}

fn compares(values: &[super::text::Text<'_>], label: &str, holds: impl Fn(i64, i64) -> bool) -> bool {
    match (label.parse(), values) {
        (Ok(label), [bound]) => bound.parse().is_ok_and(|bound| holds(label, bound)),
        _ => false,
    }
}

/// Whether a zone could be one of the region's, going by the names clouds give: the region's own name with something
/// after it (`us-east-1a`, `europe-west4-b`, `westeurope-1`, `us-west-2-lax-1a`). A digit right after the name means
/// another region (`us-west1` is not in `us-west`).
fn zone_may_lie_in(zone: &str, region_label: &str) -> bool {
    zone.strip_prefix(region_label)
        .is_some_and(|rest| rest.is_empty() || !rest.starts_with(|next: char| next.is_ascii_digit()))
}
