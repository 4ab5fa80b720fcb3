//! End to end on a real control plane: unchanged manifests in, bound pods out. Needs `$KUBEBUILDER_ASSETS`; skipped, with
//! one line, without.
#![expect(clippy::unwrap_used, reason = "tests")]

mod certificates;
mod cluster;
mod control_plane;
mod eco_pulse;
mod failures;
mod feedback;
mod installed;
mod placement;
mod policies;
#[path = "../support/redis.rs"]
mod redis;
mod rights;
mod scheduling;
#[path = "../support/upstream.rs"]
mod upstream;
