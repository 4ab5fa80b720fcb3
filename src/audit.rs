//! What was decided, written down: the record of each decision, and the ledger that keeps them in order.
//!
//! Nothing here is in a request's way: an entry is handed over, never waited for.

pub mod entry;
pub mod ledger;
pub mod projection;
pub mod record;
