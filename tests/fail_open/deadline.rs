//! The deadline: the configured one or what the caller has left, whichever is shorter, and all waiting counts.

use std::time::Duration;

use eco_pulse::audit::entry::Endpoint;
use eco_pulse::domain::BypassReason;
use rstest::rstest;
use tokio::task::JoinHandle;

use crate::answers::assert_opened;
use crate::bodies::{self, large, request_with};
use crate::client::Reply;
use crate::faulty::{Fault, gate};
use crate::rig::{Rig, Room};

const HOUR: Duration = Duration::from_hours(1);

fn with_deadline(deadline: Duration) -> Room {
    Room { deadline, ..Room::default() }
}

/// Begins to ask; the answer comes when the test lets it.
fn begin(rig: &Rig, query: &'static str) -> JoinHandle<Reply> {
    let rig = rig.clone();
    let request = request_with(rig.endpoint, query, large(rig.endpoint));
    tokio::spawn(async move { rig.ask(request).await })
}

#[rstest]
#[tokio::test]
async fn a_decision_that_took_too_long_is_not_used(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::new(endpoint).await;
    rig.faults.put_in(Fault::Late(Duration::from_millis(300)));
    // The caller has 350 ms left, of which 50 are the way back.
    let reply = rig.ask(request_with(endpoint, "?timeout=350ms", bodies::recorded(endpoint))).await;
    assert_eq!(rig.faults.begun(), 1, "it was made, but too late");
    rig.assert_opened(&reply, BypassReason::Deadline);
    rig.faults.take_out();
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn a_caller_without_time_left_is_answered_without_a_decision(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
    #[values("0s", "1ms", "50ms", "0.05s")] timeout: &str,
) {
    let rig = Rig::new(endpoint).await;
    let query = format!("?timeout={timeout}");
    let reply = rig.ask(request_with(endpoint, &query, bodies::recorded(endpoint))).await;
    assert_eq!(rig.faults.begun(), 0);
    rig.assert_opened(&reply, BypassReason::Deadline);
    rig.assert_recovered().await;
}

/// On a clock that only the test moves, as are all below.
#[rstest]
#[tokio::test(start_paused = true)]
async fn work_on_a_large_body_is_left_behind_and_keeps_its_place_until_it_ends(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::with(endpoint, Room { max_concurrent: 1, ..with_deadline(HOUR) }).await;
    let (fault, mut keeper) = gate();
    rig.faults.put_in(fault);
    let asking = begin(&rig, "");
    keeper.entered().await;
    tokio::time::advance(HOUR).await;
    rig.assert_opened(&asking.await.unwrap(), BypassReason::Deadline);

    // Nobody waits for it, but it still takes a processor.
    rig.faults.take_out();
    assert_opened(endpoint, &rig.ask_recorded().await, "overloaded");
    assert_eq!(rig.record()["reason"], "overloaded");

    keeper.let_go();
    drop(rig.shared.permits.acquire().await.unwrap());
    rig.assert_recovered().await;
}

#[rstest]
fn a_request_that_queued_too_long_is_answered_and_its_decision_never_begun(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    // One thread for all the work on large bodies.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let rig = Rig::with(endpoint, with_deadline(HOUR)).await;
        let (fault, mut keeper) = gate();
        rig.faults.put_in(fault);
        let first = begin(&rig, "");
        keeper.entered().await;
        let second = begin(&rig, "");
        // Its whole body is there, so that its first turn takes it as far as the queue.
        tokio::task::yield_now().await;
        tokio::time::advance(HOUR).await;
        for asking in [first, second] {
            assert_opened(endpoint, &asking.await.unwrap(), "deadline");
            assert_eq!(rig.record()["reason"], "deadline");
        }
        rig.assert_failures(BypassReason::Deadline, 2.0);

        rig.faults.take_out();
        keeper.let_go();
        // Behind everything that is still in the queue.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        assert_eq!(rig.faults.begun(), 1, "the second was taken out of the queue");
        rig.assert_recovered().await;
    });
}

/// With a deadline of an hour, the answer comes when the caller's time is nearly over.
#[rstest]
#[case("?timeout=1s", Duration::from_secs(1))]
#[case("?timeout=500ms", Duration::from_millis(500))]
#[case("?timeout=1m0s", Duration::from_mins(1))]
#[case("?timeout=1.5s", Duration::from_millis(1500))]
#[case("?a=b&timeout=30s&c=d", Duration::from_secs(30))]
#[tokio::test(start_paused = true)]
async fn the_callers_time_is_read_as_go_writes_it(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
    #[case] query: &'static str,
    #[case] callers: Duration,
) {
    let rig = Rig::with(endpoint, with_deadline(HOUR)).await;
    let (fault, mut keeper) = gate();
    rig.faults.put_in(fault);
    let asking = begin(&rig, query);
    keeper.entered().await;
    tokio::time::advance(callers).await;
    rig.assert_opened(&asking.await.unwrap(), BypassReason::Deadline);
}

/// What is no length of time, or a longer one than configured, changes nothing.
#[rstest]
#[tokio::test(start_paused = true)]
async fn the_configured_deadline_holds_for_any_other_text(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
    #[values(
        "",
        "?",
        "?timeout",
        "?timeout=",
        "?timeout=1",
        "?timeout=-1s",
        "?timeout=soon",
        "?timeout=1s1",
        "?timeout=%31s",
        "?timeout=9999999999999999999999h",
        "?Timeout=1s",
        "?timeout=2h"
    )]
    query: &'static str,
) {
    let rig = Rig::with(endpoint, with_deadline(HOUR)).await;
    let (fault, mut keeper) = gate();
    rig.faults.put_in(fault);
    let asking = begin(&rig, query);
    keeper.entered().await;
    tokio::time::advance(HOUR / 2).await;
    tokio::task::yield_now().await;
    assert!(!asking.is_finished(), "{query}");
    tokio::time::advance(HOUR / 2).await;
    rig.assert_opened(&asking.await.unwrap(), BypassReason::Deadline);
}
