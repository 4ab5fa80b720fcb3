//! Waiting for what is to happen, by looking again and again: with an end, and no guess of how long it takes.

use std::time::Duration;

/// What has not happened by then never will.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// Between two looks at what is waited for.
const TICK: Duration = Duration::from_millis(10);

/// Waits until something holds.
pub async fn until(what: &str, holds: impl AsyncFnMut() -> bool) {
    within(PATIENCE, what, holds).await;
}

/// Waits for so long at most.
pub async fn within(patience: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let mut looks = tokio::time::interval(TICK);
    let wait = async {
        while !holds().await {
            looks.tick().await;
        }
    };
    assert!(tokio::time::timeout(patience, wait).await.is_ok(), "not within {patience:?}: {what}");
}
