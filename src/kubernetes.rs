//! Kubernetes' side of the domain: what of a pod, a node or a namespace bears on a decision.
//!
//! Reads objects as they come over the wire and turns them into demand and candidates. Never calls the API server
//! while a pod waits; what is known of the cluster is a view in memory.

pub mod affinity;
pub mod annotations;
pub mod bound;
pub mod cluster;
pub mod decode;
pub mod labels;
pub mod list;
pub mod nodes;
pub mod placed;
pub mod placement;
pub mod pod;
pub mod policies;
mod reach;
pub mod text;
pub mod trim;
pub mod volumes;
pub mod webhook_configuration;
