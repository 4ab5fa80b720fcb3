//! The entry of a decision, for tests to change.

use std::time::Duration;

use eco_pulse::audit::entry::{DecisionIds, Endpoint, Entry, Subject};
use eco_pulse::config::Mode;
use eco_pulse::domain::{BypassReason, Decision};
use jiff::Timestamp;

/// Of a pod that asks for nothing.
pub fn entry(at: Timestamp) -> Entry {
    Entry {
        at,
        id: DecisionIds::new(1).next(),
        endpoint: Endpoint::Mutate,
        subject: Subject::default(),
        dry_run: false,
        mode: Mode::Steer,
        policies: Vec::new(),
        decision: Decision::bypass(BypassReason::NoRequests),
        demand: None,
        snapshot: None,
        duration: Duration::ZERO,
    }
}
