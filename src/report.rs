//! The report of a period: what was used, what it avoided and saved against each counterfactual, how good the data are.
//!
//! [`model`] is what it says; it knows nothing of how it is shown. Inventory and avoided emissions are apart, and never
//! subtracted from each other (GHG Protocol).

pub mod model;
