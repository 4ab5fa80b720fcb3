//! Reads the shipped tables as a sceptic would: for gaps, for impossible values, for the mistakes that public tables
//! of this kind are known to have, and for what their sources say.
#![expect(clippy::unwrap_used, reason = "tests")]

mod climatology;
mod machines;
mod network;
mod prices;
mod regions;

use std::collections::HashMap;
use std::sync::LazyLock;

use eco_pulse::catalogue::Catalogue;
use eco_pulse::domain::region::CloudProvider;

/// The providers that the tables are about.
const CLOUDS: [CloudProvider; 3] = [CloudProvider::Aws, CloudProvider::Gcp, CloudProvider::Azure];

macro_rules! table {
    ($file:literal) => {
        ($file, include_str!(concat!("../../src/catalogue/data/", $file)))
    };
}

const TABLES: [(&str, &str); 10] = [
    table!("climatology.csv"),
    table!("cpu_power.csv"),
    table!("egress.csv"),
    table!("gpu_power.csv"),
    table!("instances.csv"),
    table!("prices_on_demand.csv"),
    table!("providers.csv"),
    table!("regions.csv"),
    table!("round_trip.csv"),
    table!("spot_savings.csv"),
];

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::built_in().unwrap());
    &CATALOGUE
}

/// The rows of a table as text, read without the catalogue's own reader.
fn raw(file: &str) -> Vec<HashMap<String, String>> {
    let text = TABLES.iter().find(|(name, _)| *name == file).unwrap().1;
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

fn zone(catalogue: &Catalogue, region: &str) -> String {
    catalogue.region(region).unwrap().zone.to_string()
}

fn close(one: f64, other: f64, tolerance: f64) -> bool {
    (one - other).abs() <= tolerance
}

#[test]
fn a_region_that_is_not_known_is_missing_everywhere() {
    let catalogue = catalogue();
    for name in ["", "us-east-99", "US-EAST-1", "dc-berlin", "\u{1F30D}"] {
        assert!(catalogue.region(name).is_none());
        assert!(catalogue.instance(name).is_none());
        assert!(catalogue.on_demand(name, "m5.xlarge").is_none());
        assert!(catalogue.on_demand("us-east-1", name).is_none());
        assert!(catalogue.spot(name, name).is_none());
        assert!(catalogue.egress("us-east-1", name).is_none());
        assert!(catalogue.egress(name, name).is_none());
        assert!(catalogue.round_trip(name, "us-east-1").is_none());
        assert!(catalogue.climatology(name).is_none());
        assert_eq!(catalogue.prices_in(name).count(), 0);
    }
}

#[test]
fn every_row_has_a_source_and_every_source_is_explained() {
    let explained = include_str!("../../docs/catalogue.md");
    for (file, _) in TABLES {
        let rows = raw(file);
        assert!(!rows.is_empty(), "{file}");
        for row in rows {
            for key in row["source"].split('+') {
                assert!(
                    explained.contains(&format!("| `{key}` |")),
                    "{file}: `{key}` is not in docs/catalogue.md"
                );
            }
        }
    }
}
