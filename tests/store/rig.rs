//! Stores with their tasks, and readings to put into them.

use std::path::PathBuf;
use std::time::Duration;

use eco_pulse::domain::RegionName;
use eco_pulse::domain::history::PastReading;
use eco_pulse::domain::snapshot::{
    Basis, GridProvider, GridReading, Outlook, Reading, Readings, RegionReadings, Signal,
};
use eco_pulse::domain::units::GramsPerKwh;
use eco_pulse::store::{
    Leadership, MemoryStore, RedisOptions, RedisStore, SnapshotStore, StoreError, StoreState, Timing,
};
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::redis::{self, RedisServer};

/// What has not happened by then never will.
pub const PATIENCE: Duration = Duration::from_mins(1);
pub const RETENTION: SignedDuration = SignedDuration::from_hours(24);
pub const NOON: &str = "2026-06-01T12:00:00Z";

/// Quick where a test waits for it, patient where a busy machine may take its time.
pub const TIMING: Timing = Timing {
    lock_period: Duration::from_mins(1),
    poll: Duration::from_millis(50),
    connect: Duration::from_secs(30),
    command: Duration::from_secs(30),
    first_backoff: Duration::from_millis(10),
    longest_backoff: Duration::from_millis(100),
};

/// Gives up soon on a server that does not answer.
pub const IMPATIENT: Timing =
    Timing { connect: Duration::from_millis(1500), command: Duration::from_secs(1), ..TIMING };

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A process's store and what keeps it in touch.
pub struct Replica {
    pub store: SnapshotStore,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Replica {
    pub fn run(store: SnapshotStore) -> Self {
        let stop = CancellationToken::new();
        let (in_task, until) = (store.clone(), stop.clone());
        let running = tokio::spawn(async move { in_task.run(until).await });
        Self { store, stop, running }
    }

    pub fn on_redis(options: &RedisOptions) -> Self {
        Self::run(SnapshotStore::Redis(RedisStore::new(options).unwrap()))
    }

    /// Connected to a server, with patience.
    pub async fn of(server: &RedisServer, name: &str) -> Self {
        let replica = Self::on_redis(&options(server.url(), name));
        replica.up().await;
        replica
    }

    pub async fn up(&self) {
        self.state(|state| *state == StoreState::Up).await;
    }

    pub async fn down(&self) -> StoreError {
        match self.state(|state| matches!(state, StoreState::Down(_))).await {
            StoreState::Down(error) => error,
            StoreState::Starting | StoreState::Up => unreachable!(),
        }
    }

    pub async fn state(&self, wanted: impl FnMut(&StoreState) -> bool) -> StoreState {
        let mut states = self.store.state();
        let waited =
            tokio::time::timeout(PATIENCE, states.wait_for(wanted)).await.map(|state| state.unwrap().clone());
        waited.unwrap_or_else(|_| panic!("still {:?}", *states.borrow()))
    }

    /// Up again after something that takes its connections, however soon that is.
    pub async fn up_again_after(&self, cut: impl FnOnce()) {
        let mut states = self.store.state();
        states.mark_unchanged();
        cut();
        tokio::time::timeout(PATIENCE, states.changed()).await.unwrap().unwrap();
        self.up().await;
    }

    /// Waits until it has that version or a later one.
    pub async fn version(&self, wanted: u64) -> u64 {
        let mut current = self.store.subscribe();
        let newer = current.wait_for(|current| current.as_ref().is_some_and(|c| c.version >= wanted));
        tokio::time::timeout(PATIENCE, newer).await.unwrap().unwrap().as_ref().unwrap().version
    }

    pub fn held(&self) -> u64 {
        self.store.subscribe().borrow().as_ref().map_or(0, |readings| readings.version)
    }

    pub async fn leads(&self) {
        assert_eq!(self.store.lead().await, Ok(Leadership::Ours));
    }

    pub async fn publishes(&self, grams: f64) -> u64 {
        self.store.publish(readings(grams)).await.unwrap().version
    }

    /// Ends the task as a process does that stops in good order.
    pub async fn stop(self) -> SnapshotStore {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.running).await.unwrap().unwrap();
        self.store
    }
}

pub fn options(url: String, name: &str) -> RedisOptions {
    RedisOptions { retention: RETENTION, timing: TIMING, ..redis::options(url, name) }
}

pub fn with_password(url: String, file: PathBuf) -> RedisOptions {
    RedisOptions { password_file: Some(file), ..options(url, "with a password") }
}

pub fn in_memory() -> Replica {
    Replica::run(SnapshotStore::Memory(MemoryStore::new(RETENTION)))
}

/// Readings of one region that are told apart by their value.
pub fn readings(grams: f64) -> Readings {
    let region = RegionReadings {
        zone: None,
        grid: GridReading::Known(reading(grams)),
        asked_at: Some(at(NOON)),
        trouble: Vec::new(),
        prices: Vec::new(),
    };
    Readings {
        captured_at: at(NOON),
        regions: [(RegionName::from("here"), region)].into(),
        ..Readings::default()
    }
}

fn reading(grams: f64) -> Reading {
    Reading {
        intensity: GramsPerKwh(grams),
        starts_at: at("2026-06-01T11:00:00Z"),
        ends_at: at(NOON),
        provider: GridProvider::ElectricityMaps,
        signal: Signal::Average,
        basis: Basis::Lifecycle,
        estimated: false,
        estimation_method: None,
        reported_at: at(NOON),
        unchanged_since: at("2026-06-01T11:00:00Z"),
        replayed_at: None,
        outlook: Outlook::Climatology,
    }
}

/// The value that tells readings apart.
pub fn grams(readings: &Readings) -> GramsPerKwh {
    readings.regions[&RegionName::from("here")].grid.known().unwrap().intensity
}

/// A past reading of an hour.
pub fn past(region: &str, starts_at: &str, grams: f64, estimated: bool) -> PastReading {
    let starts_at = at(starts_at);
    PastReading {
        region: RegionName::from(region),
        starts_at,
        ends_at: starts_at + SignedDuration::from_hours(1),
        intensity: GramsPerKwh(grams),
        provider: GridProvider::ElectricityMaps,
        signal: Signal::Average,
        basis: Basis::Lifecycle,
        estimated,
    }
}
