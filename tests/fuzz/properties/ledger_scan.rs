//! Scanning records: whatever is read of a line at a glance, a slow and independent reading of the whole line as JSON says too.

use std::collections::BTreeMap;

use eco_pulse::audit::scan::{Kind, OwnerDay, ProjectedSums, Scan, Scanner, Wanted};
use jiff::Timestamp;
use serde::Deserialize;

/// Half of what is asked for is in it.
const FROM: &str = "2026-06-01T00:00:00Z";
const TO: &str = "2027-01-01T00:00:00Z";
const DAY_SECONDS: i64 = 86_400;

/// A record, read whole; a key that is there twice is an error.
#[derive(Deserialize)]
struct Record {
    schema: u32,
    ts: Timestamp,
    #[serde(rename = "record")]
    kind: Option<String>,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    namespace: String,
    owner: Option<Owner>,
    #[serde(default)]
    mode: String,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    reason: String,
    demand: Option<Demand>,
    #[serde(default)]
    regions: Vec<Region>,
    projected: Option<Projected>,
}

#[derive(Deserialize)]
struct Owner {
    kind: String,
    name: String,
}

#[derive(Deserialize)]
struct Demand {
    cpu_cores: f64,
    hours: f64,
}

#[derive(Deserialize)]
struct Region {
    state: String,
}

#[derive(Deserialize)]
struct Projected {
    usd: f64,
    co2e_g: f64,
    kwh: f64,
}

pub fn holds(bytes: &[u8]) {
    let wanted =
        Wanted { from: FROM.parse().unwrap(), to: TO.parse().unwrap(), namespace: None, projected: true };
    let mut together = Scanner::new(wanted.clone());
    let (mut counted, mut unreadable) = (0, 0);
    for line in bytes.split(|byte| *byte == b'\n') {
        together.line(line);
        let mut scanner = Scanner::new(wanted.clone());
        scanner.line(line);
        let found = scanner.finish();
        counted += found.records;
        unreadable += found.unreadable;
        assert!(found.records + found.unreadable <= 1);
        // What is no JSON in a place that is not looked at, only verifying tells.
        if let Ok(record) = serde_json::from_slice::<Record>(line) {
            let expected = expected(&record, &wanted);
            assert_eq!(found, expected, "{}", String::from_utf8_lossy(line));
        }
    }
    let together = together.finish();
    assert_eq!((together.records, together.unreadable), (counted, unreadable));
    assert_eq!(together.by_reason.values().sum::<u64>(), counted);
}

fn expected(record: &Record, wanted: &Wanted) -> Scan {
    let mut scan = Scan::default();
    if record.schema > 1 {
        scan.unreadable = 1;
        return scan;
    }
    if record.kind.is_some() || record.ts < wanted.from || record.ts >= wanted.to {
        return scan;
    }
    scan.records = 1;
    scan.namespaces.insert(record.namespace.clone());
    let (endpoint, outcome) = (record.endpoint.clone(), record.outcome.clone());
    scan.by_reason.insert(Kind { endpoint, outcome, reason: record.reason.clone() }, 1);
    for region in &record.regions {
        *scan.readings.entry(region.state.clone()).or_default() += 1;
    }
    scan.projected = projected(record);
    scan
}

fn projected(record: &Record) -> BTreeMap<OwnerDay, ProjectedSums> {
    let Record { demand: Some(demand), projected: Some(projected), .. } = record else {
        return BTreeMap::new();
    };
    if record.endpoint != "mutate" || record.mode != "steer" {
        return BTreeMap::new();
    }
    let owner = record.owner.as_ref();
    let (kind, name) = owner.map_or(("Pod", "(unowned)"), |owner| (&owner.kind, &owner.name));
    let key = OwnerDay {
        namespace: record.namespace.clone(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        day: record.ts.as_second().div_euclid(DAY_SECONDS),
    };
    let sums = ProjectedSums {
        pods: 1,
        steered: u64::from(record.outcome == "steer"),
        saved_usd: projected.usd,
        avoided_g: projected.co2e_g,
        energy_kwh: projected.kwh,
        hours: demand.hours,
        core_hours: demand.cpu_cores * demand.hours,
    };
    BTreeMap::from([(key, sums)])
}
