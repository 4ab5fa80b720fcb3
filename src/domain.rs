//! The decision itself and everything it is made of: pure values and functions.
//!
//! Time comes in as an argument, units are types, and what is not known is an `Option` or a named state, never a
//! number. Imports nothing of its siblings, no runtime, no clock; `tests/architecture` holds that.

pub mod assessment;
mod choice;
pub mod climatology;
pub mod counterfactual;
pub mod decision;
pub mod demand;
pub mod duration;
pub mod energy;
pub mod history;
pub mod net_benefit;
pub mod plausibility;
pub mod policy;
pub mod quantity;
pub mod reason;
pub mod region;
pub mod requests;
pub mod snapshot;
pub mod units;

pub use counterfactual::Against;
pub use decision::{Decision, Outcome, decide};
pub use demand::{Candidate, Candidates, PodDemand, WorkloadClass};
pub use policy::{Baseline, EffectivePolicy};
pub use reason::{BypassReason, Reason, StayReason};
pub use region::{Region, RegionId, RegionName, Regions};
pub use snapshot::{CapacityType, Snapshot};
