//! What was decided, written down: the record of each decision, the ledger that keeps them in order, and who reads it.
//!
//! Nothing here is in a request's way: an entry is handed over, never waited for.

pub mod chain;
pub mod entry;
pub mod file;
pub mod handover;
pub mod keep;
pub mod ledger;
pub mod projection;
pub mod read;
pub mod record;
pub mod scan;
pub mod segments;
pub mod verify;
