//! More at once than there is room for: of decisions, and of bytes.

use eco_pulse::audit::entry::Endpoint;
use eco_pulse::domain::BypassReason;
use http::StatusCode;
use rstest::rstest;

use crate::answers::{assert_decided, assert_refused};
use crate::bodies::{self, dripping, large, request};
use crate::faulty::gate;
use crate::rig::{Rig, Room};

#[rstest]
#[tokio::test]
async fn above_max_concurrent_the_next_is_opened_at_once(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::with(endpoint, Room { max_concurrent: 2, ..Room::default() }).await;
    let (fault, mut keeper) = gate();
    rig.faults.put_in(fault);
    let holders: Vec<_> = (0..2)
        .map(|_| {
            let rig = rig.clone();
            tokio::spawn(async move { rig.ask(request(endpoint, large(endpoint))).await })
        })
        .collect();
    keeper.entered().await;
    keeper.entered().await;
    rig.faults.take_out();

    let reply = rig.ask_recorded().await;
    rig.assert_opened(&reply, BypassReason::Overloaded);

    keeper.let_go();
    keeper.let_go();
    for holder in holders {
        assert_decided(endpoint, &holder.await.unwrap());
        assert_eq!(rig.record()["outcome"], "stay");
    }
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn a_large_body_is_opened_under_overload_too(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::with(endpoint, Room { max_concurrent: 1, ..Room::default() }).await;
    let only = rig.shared.permits.clone().try_acquire_owned().unwrap();
    let reply = rig.ask(request(endpoint, large(endpoint))).await;
    rig.assert_opened(&reply, BypassReason::Overloaded);
    drop(only);
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn bytes_in_flight_are_bounded_and_given_back(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    const ROOM: usize = 64 * 1024;
    let rig = Rig::with(endpoint, Room { max_bytes: ROOM, ..Room::default() }).await;
    let whole = bodies::padded(endpoint, ROOM * 3 / 4);
    let (tap, body) = dripping();
    let slow = {
        let rig = rig.clone();
        tokio::spawn(async move { rig.ask(request(endpoint, body)).await })
    };
    tap.drip(whole.slice(..ROOM / 2));
    tap.taken().await;

    let reply = rig.ask(request(endpoint, whole.clone())).await;
    assert_refused(&reply, StatusCode::TOO_MANY_REQUESTS, "send fewer large requests at once");
    rig.assert_refusal_counted(BypassReason::Overloaded);

    // What was refused holds nothing: the first still finds its room.
    tap.drip(whole.slice(ROOM / 2..));
    drop(tap);
    assert_decided(endpoint, &slow.await.unwrap());
    assert_eq!(rig.record()["outcome"], "stay");
    assert_decided(endpoint, &rig.ask(request(endpoint, whole)).await);
    assert_eq!(rig.record()["outcome"], "stay");
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn large_bodies_that_come_slowly_leave_room_for_small_ones(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    const ROOM: usize = 512 * 1024;
    let rig = Rig::with(endpoint, Room { max_bytes: ROOM, ..Room::default() }).await;
    let (tap, body) = dripping();
    let slow = {
        let rig = rig.clone();
        tokio::spawn(async move { rig.ask(request(endpoint, body)).await })
    };
    let whole = bodies::padded(endpoint, ROOM);
    tap.drip(whole.clone());
    tap.taken().await;

    let reply = rig.ask(request(endpoint, large(endpoint))).await;
    assert_refused(&reply, StatusCode::TOO_MANY_REQUESTS, "send fewer large requests at once");
    assert_decided(endpoint, &rig.ask_recorded().await);
    assert_eq!(rig.record()["outcome"], "stay");
    drop(tap);
    assert_decided(endpoint, &slow.await.unwrap());
    assert_eq!(rig.record()["outcome"], "stay");
}

#[rstest]
#[tokio::test]
async fn an_answer_that_nobody_reads_keeps_the_memory_of_its_question(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    // Room for one of them.
    let rig = Rig::with(endpoint, Room { max_bytes: 300 * 1024, ..Room::default() }).await;
    let unread = rig.response(request(endpoint, large(endpoint))).await;
    assert_eq!(unread.status(), StatusCode::OK);
    let reply = rig.ask(request(endpoint, large(endpoint))).await;
    assert_refused(&reply, StatusCode::TOO_MANY_REQUESTS, "send fewer large requests at once");
    drop(unread);
    assert_decided(endpoint, &rig.ask(request(endpoint, large(endpoint))).await);
}

#[rstest]
#[tokio::test]
async fn names_of_megabytes_leave_a_short_record(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::with(endpoint, Room { max_body_bytes: 4 << 20, ..Room::default() }).await;
    let mut body = bodies::value(endpoint);
    let long = "n".repeat(600 << 10);
    let metadata = &mut bodies::pod_of(&mut body, endpoint)["metadata"];
    metadata["name"] = long.as_str().into();
    metadata["uid"] = long.as_str().into();
    let reply = rig.ask(request(endpoint, body.to_string())).await;
    assert_eq!(reply.status, StatusCode::OK);
    let record = rig.record();
    assert_eq!(record["pod"].as_str().map(str::len), Some(253));
    assert!(record.to_string().len() < 8 << 10, "{}", record.to_string().len());
}

#[rstest]
#[tokio::test]
async fn a_refusal_does_not_repeat_what_was_sent(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::new(endpoint).await;
    let body = format!(r#"{{"request":"{0}","Nodes":"{0}"}}"#, "x".repeat(500 << 10));
    let reply = rig.ask(request(endpoint, body)).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.body.len() < 400, "{}", reply.text());
}
