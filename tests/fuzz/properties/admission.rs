//! `/mutate`: whatever the body, the answer is for the same uid and allowed, and what it patches applies and loses nothing.

use std::sync::Arc;

use eco_pulse::decider::Decider;
use eco_pulse::domain::{BypassReason, Outcome};
use eco_pulse::http::fail_open::{Answer, Answering as _};
use eco_pulse::webhook::mutate::Mutate;
use serde::Deserialize;
use serde_json::Value;

use super::patched::{operations, patched, preferred_terms};
use super::world::world;

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

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct AuditAnnotations {
    outcome: String,
    reason: String,
    #[serde(rename = "decision-id")]
    _decision_id: Option<String>,
    target_region: Option<String>,
}

/// The least that a body needs for an answer to it to be possible.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    api_version: String,
    kind: String,
    request: AskedRequest,
}

#[derive(Deserialize)]
struct AskedRequest {
    uid: String,
}

pub fn holds(body: &[u8]) {
    for decider in [&world().unwatched, &world().watched] {
        let Some(after) = judge(body, decider) else { continue };
        // As the API server calls a second time after another webhook has changed the pod.
        let terms = preferred_terms(&after["request"]["object"]);
        let again = judge(&serde_json::to_vec(&after).unwrap(), decider);
        let terms_again = again.map_or(terms, |again| preferred_terms(&again["request"]["object"]));
        assert_eq!(terms_again, terms, "a second pass adds terms");
    }
}

/// Judges the answer to a body; gives the review with its object patched, when there is a patch.
fn judge(body: &[u8], decider: &Arc<Decider>) -> Option<Value> {
    let mutate = Mutate::new(decider.clone());
    let asked: Option<Asked> = serde_json::from_slice(body).ok();
    let is_review = asked.as_ref().is_some_and(|asked| {
        asked.api_version == "admission.k8s.io/v1"
            && asked.kind == "AdmissionReview"
            && !asked.request.uid.is_empty()
    });
    let answer = mutate.answer(body, world().now);
    let opened = mutate.open(body, BypassReason::Deadline);
    assert!(!is_review || answer.is_ok(), "a review is not answered: {:?}", answer.err());
    assert_eq!(answer.is_ok(), opened.is_ok());
    let uid = asked.map(|asked| asked.request.uid);
    if let Ok(opened) = opened {
        let response = response_of(&opened, uid.as_deref());
        let said = (response.audit_annotations.outcome.as_str(), response.audit_annotations.reason.as_str());
        assert_eq!(said, ("bypass", "deadline"));
        assert!(response.patch.is_none());
    }
    let answer = answer.ok()?;
    let response = response_of(&answer, uid.as_deref());
    assert_eq!(response.audit_annotations.outcome, answer.draft.decided.decision.outcome_str());
    let decision = &answer.draft.decided.decision;
    for score in &decision.scores {
        let benefit = score.net_benefit();
        assert!(benefit.is_none_or(|usd| usd.0.is_finite()), "{benefit:?}");
    }
    if matches!(decision.outcome, Outcome::Steer { .. }) {
        assert!(decision.preferred_score().unwrap().net_benefit().unwrap().0 > 0.0);
        assert!(response.audit_annotations.target_region.is_some());
    }
    after_its_patch(body, &response)
}

/// What must hold of every answer.
fn response_of(answer: &Answer, uid: Option<&str>) -> Response {
    let review: Review = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        (review.api_version.as_str(), review.kind.as_str()),
        ("admission.k8s.io/v1", "AdmissionReview")
    );
    let response = review.response;
    assert!(response.allowed);
    assert!(uid.is_none_or(|uid| uid == response.uid), "{uid:?} became {}", response.uid);
    assert!(!response.uid.is_empty());
    assert_eq!(response.patch_type.as_deref(), response.patch.as_ref().map(|_| "JSONPatch"));
    let audit = &response.audit_annotations;
    assert!(["steer", "stay", "bypass"].contains(&audit.outcome.as_str()));
    assert!(audit.reason.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
    for warning in &response.warnings {
        assert!(!warning.contains(char::is_control) && warning.chars().count() <= 256, "{warning:?}");
    }
    response
}

/// The review after its patch.
fn after_its_patch(body: &[u8], response: &Response) -> Option<Value> {
    let operations = operations(response.patch.as_ref()?).unwrap();
    // Deeper than a reader of any JSON goes.
    let mut review: Value = serde_json::from_slice(body).ok()?;
    let before = &review["request"]["object"];
    // A reader of structs takes a list for one, field by field; the API server sends none.
    let parts = ["", "/metadata", "/spec", "/spec/affinity", "/spec/affinity/nodeAffinity"];
    if parts.into_iter().any(|part| before.pointer(part).is_some_and(Value::is_array)) || before.is_null() {
        return None;
    }
    let after = patched(before, &operations).unwrap();
    review["request"]["object"] = after;
    Some(review)
}
