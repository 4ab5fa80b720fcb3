//! Bodies that are no question: 400, with what is wrong and how to put it right.

use eco_pulse::audit::entry::Endpoint;
use eco_pulse::domain::BypassReason;
use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

use crate::answers::assert_refused;
use crate::bodies::{self, nested, request};
use crate::rig::Rig;

const REVIEW_CURE: &str = "; send admission.k8s.io/v1 JSON as kube-apiserver does";
const QUESTION_CURE: &str = "; send the JSON that kube-scheduler sends to an extender";

async fn assert_is_refused(endpoint: Endpoint, body: Vec<u8>, problems: &[&str]) {
    let rig = Rig::new(endpoint).await;
    let reply = rig.ask(request(endpoint, body)).await;
    for problem in problems {
        assert_refused(&reply, StatusCode::BAD_REQUEST, problem);
    }
    rig.assert_refusal_counted(BypassReason::Undecodable);
    rig.assert_recovered().await;
}

#[rstest]
#[case::empty(b"".to_vec(), "EOF while parsing")]
#[case::text(b"hello".to_vec(), "expected value at line 1 column 1")]
#[case::a_list(b"[1,2]".to_vec(), "invalid type: integer `1`, expected a string")]
#[case::cut(br#"{"request":{"uid":"a""#.to_vec(), "EOF while parsing an object")]
#[case::no_utf_8(b"\xff\xfe\x00".to_vec(), "expected value at line 1 column 1")]
#[case::deep(nested(10_000).into_bytes(), "invalid type: sequence, expected a string")]
#[case::deep_request(format!(r#"{{"request":{}}}"#, nested(10_000)).into_bytes(), "invalid type: sequence")]
#[case::two_uids(
    br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"a","uid":"b"}}"#.to_vec(),
    "duplicate field `uid`"
)]
#[tokio::test]
async fn a_body_that_is_no_review_is_refused(#[case] body: Vec<u8>, #[case] problem: &str) {
    let problems = ["body is not an AdmissionReview: ", problem, REVIEW_CURE];
    assert_is_refused(Endpoint::Mutate, body, &problems).await;
}

#[rstest]
#[case::empty(b"".to_vec(), "EOF while parsing")]
#[case::text(b"hello".to_vec(), "expected value at line 1 column 1")]
#[case::names_are_numbers(br#"{"NodeNames":[1]}"#.to_vec(), "invalid type: integer `1`, expected a string")]
#[case::nodes_are_text(br#"{"Nodes":"all"}"#.to_vec(), "invalid type: string \"all\"")]
#[case::deep_names(format!(r#"{{"NodeNames":{}}}"#, nested(10_000)).into_bytes(), "invalid type: sequence")]
#[case::no_utf_8_in_a_name(b"{\"NodeNames\":[\"\xff\"]}".to_vec(), "invalid unicode code point")]
#[tokio::test]
async fn a_body_that_is_no_question_is_refused(
    #[values(Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
    #[case] body: Vec<u8>,
    #[case] problem: &str,
) {
    assert_is_refused(endpoint, body, &["body is not ExtenderArgs: ", problem, QUESTION_CURE]).await;
}

fn changed(change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut review = bodies::value(Endpoint::Mutate);
    change(&mut review);
    review.to_string().into_bytes()
}

#[rstest]
#[case(
    "admission.k8s.io/v1beta1",
    "AdmissionReview",
    "apiVersion and kind are \"admission.k8s.io/v1beta1\" and \"AdmissionReview\""
)]
#[case("v1", "Pod", "apiVersion and kind are \"v1\" and \"Pod\"")]
#[case("", "", "apiVersion and kind are \"\" and \"\"")]
#[tokio::test]
async fn another_version_or_kind_is_refused(
    #[case] api_version: &str,
    #[case] kind: &str,
    #[case] problem: &str,
) {
    let body = changed(|review| {
        review["apiVersion"] = api_version.into();
        review["kind"] = kind.into();
    });
    let cure = "list only v1 in the webhook's admissionReviewVersions";
    assert_is_refused(Endpoint::Mutate, body, &[problem, cure]).await;
}

#[rstest]
#[case::absent(None)]
#[case::null(Some(Value::Null))]
#[case::empty(Some(json!("")))]
#[tokio::test]
async fn a_review_without_uid_is_refused(#[case] uid: Option<Value>) {
    let body = changed(|review| {
        let request = review["request"].as_object_mut().unwrap();
        request.remove("uid");
        request.extend(uid.clone().map(|uid| ("uid".to_owned(), uid)));
    });
    let problems = ["request.uid is missing or empty", "; send the uid that kube-apiserver gave the request"];
    assert_is_refused(Endpoint::Mutate, body, &problems).await;
}

#[rstest]
#[case::absent(false)]
#[case::null(true)]
#[tokio::test]
async fn a_review_without_request_is_refused(#[case] null: bool) {
    let body = changed(|review| {
        let review = review.as_object_mut().unwrap();
        review.remove("request");
        review.extend(null.then_some(("request".to_owned(), Value::Null)));
    });
    let problems =
        ["request is missing", "; send the AdmissionReview that kube-apiserver sends to a webhook"];
    assert_is_refused(Endpoint::Mutate, body, &problems).await;
}
