//! `/mutate`: from the body of a review to the body of its answer.

use jiff::Timestamp;

use super::patch::{Marks, Patch, Preference};
use super::review::{self, AuditAnnotations, Request, ReviewError};
use crate::audit::entry::{Endpoint, Subject};
use crate::audit::projection::project;
use crate::audit::record::SixDigits;
use crate::config::Mode;
use crate::decider::{Decided, Decider, cut, subject_of};
use crate::domain::counterfactual::SCHEDULER_MIX;
use crate::domain::{BypassReason, Decision, Outcome, Snapshot, StayReason};
use crate::http::fail_open::{Answer, Answering, Draft};
use crate::kubernetes::annotations::{self, DecisionMark};
use crate::kubernetes::decode::decode_pod;
use crate::kubernetes::placement::PodInContext;
use crate::kubernetes::pod::Pod;

/// Answers reviews.
#[derive(Debug)]
pub struct Mutate {
    decider: std::sync::Arc<Decider>,
}

/// What came of looking at a request's pod.
struct Considered {
    decided: Decided,
    subject: Subject,
    patch: Option<Vec<u8>>,
    /// An earlier pass over the same pod came to the same.
    repeat: bool,
}

impl Mutate {
    /// By a decider.
    #[must_use]
    pub const fn new(decider: std::sync::Arc<Decider>) -> Self {
        Self { decider }
    }

    fn consider(&self, request: &Request<'_>, now: Timestamp) -> Considered {
        let left_alone = |reason, subject| Considered {
            decided: self.decider.bypass(reason),
            subject,
            patch: None,
            repeat: false,
        };
        let unnamed = || Subject {
            uid: request.uid.to_string(),
            namespace: cut(&request.namespace),
            ..Subject::default()
        };
        let undecodable = || left_alone(BypassReason::Undecodable, unnamed());
        let Some(object) = request.object.filter(|_| request.is_pod) else { return undecodable() };
        let pod = match decode_pod(object.get()) {
            Ok(pod) => pod,
            Err(error) => {
                tracing::warn!(%error, uid = &*request.uid, "pod cannot be decoded; it is admitted unchanged");
                return undecodable();
            }
        };
        let namespace = match &*request.namespace {
            "" => pod.metadata.namespace.as_deref().unwrap_or_default(),
            namespace => namespace,
        };
        let subject = subject_of(&pod, &request.uid, namespace);
        // Only creation can be steered: afterwards affinity cannot change.
        if &*request.operation != "CREATE" {
            return left_alone(BypassReason::Bound, subject);
        }
        let mut decided = self.decider.decide(PodInContext { pod: &pod, namespace }, now);
        let earlier = self.decider.earlier_pass(&pod, &subject, now);
        match self.patch(&pod, &decided, earlier.is_some(), request.dry_run, now) {
            Ok(patch) => {
                // A pod that was decided about and needs no patch carries all of it from an earlier pass, id included.
                let is_bypass = matches!(decided.decision.outcome, Outcome::Bypass { .. });
                let nothing_new = decided.mode == Mode::Steer && !is_bypass && patch.is_none();
                let first_id = earlier.filter(|_| nothing_new);
                decided.id = first_id.unwrap_or(decided.id);
                Considered { decided, subject, patch, repeat: first_id.is_some() }
            }
            Err(error) => {
                tracing::error!(%error, uid = &*request.uid, "patch cannot be written as JSON");
                left_alone(BypassReason::Internal, subject)
            }
        }
    }

    /// The answer to a body that is no whole review: with its uid where there is one.
    fn salvaged(&self, body: &[u8], error: ReviewError, reason: BypassReason) -> Result<Answer, ReviewError> {
        let uid = match &error {
            ReviewError::Malformed(_) => review::salvage_uid(body),
            ReviewError::WrongKind { .. } | ReviewError::NoRequest | ReviewError::NoUid => None,
        };
        uid.map(|uid| self.allowed(&uid, reason)).ok_or(error)
    }

    /// The answer that changes nothing.
    fn allowed(&self, uid: &str, reason: BypassReason) -> Answer {
        let subject = Subject { uid: cut(uid), ..Subject::default() };
        Answer {
            body: review::allowed(uid, reason).into(),
            draft: Draft { subject, dry_run: false, repeat: false, decided: self.decider.bypass(reason) },
        }
    }

    fn patch(
        &self,
        pod: &Pod<'_>,
        decided: &Decided,
        again: bool,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, serde_json::Error> {
        let mut patch = Patch::default();
        if decided.mode == Mode::Steer {
            self.steer(&mut patch, pod, decided, again, now)?;
        }
        // In every mode: whether the API server reaches us is what one wants to know before anything is steered.
        if dry_run && pod.annotation(annotations::CANARY).is_some() {
            patch.answer_canary()?;
        }
        Ok(patch.finish())
    }

    fn steer(
        &self,
        patch: &mut Patch,
        pod: &Pod<'_>,
        decided: &Decided,
        again: bool,
        now: Timestamp,
    ) -> Result<(), serde_json::Error> {
        let settings = self.decider.settings();
        match (&decided.decision.outcome, &decided.snapshot) {
            (Outcome::Bypass { reason }, _) => {
                if takes_marks_off(*reason) {
                    patch.unmark(pod)?;
                }
            }
            (_, None) => {}
            (_, Some(snapshot)) => {
                let preference = Preference {
                    topology_key: &settings.placement.topology_key,
                    region_labels: preferred_labels(&decided.decision, snapshot),
                    weight: settings.affinity_weight,
                };
                patch.prefer(pod, &preference)?;
                let marks = marks(decided, snapshot, now);
                // A second pass over the same pod comes to the same decision: its marks stay as the first left them.
                if !patch.is_empty() || !again || !marks.repeat(pod) {
                    patch.mark(pod, &marks)?;
                }
            }
        }
        Ok(())
    }
}

/// Pods that are Eco-Pulse's to decide about but were not steered must not carry marks that say otherwise; pods it has
/// no business with, and pods it failed to decide about, are left to the letter.
const fn takes_marks_off(reason: BypassReason) -> bool {
    matches!(
        reason,
        BypassReason::SingleRegion
            | BypassReason::VolumePinned
            | BypassReason::NoRequests
            | BypassReason::ImpossibleRequests
            | BypassReason::UnknownGpu
            | BypassReason::Policy
            | BypassReason::OwnPreference
    )
}

/// The labels of the regions to prefer, best first.
fn preferred_labels<'s>(decision: &Decision, snapshot: &'s Snapshot) -> Vec<&'s str> {
    let label = |id| &*snapshot.regions.get(id).label;
    match decision.outcome {
        Outcome::Steer { .. } => decision
            .ranking
            .iter()
            .filter_map(|index| Some(label(decision.scores.get(*index)?.region())))
            .collect(),
        Outcome::Stay { .. } | Outcome::Bypass { .. } => {
            decision.preferred_region().map(label).into_iter().collect()
        }
    }
}

fn marks(decided: &Decided, snapshot: &Snapshot, now: Timestamp) -> Marks {
    let decision = &decided.decision;
    let name = |id| snapshot.regions.get(id).name.to_string();
    let number = |value: f64| SixDigits(value).rounded().to_string();
    let mut output = vec![(annotations::DECISION, DecisionMark::write(decided.id, now))];
    let mut put = |key, value: Option<String>| output.extend(value.map(|value| (key, value)));
    if let Some(base) = decision.base {
        put(annotations::BASELINE_REGION, Some(base.region.map_or_else(|| SCHEDULER_MIX.to_owned(), name)));
    }
    put(annotations::TARGET_REGION, decision.preferred_region().map(name));
    let net_benefit = decision.preferred_score().and_then(crate::domain::decision::Score::net_benefit);
    put(annotations::NET_BENEFIT_USD, net_benefit.map(|usd| number(usd.0)));
    let projection = project(decision);
    put(annotations::PROJECTED_SAVINGS_USD, projection.map(|projection| number(projection.saved.0)));
    put(annotations::PROJECTED_CO2E_AVOIDED_G, projection.map(|projection| number(projection.avoided.0)));
    let label = match decision.outcome {
        Outcome::Stay { reason: StayReason::Holdout } => "holdout",
        Outcome::Steer { .. } => "steer",
        Outcome::Stay { .. } | Outcome::Bypass { .. } => "stay",
    };
    Marks { label, annotations: output }
}

impl Answering for Mutate {
    const ENDPOINT: Endpoint = Endpoint::Mutate;
    type Error = ReviewError;

    fn answer(&self, body: &[u8], now: Timestamp) -> Result<Answer, ReviewError> {
        let request = match Request::parse(body) {
            Ok(request) => request,
            Err(error) => return self.salvaged(body, error, BypassReason::Undecodable),
        };
        let Considered { decided, subject, patch, repeat } = self.consider(&request, now);
        let id = decided.id.to_string();
        let target = decided.snapshot.as_deref().and_then(|snapshot| {
            decided.decision.preferred_region().map(|id| snapshot.regions.get(id).name.as_str())
        });
        let audit_annotations = AuditAnnotations {
            outcome: decided.decision.outcome_str(),
            reason: decided.decision.reason().as_str(),
            decision_id: Some(&id),
            target_region: target,
        };
        // Who made a pod by hand reads warnings; a controller only fills its log with them, once a pod.
        let warnings = if subject.owner.is_none() { decided.warnings.as_slice() } else { &[] };
        let reply = review::reply(&request.uid, patch.as_deref(), warnings, audit_annotations);
        match reply {
            Ok(reply) => {
                let draft = Draft { subject, dry_run: request.dry_run, repeat, decided };
                Ok(Answer { body: reply.into(), draft })
            }
            Err(error) => {
                tracing::error!(%error, uid = &*request.uid, "response cannot be written as JSON");
                self.open(body, BypassReason::Internal)
            }
        }
    }

    fn open(&self, body: &[u8], reason: BypassReason) -> Result<Answer, ReviewError> {
        let request = match Request::parse(body) {
            Ok(request) => request,
            Err(error) => return self.salvaged(body, error, reason),
        };
        let mut answer = self.allowed(&request.uid, reason);
        answer.draft.dry_run = request.dry_run;
        answer.draft.subject.namespace = cut(&request.namespace);
        Ok(answer)
    }

    fn carried_out(&self, draft: &Draft, now: Timestamp) {
        if draft.decided.mode == Mode::Steer {
            self.decider.carried_out(&draft.decided, &draft.subject, now);
        }
    }
}
