//! What an answer has to look like.

use axum::response::Response;
use bytes::Bytes;
use eco_pulse::audit::entry::Endpoint;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use crate::bodies;
use crate::client::Reply;

/// Reads an answer to its end.
pub async fn read(response: Response) -> Reply {
    let (head, body) = response.into_parts();
    let body: Bytes = body.collect().await.unwrap().to_bytes();
    Reply { status: head.status, headers: head.headers, body }
}

fn assert_json(reply: &Reply) {
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    assert_eq!(reply.headers[CONTENT_TYPE], "application/json");
    assert_no_retry_after(&reply.headers);
}

/// With it the API server would send the same request again, and keep the pod waiting.
fn assert_no_retry_after(headers: &HeaderMap) {
    assert!(!headers.contains_key(RETRY_AFTER), "{headers:?}");
}

/// As if Eco-Pulse were not there.
pub fn assert_opened(endpoint: Endpoint, reply: &Reply, reason: &str) {
    assert_json(reply);
    let asked = bodies::value(endpoint);
    let expected = match endpoint {
        Endpoint::Mutate => json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "response": {
                "uid": asked["request"]["uid"],
                "allowed": true,
                "auditAnnotations": { "outcome": "bypass", "reason": reason },
            },
        }),
        Endpoint::Filter => json!({
            "Nodes": null,
            "NodeNames": asked["NodeNames"],
            "FailedNodes": {},
            "FailedAndUnresolvableNodes": {},
            "Error": "",
        }),
        Endpoint::Prioritize => json!([]),
    };
    let mut answer = reply.json();
    if endpoint == Endpoint::Mutate {
        // It came to a decision, or it did not.
        answer["response"]["auditAnnotations"].as_object_mut().unwrap().remove("decision-id");
    }
    assert_eq!(answer, expected);
}

/// A decision: the pod is to stay in us-east-1, 40 ms from its users.
pub fn assert_decided(endpoint: Endpoint, reply: &Reply) {
    assert_json(reply);
    let answer = reply.json();
    match endpoint {
        Endpoint::Mutate => {
            let response = &answer["response"];
            assert_eq!(response["uid"], bodies::value(endpoint)["request"]["uid"]);
            assert_eq!(response["allowed"], true);
            assert_eq!(response["patchType"], "JSONPatch");
            assert_eq!(response["auditAnnotations"]["target-region"], "us-east-1");
        }
        Endpoint::Filter => {
            let kept = names(&answer["NodeNames"]);
            let asked = bodies::value(endpoint);
            let expected: Vec<&str> =
                names(&asked["NodeNames"]).into_iter().filter(|name| name.contains("us-east-1")).collect();
            assert_eq!((kept.len(), &kept), (3, &expected), "{answer}");
        }
        Endpoint::Prioritize => assert_eq!(answer.as_array().unwrap().len(), 9, "{answer}"),
    }
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

/// An error status: the caller's own policy opens.
pub fn assert_refused(reply: &Reply, status: StatusCode, problem: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_no_retry_after(&reply.headers);
    assert!(reply.text().contains(problem), "{:?} lacks {problem:?}", reply.text());
}
