//! Whether this process does what it is there for, or has to be restarted.
//!
//! A task that ends by itself ends the process (`app`). What is left is what does not end: a runtime whose threads are all
//! held up, decisions that never come to an end. A thread outside of the runtime watches for both, and counts its own looks
//! instead of the time, so that a process or a machine that was suspended is not taken for one that hangs.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio_util::sync::CancellationToken;

/// Whether decisions get on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// As many as may be are being made.
    pub is_full: bool,
    /// So many have ended.
    pub ended: u64,
}

/// What keeps a process from doing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// The runtime runs no tasks any more.
    Runtime,
    /// All decisions there may be at once are under way, and none comes to an end.
    Decisions,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Runtime => "the runtime runs no tasks any more",
            Self::Decisions => "no decision comes to an end, and there is no room for another one",
        })
    }
}

/// Told by whoever watches, asked by `/livez`.
#[derive(Clone, Debug, Default)]
pub struct Liveness {
    beats: Arc<AtomicU64>,
    stuck: Arc<ArcSwapOption<Stuck>>,
}

/// How often it is looked, and how many looks in a row without anything to be seen are too many.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    /// Between two looks.
    pub every: Duration,
    /// For the runtime, of which every look should see tasks run.
    pub runtime_looks: u32,
    /// For decisions: far more than the longest of them takes.
    pub decision_looks: u32,
}

impl Default for Watch {
    fn default() -> Self {
        // A runtime may be short of processors for a while: a container's share of them comes in slices of 100 ms. A decision
        // that was left behind at its deadline takes a second at the very most.
        Self { every: Duration::from_secs(1), runtime_looks: 10, decision_looks: 30 }
    }
}

impl Liveness {
    /// What keeps this process from doing anything, if something does.
    #[must_use]
    pub fn stuck(&self) -> Option<Stuck> {
        self.stuck.load().as_deref().copied()
    }

    /// Shows that tasks run, until it is told to stop.
    pub async fn beat(self, every: Duration, stop: CancellationToken) {
        let mut beats = tokio::time::interval(every);
        let beating = async {
            loop {
                beats.tick().await;
                self.beats.fetch_add(1, Ordering::Relaxed);
            }
        };
        stop.run_until_cancelled(beating).await;
    }

    /// Looks until it is told to stop; calls `on_stuck` once when something does not get on, and whenever it does so again.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn watch(
        &self,
        watch: Watch,
        progress: impl Fn() -> Progress + Send + 'static,
        on_stuck: impl Fn(Stuck) + Send + 'static,
        stop: CancellationToken,
    ) -> std::io::Result<()> {
        let liveness = self.clone();
        let look = move || {
            let (mut runtime, mut decisions) = (Stall::default(), Stall::default());
            while !stop.is_cancelled() {
                std::thread::sleep(watch.every);
                let beats = liveness.beats.load(Ordering::Relaxed);
                let Progress { is_full, ended } = progress();
                let stuck = if runtime.lasts(true, beats) >= watch.runtime_looks {
                    Some(Stuck::Runtime)
                } else if decisions.lasts(is_full, ended) >= watch.decision_looks {
                    Some(Stuck::Decisions)
                } else {
                    None
                };
                if stuck != liveness.stuck() {
                    liveness.stuck.store(stuck.map(Arc::new));
                    stuck.into_iter().for_each(&on_stuck);
                }
            }
        };
        std::thread::Builder::new().name("watchdog".to_owned()).spawn(look).map(drop)
    }
}

/// For how many looks in a row something that should count has not.
#[derive(Debug, Default)]
struct Stall {
    counted: u64,
    looks: u32,
}

impl Stall {
    fn lasts(&mut self, should_count: bool, count: u64) -> u32 {
        let stands_still = should_count && count == self.counted;
        self.looks = if stands_still { self.looks.saturating_add(1) } else { 0 };
        self.counted = count;
        self.looks
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const SHORT: Watch = Watch { every: Duration::from_millis(5), runtime_looks: 20, decision_looks: 10 };
    const IDLE: Progress = Progress { is_full: false, ended: 0 };

    #[test]
    fn a_stall_lasts_from_one_count_to_the_next_and_only_while_something_should_count() {
        let mut stall = Stall::default();
        let looks = [(true, 0), (true, 0), (true, 1), (true, 1), (false, 1), (true, 1), (true, 1)];
        let lasted = looks.map(|(should_count, count)| stall.lasts(should_count, count));
        assert_eq!(lasted, [1, 2, 0, 1, 0, 1, 2]);
    }

    #[test]
    fn a_runtime_whose_threads_are_all_held_up_is_noticed_and_so_is_its_going_on() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (liveness, stop) = (Liveness::default(), CancellationToken::new());
        let (tell, told) = channel();
        runtime.spawn(liveness.clone().beat(SHORT.every, stop.clone()));
        liveness.watch(SHORT, || IDLE, move |stuck| tell.send(stuck).unwrap(), stop.clone()).unwrap();
        let gates: Vec<_> = (0..2)
            .map(|_| {
                let (open, gate) = channel::<()>();
                runtime.spawn(async move {
                    let _ = gate.recv();
                });
                open
            })
            .collect();
        assert_eq!(told.recv().unwrap(), Stuck::Runtime);
        assert_eq!(liveness.stuck(), Some(Stuck::Runtime));
        drop(gates);
        while liveness.stuck().is_some() {
            std::thread::yield_now();
        }
        stop.cancel();
    }

    #[test]
    fn decisions_that_never_end_are_noticed_while_the_runtime_goes_on() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (liveness, stop) = (Liveness::default(), CancellationToken::new());
        let (tell, told) = channel();
        runtime.spawn(liveness.clone().beat(Duration::from_millis(1), stop.clone()));
        let full = Progress { is_full: true, ended: 7 };
        // Of the runtime nothing is claimed here: a busy machine may hold it up for a few looks.
        let watch = Watch { runtime_looks: u32::MAX, ..SHORT };
        liveness.watch(watch, move || full, move |stuck| tell.send(stuck).unwrap(), stop.clone()).unwrap();
        assert_eq!(told.recv().unwrap(), Stuck::Decisions);
        stop.cancel();
    }
}
