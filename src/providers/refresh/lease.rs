//! The right to collect: asked for, kept, lost and asked for again, beside the collecting itself, so that a slow store
//! never costs the right.

use std::time::Duration;

use tokio::sync::watch;

use crate::clock::timer_now;
use crate::store::{Leadership, SnapshotStore};

/// A lock without end need not be renewed; it is looked at all the same.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Keeps asking for the right to collect, thrice a lock period, and tells whether this process has it.
///
/// The right ends one period after the last time it was granted, counted from before the asking: then another process
/// may have it, whatever the store would say.
pub async fn keep(store: &SnapshotStore, leads: &watch::Sender<bool>) {
    let period = store.lock_period();
    let pause = (period / 3).min(LONGEST_PAUSE);
    let mut ends = timer_now();
    loop {
        let asked = timer_now();
        let mut asking = std::pin::pin!(store.lead());
        let answer = if let Ok(answer) = tokio::time::timeout_at(ends, &mut asking).await {
            answer
        } else {
            // However slow the answer is, the right is over.
            tell(leads, false);
            asking.await
        };
        match answer {
            Ok(Leadership::Ours) => {
                ends = asked + period.min(2 * LONGEST_PAUSE);
                tell(leads, timer_now() < ends);
            }
            // Until its end nobody else can have it.
            Err(_) if timer_now() < ends => {}
            Ok(Leadership::Theirs(_)) | Err(_) => tell(leads, false),
        }
        let next = asked + pause;
        if *leads.borrow() && ends < next {
            tokio::time::sleep_until(ends).await;
            tell(leads, false);
        }
        tokio::time::sleep_until(next).await;
    }
}

fn tell(leads: &watch::Sender<bool>, now: bool) {
    let changed = leads.send_if_modified(|leads| std::mem::replace(leads, now) != now);
    if changed {
        tracing::info!(collects = now, "who collects grid data and prices has changed");
    }
}
