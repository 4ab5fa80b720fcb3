//! A defect of our own: the decision panics, or what surrounds it does.

use eco_pulse::audit::entry::Endpoint;
use eco_pulse::domain::BypassReason;
use http::StatusCode;
use rstest::rstest;

use crate::answers::{assert_decided, assert_refused};
use crate::bodies::{large, recorded, request};
use crate::faulty::Fault;
use crate::rig::Rig;

#[rstest]
#[tokio::test]
async fn a_panic_opens_and_harms_no_other_request(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
    #[values(false, true)] on_a_thread_of_its_own: bool,
) {
    let rig = Rig::new(endpoint).await;
    rig.faults.put_in(Fault::Panic);
    let body = if on_a_thread_of_its_own { large(endpoint) } else { recorded(endpoint) };
    let reply = rig.ask(request(endpoint, body)).await;
    rig.assert_opened(&reply, BypassReason::Panic);
    rig.faults.take_out();
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn a_second_panic_leaves_it_to_the_callers_own_policy(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
    #[values(false, true)] on_a_thread_of_its_own: bool,
) {
    let rig = Rig::new(endpoint).await;
    rig.faults.put_in(Fault::PanicTwice);
    let body = if on_a_thread_of_its_own { large(endpoint) } else { recorded(endpoint) };
    let reply = rig.ask(request(endpoint, body)).await;
    assert_refused(&reply, StatusCode::INTERNAL_SERVER_ERROR, "eco-pulse: ");
    rig.assert_refusal_counted(BypassReason::Panic);
    rig.faults.take_out();
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn a_panic_after_the_decision_does_not_take_the_answer_away(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::new(endpoint).await;
    rig.faults.put_in(Fault::PanicAfter);
    assert_decided(endpoint, &rig.ask_recorded().await);
    rig.assert_counted(0.0, None, 0.0);
    rig.faults.take_out();
    rig.assert_recovered().await;
}
