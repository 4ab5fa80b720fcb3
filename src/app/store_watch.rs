//! Tells metrics and `/readyz` how the shared store does. It never makes a replica unready: who has a snapshot goes on.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::readiness::Readiness;
use crate::store::StoreState;

/// What `/readyz` calls it.
const STORE: &str = "store";

/// There is no shared store to tell about, any more.
pub(super) fn unshared(metrics: &Metrics, readiness: &Readiness) {
    metrics.readings().no_shared_store();
    readiness.has(STORE);
}

/// Tells until `stop`.
pub(super) async fn run(
    mut state: watch::Receiver<StoreState>,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    stop: CancellationToken,
) -> &'static str {
    loop {
        let up = *state.borrow_and_update() == StoreState::Up;
        metrics.readings().store_up(up);
        if up {
            readiness.has(STORE);
        } else {
            readiness.lacks(STORE);
        }
        // Both branches only wait.
        tokio::select! {
            () = stop.cancelled() => break,
            changed = state.changed() => if changed.is_err() { stop.cancelled().await; break },
        }
    }
    "store watch"
}
