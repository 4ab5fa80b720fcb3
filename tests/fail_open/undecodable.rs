//! A pod that is not one: the answer is found in what surrounds it.

use eco_pulse::audit::entry::Endpoint;
use eco_pulse::domain::BypassReason;
use rstest::rstest;

use crate::answers::assert_decided;
use crate::bodies::{self, nested, request, with_pod};
use crate::faulty::Fault;
use crate::rig::{Rig, Room};

const DEPTH: usize = 10_000;

#[rstest]
#[case::a_number(b"5")]
#[case::null(b"null")]
#[case::a_list(b"[]")]
#[case::containers_are_a_number(br#"{"spec":{"containers":5}}"#)]
#[case::a_label_is_a_list(br#"{"metadata":{"labels":{"app":["a"]}}}"#)]
#[case::a_quantity_is_a_map(br#"{"spec":{"containers":[{"resources":{"requests":{"cpu":{}}}}]}}"#)]
#[case::two_specs(br#"{"spec":{},"spec":{}}"#)]
#[case::no_utf_8_in_a_name(b"{\"metadata\":{\"name\":\"\xff\xfe\"}}")]
#[case::no_utf_8_in_what_is_skipped(b"{\"status\":{\"message\":\"\xc3\x28\"}}")]
#[case::half_a_surrogate(br#"{"metadata":{"name":"\ud800"}}"#)]
#[tokio::test]
async fn a_pod_that_does_not_decode_is_let_through(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
    #[case] pod: &[u8],
) {
    let rig = Rig::new(endpoint).await;
    let reply = rig.ask(request(endpoint, with_pod(endpoint, pod))).await;
    rig.assert_opened(&reply, BypassReason::Undecodable);
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn depth_in_a_part_that_is_read_is_let_through(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
    #[values("metadata", "spec")] part: &str,
) {
    let rig = Rig::new(endpoint).await;
    let pod = format!(r#"{{"{part}":{}}}"#, nested(DEPTH));
    let reply = rig.ask(request(endpoint, with_pod(endpoint, pod))).await;
    rig.assert_opened(&reply, BypassReason::Undecodable);
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn depth_in_a_part_that_is_skipped_changes_nothing(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
    #[values("status", "unknown")] part: &str,
) {
    let rig = Rig::new(endpoint).await;
    let mut body = bodies::value(endpoint);
    let pod = bodies::pod_of(&mut body, endpoint).as_object_mut().unwrap();
    pod.remove(part);
    let pod = serde_json::to_string(pod).unwrap();
    let pod = format!(r#"{{"{part}":{},{}"#, nested(DEPTH), &pod[1..]);
    assert_decided(endpoint, &rig.ask(request(endpoint, with_pod(endpoint, pod))).await);
}

#[rstest]
#[tokio::test]
async fn depth_around_the_pod_changes_nothing(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::new(endpoint).await;
    let body = String::from_utf8(bodies::recorded(endpoint).to_vec()).unwrap();
    let body = format!(r#"{{"unknown":{},{}"#, nested(DEPTH), &body[1..]);
    assert_decided(endpoint, &rig.ask(request(endpoint, body)).await);
}

#[rstest]
#[tokio::test]
async fn of_a_key_that_comes_twice_the_last_counts_as_in_go(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::new(endpoint).await;
    let mut body = bodies::value(endpoint);
    let pod = bodies::pod_of(&mut body, endpoint);
    pod["metadata"]["labels"] = serde_json::json!({ "eco-pulse.io/inject": "enabled" });
    let pod = pod.to_string();
    let twice = r#"{"eco-pulse.io/inject":"disabled","eco-pulse.io/inject":"enabled"}"#;
    let pod = pod.replace(r#"{"eco-pulse.io/inject":"enabled"}"#, twice);
    assert!(pod.contains(twice));
    assert_decided(endpoint, &rig.ask(request(endpoint, with_pod(endpoint, pod))).await);
}

/// Whatever fails, a review whose uid can be read is answered with it.
#[rstest]
#[case(None, BypassReason::Undecodable)]
#[case(Some(Fault::Panic), BypassReason::Panic)]
#[tokio::test]
async fn the_uid_is_found_in_a_review_of_another_shape(
    #[case] fault: Option<Fault>,
    #[case] reason: BypassReason,
) {
    let rig = Rig::new(Endpoint::Mutate).await;
    rig.faults.put_in(fault.unwrap_or_default());
    let mut review = bodies::value(Endpoint::Mutate);
    review["request"]["operation"] = 5.into();
    let reply = rig.ask(request(Endpoint::Mutate, review.to_string())).await;
    rig.assert_opened(&reply, reason);
}

#[tokio::test]
async fn an_object_that_is_no_pod_is_let_through() {
    let rig = Rig::with(Endpoint::Mutate, Room::default()).await;
    let mut review = bodies::value(Endpoint::Mutate);
    review["request"]["kind"]["kind"] = "Deployment".into();
    let reply = rig.ask(request(Endpoint::Mutate, review.to_string())).await;
    rig.assert_opened(&reply, BypassReason::Undecodable);
}
