//! Keeps a generation's copy of the stored readings, joined with its regions: the only writer of what requests read.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::domain::Snapshot;
use crate::domain::snapshot::StaticTables;
use crate::store::SnapshotStore;

/// Mirrors until `stop`; `seen` tells which version decisions see, and `has_snapshot` that there is one.
pub(super) async fn run(
    store: SnapshotStore,
    tables: StaticTables,
    snapshot: Arc<ArcSwapOption<Snapshot>>,
    (seen, has_snapshot): (watch::Sender<u64>, watch::Sender<bool>),
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
            has_snapshot.send_replace(true);
        }
    }
    "snapshot mirror"
}
