//! The report of a period: what was used, what it avoided and saved against each counterfactual, how good the data are.
//!
//! ```text
//! what was asked --period--> Scope ─┐
//! sums, decisions, heads ─ Inputs ──┴─build─> model::Report ─┬─ sections ─┬─ table
//!                                                            │            └─ pdf
//!                                                            ├─ csv
//!                                                            └─ json
//! ```
//!
//! Pure: bytes come out, and whoever asked writes them. [`model`] is what a report says; it knows nothing of how it is
//! shown. Inventory and avoided emissions are apart, and never subtracted from each other (GHG Protocol).

mod aligned;
mod build;
mod csv;
mod error;
mod figures;
mod form;
mod known;
pub mod model;
mod pdf;
mod period;
mod sections;
mod setting;
mod sheet;
mod table;

pub use self::aligned::{Heading, lines, lines_within};
pub use self::build::{Inputs, Scope, Tally, build};
pub use self::csv::columns as csv_columns;
pub use self::error::{Asked, ReportError};
pub use self::form::{Form, FormError, render};
pub use self::period::Period;
pub use self::sections::SOURCES;
