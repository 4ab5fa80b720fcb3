//! One turn at the books: from what is stored, through events and hours, each set of changes stored before the next.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::Accountant;
use super::bookkeeper::{BookError, Bookkeeper, DAYS_IN_MEMORY};
use super::opening::{NotYet, open};
use crate::accounts::cells::DAY_HOURS;
use crate::accounts::grid::hour_of;
use crate::accounts::run::{End, PriceKey};
use crate::clock::{Pace, monotonic_now};
use crate::cluster::bound_pods::PodEvent;
use crate::domain::units::UsdPerHour;
use crate::domain::{RegionId, Snapshot};
use crate::kubernetes::bound::{self, Bound};
use crate::store::{Leadership, StoreError};

/// Records that are handed to the ledger at one look: its queue is the decisions' too.
const RECORDS_AT_ONCE: usize = 256;
/// Before a record is handed over again that the ledger could not keep.
const NOT_KEPT_PAUSE: Duration = Duration::from_mins(5);
/// How often it is written down that the pods are still there.
const CONFIRM_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// How long data are waited for that a run is fixed by.
const PATIENCE: Duration = Duration::from_mins(2);
/// The books are kept for another day than they were last kept for only after the clock has stood by it for so long.
const CLOCK_PATIENCE: Duration = Duration::from_mins(10);
/// Runs that are opened in one set of changes.
const OPENED_AT_ONCE: usize = 256;

/// When to look at what is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// At its time.
    InTime,
    /// At once: all pods there are have just been seen.
    Soon,
}

/// Why a turn is over.
#[derive(Debug)]
pub(super) enum Ended {
    /// Another process keeps the books.
    NotOurs,
    /// The clock says another day than the books were last kept for.
    ClockLeapt,
    /// Something failed.
    Failed(String),
}

impl From<BookError> for Ended {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Store(StoreError::NotCollector) => Self::NotOurs,
            error => Self::Failed(error.to_string()),
        }
    }
}

/// A pod that has a node, and whose run cannot be opened yet.
struct Pending {
    bound: Bound,
    pod: Box<Pod>,
    since: Instant,
}

/// A turn.
pub(super) struct Tenure<'a> {
    accountant: &'a Accountant,
    pace: &'a mut Pace,
    since: Instant,
    keeper: Bookkeeper,
    pending: HashMap<String, Pending>,
    /// The pods of a list that has begun and not ended.
    listing: Option<HashSet<String>>,
    /// Records that the ledger has taken, by the pod's uid, until it tells that they are kept.
    handed_over: HashMap<String, (Instant, oneshot::Receiver<()>)>,
    /// Whether all pods there are have been seen, and nothing kept us from seeing since.
    sees: bool,
}

impl<'a> Tenure<'a> {
    /// Reads the books.
    pub(super) async fn begin(accountant: &'a Accountant, pace: &'a mut Pace) -> Result<Self, Ended> {
        let now = accountant.clock.now();
        let (books, history) = (accountant.books.clone(), accountant.history.clone());
        let keeper = Bookkeeper::begin(books, history, accountant.limits, now).await?;
        let since = monotonic_now();
        let pending = HashMap::new();
        let mut tenure = Self {
            accountant,
            pace,
            since,
            keeper,
            pending,
            handed_over: HashMap::new(),
            listing: None,
            sees: false,
        };
        tenure.now()?;
        tenure.show();
        Ok(tenure)
    }

    /// The time, if it is believed: by a clock that leaps ahead, hours would be missing that nobody has lived through, and all
    /// that is kept would be too old.
    fn now(&mut self) -> Result<Timestamp, Ended> {
        let now = self.accountant.clock.now();
        let kept = self.pace.kept_for(now, monotonic_now());
        let is_same_day = self.keeper.books.confirmed().is_none_or(|confirmed| {
            now.duration_since(confirmed).abs() <= SignedDuration::from_hours(DAY_HOURS)
        });
        if is_same_day || kept >= CLOCK_PATIENCE { Ok(now) } else { Err(Ended::ClockLeapt) }
    }

    /// Whether all has been read that runs are fixed by, or has been waited for long enough.
    pub(super) fn is_ready(&self) -> bool {
        let decider = &self.accountant.decider;
        self.since.elapsed() >= PATIENCE || decider.snapshot().is_some() && !decider.cluster().is_pending()
    }

    /// Takes what was seen of pods.
    pub(super) async fn take(&mut self, events: Vec<PodEvent>) -> Result<Look, Ended> {
        let now = self.now()?;
        let mut look = Look::InTime;
        for event in events {
            match event {
                PodEvent::ListBegins => self.listing = Some(HashSet::new()),
                PodEvent::There(pod) => self.there(pod, now).await?,
                PodEvent::ListEnds => {
                    if let Some(uids) = self.listing.take() {
                        let vanished = self.pending.keys().filter(|uid| !uids.contains(*uid));
                        for uid in vanished.cloned().collect::<Vec<_>>() {
                            self.open_at_last(&uid, now).await?;
                        }
                        self.keeper.listed(&uids, now).await?;
                    }
                    self.sees = true;
                    look = Look::Soon;
                }
                PodEvent::Gone(pod) => self.gone(&pod, now).await?,
                PodEvent::Blind(error) => {
                    self.accountant.metrics.cluster().watch_failed("pods");
                    if std::mem::take(&mut self.sees) {
                        tracing::warn!(error, "pods cannot be watched; their accounts wait until they can");
                    }
                }
            }
        }
        self.keeper.store().await?;
        Ok(look)
    }

    /// Looks at what is due, and stays the one who may.
    pub(super) async fn look(&mut self) -> Result<(), Ended> {
        if self.accountant.books.lead().await.map_err(BookError::from)? != Leadership::Ours {
            return Err(Ended::NotOurs);
        }
        let now = self.now()?;
        let waiting: Vec<String> = self.pending.keys().cloned().collect();
        for some in waiting.chunks(OPENED_AT_ONCE) {
            for uid in some {
                if let Some(Pending { bound, pod, since }) = self.pending.remove(uid) {
                    self.try_open(bound, pod, since, now).await?;
                }
            }
            self.keeper.store().await?;
        }
        self.note_prices(None, now);
        if self.sees && self.confirmation_is_old(now) {
            self.keeper.books.confirm(now);
        }
        self.keeper.collected = self.accountant.decider.snapshot().map(|snapshot| snapshot.regions.clone());
        self.keeper.look(now).await?;
        self.hand_over(now).await?;
        self.show();
        Ok(())
    }

    fn confirmation_is_old(&self, now: Timestamp) -> bool {
        // Also when an hour has ended since: that is what it is waited for.
        self.keeper.books.confirmed().is_none_or(|confirmed| {
            now.duration_since(confirmed) >= CONFIRM_EVERY || hour_of(confirmed) != hour_of(now)
        })
    }

    async fn there(&mut self, pod: Box<Pod>, now: Timestamp) -> Result<(), Ended> {
        if let (Some(listing), Some(uid)) = (&mut self.listing, &pod.metadata.uid) {
            listing.insert(uid.clone());
        }
        let Some(bound) = bound::read(&pod) else { return Ok(()) };
        if self.keeper.books.knows(&bound.uid) {
            self.end_if_over(&bound, now);
            return Ok(());
        }
        let since = self.pending.remove(&bound.uid).map_or_else(monotonic_now, |pending| pending.since);
        self.try_open(bound, pod, since, now).await
    }

    async fn try_open(
        &mut self,
        bound: Bound,
        mut pod: Box<Pod>,
        since: Instant,
        now: Timestamp,
    ) -> Result<(), Ended> {
        let patient = since.elapsed() < PATIENCE;
        // A defect about one pod must not end the process again and again: the pod is left out.
        let opened =
            catch_unwind(AssertUnwindSafe(|| open(&bound, &pod, &self.accountant.decider, now, patient)));
        let Ok(opened) = opened else {
            tracing::error!(uid = bound.uid, "a defect keeps a pod out of the accounts");
            return Ok(());
        };
        match opened {
            Err(NotYet) => {
                // The larger half of many a pod, and nobody looks at it.
                pod.metadata.managed_fields = None;
                self.pending.insert(bound.uid.clone(), Pending { bound, pod, since });
            }
            Ok(None) => {}
            Ok(Some(run)) => {
                let end = bound.is_over.then(|| end_of(&bound, run.bound_at, now));
                self.keeper.open(run, end, now).await?;
                self.note_prices(Some(&bound.uid), now);
                // Lists are long, and others want the thread too.
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    fn end_if_over(&mut self, bound: &Bound, now: Timestamp) {
        if bound.is_over {
            self.keeper.books.end(&bound.uid, end_of(bound, now, now));
        }
    }

    async fn gone(&mut self, pod: &Pod, now: Timestamp) -> Result<(), Ended> {
        let Some(uid) = pod.metadata.uid.as_deref() else { return Ok(()) };
        self.open_at_last(uid, now).await?;
        let ended_at = bound::read(pod).and_then(|bound| bound.ended_at);
        self.keeper.books.end(uid, End { at: ended_at.unwrap_or(now).min(now), seen: true });
        self.keeper.books.gone(uid, now);
        Ok(())
    }

    /// Counts a pod that is gone before all was known that its run is fixed by: it was bound all the same.
    async fn open_at_last(&mut self, uid: &str, now: Timestamp) -> Result<(), Ended> {
        let Some(Pending { bound, pod, since }) = self.pending.remove(uid) else { return Ok(()) };
        let long_ago = since.checked_sub(PATIENCE).unwrap_or(since);
        self.try_open(bound, pod, long_ago, now).await?;
        self.pending.remove(uid);
        Ok(())
    }

    /// Hands the records of closed runs over, and notes which are kept. Stopped on the way, it hands them over again.
    async fn hand_over(&mut self, now: Timestamp) -> Result<(), Ended> {
        let mut kept = Vec::new();
        self.handed_over.retain(|uid, (at, told)| match told.try_recv() {
            Ok(()) => {
                kept.push(uid.clone());
                false
            }
            Err(TryRecvError::Empty) => true,
            // Each time it is written to standard output again.
            Err(TryRecvError::Closed) => at.elapsed() < NOT_KEPT_PAUSE,
        });
        for some in kept.chunks(RECORDS_AT_ONCE) {
            for uid in some {
                self.keeper.books.recorded(uid);
            }
            self.keeper.store().await?;
        }
        let unrecorded = self.keeper.books.unrecorded();
        let new = unrecorded.filter(|(uid, _)| !self.handed_over.contains_key(*uid));
        let new: Vec<(String, String)> =
            new.take(RECORDS_AT_ONCE).map(|(uid, record)| (uid.to_owned(), record.to_owned())).collect();
        for (uid, record) in new {
            // Without room now there will be some at the next look.
            if let Some(told) = self.accountant.hand_over(record, now) {
                self.handed_over.insert(uid, (monotonic_now(), told));
            }
        }
        Ok(())
    }

    /// Notes what the open runs cost in this hour, or one of them alone.
    fn note_prices(&mut self, only: Option<&str>, now: Timestamp) {
        let Some(snapshot) = self.accountant.decider.snapshot() else { return };
        let policy = &self.accountant.decider.settings().policy;
        let known = |key: &PriceKey| {
            let region = snapshot.regions.by_name(&key.region)?;
            price(&snapshot, region, key, now, policy.price_max_age)
        };
        match only {
            Some(uid) => self.keeper.books.note_prices_of(uid, hour_of(now), known),
            None => self.keeper.books.note_prices(hour_of(now), known),
        }
    }

    fn show(&self) {
        let today = hour_of(self.accountant.clock.now()).div_euclid(DAY_HOURS);
        let days: BTreeSet<i64> = (today - DAYS_IN_MEMORY + 2..=today).collect();
        self.accountant.metrics.accounts().show(&self.keeper.books, &days);
    }
}

/// The end of a run that is over, by `otherwise` where its pod does not say when. A node's clock may be ahead.
fn end_of(bound: &Bound, otherwise: Timestamp, now: Timestamp) -> End {
    let at = bound.ended_at.or(bound.changed_at).unwrap_or(otherwise);
    End { at: at.min(now.max(otherwise)), seen: bound.ended_at.is_some() }
}

/// What a machine, or a vCPU where configuration prices those, costs now, with the precision of that.
fn price(
    snapshot: &Snapshot,
    region: RegionId,
    key: &PriceKey,
    now: Timestamp,
    max_age: SignedDuration,
) -> Option<(f64, f64)> {
    let data = snapshot.data(region);
    let Some(instance_type) = &key.instance_type else {
        return data.per_vcpu.map(|UsdPerHour(price)| (price, 0.0));
    };
    let price = data.price(instance_type, key.capacity_type)?;
    (!price.is_stale(now, max_age)).then_some((price.per_hour.0, price.precision.0))
}
