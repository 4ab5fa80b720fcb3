//! The regions together: no two of one name, the tables between them, and the one that is the baseline.

use std::collections::HashMap;
use std::sync::Arc;

use super::facts::RegionFacts;
use super::reader::Report;
use super::regions::{Claim, Draft, RegionDrafts, SCHEDULER};
use super::value::Fault;
use crate::domain::policy::Baseline;
use crate::domain::region::{Region, RegionId, Regions};
use crate::domain::units::{Milliseconds, UsdPerGb, UsdPerHour};

/// Most regions in one configuration. Tables between regions grow with the square (8 MB at this number); AWS, Google
/// Cloud and Azure together have fewer than 200.
pub const MAX_REGIONS: usize = 500;

/// The configured regions with all that is fixed about them.
pub(super) struct Joined {
    pub regions: Arc<Regions>,
    pub per_vcpu: HashMap<RegionId, UsdPerHour>,
}

impl RegionDrafts {
    /// Joins what was read. After an error the result is of no use.
    pub(super) fn join(&self, facts: &dyn RegionFacts, report: &mut Report) -> Joined {
        report_number(&self.claims, report);
        report_shared_names(&self.claims, report);
        let ids = || self.drafts.iter().enumerate().map(|(index, draft)| (RegionId(index), draft));
        let list = self.drafts.iter().map(|draft| draft.region.clone()).collect();
        let by_name: HashMap<_, _> = self.drafts.iter().map(|draft| (&draft.region.name, draft)).collect();
        let between = |from: &Region, to: &Region| {
            Some(Pair { from: by_name.get(&from.name)?, to: by_name.get(&to.name)? })
        };
        let regions = Regions::new(
            list,
            |from, to| between(from, to)?.egress(facts),
            |from, to| between(from, to)?.round_trip(facts),
        );
        Joined {
            // The only error is a shared name, and those are reported with their paths above.
            regions: Arc::new(regions.unwrap_or_default()),
            per_vcpu: ids().filter_map(|(id, draft)| Some((id, draft.per_vcpu?))).collect(),
        }
    }

    /// The names of all entries, good and bad.
    pub(super) fn names(&self) -> Vec<&str> {
        self.claims.iter().map(|claim| claim.name.as_str()).collect()
    }

    /// The region that `baseline.region` names, or the first when it names none.
    pub(super) fn baseline(&self, text: Option<&str>, regions: &Regions, report: &mut Report) -> Baseline {
        const PATH: &str = "baseline.region";
        let Some(text) = text else { return Baseline::Region(RegionId(0)) };
        if text == SCHEDULER {
            report
                .warn(PATH, "without a node cache the scheduler's mix weighs all eligible regions the same");
            return Baseline::SchedulerMix;
        }
        if let Some(id) = regions.by_name(text) {
            return Baseline::Region(id);
        }
        let named = |claim: &&Claim| claim.name == text;
        let aliased = |claim: &&Claim| claim.alias.as_deref() == Some(text);
        if let Some(claim) = self.claims.iter().find(aliased) {
            let cure = format!("write the region's name, {}", claim.name);
            report.fault(PATH, Fault::of_text(text, "is an alias", cure));
        } else if !self.claims.iter().any(|claim| named(&claim)) {
            let cure = format!("write {SCHEDULER} or one of: {}", self.names().join(", "));
            report.fault(PATH, Fault::of_text(text, "is not a region of `regions`", cure));
        }
        Baseline::Region(RegionId(0))
    }
}

/// Two regions, and what is known of the way between them.
struct Pair<'a> {
    from: &'a Draft,
    to: &'a Draft,
}

impl Pair<'_> {
    fn is_one(&self) -> bool {
        self.from.region.name == self.to.region.name
    }

    /// Nothing is charged for data that stay; between regions only the catalogue knows.
    fn egress(&self, facts: &dyn RegionFacts) -> Option<UsdPerGb> {
        if self.is_one() {
            return Some(UsdPerGb::ZERO);
        }
        let by_name = self.from.in_catalogue && self.to.in_catalogue;
        by_name.then(|| facts.egress(self.from.region.name.as_str(), self.to.region.name.as_str()))?
    }

    /// By name where both stand where the catalogue has them, else by distance.
    fn round_trip(&self, facts: &dyn RegionFacts) -> Option<Milliseconds> {
        let (from, to) = (&self.from.region, &self.to.region);
        let by_name = self.from.in_place && self.to.in_place;
        let named = by_name.then(|| facts.round_trip(from.name.as_str(), to.name.as_str())).flatten();
        if named.is_some() || self.is_one() {
            return named.or(Some(Milliseconds::ZERO));
        }
        Some(facts.round_trip_between(from.location?, to.location?))
    }
}

fn report_number(claims: &[Claim], report: &mut Report) {
    match claims.len() {
        1 => report.warn("regions", "there is one region only: every pod stays, nothing is gained"),
        many if many > MAX_REGIONS => report.fault(
            "regions",
            Fault::silent(
                format!("has {many} entries, more than {MAX_REGIONS}"),
                "name the regions this cluster has",
            ),
        ),
        _ => {}
    }
}

/// Names and aliases are one set: an annotation may use either, and must not be able to mean two regions.
fn report_shared_names(claims: &[Claim], report: &mut Report) {
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for claim in claims {
        let texts = [("name", Some(&claim.name)), ("alias", claim.alias.as_ref())];
        for (key, text) in texts {
            let Some(text) = text else { continue };
            let owner = *owners.entry(text).or_insert(&claim.path);
            if owner != claim.path {
                let problem = format!("is the name or alias of {owner} already");
                let fault = Fault::of_text(text, problem, "give each region a name and an alias of its own");
                report.fault(format!("{}.{key}", claim.path), fault);
            }
        }
    }
}
