//! The accountant: of all controllers one keeps the books of what pods that were decided about really did.
//!
//! Everything it does is a set of changes on top of the version before, so it can be stopped anywhere and begin anew from what
//! is stored, here or on another replica. Whatever fails, it lets go and begins anew; no pod ever waits for it.

mod bookkeeper;
mod known;
mod opening;
mod tenure;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

pub use self::bookkeeper::{BookError, Bookkeeper};
use self::tenure::{Ended, Look, Tenure};
use crate::accounts::books::Limits;
use crate::audit::ledger::Ledger;
use crate::clock::{Clock, Pace, monotonic_now};
use crate::cluster::bound_pods::{self, PodEvent};
use crate::config::Config;
use crate::decider::Decider;
use crate::metrics::Metrics;
use crate::store::{BookStore, Leadership, SnapshotStore};

/// Events that wait to be looked at; the watch waits with them.
const MOST_EVENTS: usize = 256;
/// Between two looks at what is due.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Before it begins anew after something failed.
const PAUSE: Duration = Duration::from_secs(5);
/// Before it looks again whether the clock is believed.
const CLOCK_PAUSE: Duration = Duration::from_mins(1);
const CLOCK_LEAPT: &str = "the clock is more than a day from when the accounts were last kept: set it right, or wait ten \
     minutes until it is believed";
/// Between two looks whether all has been read that is needed before the first pod is counted.
const READY_EVERY: Duration = Duration::from_millis(100);
/// How long the lock is waited for to be given back.
const END_PATIENCE: Duration = Duration::from_secs(1);

/// What it needs.
pub(super) struct Accountant {
    pub(super) client: kube::Client,
    pub(super) books: BookStore,
    pub(super) history: SnapshotStore,
    pub(super) decider: Arc<Decider>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) ledger: Ledger,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
}

/// How long things are waited for and kept, by the configuration.
pub(super) fn limits(config: &Config) -> Limits {
    Limits {
        price_max_age_hours: config.policy().price_max_age.as_hours().max(1),
        retention_days: config.ledger.retention_days,
        raw_retention_days: config.ledger.raw_retention_days,
    }
}

impl Accountant {
    /// Keeps the books until `stop`, whenever it is this process's turn.
    pub(super) async fn run(self, stop: CancellationToken) -> &'static str {
        let _ = stop.run_until_cancelled(Box::pin(self.keep())).await;
        self.metrics.accounts().resign();
        let _ = tokio::time::timeout(END_PATIENCE, self.books.resign()).await;
        "accountant"
    }

    async fn keep(&self) {
        let mut trouble = String::new();
        let mut pace = Pace::new(self.clock.now(), monotonic_now());
        loop {
            let ended = match self.books.lead().await {
                Ok(Leadership::Ours) => self.tenure(&mut pace, &mut trouble).await,
                Ok(Leadership::Theirs(_)) => Ended::NotOurs,
                Err(error) => Ended::Failed(error.to_string()),
            };
            self.metrics.accounts().resign();
            let pause = PAUSE.min(self.books.lock_period() / 2);
            let (error, pause) = match ended {
                Ended::NotOurs => (String::new(), pause),
                Ended::ClockLeapt => {
                    // Somebody else's clock may be right.
                    self.books.resign().await;
                    (CLOCK_LEAPT.to_owned(), CLOCK_PAUSE)
                }
                Ended::Failed(error) => (error, pause),
            };
            // Once, however long it lasts.
            if error != trouble && !error.is_empty() {
                tracing::warn!(error, "the accounts cannot go on; they begin anew from what is stored");
            }
            trouble = error;
            tokio::time::sleep(pause).await;
        }
    }

    /// Keeps the books for as long as it is allowed to, and nothing fails.
    async fn tenure(&self, pace: &mut Pace, trouble: &mut String) -> Ended {
        let mut tenure = match Tenure::begin(self, pace).await {
            Ok(tenure) => tenure,
            Err(ended) => return ended,
        };
        trouble.clear();
        tracing::info!("this process keeps the accounts");
        let (sender, mut events) = mpsc::channel(MOST_EVENTS);
        let _watch = AbortOnDropHandle::new(tokio::spawn(bound_pods::watch(self.client.clone(), sender)));
        let mut looks = tokio::time::interval(LOOK_EVERY.min(self.books.lock_period() / 3));
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut taken: Vec<PodEvent> = Vec::new();
        loop {
            let is_ready = tenure.is_ready();
            // All branches only wait.
            let went = tokio::select! {
                _ = looks.tick() => tenure.look().await.map(|()| Look::InTime),
                () = tokio::time::sleep(READY_EVERY), if !is_ready => continue,
                count = events.recv_many(&mut taken, MOST_EVENTS), if is_ready => {
                    if count == 0 {
                        return Ended::Failed("the watch of pods ended by itself".to_owned());
                    }
                    tenure.take(std::mem::take(&mut taken)).await
                }
            };
            match went {
                Ok(Look::Soon) => looks.reset_immediately(),
                Ok(Look::InTime) => {}
                Err(ended) => return ended,
            }
        }
    }

    /// Hands a closed run's record to the ledger, which tells when it is kept; `None` while that has no room.
    fn hand_over(&self, record: String, now: Timestamp) -> Option<oneshot::Receiver<()>> {
        let record = RawValue::from_string(record).ok()?;
        self.ledger.append(now, &record).ok()
    }
}
