//! What must hold whatever comes in, one property a target: the fuzzer looks for a body that breaks one, and the tests here
//! replay what it has found worth keeping.
//!
//! A property takes bytes and panics when it does not hold. It judges by means of its own (another parser, plain JSON, schoolbook
//! arithmetic), never by the code it judges.

pub mod admission;
pub mod aws_spot_advisor;
pub mod azure_retail;
pub mod configuration;
pub mod duration;
pub mod electricity_maps;
pub mod extender;
pub mod gb_carbon_intensity;
mod grid;
pub mod history;
pub mod ledger_scan;
pub mod ledger_verify;
pub mod node_selector;
#[path = "../../support/patched.rs"]
mod patched;
pub mod price_file;
mod prices;
pub mod quantity;
pub mod snapshot;
pub mod trace;
mod world;

/// Panics when the bytes break it.
pub type Property = fn(&[u8]);

/// Every target by its name, which is that of its corpus and of its program in `fuzz/fuzz_targets`.
pub const TARGETS: [(&str, Property); 17] = [
    ("admission", admission::holds),
    ("aws_spot_advisor", aws_spot_advisor::holds),
    ("azure_retail", azure_retail::holds),
    ("configuration", configuration::holds),
    ("duration", duration::holds),
    ("electricity_maps", electricity_maps::holds),
    ("extender_names", extender::holds_for_names),
    ("extender_nodes", extender::holds_for_nodes),
    ("gb_carbon_intensity", gb_carbon_intensity::holds),
    ("history", history::holds),
    ("ledger_scan", ledger_scan::holds),
    ("ledger_verify", ledger_verify::holds),
    ("node_selector", node_selector::holds),
    ("price_file", price_file::holds),
    ("quantity", quantity::holds),
    ("snapshot", snapshot::holds),
    ("trace", trace::holds),
];
