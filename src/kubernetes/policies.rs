//! Placement policies: what platform and namespace owners want of decisions, as custom resources.
//!
//! Limits of all policies that apply hold together, the strictest counts; assumptions are those of the nearest policy. So
//! nobody nearer to the pod can widen what somebody farther away allows. Never asks the API server.

mod book;
mod resource;
mod selector;
mod status;

pub use self::book::{Applied, PolicyBook, PolicyMode, Versioned};
pub use self::resource::{
    ClusterPlacementPolicy, ClusterPlacementPolicySpec, PlacementPolicy, PlacementPolicySpec, PlacementRules,
    PolicyStatus, definitions,
};
pub use self::status::{Finding, findings};
