//! Where readings come from: grid data and prices, and the one task that polls, judges and publishes them.
//!
//! Nothing here is called while a pod waits.

pub mod grid;
pub mod price;
pub mod refresh;
