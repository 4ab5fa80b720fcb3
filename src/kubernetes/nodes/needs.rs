//! What a pod needs of a node, judged as the scheduler's filters judge it: `NodeAffinity`, `TaintToleration`,
//! `NodeUnschedulable`, `NodeResourcesFit`, `VolumeBinding` and `VolumeZone` of Kubernetes 1.36, without what runs already.

use super::{NodeFacts, Taint};
use crate::domain::quantity::Quantity;
use crate::domain::requests::ResourceList;
use crate::kubernetes::labels::Labels;
use crate::kubernetes::pod::{NodeSelector, NodeSelectorTerm, Pod, Requirement, Toleration};
use crate::kubernetes::text::TextMap;
use crate::kubernetes::volumes::VolumeTopology;

/// The one field of a node that selectors may name.
const NODE_NAME: &str = "metadata.name";
/// Each pod takes one place of those that a node offers under this name.
const PODS: &str = "pods";

/// What one pod needs.
#[derive(Debug)]
pub struct Needs<'p> {
    selector: &'p TextMap<'p>,
    required: Option<&'p NodeSelector<'p>>,
    tolerations: &'p [Toleration<'p>],
    requests: &'p ResourceList<'p>,
    volumes: &'p [&'p VolumeTopology],
}

impl<'p> Needs<'p> {
    /// A pod's, which asks for `requests` in all and uses volumes that lie where they lie.
    #[must_use]
    pub fn new(pod: &'p Pod<'p>, requests: &'p ResourceList<'p>, volumes: &'p [&'p VolumeTopology]) -> Self {
        Self {
            selector: &pod.spec.node_selector,
            required: pod.required_terms(),
            tolerations: &pod.spec.tolerations,
            requests,
            volumes,
        }
    }

    /// The same of a pod that could have its volumes anywhere.
    #[must_use]
    pub const fn without_volumes(&self) -> Self {
        Self { volumes: &[], ..*self }
    }

    /// Whether it asks for labels of these keys, or for nodes by name.
    pub(super) fn asks_for(&self, is_key: impl Fn(&str) -> bool) -> bool {
        let of_term = |term: &NodeSelectorTerm<'_>| {
            !term.match_fields.is_empty() || term.match_expressions.iter().any(|rule| is_key(&rule.key))
        };
        let selectors =
            self.volumes.iter().filter_map(|volume| volume.required.as_ref()).chain(self.required);
        self.selector.keys().any(|key| is_key(key))
            || selectors.flat_map(|selector| &selector.node_selector_terms).any(of_term)
            || self.volumes.iter().flat_map(|volume| &volume.labels).any(|rule| is_key(&rule.key))
    }

    /// Whether labels, and the name where one is given, are what its selectors and volumes ask for.
    pub(super) fn selects(&self, labels: &Labels, name: Option<&str>) -> bool {
        self.selector.iter().all(|(key, value)| labels.get(key).is_some_and(|own| **own == **value))
            && self.required.is_none_or(|required| any_term_holds(required, labels, name))
            && self.volumes.iter().all(|volume| {
                volume.required.as_ref().is_none_or(|required| any_term_holds(required, labels, name))
                    && volume.labels.iter().all(|rule| holds(rule, labels))
            })
    }

    /// Whether it tolerates them all.
    pub(super) fn tolerates(&self, taints: &[Taint]) -> bool {
        taints.iter().all(|taint| self.tolerations.iter().any(|toleration| covers(toleration, taint)))
    }

    /// Whether it would fit, were the node empty.
    pub(super) fn fits(&self, node: &NodeFacts) -> bool {
        let room = |(name, asked): (&str, Quantity)| asked <= Quantity::ZERO || asked <= node.offers(name);
        node.offers(PODS) >= ONE && self.requests.iter().all(room)
    }
}

const ONE: Quantity = Quantity::from_units(1);

fn any_term_holds(selector: &NodeSelector<'_>, labels: &Labels, name: Option<&str>) -> bool {
    selector.node_selector_terms.iter().any(|term| term_holds(term, labels, name))
}

/// A term without rules matches nothing; otherwise all its rules must hold.
fn term_holds(term: &NodeSelectorTerm<'_>, labels: &Labels, name: Option<&str>) -> bool {
    let empty = term.match_expressions.is_empty() && term.match_fields.is_empty();
    !empty
        && term.match_expressions.iter().all(|rule| holds(rule, labels))
        && term.match_fields.iter().all(|rule| name.is_some_and(|name| field_holds(rule, name)))
}

/// `labels.Requirement.Matches` of Kubernetes; a rule that it would refuse to read holds nowhere.
fn holds(rule: &Requirement<'_>, labels: &Labels) -> bool {
    let Requirement { key, operator, values } = rule;
    let own = labels.get(key).map(|value| &**value);
    let listed = |own: &str| values.iter().any(|value| **value == *own);
    match (&**operator, own, values.as_slice()) {
        ("In", Some(own), _) => listed(own),
        ("NotIn", own, [_, ..]) => !own.is_some_and(listed),
        ("Exists", own, []) => own.is_some(),
        ("DoesNotExist", own, []) => own.is_none(),
        ("Gt", Some(own), [bound]) => compares(own, bound, |own, bound| own > bound),
        ("Lt", Some(own), [bound]) => compares(own, bound, |own, bound| own < bound),
        _ => false,
    }
}

fn compares(own: &str, bound: &str, holds: impl Fn(i64, i64) -> bool) -> bool {
    own.parse().ok().zip(bound.parse().ok()).is_some_and(|(own, bound)| holds(own, bound))
}

fn field_holds(rule: &Requirement<'_>, name: &str) -> bool {
    match (&*rule.key, &*rule.operator, rule.values.as_slice()) {
        (NODE_NAME, "In", [wanted]) => **wanted == *name,
        (NODE_NAME, "NotIn", [unwanted]) => **unwanted != *name,
        _ => false,
    }
}

/// `Toleration.ToleratesTaint` of Kubernetes. An operator that is not known here covers nothing.
fn covers(toleration: &Toleration<'_>, taint: &Taint) -> bool {
    let Toleration { key, operator, value, effect } = toleration;
    let of_effect = effect.is_empty() || **effect == *taint.effect;
    let of_key = key.is_empty() || **key == *taint.key;
    let of_value = match &**operator {
        "Exists" => true,
        // A toleration without a key is legal with `Exists` only.
        "" | "Equal" => !key.is_empty() && **value == *taint.value,
        _ => false,
    };
    of_effect && of_key && of_value
}
