//! Readings in Redis, shared by all replicas: one snapshot with its version, a lock for the one that collects, and the
//! past.
//!
//! A version is one more than the highest that the server stores or any process that asked has seen, and a script gives
//! it: a flushed Redis goes on counting, and a collector that was asleep cannot turn it back. Whoever finds nothing
//! stored gives its own snapshot back. Readers keep what they have when Redis is gone; nothing here is ever asked while
//! a pod waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{StoreError, StoreState, first_slot_from, oldest_slot, past};
use crate::domain::RegionName;
use crate::domain::history::PastReading;
use crate::domain::snapshot::Readings;

mod backoff;
mod books;
mod fault;
mod link;
mod locks;
mod options;
mod records;
mod scripts;

use link::{Incoming, Link, Reply};
use options::Target;
pub use options::{RedisOptions, RedisOptionsError, Timing};
pub(super) use scripts::records as records_key;

/// How the body is written. A release that cannot be read by the one before it counts up.
const SCHEMA: u32 = 1;
/// Readings that one script writes: it blocks the server for a few milliseconds.
const MOST_AT_ONCE: usize = 1000;
/// Longest snapshot that is fetched: hundreds of regions with their forecasts take a tenth of it, and to decode any takes many
/// times its size.
const MOST_BODY_BYTES: usize = 16 << 20;
/// Nobody keeps readings longer, and a server counts no further.
const LONGEST_RETENTION: SignedDuration = SignedDuration::from_hours(24 * 36_500);

/// Readings in Redis.
#[derive(Clone, Debug)]
pub struct RedisStore(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    target: Target,
    timing: Timing,
    retention: SignedDuration,
    /// The name and a random text: what tells the holder of the lock from everybody else.
    token: String,
    current: watch::Sender<Option<Arc<Readings>>>,
    /// The newest version seen in the store or published, whether it could be read or not.
    seen: AtomicU64,
    state: watch::Sender<StoreState>,
    link: watch::Sender<Option<Arc<Link>>>,
    /// What the last round of readings was: it need not be written again.
    written: Mutex<HashMap<(RegionName, i64), PastReading>>,
}

impl RedisStore {
    /// A store that is not connected yet: [`super::SnapshotStore::run`] does that. No server is asked here.
    ///
    /// # Errors
    /// The options cannot be right, whatever a server says.
    pub fn new(options: &RedisOptions) -> Result<Self, RedisOptionsError> {
        let (one, other) = (getrandom::u64(), getrandom::u64());
        let random = one.and_then(|one| Ok((one, other?))).map_err(RedisOptionsError::NoRandom)?;
        Ok(Self(Arc::new(Shared {
            target: Target::new(options)?,
            timing: options.timing,
            retention: options.retention,
            token: format!("{} {:016x}{:016x}", options.name, random.0, random.1),
            current: watch::Sender::new(None),
            seen: AtomicU64::new(0),
            state: watch::Sender::new(StoreState::Starting),
            link: watch::Sender::new(None),
            written: Mutex::default(),
        })))
    }

    pub(super) async fn publish(&self, readings: Readings) -> Result<Arc<Readings>, StoreError> {
        let shared = &self.0;
        let link = shared.link().await?;
        let seen = shared.seen.load(Ordering::SeqCst);
        let reply = link
            .eval(
                scripts::PUBLISH,
                vec![scripts::SNAPSHOT.to_owned(), scripts::LOCK.to_owned()],
                vec![
                    shared.token.clone().into(),
                    seen.to_string().into(),
                    SCHEMA.to_string().into(),
                    body_of(&readings)?,
                    Bytes::from_static(scripts::VERSIONS.as_bytes()),
                ],
            )
            .await?;
        match (reply.word(), reply.number(1)) {
            ("published", Some(version)) => {
                let readings = Arc::new(Readings { version, ..readings });
                shared.announce(readings.clone());
                Ok(readings)
            }
            ("outdated", Some(stored)) => Err(StoreError::Outdated { seen, stored }),
            ("not-collector", _) => Err(StoreError::NotCollector),
            _ => Err(link.strange()),
        }
    }

    pub(super) async fn latest(&self) -> Result<Option<Arc<Readings>>, StoreError> {
        let link = self.0.link().await?;
        self.0.refresh(&link).await?;
        Ok(self.0.current.borrow().clone())
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Arc<Readings>>> {
        self.0.current.subscribe()
    }

    pub(super) fn state(&self) -> watch::Receiver<StoreState> {
        self.0.state.subscribe()
    }

    pub(super) fn lock_period(&self) -> Duration {
        self.0.timing.lock_period
    }

    pub(super) async fn remember(&self, readings: &[PastReading], now: Timestamp) -> Result<(), StoreError> {
        let link = self.0.link().await?;
        let oldest = oldest_slot(now, self.0.retention);
        let round: HashMap<_, _> = readings
            .iter()
            .filter(|reading| reading.slot() >= oldest)
            .map(|reading| ((reading.region.clone(), reading.slot()), reading.clone()))
            .collect();
        let news: Vec<_> = {
            let written = self.0.written();
            readings
                .iter()
                .filter(|reading| reading.slot() >= oldest)
                .filter(|reading| written.get(&(reading.region.clone(), reading.slot())) != Some(*reading))
                .collect()
        };
        for some in news.chunks(MOST_AT_ONCE) {
            let (keys, arguments) = to_remember(some, oldest, self.0.retention);
            if link.eval(scripts::REMEMBER, keys, arguments).await?.word() != "done" {
                return Err(link.strange());
            }
        }
        *self.0.written() = round;
        Ok(())
    }

    pub(super) async fn history(
        &self,
        region: &RegionName,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<PastReading>, StoreError> {
        let link = self.0.link().await?;
        let slots = [from, to].map(|at| first_slot_from(at).to_string().into());
        let reply = link.eval(scripts::RECALL, vec![scripts::history(region)], slots.into()).await?;
        if reply.word() != "found" {
            return Err(link.strange());
        }
        let texts = reply.rest();
        let found: Vec<_> = texts
            .iter()
            .filter_map(|text| past::from_text(region, std::str::from_utf8(text).ok()?))
            .collect();
        if found.len() < texts.len() {
            let unread = texts.len() - found.len();
            tracing::debug!(%region, unread, "past readings that cannot be read count as missing");
        }
        Ok(found)
    }

    /// Ends with `stop`; the connection stays for as long as the store, so that the lock can still be given back.
    pub(super) async fn run(&self, stop: CancellationToken) {
        stop.run_until_cancelled(Box::pin(self.0.keep_in_touch())).await;
    }
}

impl Shared {
    async fn keep_in_touch(&self) {
        let mut failures = 0;
        loop {
            let error = match Link::open(&self.target, &self.timing).await {
                Ok((link, incoming)) => self.attend(&Arc::new(link), incoming, &mut failures).await,
                Err(error) => error,
            };
            self.link.send_replace(None);
            self.report(StoreState::Down(error));
            tokio::time::sleep(backoff::delay(&self.timing, failures)).await;
            failures = failures.saturating_add(1);
        }
    }

    /// Looks after one connection until it fails, and says why it did.
    async fn attend(&self, link: &Arc<Link>, mut incoming: Incoming, failures: &mut u32) -> StoreError {
        self.forget_written();
        self.link.send_replace(Some(link.clone()));
        loop {
            let looked = self.refresh(link).await;
            if let Some(why) = link.ended() {
                return why;
            }
            *failures = 0;
            self.report(looked.map_or_else(StoreState::Down, |()| StoreState::Up));
            let heard = async {
                loop {
                    let announced = link.hear(&mut incoming).await?.version;
                    if announced.is_none_or(|version| version > self.held_version()) {
                        return Ok(());
                    }
                }
            };
            if let Ok(Err(why)) = tokio::time::timeout(self.timing.poll, heard).await {
                return why;
            }
        }
    }

    /// Takes over what is stored, if it is newer; gives back what is not there any more.
    async fn refresh(&self, link: &Link) -> Result<(), StoreError> {
        let held = self.current.borrow().clone();
        let version = held.as_ref().map_or(0, |held| held.version);
        let keys = vec![scripts::SNAPSHOT.to_owned(), scripts::LOCK.to_owned()];
        let arguments = vec![version.to_string().into(), MOST_BODY_BYTES.to_string().into()];
        let reply = link.eval(scripts::READ, keys, arguments).await?;
        match reply.word() {
            "same" => Ok(()),
            "newer" => self.take_over(&reply, link),
            "too-large" => Err(self.too_large(&reply, link)),
            "absent" => {
                self.forget_written();
                match held {
                    Some(held) => restore(link, &held).await,
                    None => Ok(()),
                }
            }
            _ => Err(link.strange()),
        }
    }

    fn take_over(&self, reply: &Reply, link: &Link) -> Result<(), StoreError> {
        let (Some(version), Some(schema), Some(body)) = (reply.number(1), reply.number(2), reply.bytes(3))
        else {
            return Err(link.strange());
        };
        // Also of what cannot be read: whoever collects may replace it.
        self.seen.fetch_max(version, Ordering::SeqCst);
        if schema > u64::from(SCHEMA) {
            let stored = u32::try_from(schema).unwrap_or(u32::MAX);
            return Err(StoreError::Newer { stored, known: SCHEMA });
        }
        let readings: Readings = serde_json::from_slice(body).map_err(|error| StoreError::Unreadable {
            key: scripts::SNAPSHOT.to_owned(),
            version,
            problem: error.to_string(),
        })?;
        self.announce(Arc::new(Readings { version, ..readings }));
        Ok(())
    }

    /// As for any that cannot be read: whoever collects may replace it.
    fn too_large(&self, reply: &Reply, link: &Link) -> StoreError {
        let (Some(version), Some(bytes)) = (reply.number(1), reply.number(2)) else { return link.strange() };
        self.seen.fetch_max(version, Ordering::SeqCst);
        StoreError::Unreadable {
            key: scripts::SNAPSHOT.to_owned(),
            version,
            problem: format!("{bytes} bytes are more than a snapshot has ({MOST_BODY_BYTES} at most)"),
        }
    }

    /// Never goes back a version.
    fn announce(&self, readings: Arc<Readings>) {
        self.seen.fetch_max(readings.version, Ordering::SeqCst);
        self.current.send_if_modified(|current| {
            let newer = current.as_ref().is_none_or(|current| current.version < readings.version);
            if newer {
                *current = Some(readings);
            }
            newer
        });
    }

    fn written(&self) -> MutexGuard<'_, HashMap<(RegionName, i64), PastReading>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server may have lost it, or somebody changed it.
    fn forget_written(&self) {
        self.written().clear();
    }

    fn held_version(&self) -> u64 {
        self.current.borrow().as_ref().map_or(0, |held| held.version)
    }

    /// The connection, if there is one. Only at the start is it waited for.
    async fn link(&self) -> Result<Arc<Link>, StoreError> {
        let mut state = self.state.subscribe();
        let started = state.wait_for(|state| *state != StoreState::Starting);
        let patience = self.timing.connect + self.timing.command;
        let _ = tokio::time::timeout(patience, started).await;
        let link = self.link.borrow().clone().filter(|link| link.ended().is_none());
        link.ok_or_else(|| match &*self.state.borrow() {
            StoreState::Down(error) => error.clone(),
            StoreState::Starting | StoreState::Up => {
                StoreError::Unreachable(format!("{}: not connected", self.target.address))
            }
        })
    }

    /// Tells of every change, and logs one of kind: not each word of the same trouble.
    fn report(&self, state: StoreState) {
        let kind = |state: &StoreState| match state {
            StoreState::Down(error) => Some(std::mem::discriminant(error)),
            StoreState::Starting | StoreState::Up => None,
        };
        let address = &self.target.address;
        let before = self.state.borrow().clone();
        match &state {
            StoreState::Down(error) if kind(&before) != kind(&state) => {
                tracing::warn!(address, %error, "the store fails; the readings at hand are used meanwhile");
            }
            StoreState::Up if before != state => tracing::info!(address, "the store answers"),
            StoreState::Starting | StoreState::Up | StoreState::Down(_) => {}
        }
        self.state.send_if_modified(|current| {
            let changed = *current != state;
            *current = state;
            changed
        });
    }
}

/// Only where nothing is stored.
async fn restore(link: &Link, held: &Readings) -> Result<(), StoreError> {
    let arguments = vec![
        held.version.to_string().into(),
        SCHEMA.to_string().into(),
        body_of(held)?,
        Bytes::from_static(scripts::VERSIONS.as_bytes()),
    ];
    let reply = link.eval(scripts::RESTORE, vec![scripts::SNAPSHOT.to_owned()], arguments).await?;
    match reply.word() {
        "kept" | "restored" => Ok(()),
        _ => Err(link.strange()),
    }
}

fn body_of(readings: &Readings) -> Result<Bytes, StoreError> {
    let body = serde_json::to_vec(readings).map_err(|error| StoreError::Unwritable(error.to_string()))?;
    if body.len() > MOST_BODY_BYTES {
        let problem = format!("{} bytes, more than anybody reads ({MOST_BODY_BYTES} at most)", body.len());
        return Err(StoreError::Unwritable(problem));
    }
    Ok(body.into())
}

/// Keys and arguments of the script.
fn to_remember(
    readings: &[&PastReading],
    oldest: i64,
    retention: SignedDuration,
) -> (Vec<String>, Vec<Bytes>) {
    let retention = retention.clamp(SignedDuration::from_secs(1), LONGEST_RETENTION).as_millis();
    let mut keys: Vec<String> = Vec::new();
    let mut arguments: Vec<Bytes> = vec![oldest.to_string().into(), retention.to_string().into()];
    let mut key_of: HashMap<&RegionName, usize> = HashMap::new();
    for reading in readings {
        let key = *key_of.entry(&reading.region).or_insert_with(|| {
            keys.push(scripts::history(&reading.region));
            keys.len()
        });
        arguments.push(key.to_string().into());
        arguments.push(reading.slot().to_string().into());
        arguments.push(past::to_text(reading).into());
    }
    (keys, arguments)
}
