//! The cluster's API server: the one place that talks to it. Watches keep [`crate::kubernetes::cluster::ClusterView`]
//! up to date in memory; the controller's duties (certificates, Events, policy status, canary) write.
//!
//! Nothing here runs while a pod waits, and nothing here decides. An API server that is away stops nobody: what was
//! known stays known.

pub mod bound_pods;
pub mod canary;
pub mod certificates;
pub mod client;
pub mod events;
pub mod policy_status;
pub mod view;
mod watch;
pub mod webhook_drift;
