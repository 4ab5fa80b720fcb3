//! A body that cannot be had: an error status, on which `failurePolicy: Ignore` and `ignorable: true` open. Never with
//! `Retry-After`, which would bring the same request back while its pod waits.

use axum::body::Body;
use eco_pulse::audit::entry::Endpoint;
use eco_pulse::domain::BypassReason;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{Request, StatusCode};
use rstest::rstest;

use crate::answers::assert_refused;
use crate::bodies::{self, dripping, padded, path, request};
use crate::rig::{Rig, Room};

const LIMIT: usize = 1 << 20;

fn limited() -> Room {
    Room { max_body_bytes: LIMIT, ..Room::default() }
}

#[rstest]
#[tokio::test]
async fn over_the_limit_by_its_announced_length(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::with(endpoint, limited()).await;
    // Refused before a byte of it is read.
    let (_tap, body) = dripping();
    let mut request = request(endpoint, body);
    request.headers_mut().insert(CONTENT_LENGTH, (10 * LIMIT).into());
    let reply = rig.ask(request).await;
    assert_refused(&reply, StatusCode::PAYLOAD_TOO_LARGE, "body is over 1048576 bytes: raise server.max");
    rig.assert_refusal_counted(BypassReason::Undecodable);
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn over_the_limit_as_it_turns_out(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::with(endpoint, limited()).await;
    let reply = rig.ask(request(endpoint, padded(endpoint, LIMIT))).await;
    assert_eq!(reply.status, StatusCode::OK, "as much as the limit is not over it");
    assert_eq!(rig.record()["outcome"], "stay");

    let (tap, body) = dripping();
    let whole = padded(endpoint, 10 * LIMIT);
    (0..whole.len()).step_by(LIMIT / 4).for_each(|from| tap.drip(whole.slice(from..from + LIMIT / 4)));
    let reply = rig.ask(request(endpoint, body)).await;
    assert_refused(&reply, StatusCode::PAYLOAD_TOO_LARGE, "body is over 1048576 bytes: raise server.max");
    rig.assert_failures(BypassReason::Undecodable, 1.0);
    rig.assert_recovered().await;
}

/// On a paused clock, which moves on by itself when all wait for it.
#[rstest]
#[tokio::test(start_paused = true)]
async fn trickling_in_too_slowly(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::with(endpoint, limited()).await;
    let (tap, body) = dripping();
    tap.drip(bodies::recorded(endpoint).slice(..100));
    let reply = rig.ask(request(endpoint, body)).await;
    assert_refused(&reply, StatusCode::REQUEST_TIMEOUT, "body did not arrive in");
    rig.assert_refusal_counted(BypassReason::Deadline);
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn breaking_off(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::with(endpoint, limited()).await;
    let (tap, body) = dripping();
    tap.drip(bodies::recorded(endpoint).slice(..100));
    tap.break_off();
    let reply = rig.ask(request(endpoint, body)).await;
    assert_refused(&reply, StatusCode::BAD_REQUEST, "body broke off (connection reset): send it whole");
    rig.assert_refusal_counted(BypassReason::Undecodable);
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn of_another_content_type(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
    #[values(Some("application/yaml"), Some("application/vnd.kubernetes.protobuf"), Some(""), None)]
    content_type: Option<&str>,
) {
    let rig = Rig::new(endpoint).await;
    let builder = Request::post(path(endpoint));
    let builder = match content_type {
        Some(content_type) => builder.header(CONTENT_TYPE, content_type),
        None => builder,
    };
    let reply = rig.ask(builder.body(Body::from(bodies::recorded(endpoint))).unwrap()).await;
    let problem = content_type.map_or_else(
        || "Content-Type is missing: send application/json".to_owned(),
        |content_type| format!("Content-Type is \"{content_type}\": send application/json"),
    );
    assert_refused(&reply, StatusCode::UNSUPPORTED_MEDIA_TYPE, &problem);
    rig.assert_refusal_counted(BypassReason::Undecodable);
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn json_is_json_with_a_charset_too(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
    #[values("application/json; charset=utf-8", "Application/JSON")] content_type: &str,
) {
    let rig = Rig::new(endpoint).await;
    let request = Request::post(path(endpoint)).header(CONTENT_TYPE, content_type);
    let reply = rig.ask(request.body(Body::from(bodies::recorded(endpoint))).unwrap()).await;
    crate::answers::assert_decided(endpoint, &reply);
}
