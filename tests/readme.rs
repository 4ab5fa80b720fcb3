//! Holds the documents to the code: what they print is what the program does, and what the program has they describe.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "readme/commands.rs"]
mod commands;
#[path = "readme/configuration.rs"]
mod configuration;
#[path = "accounts/expected.rs"]
#[allow(dead_code, reason = "shared with the tests of the accounts")]
mod expected;
#[path = "readme/facts.rs"]
mod facts;
#[path = "readme/markdown.rs"]
mod markdown;
#[path = "support/metric_names.rs"]
mod metric_names;
#[path = "readme/observability.rs"]
mod observability;
#[path = "accounts/rig.rs"]
#[allow(dead_code, reason = "shared with the tests of the accounts")]
mod rig;
#[path = "accounts/week.rs"]
#[allow(dead_code, reason = "shared with the tests of the accounts")]
mod week;
#[path = "readme/worked_example.rs"]
mod worked_example;

use std::sync::{Arc, LazyLock};

use eco_pulse::catalogue::Catalogue;

const README: &str = include_str!("../README.md");
const CONFIGURATION: &str = include_str!("../docs/configuration.md");
const OBSERVABILITY: &str = include_str!("../docs/observability.md");

/// Every document, by its path.
const DOCUMENTS: [(&str, &str); 13] = [
    ("README.md", README),
    ("CONTRIBUTING.md", include_str!("../CONTRIBUTING.md")),
    ("SECURITY.md", include_str!("../SECURITY.md")),
    ("certs/README.md", include_str!("../certs/README.md")),
    ("docs/architecture.md", include_str!("../docs/architecture.md")),
    ("docs/catalogue.md", include_str!("../docs/catalogue.md")),
    ("docs/configuration.md", CONFIGURATION),
    ("docs/fuzzing.md", include_str!("../docs/fuzzing.md")),
    ("docs/install.md", include_str!("../docs/install.md")),
    ("docs/observability.md", OBSERVABILITY),
    ("docs/policies.md", include_str!("../docs/policies.md")),
    ("docs/promql.md", include_str!("../docs/promql.md")),
    ("docs/reports.md", include_str!("../docs/reports.md")),
];

fn catalogue() -> &'static Arc<Catalogue> {
    static CATALOGUE: LazyLock<Arc<Catalogue>> = LazyLock::new(|| Arc::new(Catalogue::built_in().unwrap()));
    &CATALOGUE
}
