//! Takes records off the shared store that are too old, or for which it has no room.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::audit::segments::time_of;
use crate::clock::Clock;
use crate::store::{EntryId, SnapshotStore, StoreError, StoredRecord};

/// Between two looks for records that are too old.
const LOOK_EVERY: Duration = Duration::from_hours(1);
/// Records that are looked at, or taken off, in one step.
const STEP: u64 = 1000;

/// Looks until `stop`. Every replica looks at all chains: those of replicas that are gone have nobody else.
pub(super) async fn run(
    store: watch::Receiver<SnapshotStore>,
    replica: String,
    retention: SignedDuration,
    clock: Clock,
    stop: CancellationToken,
) -> &'static str {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let looking = async {
        loop {
            looks.tick().await;
            let current = store.borrow().clone();
            if let Err(error) = look(&current, &replica, retention, clock.now()).await {
                tracing::warn!(%error, "records past ledger.rawRetentionDays stay for now");
            }
        }
    };
    stop.run_until_cancelled(looking).await;
    "ledger trimming"
}

/// One clock that is ahead must not take everybody's records off: the store's has to agree.
async fn look(
    store: &SnapshotStore,
    replica: &str,
    retention: SignedDuration,
    now: Timestamp,
) -> Result<(), StoreError> {
    let now = store.time().await?.map_or(now, |theirs| theirs.min(now));
    trim_all(store, replica, now.saturating_sub(retention).unwrap_or(Timestamp::MIN)).await
}

/// Takes all records off that were made before `before`; of the replica's own chain the last one stays.
async fn trim_all(store: &SnapshotStore, replica: &str, before: Timestamp) -> Result<(), StoreError> {
    for chain in store.chains().await? {
        trim(store, &chain, chain == replica, before).await?;
    }
    Ok(())
}

async fn trim(store: &SnapshotStore, chain: &str, is_own: bool, before: Timestamp) -> Result<(), StoreError> {
    let Some(last) = store.last_record(chain).await?.and_then(|last| last.seq) else {
        return store.trim_records(chain, 0, !is_own).await;
    };
    // In long steps as far as they go, then record by record: a clock that was set back ends it early, and that is all.
    let is_old = |record: &StoredRecord| time_of(&record.line).is_some_and(|at| at < before);
    let mut first_kept = match store.records(chain, EntryId::default(), 1).await?.first() {
        Some(first) if is_old(first) => first.seq.unwrap_or_default(),
        _ => return Ok(()),
    };
    while let Some(probe) =
        store.records(chain, EntryId::of(first_kept + STEP), 1).await?.first().filter(|probe| is_old(probe))
    {
        let Some(seq) = probe.seq else { break };
        first_kept = seq;
        store.trim_records(chain, first_kept, false).await?;
    }
    let page =
        store.records(chain, EntryId::of(first_kept), usize::try_from(STEP).unwrap_or(usize::MAX)).await?;
    let old = page.iter().take_while(|record| is_old(record)).filter_map(|record| record.seq).last();
    let first_kept = old.map_or(first_kept, |old| old + 1);
    let first_kept = if is_own { first_kept.min(last) } else { first_kept };
    store.trim_records(chain, first_kept, !is_own).await
}

/// Takes the oldest records of all off a store that is full; whether there were any.
///
/// # Errors
/// The store fails.
pub(super) async fn make_room(store: &SnapshotStore, replica: &str) -> Result<bool, StoreError> {
    let mut oldest: Option<(Timestamp, String, u64)> = None;
    for chain in store.chains().await? {
        let records = store.records(&chain, EntryId::default(), 1).await?;
        let first = records.first().and_then(|first| Some((time_of(&first.line)?, first.seq?)));
        let last = store.last_record(&chain).await?.and_then(|last| last.seq);
        if let (Some((at, seq)), Some(last)) = (first, last)
            && seq < last
            && oldest.as_ref().is_none_or(|(oldest, ..)| at < *oldest)
        {
            oldest = Some((at, chain, (seq + STEP).min(last)));
        }
    }
    let Some((_, chain, first_kept)) = oldest else { return Ok(false) };
    store.trim_records(&chain, first_kept, chain != replica).await?;
    tracing::warn!(
        chain,
        first_kept,
        "the store is full: older records are removed before ledger.rawRetentionDays"
    );
    Ok(true)
}
