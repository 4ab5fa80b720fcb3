//! What is said of each policy: how many pods it applies to, and what keeps it from doing what it says.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::book::{MOST_OF_A_NAMESPACE, Policy, PolicyBook, Unread};
use crate::domain::Regions;
use crate::domain::duration::parse_duration;
use crate::domain::units::UsdPerTonne;
use crate::kubernetes::cluster::NamespaceFacts;

/// What was found of one policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// Pods that it applies to.
    pub pods_matched: u64,
    /// What keeps it from doing what it says; empty when nothing does.
    pub problem: String,
    /// The generation that this was found of.
    pub generation: i64,
}

/// Pods that a decision needs two regions for.
const FEWEST_REGIONS: usize = 2;

/// What there is to say of every policy, by its name in records, given the pods of the cluster.
///
/// `namespaces` and `pods` may be of slightly different moments: a pod of a namespace that is not known matches no
/// namespace selector but the empty one.
#[must_use]
pub fn findings<'p>(
    book: &PolicyBook,
    namespace: impl Fn(&str) -> Option<NamespaceFacts>,
    pods: impl IntoIterator<Item = (&'p str, &'p BTreeMap<String, String>)>,
    regions: &Regions,
    carbon_cap: UsdPerTonne,
) -> BTreeMap<String, Finding> {
    let mut found: BTreeMap<String, Finding> = BTreeMap::new();
    for (name, why) in book.unreadable() {
        let problem = match why {
            Unread::Unreadable => {
                "cannot be read, so that pods it may be about are left alone: see its selectors".to_owned()
            }
            Unread::TooMany => format!(
                "is not read, so that pods of its namespace are left alone: keep at most {MOST_OF_A_NAMESPACE} policies there"
            ),
        };
        found.insert(name.to_owned(), Finding { problem, ..Finding::default() });
    }
    for policy in book.policies() {
        let problem = own_problem(policy, regions, carbon_cap).unwrap_or_default();
        let finding = Finding { problem, generation: policy.generation, pods_matched: 0 };
        found.insert(policy.name.clone(), finding);
    }
    // By policy: the others that leave too little together with it, and those whose assumptions count, with the pods.
    let mut together: BTreeMap<&str, (usize, usize, Vec<&str>)> = BTreeMap::new();
    let mut overridden: BTreeMap<(&str, &str, &'static str), usize> = BTreeMap::new();
    for (namespace_name, labels) in pods {
        let facts = namespace(namespace_name).unwrap_or_default();
        let applying: Vec<&Policy> =
            book.applying(namespace_name, &facts.labels, |key| labels.get(key).map(String::as_str)).collect();
        for policy in &applying {
            if let Some(finding) = found.get_mut(&policy.name) {
                finding.pods_matched += 1;
            }
        }
        let left = regions
            .iter()
            .filter(|(id, _)| applying.iter().all(|policy| policy.admits(*id, regions)))
            .count();
        if left < FEWEST_REGIONS && applying.len() > 1 {
            for policy in &applying {
                let others =
                    applying.iter().map(|other| other.name.as_str()).filter(|other| *other != policy.name);
                together.entry(&policy.name).or_insert_with(|| (left, 0, others.collect())).1 += 1;
            }
        }
        note_overridden(&applying, &mut overridden);
    }
    for (name, (left, pods, others)) in together {
        let problem = format!(
            "leaves {} for {} together with {}",
            regions_in_words(left),
            pods_in_words(pods),
            others.join(", ")
        );
        say(&mut found, name, problem);
    }
    for ((name, other, field), pods) in overridden {
        say(&mut found, name, format!("{field} of {other} counts for {}", pods_in_words(pods)));
    }
    found
}

/// The first problem counts: what a policy says by itself before what it comes to with others.
fn say(found: &mut BTreeMap<String, Finding>, name: &str, problem: String) {
    if let Some(finding) = found.get_mut(name).filter(|finding| finding.problem.is_empty()) {
        finding.problem = problem;
    }
}

/// What is wrong with a policy whatever else there is.
fn own_problem(policy: &Policy, regions: &Regions, carbon_cap: UsdPerTonne) -> Option<String> {
    let rules = &policy.rules;
    let lists = [("allowedRegions", &rules.allowed_regions), ("forbiddenRegions", &rules.forbidden_regions)];
    for (field, names) in lists {
        let unknown: Vec<&str> =
            names.iter().flatten().map(String::as_str).filter(|name| regions.find(name).is_none()).collect();
        if !unknown.is_empty() {
            return Some(format!("{field}: {} not configured", unknown.join(", ")));
        }
    }
    let data_region = rules.data_region.as_deref().filter(|name| regions.find(name).is_none());
    if let Some(name) = data_region {
        return Some(format!("dataRegion: {name} not configured, so that it is not assumed"));
    }
    if let Some(text) = &rules.expected_duration
        && !parse_duration(text).is_ok_and(|duration| !duration.is_zero())
    {
        return Some(format!(
            "expectedDuration: {text} is no time that a pod can run, so that it is not assumed"
        ));
    }
    if let Some(price) = rules.carbon_price_usd_per_tonne.filter(|price| *price > carbon_cap.0) {
        return Some(format!("carbonPriceUsdPerTonne: {price} is above the cap, {} counts", carbon_cap.0));
    }
    let left = regions.iter().filter(|(id, _)| policy.admits(*id, regions)).count();
    (left < FEWEST_REGIONS).then(|| format!("leaves {}: its pods are left alone", regions_in_words(left)))
}

/// Assumptions that another policy of the same scope makes first.
fn note_overridden<'b>(
    applying: &[&'b Policy],
    overridden: &mut BTreeMap<(&'b str, &'b str, &'static str), usize>,
) {
    type Says = fn(&Policy) -> Option<String>;
    let fields: [(&'static str, Says); 4] = [
        ("expectedDuration", |policy| policy.rules.expected_duration.clone()),
        ("egressGb", |policy| policy.rules.egress_gb.map(|value| value.to_string())),
        ("dataRegion", |policy| policy.rules.data_region.clone()),
        ("carbonPriceUsdPerTonne", |policy| {
            policy.rules.carbon_price_usd_per_tonne.map(|value| value.to_string())
        }),
    ];
    for (field, says) in fields {
        for of_cluster in [true, false] {
            let mut saying = applying
                .iter()
                .filter(|policy| policy.of_cluster == of_cluster)
                .filter_map(|policy| Some((policy.name.as_str(), says(policy)?)));
            let Some((first, value)) = saying.next() else { continue };
            for (later, _) in saying.filter(|(_, other)| *other != value) {
                *overridden.entry((later, first, field)).or_default() += 1;
            }
        }
    }
}

fn regions_in_words(count: usize) -> String {
    if count == 1 { "one region".to_owned() } else { "no region".to_owned() }
}

fn pods_in_words(count: usize) -> String {
    if count == 1 { "1 pod".to_owned() } else { format!("{count} pods") }
}
