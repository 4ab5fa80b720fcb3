//! Label selectors, read once and matched often.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

/// A selector of labels; the default selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector(Vec<(String, Test)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Reads a selector; `None` when Kubernetes would refuse it, so that nobody can say what it selects.
    pub(super) fn read(selector: Option<&LabelSelector>) -> Option<Self> {
        let Some(selector) = selector else { return Some(Self::default()) };
        let labels = selector.match_labels.iter().flatten();
        let labels = labels.map(|(key, value)| Some((key.clone(), Test::In(vec![value.clone()]))));
        let rules = selector.match_expressions.iter().flatten().map(read_rule);
        labels.chain(rules).collect::<Option<_>>().map(Self)
    }

    /// Whether labels, as `label` tells them, are selected.
    pub(super) fn selects<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.0.iter().all(|(key, test)| {
            let own = label(key);
            let listed = |values: &[String]| own.is_some_and(|own| values.iter().any(|value| value == own));
            match test {
                Test::In(values) => listed(values),
                Test::NotIn(values) => !listed(values),
                Test::Exists => own.is_some(),
                Test::DoesNotExist => own.is_none(),
            }
        })
    }
}

fn read_rule(rule: &LabelSelectorRequirement) -> Option<(String, Test)> {
    let values = rule.values.clone().unwrap_or_default();
    let test = match (rule.operator.as_str(), values.is_empty()) {
        ("In", false) => Test::In(values),
        ("NotIn", false) => Test::NotIn(values),
        ("Exists", true) => Test::Exists,
        ("DoesNotExist", true) => Test::DoesNotExist,
        _ => return None,
    };
    Some((rule.key.clone(), test))
}
