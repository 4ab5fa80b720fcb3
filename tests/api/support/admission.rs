//! The answer of `/mutate`, judged as the API server would judge it, and more strictly.

use serde::Deserialize;
use serde_json::Value;

use crate::patched::{operations, patched_pod};

/// `AdmissionReview` v1 as an answer; a member that Kubernetes does not know is an error here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Review {
    api_version: String,
    kind: String,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Response {
    uid: String,
    allowed: bool,
    patch_type: Option<String>,
    patch: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
    audit_annotations: AuditAnnotations,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct AuditAnnotations {
    outcome: String,
    reason: String,
    decision_id: Option<String>,
    target_region: Option<String>,
}

/// What came of a review.
#[derive(Debug)]
pub struct Admission {
    pub outcome: String,
    pub reason: String,
    pub target: Option<String>,
    pub decision_id: Option<String>,
    pub warnings: Vec<String>,
    /// The patch's operations; none when the pod is left as it came.
    pub patch: Vec<Value>,
    /// The object after the patch.
    pub object: Value,
}

/// A preferred node-affinity term: its weight and the one region it names, or its JSON when it is of another form.
pub type Term = (i64, String);

impl Admission {
    pub fn check(review: &Value, answer: &[u8]) -> Self {
        let answer: Review = serde_json::from_slice(answer).unwrap();
        assert_eq!(answer.api_version, "admission.k8s.io/v1");
        assert_eq!(answer.kind, "AdmissionReview");
        let Response { uid, allowed, patch_type, patch, warnings, audit_annotations } = answer.response;
        assert_eq!(uid, review["request"]["uid"]);
        assert!(allowed);
        assert_eq!(patch_type.as_deref(), patch.as_ref().map(|_| "JSONPatch"));
        for warning in &warnings {
            assert!(!warning.contains(char::is_control) && warning.len() <= 256, "{warning:?}");
        }
        let patch = patch.map_or_else(Vec::new, |patch| operations(&patch).unwrap());
        let object = patched_pod(&review["request"]["object"], &patch).unwrap();
        Self {
            outcome: audit_annotations.outcome,
            reason: audit_annotations.reason,
            target: audit_annotations.target_region,
            decision_id: audit_annotations.decision_id,
            warnings,
            patch,
            object,
        }
    }

    /// Outcome and reason, to be compared with an expectation.
    pub fn verdict(&self) -> (&str, &str) {
        (&self.outcome, &self.reason)
    }

    /// The preferred node-affinity terms after the patch.
    pub fn terms(&self) -> Vec<Term> {
        let terms = self
            .object
            .pointer("/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution");
        terms.and_then(Value::as_array).map_or_else(Vec::new, |terms| terms.iter().map(term).collect())
    }

    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.object["metadata"]["annotations"][format!("eco-pulse.io/{key}")].as_str()
    }

    pub fn label(&self) -> Option<&str> {
        self.object["metadata"]["labels"]["eco-pulse.io/decision"].as_str()
    }

    /// The same review as it would come a second time, after the patch.
    pub fn again(&self, review: &Value) -> Value {
        let mut review = review.clone();
        review["request"]["object"] = self.object.clone();
        review
    }

    pub fn is_untouched(&self) -> bool {
        self.patch.is_empty()
    }
}

fn term(term: &Value) -> Term {
    let weight = term["weight"].as_i64().unwrap();
    let expressions = &term["preference"]["matchExpressions"];
    let region = &expressions[0];
    let plain = expressions.as_array().is_some_and(|all| all.len() == 1)
        && region["key"] == "topology.kubernetes.io/region"
        && region["operator"] == "In"
        && region["values"].as_array().is_some_and(|values| values.len() == 1);
    let text =
        if plain { region["values"][0].as_str().unwrap().to_owned() } else { term["preference"].to_string() };
    (weight, text)
}
