//! What the zones' intensity usually is, and under which licence.

use std::collections::BTreeMap;

use super::{TABLES, catalogue, close, raw, zone};

/// Means of 2022 as the traces' own summary states them, in whole grams.
const MEANS_OF_2022: [(&str, f64); 32] = [
    ("US-MIDA-PJM", 425.0),
    ("US-CAL-CISO", 264.0),
    ("US-NW-PACW", 236.0),
    ("US-CENT-SWPP", 467.0),
    ("US-MIDW-MISO", 525.0),
    ("US-CAR-SCEG", 414.0),
    ("US-TEX-ERCO", 402.0),
    ("CA-QC", 28.0),
    ("CA-ON", 59.0),
    ("BR-CS", 102.0),
    ("IE", 397.0),
    ("GB", 235.0),
    ("FR", 99.0),
    ("DE", 481.0),
    ("NL", 398.0),
    ("BE", 171.0),
    ("CH", 152.0),
    ("SE-SE3", 23.0),
    ("FI", 147.0),
    ("NO-NO1", 29.0),
    ("ES", 211.0),
    ("IT-NO", 375.0),
    ("PL", 819.0),
    ("JP-TK", 555.0),
    ("JP-KN", 458.0),
    ("KR", 491.0),
    ("SG", 492.0),
    ("HK", 435.0),
    ("IN-WE", 615.0),
    ("AU-NSW", 593.0),
    ("AU-VIC", 541.0),
    ("ZA", 704.0),
];

#[test]
fn annual_means_are_those_of_the_traces() {
    let catalogue = catalogue();
    for (zone, expected) in MEANS_OF_2022 {
        let mean = catalogue.climatology(zone).unwrap().annual_mean().0;
        assert!(close(mean, expected, 1.0), "{zone}: {mean}, the trace has {expected}");
    }
}

#[test]
fn every_zone_has_every_month_once() {
    let mut months: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for row in raw("climatology.csv") {
        months.entry(row["zone"].clone()).or_default().push(row["month"].parse().unwrap());
    }
    assert_eq!(months.len(), MEANS_OF_2022.len());
    for (zone, months) in months {
        assert_eq!(months, (1..=12).collect::<Vec<u8>>(), "{zone}");
    }
}

#[test]
fn solar_noon_is_clean_in_california_and_the_evening_is_not() {
    let california = catalogue().climatology("US-CAL-CISO").unwrap();
    let at = |hour: &str| california.at(format!("2026-04-15T{hour}:00:00Z").parse().unwrap()).0;
    // Noon in San Francisco is 20:00 UTC: rows read with a shift of half a day would fail here.
    assert!(at("20") < 0.7 * at("04"), "{} at noon, {} in the evening", at("20"), at("04"));
}

#[test]
fn a_zone_without_a_trace_has_no_climatology() {
    let catalogue = catalogue();
    assert_eq!(zone(catalogue, "westus2"), "US-NW-BPAT");
    assert!(catalogue.climatology("US-NW-BPAT").is_none());
}

#[test]
fn the_climatology_carries_its_licence() {
    let text = TABLES.iter().find(|(name, _)| *name == "climatology.csv").unwrap().1;
    let notice =
        "Contains information from Electricity Maps, made available under the Open Database License (ODbL)";
    assert!(text.starts_with(&format!("# {notice}")));
    assert!(include_str!("../../src/catalogue/data/LICENSE-ODbL.md").contains(notice));
}
