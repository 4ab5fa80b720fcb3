//! A caller that creates pods without a pause, beside those of a trial.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::callers::Caller;
use crate::judge::{self, Outcome};
use crate::pods::{Questions, padded};
use crate::trial::{Budget, Trial};

/// What became of its pods.
#[derive(Debug, Default)]
pub struct Streamed {
    /// By outcome, how long each call took.
    pub took: BTreeMap<Outcome, Vec<Duration>>,
}

impl Streamed {
    pub fn add(&mut self, other: Self) {
        for (outcome, took) in other.took {
            self.took.entry(outcome).or_default().extend(took);
        }
    }

    pub fn sent(&self) -> usize {
        self.took.values().map(Vec::len).sum()
    }
}

/// It, at work.
pub struct Stream {
    stop: CancellationToken,
    at_work: JoinHandle<Streamed>,
    budget: Budget,
}

impl Stream {
    pub fn start(caller: Caller, budget: Budget) -> Self {
        Self::start_with(caller, budget, 0)
    }

    /// With bodies of at least this size.
    pub fn start_with(caller: Caller, budget: Budget, bytes: usize) -> Self {
        Self::run(caller, budget, bytes, None)
    }

    /// One pod in so much time.
    pub fn paced(caller: Caller, budget: Budget, pause: Duration) -> Self {
        Self::run(caller, budget, 0, Some(pause))
    }

    fn run(mut caller: Caller, budget: Budget, bytes: usize, pause: Option<Duration>) -> Self {
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let at_work = tokio::spawn(async move {
            let (mut streamed, mut questions) = (Streamed::default(), Questions::default());
            let mut turns = pause.map(tokio::time::interval);
            while !stopped.is_cancelled() {
                if let Some(turns) = &mut turns {
                    turns.tick().await;
                }
                let review = questions.review();
                let called = caller.post("/mutate?timeout=1s", padded(&review, bytes)).await;
                streamed.took.entry(judge::mutate(&review, &called)).or_default().push(called.took);
                // Nobody answers: there is no use in asking as fast as one can.
                if called.answer.is_err() {
                    tokio::task::yield_now().await;
                }
            }
            streamed
        });
        Self { stop, at_work, budget }
    }

    /// Ends, and tells a trial of pods that are the worse for it.
    pub async fn ends(self, trial: &mut Trial) -> Streamed {
        self.stop.cancel();
        let streamed = self.at_work.await.unwrap();
        for (outcome, took) in &streamed.took {
            if outcome.is_harm() {
                trial.complain(format!("{} of a stream's pods: {}", took.len(), outcome.as_text()));
            }
            let over = took.iter().filter(|took| **took > self.budget.of(0)).count();
            if trial.timed && over > 0 {
                trial.complain(format!(
                    "{over} of a stream's pods over {:?}: {}",
                    self.budget.of(0),
                    outcome.as_text()
                ));
            }
        }
        streamed
    }
}
