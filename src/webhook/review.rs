//! `AdmissionReview` on the wire: reading what a decision needs of the request, and writing the response.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::BypassReason;
use crate::kubernetes::text::{Text, null_is_default};

const API_VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";

/// A request, with the pod still as it came.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// To be sent back.
    pub uid: Text<'a>,
    /// The pod's namespace.
    pub namespace: Text<'a>,
    /// What is being done; pods are only decided about when they are created.
    pub operation: Text<'a>,
    /// Whether the object is a pod itself, not one of its subresources.
    pub is_pod: bool,
    /// The object, not decoded.
    pub object: Option<&'a RawValue>,
    /// Whether nothing will come of it.
    pub dry_run: bool,
}

/// A body that cannot be answered as a review: the answer is an error status, and `failurePolicy: Ignore` opens.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// Not JSON, or not of a review's shape.
    #[error("body is not an AdmissionReview: {0}; send admission.k8s.io/v1 JSON as kube-apiserver does")]
    Malformed(#[source] serde_json::Error),
    /// Another object, or another version.
    #[error(
        "apiVersion and kind are \"{api_version}\" and \"{kind}\", not \"{API_VERSION}\" and \"{KIND}\": list only v1 \
         in the webhook's admissionReviewVersions"
    )]
    WrongKind {
        /// As it came.
        api_version: String,
        /// As it came.
        kind: String,
    },
    /// Without the request there is nothing to answer.
    #[error("request is missing; send the AdmissionReview that kube-apiserver sends to a webhook")]
    NoRequest,
    /// Without a uid no answer would be accepted.
    #[error(
        "request.uid is missing or empty, and the answer has to repeat it; send the uid that kube-apiserver gave the request"
    )]
    NoUid,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireReview<'a> {
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    api_version: Text<'a>,
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    request: Option<WireRequest<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRequest<'a> {
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    uid: Text<'a>,
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    namespace: Text<'a>,
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    operation: Text<'a>,
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    kind: GroupVersionKind<'a>,
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    sub_resource: Text<'a>,
    #[serde(borrow, default)]
    object: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "null_is_default")]
    dry_run: bool,
}

#[derive(Default, Deserialize)]
struct GroupVersionKind<'a> {
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    group: Text<'a>,
    #[serde(borrow, default, deserialize_with = "null_is_default")]
    kind: Text<'a>,
}

impl<'a> Request<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// It is no review, or one that cannot be answered.
    pub fn parse(body: &'a [u8]) -> Result<Self, ReviewError> {
        let review: WireReview<'a> = serde_json::from_slice(body).map_err(ReviewError::Malformed)?;
        if &*review.api_version != API_VERSION || &*review.kind != KIND {
            return Err(ReviewError::WrongKind {
                api_version: shown(&review.api_version),
                kind: shown(&review.kind),
            });
        }
        let request = review.request.ok_or(ReviewError::NoRequest)?;
        if request.uid.is_empty() {
            return Err(ReviewError::NoUid);
        }
        Ok(Self {
            uid: request.uid,
            namespace: request.namespace,
            operation: request.operation,
            is_pod: request.kind.group.is_empty()
                && &*request.kind.kind == "Pod"
                && request.sub_resource.is_empty(),
            object: request.object,
            dry_run: request.dry_run,
        })
    }
}

/// The uid of a review whose other members are not what they should be.
#[must_use]
pub fn salvage_uid(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Review {
        request: Request,
    }
    #[derive(Deserialize)]
    struct Request {
        uid: String,
    }
    serde_json::from_slice(body).ok().map(|review: Review| review.request.uid).filter(|uid| !uid.is_empty())
}

/// What came, cut to what fits into a message.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

/// What is said about a pod beside the patch; keys are qualified by the API server with the webhook's name.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AuditAnnotations<'a> {
    /// `steer`, `stay` or `bypass`.
    pub outcome: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Joins with the decision record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<&'a str>,
    /// The preferred region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_region: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireReply<'a> {
    api_version: &'static str,
    kind: &'static str,
    response: WireResponse<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireResponse<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
    audit_annotations: AuditAnnotations<'a>,
}

/// Writes the response: allowed, always. `patch` is an RFC 6902 array, or nothing when there is nothing to change.
///
/// # Errors
/// None that the types admit; the caller treats one as a defect.
pub fn reply(
    uid: &str,
    patch: Option<&[u8]>,
    warnings: &[String],
    audit_annotations: AuditAnnotations<'_>,
) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&WireReply {
        api_version: API_VERSION,
        kind: KIND,
        response: WireResponse {
            uid,
            allowed: true,
            patch_type: patch.map(|_| "JSONPatch"),
            patch: patch.map(|patch| BASE64.encode(patch)),
            warnings,
            audit_annotations,
        },
    })
}

/// The answer when something failed: the pod goes on as it came.
#[must_use]
pub fn allowed(uid: &str, reason: BypassReason) -> String {
    serde_json::json!({
        "apiVersion": API_VERSION,
        "kind": KIND,
        "response": {
            "uid": uid,
            "allowed": true,
            "auditAnnotations": { "outcome": "bypass", "reason": reason.as_str() },
        },
    })
    .to_string()
}
