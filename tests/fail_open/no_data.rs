//! Nothing is known, not enough, or nothing that is still true.

use std::sync::Arc;
use std::time::Duration;

use eco_pulse::audit::entry::Endpoint;
use eco_pulse::domain::BypassReason;
use rstest::rstest;

use crate::answers::assert_decided;
use crate::bodies;
use crate::rig::{CONFIG, Rig, Room};

/// A second less than the default of `grid.maxAge`, which is two hours.
const NEARLY_MAX_AGE: Duration = Duration::from_secs(2 * 3600 - 1);

#[rstest]
#[tokio::test]
async fn without_a_snapshot_pods_go_where_they_would(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::configured(endpoint, Room::default(), CONFIG);
    let reply = rig.ask_recorded().await;
    rig.assert_opened(&reply, BypassReason::NoSnapshot);
    rig.view.store(Some(Arc::new(rig.snapshot(CONFIG).await)));
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn beyond_max_age_pods_go_where_they_would(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let rig = Rig::new(endpoint).await;
    rig.let_pass(NEARLY_MAX_AGE);
    assert_decided(endpoint, &rig.ask_recorded().await);
    assert_eq!(rig.record()["reason"], "baseline_best");

    rig.let_pass(Duration::from_secs(2));
    let reply = rig.ask_recorded().await;
    crate::answers::assert_opened(endpoint, &reply, "stale_snapshot");
    assert_eq!(rig.record()["reason"], "stale_snapshot");
    rig.assert_failures(BypassReason::StaleSnapshot, 1.0);

    rig.view.store(Some(Arc::new(rig.snapshot(CONFIG).await)));
    rig.assert_recovered().await;
}

#[rstest]
#[tokio::test]
async fn with_an_unknown_base_pods_go_where_they_would(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let without_base = CONFIG.replace("us-east-1: high, ", "");
    assert_ne!(without_base, CONFIG);
    let rig = Rig::new(endpoint).await;
    rig.view.store(Some(Arc::new(rig.snapshot(&without_base).await)));
    let reply = rig.ask_recorded().await;
    rig.assert_opened(&reply, BypassReason::BaselineUnknown);
    rig.view.store(Some(Arc::new(rig.snapshot(CONFIG).await)));
    rig.assert_recovered().await;
}

#[tokio::test]
async fn a_rehearsal_that_fails_is_answered_and_leaves_no_trace() {
    let rig = Rig::configured(Endpoint::Mutate, Room::default(), CONFIG);
    let mut review = bodies::value(Endpoint::Mutate);
    review["request"]["dryRun"] = true.into();
    let reply = rig.ask(bodies::request(Endpoint::Mutate, review.to_string())).await;
    crate::answers::assert_opened(Endpoint::Mutate, &reply, "no_snapshot");
    rig.assert_counted(0.0, None, 0.0);
    // The next record is the next request's.
    assert_eq!(rig.ask_recorded().await.status, 200);
    assert_eq!(rig.record()["seq"], 1);
}
