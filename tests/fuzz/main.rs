//! The properties that the fuzzer tries to break (`docs/fuzzing.md`), held to what it has found worth keeping, to recorded traffic, and
//! to both with something cut off or changed: the same on every machine, without a fuzzer.
#![expect(clippy::unwrap_used, reason = "tests")]

mod changes;
#[path = "properties/all.rs"]
mod properties;
mod replay;
