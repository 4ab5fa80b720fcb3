//! Follows all objects of one kind: lists them, watches them, keeps what bears on decisions, and publishes it as a whole.
//!
//! A list replaces what was known only once it is complete, and an API server that is away takes nothing away. An object
//! that cannot be read is skipped and counted; the others go on.

use std::collections::{HashMap, HashSet};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use kube::core::{DeserializeGuard, Resource};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event, watcher};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::timer_now;
use crate::metrics::Metrics;
use crate::readiness::Readiness;

/// Objects in one answer: a page of the largest nodes stays below some megabytes.
const PAGE_SIZE: u32 = 250;
/// What changes within this time is published together: a rollout touches thousands of objects in a second.
const GATHER: Duration = Duration::from_millis(100);
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(15);
/// The API server does not know the kind: its definition is not installed.
const NOT_FOUND: u16 = 404;

/// What is kept of a kind's objects, by `namespace/name`, or name where there are no namespaces.
#[derive(PartialEq)]
pub(super) struct Table<T> {
    /// What could be read.
    pub(super) objects: HashMap<String, T>,
    /// What could not.
    pub(super) unreadable: HashSet<String>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { objects: HashMap::new(), unreadable: HashSet::new() }
    }
}

impl<T: PartialEq> Table<T> {
    /// Whether that changed anything. Most events do not: a node reports its health every few seconds.
    fn put(&mut self, key: String, read: Option<T>) -> bool {
        match read {
            Some(object) => {
                let was_unreadable = self.unreadable.remove(&key);
                let same = self.objects.get(&key) == Some(&object);
                if !same {
                    self.objects.insert(key, object);
                }
                was_unreadable || !same
            }
            None => self.objects.remove(&key).is_some() | self.unreadable.insert(key),
        }
    }

    fn remove(&mut self, key: &str) -> bool {
        self.objects.remove(key).is_some() | self.unreadable.remove(key)
    }
}

type Trim<K, T> = Box<dyn FnMut(&K) -> Result<T, String> + Send>;
type Publish<T> = Box<dyn FnMut(&Table<T>) + Send>;

/// One kind to follow.
pub(super) struct Watch<K, T> {
    /// What metrics, log and `/readyz` call it.
    pub(super) kind: &'static str,
    /// Where its objects are.
    pub(super) api: kube::Api<DeserializeGuard<K>>,
    /// What is kept of an object.
    pub(super) trim: Trim<K, T>,
    /// Makes what is kept visible to requests.
    pub(super) publish: Publish<T>,
    /// Whether a kind that the API server does not know counts as one without objects.
    pub(super) may_be_undefined: bool,
}

/// What all watches of a process share.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) metrics: Arc<Metrics>,
    pub(super) readiness: Readiness,
    /// Whenever this changes, everything is published again.
    pub(super) republish: watch::Receiver<Arc<str>>,
    pub(super) stop: CancellationToken,
}

impl<K, T> Watch<K, T>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + Sync + 'static,
    T: PartialEq + Send + 'static,
{
    /// Follows until told to stop.
    pub(super) async fn run(mut self, around: Surroundings) -> &'static str {
        let kind = self.kind;
        let Surroundings { metrics, readiness, mut republish, stop } = around;
        metrics.cluster().watching(kind);
        let config = watcher::Config::default().page_size(PAGE_SIZE);
        let mut events = watcher(self.api.clone(), config).backoff(Retry::default()).boxed();
        let mut kept = Kept::default();
        let mut trouble = String::new();
        let mut publish_at = None;
        loop {
            // An event that was taken is handled before anything else is waited for, so nothing is lost by choosing.
            let event = tokio::select! {
                () = stop.cancelled() => return kind,
                // The sender lives as long as the process.
                Ok(()) = republish.changed() => { publish_at = Some(timer_now()); None }
                () = until(publish_at), if publish_at.is_some() && kept.complete => {
                    publish_at = None;
                    (self.publish)(&kept.table);
                    metrics.cluster().knows(kind, kept.table.objects.len());
                    readiness.has(kind);
                    None
                }
                event = events.next() => event,
            };
            match event {
                None => continue,
                Some(Ok(event)) => {
                    if std::mem::take(&mut trouble) != String::new() {
                        tracing::info!(kind, "the cluster is watched again");
                    }
                    self.take(event, &mut kept, &metrics);
                }
                Some(Err(error)) if self.may_be_undefined && is_undefined(&error) => {
                    kept.replace(Table::default());
                }
                Some(Err(error)) => {
                    metrics.cluster().watch_failed(kind);
                    let text = error.to_string();
                    // Once, however long it lasts.
                    if text != trouble {
                        tracing::warn!(
                            kind,
                            error = text,
                            "the cluster cannot be watched; what is known stays"
                        );
                        trouble = text;
                    }
                }
            }
            if kept.changed {
                kept.changed = false;
                publish_at.get_or_insert_with(|| timer_now() + GATHER);
            }
        }
    }

    fn take(&mut self, event: Event<DeserializeGuard<K>>, kept: &mut Kept<T>, metrics: &Metrics) {
        match event {
            Event::Init => kept.listing = Some(Table::default()),
            Event::InitApply(object) => {
                let (key, read) = self.read(&object, metrics);
                if let Some(listing) = &mut kept.listing {
                    listing.put(key, read);
                }
            }
            Event::InitDone => {
                if let Some(listing) = kept.listing.take() {
                    kept.replace(listing);
                }
            }
            Event::Apply(object) => {
                let (key, read) = self.read(&object, metrics);
                kept.changed |= kept.table.put(key, read);
            }
            Event::Delete(object) => kept.changed |= kept.table.remove(&key_of(&object)),
        }
    }

    fn read(&mut self, object: &DeserializeGuard<K>, metrics: &Metrics) -> (String, Option<T>) {
        let key = key_of(object);
        let read = match &object.0 {
            Ok(object) => (self.trim)(object),
            Err(invalid) => Err(invalid.error.clone()),
        };
        let read = read.map_err(|error| {
            metrics.cluster().skipped(self.kind);
            tracing::warn!(kind = self.kind, object = key, error, "an object cannot be read and is skipped");
        });
        (key, read.ok())
    }
}

/// What is known of a kind.
struct Kept<T> {
    table: Table<T>,
    /// What a list that is under way has brought so far.
    listing: Option<Table<T>>,
    /// Whether a first list has ended.
    complete: bool,
    changed: bool,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { table: Table::default(), listing: None, complete: false, changed: false }
    }
}

impl<T: PartialEq> Kept<T> {
    fn replace(&mut self, table: Table<T>) {
        self.changed |= !self.complete || self.table != table;
        self.complete = true;
        self.table = table;
    }
}

fn key_of<K: Resource>(object: &K) -> String {
    let meta = object.meta();
    let name = meta.name.as_deref().unwrap_or_default();
    meta.namespace.as_ref().map_or_else(|| name.to_owned(), |namespace| format!("{namespace}/{name}"))
}

fn is_undefined(error: &watcher::Error) -> bool {
    let (watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) = error else {
        return false;
    };
    matches!(error, kube::Error::Api(status) if status.code == NOT_FOUND)
}

async fn until(at: Option<tokio::time::Instant>) {
    if let Some(at) = at {
        tokio::time::sleep_until(at).await;
    }
}

/// Doubling pauses, from [`FIRST_RETRY`] to [`LAST_RETRY`].
pub(super) struct Retry(Duration);

impl Default for Retry {
    fn default() -> Self {
        Self(FIRST_RETRY)
    }
}

impl Iterator for Retry {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.0;
        self.0 = (2 * pause).min(LAST_RETRY);
        Some(pause)
    }
}

impl Backoff for Retry {
    fn reset(&mut self) {
        *self = Self::default();
    }
}
