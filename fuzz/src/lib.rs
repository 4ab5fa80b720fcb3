//! The properties that are searched, as the tests of the main package have them.

#[path = "../../tests/fuzz/properties/all.rs"]
pub mod properties;
