//! Keeps this process's copy of the stored readings, joined with its regions: the only writer of what requests read.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::Snapshot;
use crate::domain::snapshot::StaticTables;
use crate::store::SnapshotStore;

/// Mirrors until `stop`; `seen` tells which version decisions see.
pub(super) async fn run(
    store: SnapshotStore,
    tables: StaticTables,
    snapshot: Arc<ArcSwapOption<Snapshot>>,
    seen: watch::Sender<u64>,
    stop: CancellationToken,
) -> &'static str {
    let mut versions = store.subscribe();
    versions.mark_changed();
    loop {
        // Both branches only wait.
        tokio::select! {
            () = stop.cancelled() => break,
            changed = versions.changed() => if changed.is_err() { break },
        }
        let readings = versions.borrow_and_update().clone();
        if let Some(readings) = readings {
            snapshot.store(Some(Arc::new(Snapshot::assemble(&readings, &tables))));
            seen.send_replace(readings.version);
        }
    }
    "snapshot mirror"
}
