//! Eco-Pulse: carbon- and cost-aware placement for Kubernetes.
//!
//! ```text
//!  providers ──> refresh ──> store ──> Arc<Snapshot> ─┐
//!  (grid, prices)  (polls, judges)  (shares)          │ read only
//!                                                     v
//!  API server ── POST /mutate ──────┐          ┌──> decide(demand, candidates, snapshot, policy, now)
//!  scheduler ─── POST /filter ──────┼─ http ───┤          │
//!            └── POST /prioritize ──┘ fail_open└──<───────┴──> response, metrics, ledger
//! ```
//!
//! A request reads memory only. Whatever fails, the pod is admitted and scheduled as if Eco-Pulse were not there.
//! Imports point inwards: [`domain`] imports no sibling, [`webhook`] and [`extender`] know neither providers nor store,
//! and only [`app`] sees everything. `docs/architecture.md` says why each room is there.

pub mod accounts;
pub mod app;
pub mod audit;
pub mod catalogue;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod decider;
pub mod domain;
pub mod extender;
pub mod herd;
pub mod http;
pub mod kubernetes;
pub mod liveness;
pub mod metrics;
pub mod providers;
pub mod readiness;
pub mod report;
pub mod store;
pub mod telemetry;
pub mod tls;
pub mod webhook;
