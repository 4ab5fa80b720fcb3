//! The books: what pods that were decided about really used, and what they would have used elsewhere, hour by hour.
//!
//! Pure: events, readings and the time come in as arguments, changes go out as values. Nothing here is invented: an hour
//! without readings stays open, and what was never measured says that it is modelled.

pub mod books;
pub mod cells;
mod compact;
pub mod due;
pub mod grid;
pub mod hour;
mod keeping;
pub mod prices;
pub mod realised;
pub mod run;
pub mod stored;
pub mod sums;
pub mod totals;

pub use keeping::AT_THE_START;
