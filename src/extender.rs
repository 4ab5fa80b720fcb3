//! The scheduler extender: keeps, or likes, the nodes of the region that was decided for a pod.
//!
//! The scheduler asks about every pod in the cluster, one at a time, and waits. So the answer names only what it was
//! given, in its order, is never empty for a list that was not, and keeps every node it knows nothing about.

pub mod filter;
pub mod prioritize;
pub mod question;
pub mod wire;
