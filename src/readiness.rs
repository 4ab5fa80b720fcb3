//! Whether this replica should be sent requests: what it still waits for at the start, by name, and whether it is
//! leaving.
//!
//! Old or missing grid data never make it unready once it has started: a replica without data answers "as if nobody
//! were here", which is what a pod would get from no replica at all, only faster.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// Shared by whoever prepares and whoever asks.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<State>>);

#[derive(Clone, Debug, Default)]
struct State {
    waiting_for: BTreeSet<&'static str>,
    degraded: BTreeSet<&'static str>,
    leaving: bool,
}

/// What `/readyz` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether requests should come.
    pub ready: bool,
    /// What the start still waits for.
    pub waiting_for: Vec<&'static str>,
    /// What did not come in time, or is gone at present; served without.
    pub degraded: Vec<&'static str>,
    /// The process is shutting down.
    pub leaving: bool,
}

impl Readiness {
    /// Unready until everything in `waiting_for` is there.
    #[must_use]
    pub fn waiting_for(waiting_for: &[&'static str]) -> Self {
        let state = State { waiting_for: waiting_for.iter().copied().collect(), ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    /// `what` is there, now or again.
    pub fn has(&self, what: &'static str) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting_for.remove(what);
        state.degraded.remove(what);
    }

    /// `what` did not come in time: go on without it, and say so. Whether it was still waited for.
    pub fn goes_without(&self, what: &'static str) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = state.waiting_for.remove(what);
        if waited {
            state.degraded.insert(what);
        }
        waited
    }

    /// `what` is not there at present; served without.
    pub fn lacks(&self, what: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).degraded.insert(what);
    }

    /// The process is shutting down.
    pub fn leave(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).leaving = true;
    }

    /// How things stand.
    #[must_use]
    pub fn report(&self) -> Report {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Report {
            ready: state.waiting_for.is_empty() && !state.leaving,
            waiting_for: state.waiting_for.into_iter().collect(),
            degraded: state.degraded.into_iter().collect(),
            leaving: state.leaving,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_ready_when_nothing_is_waited_for_and_nobody_leaves() {
        let readiness = Readiness::waiting_for(&["certificate", "snapshot"]);
        readiness.has("certificate");
        assert_eq!(readiness.report().waiting_for, ["snapshot"]);
        assert!(!readiness.report().ready);
        assert!(readiness.goes_without("snapshot"));
        let report = readiness.report();
        assert!(report.ready);
        assert_eq!(report.degraded, ["snapshot"]);
        readiness.has("snapshot");
        assert!(readiness.report().degraded.is_empty());
        assert!(!readiness.goes_without("snapshot"), "it came already");
        readiness.lacks("store");
        assert_eq!(readiness.report().degraded, ["store"]);
        assert!(readiness.report().ready);
        readiness.has("store");
        assert!(readiness.report().degraded.is_empty());
        readiness.leave();
        assert!(!readiness.report().ready);
    }
}
