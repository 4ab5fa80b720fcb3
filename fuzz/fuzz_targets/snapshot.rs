//! Searches for a body that breaks the property of this name.
#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| eco_pulse_fuzz::properties::snapshot::holds(body));
