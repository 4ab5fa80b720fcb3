//! Checks of what the server answered against what a scene says: the demo never pretends.

use anyhow::{Context as _, ensure};

use crate::cli::demo::running::Admission;
use crate::cli::show::patch::preferred_regions;
use crate::cli::show::record::RegionRow;
use crate::cli::show::{headline, title};

/// The label that the demo's cluster has its regions under.
const TOPOLOGY_KEY: &str = "topology.kubernetes.io/region";

/// A region's row of a record.
pub(super) fn row<'a>(admission: &'a Admission, region: &str) -> anyhow::Result<&'a RegionRow> {
    admission.record.region(region).with_context(|| format!("the record does not name {region}"))
}

/// The decision has to be what the scene says, and the patch has to say the same.
pub(super) fn expect(
    admission: &Admission,
    outcome: &str,
    reason: &str,
    preferred: Option<&str>,
) -> anyhow::Result<()> {
    let record = &admission.record;
    let is_as_said =
        record.outcome == outcome && record.reason == reason && record.target_region.as_deref() == preferred;
    ensure!(
        is_as_said,
        "{}: {}, where the scene says {outcome} {} ({reason}). The demo never pretends: if the machine was \
         overloaded, run it again; else the catalogue or the code has changed and this scene has to as well",
        title(record),
        headline(record),
        preferred.unwrap_or_default(),
    );
    let terms = preferred_regions(&admission.patch, TOPOLOGY_KEY);
    let first = terms.first().and_then(|(_, values)| values.first()).map(String::as_str);
    ensure!(first == preferred, "the patch prefers {first:?}, the decision {preferred:?}");
    ensure!(preferred.is_some() || admission.patch.is_empty(), "a pod that is left as it came has a patch");
    Ok(())
}

/// Anything else that a scene says.
pub(super) fn holds(is_true: bool, claim: &str) -> anyhow::Result<()> {
    ensure!(is_true, "a scene says \"{claim}\", and the server's answer says otherwise");
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::cli::demo::cluster::{BASE, FAR, NEAR};
    use crate::cli::show::patch::operations;

    fn admission(outcome: &str, target: Option<&str>, patch: &Value) -> Admission {
        let record = json!({
            "decision_id": "1", "namespace": "default", "owner": null, "pod": "web", "outcome": outcome,
            "reason": "net_benefit", "baseline_region": BASE, "target_region": target, "demand": null,
            "regions": [], "projected": null, "duration_us": 1,
        });
        Admission {
            record: serde_json::from_value(record).unwrap(),
            patch: operations(patch.to_string().as_bytes()).unwrap(),
            warnings: Vec::new(),
        }
    }

    fn prefers(region: &str) -> Value {
        let expression = json!({ "key": TOPOLOGY_KEY, "operator": "In", "values": [region] });
        let term = json!({ "weight": 100, "preference": { "matchExpressions": [expression] } });
        json!([{ "op": "add", "path": "/spec/affinity", "value": { "nodeAffinity": { "preferred": [term] } } }])
    }

    #[test]
    fn scene_fails_when_the_server_decides_otherwise() {
        let as_said = admission("steer", Some(FAR), &prefers(FAR));
        expect(&as_said, "steer", "net_benefit", Some(FAR)).unwrap();
        for (outcome, reason, target) in [
            ("stay", "net_benefit", Some(FAR)),
            ("steer", "baseline_best", Some(FAR)),
            ("steer", "net_benefit", Some(NEAR)),
            ("steer", "net_benefit", None),
        ] {
            let error = expect(&as_said, outcome, reason, target).unwrap_err().to_string();
            assert!(error.contains("STEER to canadacentral"), "{error}");
        }
    }

    #[test]
    fn scene_fails_when_the_patch_says_something_else_than_the_record() {
        for patch in [prefers(NEAR), json!([])] {
            let differs = admission("steer", Some(FAR), &patch);
            let error = expect(&differs, "steer", "net_benefit", Some(FAR)).unwrap_err().to_string();
            assert!(error.starts_with("the patch prefers"), "{error}");
        }
        let label = json!([{ "op": "add", "path": "/metadata/labels", "value": { "a": "b" } }]);
        let marked = admission("bypass", None, &label);
        let error = expect(&marked, "bypass", "net_benefit", None).unwrap_err().to_string();
        assert!(error.contains("left as it came"), "{error}");
    }
}
