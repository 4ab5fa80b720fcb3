//! Keeps a generation at work, and puts another in its place when the configuration changes.
//!
//! A configuration replaces the one in use only once everything it needs has been made. One that cannot be used is told
//! of once, with all that is wrong with it, and changes nothing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::generation::{Generation, Prepared, Process};
use super::storage::Storage;
use super::watched_files::Look;
use crate::config::{Config, changed_sections};
use crate::http::live::Live;
use crate::readiness::Readiness;
use crate::store::{SnapshotStore, Timing};
use crate::telemetry::LogLevel;

/// Between two looks at the configuration file: a change is in use within two seconds, what it takes included.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Keeps the generation.
pub(super) struct Keeper {
    pub(super) process: Process,
    pub(super) generation: Generation,
    pub(super) storage: Storage,
    /// The store that records go to.
    pub(super) ledger_store: watch::Sender<SnapshotStore>,
    pub(super) live: Arc<ArcSwap<Live>>,
    pub(super) topology_key: watch::Sender<Arc<str>>,
    pub(super) readiness: Readiness,
    pub(super) log: LogLevel,
    /// The process's name and patience with the store, for another store.
    pub(super) replica: String,
    pub(super) timing: Timing,
}

/// A configuration file that is watched.
pub(super) struct WatchedConfig {
    file: PathBuf,
    named: Vec<PathBuf>,
    /// What the configuration in use was read from.
    in_use: Look,
    /// The last look that something came of.
    judged: Look,
    /// What was found once and has to be found again: a file may be away while it is replaced.
    unreadable: bool,
}

impl WatchedConfig {
    /// Watches the file that a configuration was read from.
    pub(super) fn new(file: PathBuf, config: &Config) -> Self {
        let named = Generation::files(config);
        let in_use = Look::at(&file, &named);
        Self { file, named, judged: in_use.clone(), in_use, unreadable: false }
    }

    /// Looks at the files, and judges what is new since the last look that something came of. Reads files and tables, so
    /// that it belongs on a thread of its own: requests do not wait for it.
    fn look(&mut self, process: &Process, in_use: &Config) -> Found {
        let look = Look::at(&self.file, &self.named);
        if look == self.judged {
            self.unreadable = false;
            return Found::Nothing;
        }
        if look.text.is_err() && !std::mem::replace(&mut self.unreadable, true) {
            return Found::Nothing;
        }
        self.unreadable = false;
        self.judged = look.clone();
        let files_in_use = Generation::files(in_use);
        if Look::of(look.text.clone(), &files_in_use) == self.in_use {
            self.judged = self.in_use.clone();
            self.named = files_in_use;
            return Found::BackInUse;
        }
        self.judge(&look, process).unwrap_or_else(Found::Refused)
    }

    fn judge(&mut self, look: &Look, process: &Process) -> Result<Found, Vec<String>> {
        let text = look
            .text
            .as_ref()
            .map_err(|error| vec![format!("{}: cannot read the file: {error}", self.file.display())])?;
        let config = Config::parse(text, &*process.catalogue);
        let config = config.map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let config = Arc::new(config);
        // From now on a change of a file that the new one names is a reason to try again.
        self.named = Generation::files(&config);
        self.judged = Look::of(look.text.clone(), &self.named);
        let prepared = Prepared::new(config, process).map_err(|error| vec![format!("{error:#}")])?;
        let before = self.in_use.text.as_deref().unwrap_or_default();
        let changed = changed_sections(before, text).join(", ");
        Ok(Found::Usable { prepared: Box::new(prepared), changed })
    }
}

/// What a look came to.
enum Found {
    Nothing,
    /// After something else, what is in use.
    BackInUse,
    /// Nothing that can be used, with all that is wrong with it.
    Refused(Vec<String>),
    Usable {
        prepared: Box<Prepared>,
        /// The top-level keys that differ.
        changed: String,
    },
}

impl Keeper {
    /// Keeps until `stop`. A task that ends by itself ends this one, and so the process.
    pub(super) async fn run(
        mut self,
        mut watched: Option<WatchedConfig>,
        stop: CancellationToken,
    ) -> &'static str {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // Every branch only waits.
            tokio::select! {
                () = stop.cancelled() => {
                    self.generation.end().await;
                    self.storage.end().await;
                    return "keeper";
                }
                Some(ended) = self.generation.tasks.join_next() => return name_of(ended),
                Some(ended) = self.storage.tasks.join_next() => return name_of(ended),
                _ = looks.tick(), if watched.is_some() => {}
            }
            if let Some(mut files) = watched.take() {
                let (process, in_use) = (self.process.clone(), self.generation.config.clone());
                let look = tokio::task::spawn_blocking(move || {
                    let found = files.look(&process, &in_use);
                    (files, found)
                });
                let (mut files, found) = match look.await {
                    Ok(looked) => looked,
                    Err(defect) => return name_of(Err(defect)),
                };
                self = self.consider(&mut files, found).await;
                watched = Some(files);
            }
        }
    }

    /// Takes over what was found, if it can be used.
    async fn consider(self, watched: &mut WatchedConfig, found: Found) -> Self {
        let metrics = self.process.metrics.clone();
        let refused = |problems: Vec<String>| {
            metrics.config_reload(false);
            for problem in problems {
                tracing::error!(
                    problem,
                    "the configuration file cannot be used; the one before stays in use"
                );
            }
        };
        let (prepared, changed) = match found {
            Found::Nothing => return self,
            Found::BackInUse => {
                tracing::info!("the configuration file is again as the configuration in use");
                return self;
            }
            Found::Refused(problems) => {
                refused(problems);
                return self;
            }
            Found::Usable { prepared, changed } => (prepared, changed),
        };
        let config = prepared.config().clone();
        let other_store = (!self.storage.is_of(&config)).then(|| self.open(&config)).transpose();
        let other_store = match other_store {
            Ok(other_store) => other_store,
            Err(error) => {
                refused(vec![format!("{error:#}")]);
                return self;
            }
        };
        let waiting = needs_restart(&self.generation.config, &config).join(", ");
        let keeper = self.take_over(*prepared, other_store).await;
        watched.in_use = watched.judged.clone();
        metrics.config_reload(true);
        for warning in &config.warnings {
            tracing::warn!(warning, "configuration");
        }
        tracing::info!(changed, "a new configuration is in use");
        if !waiting.is_empty() {
            tracing::warn!(settings = waiting, "these settings take effect when the process starts anew");
        }
        keeper
    }

    fn open(&self, config: &Config) -> anyhow::Result<Storage> {
        let named = (self.replica.as_str(), self.timing);
        let told = (&self.process.metrics, &self.readiness);
        Storage::start(config, named, told, self.process.may_account(), Some(&self.storage))
    }

    /// Puts a generation in the place of the one at work. Requests that are being answered end on the old one.
    async fn take_over(mut self, prepared: Prepared, other_store: Option<Storage>) -> Self {
        let old_storage = other_store.map(|other| std::mem::replace(&mut self.storage, other));
        self.ledger_store.send_replace(self.storage.store());
        let had_snapshot = self.generation.live.decider.snapshot().is_some();
        let mut starting = prepared.start(&self.storage, &self.process);
        if had_snapshot {
            starting.joined().await;
        }
        let topology_key = starting.generation.config.topology_key.clone();
        self.topology_key.send_if_modified(|key| {
            let changed = **key != *topology_key;
            *key = Arc::from(topology_key.as_str());
            changed
        });
        self.live.store(starting.generation.live.clone());
        self.log.set(starting.generation.config.log.level);
        // Two collectors of one process would ask everything twice.
        self.generation.end().await;
        if let Some(storage) = old_storage {
            storage.end().await;
        }
        self.generation = starting.collect(&self.process);
        self
    }
}

/// The name of a task that ended; a panic goes on from here.
fn name_of(ended: Result<&'static str, JoinError>) -> &'static str {
    match ended {
        Ok(name) => name,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => "cancelled task",
        },
    }
}

/// What differs and is looked at only when the process starts.
fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let differs = [
        ("tls", old.tls != new.tls),
        ("server.clientCaFile", old.server.client_ca_file != new.server.client_ca_file),
        ("log.decisions", old.log.decisions != new.log.decisions),
        ("ledger.file", old.ledger.file != new.ledger.file),
        ("ledger.rawRetentionDays", old.ledger.raw_retention_days != new.ledger.raw_retention_days),
        // Where the ledger begins to be kept, or ends.
        ("store.redis", old.store.redis.is_some() != new.store.redis.is_some()),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(setting, _)| setting).collect()
}
