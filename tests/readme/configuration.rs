//! `docs/configuration.md`: every key is there, with its default, its range and its choices.

use std::collections::{BTreeMap, BTreeSet};

use eco_pulse::config::{Config, ConfigError, PriceProviderKind};
use eco_pulse::domain::duration::parse_duration;
use eco_pulse::domain::snapshot::{Basis, GridProvider};
use eco_pulse::kubernetes::annotations;
use serde_json::{Map, Value, json};

use crate::markdown::{blocks, codes, table, tables};
use crate::{CONFIGURATION, README, catalogue};

/// Keys that exist only to be refused: they would hold a secret.
const SECRETS: [&str; 4] = ["token", "authToken", "apiKey", "password"];

fn parse(config: &Value) -> Result<Config, Vec<ConfigError>> {
    Config::parse(&config.to_string(), &**catalogue()).map_err(|errors| errors.iter().cloned().collect())
}

/// A configuration with these values at these paths. `regions[]` is one region of the catalogue.
fn configuration<'p>(values: impl IntoIterator<Item = (&'p str, Value)>) -> Value {
    let mut root = Map::new();
    for (path, value) in values {
        let (parents, key) =
            path.rsplit_once('.').map_or((None, path), |(parents, key)| (Some(parents), key));
        let mut map = &mut root;
        for parent in parents.into_iter().flat_map(|parents| parents.split('.')) {
            map = match parent.strip_suffix("[]") {
                Some(list) => {
                    let list = map.entry(list).or_insert_with(|| json!([{"name": "us-east-1"}]));
                    list[0].as_object_mut().unwrap()
                }
                None => map.entry(parent).or_insert_with(|| json!({})).as_object_mut().unwrap(),
            };
        }
        map.insert(key.to_owned(), value);
    }
    Value::Object(root)
}

/// A value as it stands in a table.
fn value(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// A described key.
struct Setting {
    path: String,
    default: String,
    values: String,
}

fn settings() -> Vec<Setting> {
    let rows = tables(CONFIGURATION).into_iter().filter(|table| table.header[..2] == ["Key", "Default"]);
    let settings: Vec<Setting> = rows
        .flat_map(|table| table.rows)
        .map(|row| Setting {
            path: row[0].trim_matches('`').to_owned(),
            default: row[1].clone(),
            values: row[2].clone(),
        })
        .collect();
    assert!(settings.len() > 40);
    settings
}

#[test]
fn every_printed_configuration_is_valid_and_meant() {
    let mut checked = 0;
    for block in blocks(README).into_iter().chain(blocks(CONFIGURATION)) {
        assert_eq!(block.language, "yaml");
        if block.file().is_some_and(|file| file == "job.yaml" || file.starts_with("deployment.yaml")) {
            continue;
        }
        let config = Config::parse(block.text, &**catalogue()).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(config.warnings, Vec::<String>::new(), "{:?}", block.file());
        checked += 1;
    }
    assert_eq!(checked, 7);
}

#[test]
fn every_key_is_described_and_every_described_key_exists() {
    const UNKNOWN: &str = "zzzzzzzzzzzz";
    let mut described: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let keys = tables(CONFIGURATION).into_iter().filter_map(|table| {
        let keys = table.column("Key").or_else(|| table.column("Setting"))?;
        Some(keys.into_iter().flat_map(codes).map(str::to_owned).collect::<Vec<_>>())
    });
    for path in keys.flatten() {
        let mut path = path.as_str();
        loop {
            let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
            described.entry(section.to_owned()).or_default().insert(key.trim_end_matches("[]").to_owned());
            if section.is_empty() {
                break;
            }
            path = section;
        }
    }
    for (section, described) in described {
        let path = if section.is_empty() { UNKNOWN.to_owned() } else { format!("{section}.{UNKNOWN}") };
        let errors = parse(&configuration([(path.as_str(), json!(1))])).unwrap_err();
        let cure = errors.iter().find_map(|error| error.cure.strip_prefix("known here: "));
        let known: BTreeSet<String> = cure
            .unwrap_or_else(|| panic!("{section} is no section: {errors:?}"))
            .split(", ")
            .filter(|key| !SECRETS.contains(key))
            .map(str::to_owned)
            .collect();
        assert_eq!(described, known, "keys of `{section}`");
    }
}

/// Everything but the regions, whose tables have no order to compare.
fn settled(config: &Config) -> String {
    let Config { mode, topology_key, baseline, carbon, grid, prices, workload, spot, latency, .. } = config;
    let Config { decision, herd, extender, server, tls, store, ledger, log, .. } = config;
    format!(
        "{mode:?} {topology_key:?} {baseline:?} {carbon:?} {grid:?} {prices:?} {workload:?} {spot:?} {latency:?} \
         {decision:?} {herd:?} {extender:?} {server:?} {tls:?} {store:?} {ledger:?} {log:?}"
    )
}

#[test]
fn the_described_defaults_are_the_defaults() {
    let built_in = settled(&Config::built_in(&**catalogue()).unwrap());
    let with_redis = settled(&parse(&json!({"store": {"redis": {}}})).unwrap());
    let settings = settings();
    let mut checked = 0;
    for Setting { path, default, .. } in &settings {
        let [default] = codes(default)[..] else { continue };
        let config = parse(&configuration([(path.as_str(), value(default))]));
        let config = config.unwrap_or_else(|errors| panic!("{path}: {errors:?}"));
        // The only section whose being there means something by itself.
        let expected = if path.starts_with("store.redis.") { &with_redis } else { &built_in };
        assert_eq!(settled(&config), *expected, "{path}: {default}");
        checked += 1;
    }
    assert!(checked > 30, "{checked}");
}

/// `0 to 10000 USD/t` as its two ends; `None` when the cell says something else.
fn range(cell: &str) -> Option<(&str, &str)> {
    let mut words = cell.split(' ').map(|word| word.trim_end_matches(','));
    let (low, to, high) = (words.next()?, words.next()?, words.next()?);
    (to == "to" && low.starts_with(|c: char| c == '-' || c.is_ascii_digit())).then_some((low, high))
}

/// The values just outside a range.
fn outside(low: &str, high: &str) -> [Value; 2] {
    if let (Ok(low), Ok(high)) = (low.parse::<f64>(), high.parse::<f64>()) {
        return [json!(low - 1.0), json!(high + 1.0)];
    }
    let milliseconds = |text| parse_duration(text).unwrap().as_millis();
    [json!(format!("{}ms", milliseconds(low) - 1)), json!(format!("{}ms", milliseconds(high) + 1))]
}

#[test]
fn the_described_ranges_hold_at_both_ends_and_not_beyond() {
    let settings = settings();
    let ranged: Vec<(&str, (&str, &str))> = settings
        .iter()
        .filter_map(|setting| Some((setting.path.as_str(), range(&setting.values)?)))
        .collect();
    assert!(ranged.len() > 20, "{}", ranged.len());
    // All at once, since some limits bound each other.
    let at =
        |end: fn(&(&str, &str)) -> Value| configuration(ranged.iter().map(|(path, ends)| (*path, end(ends))));
    for config in [at(|(low, _)| value(low)), at(|(_, high)| value(high))] {
        parse(&config).unwrap_or_else(|errors| panic!("{errors:?}"));
    }
    for (path, (low, high)) in &ranged {
        let expected = path.replace("[]", "[0]");
        for beyond in outside(low, high) {
            let errors = parse(&configuration([(*path, beyond.clone())])).err().unwrap_or_default();
            assert!(errors.iter().any(|error| error.path == expected), "{path} takes {beyond}");
        }
    }
}

#[test]
fn the_described_choices_are_all_there_are() {
    let mut checked = 0;
    for Setting { path, values, .. } in settings().iter().filter(|setting| setting.values.starts_with('`')) {
        let errors = parse(&configuration([(path.as_str(), json!("zzzzzzzzzzzz"))])).unwrap_err();
        let offered = errors.iter().find_map(|error| error.cure.strip_prefix("choose one of: "));
        let offered = offered.unwrap_or_else(|| panic!("{path}: {errors:?}"));
        assert_eq!(codes(values).join(", "), offered, "{path}");
        checked += 1;
    }
    assert!(checked >= 9, "{checked}");
}

#[test]
fn what_is_not_in_this_version_is_refused_by_name() {
    let table = table(CONFIGURATION, &["Setting", "Refused value", "Meanwhile"]);
    for row in &table.rows {
        let path = row[0].trim_matches('`');
        for refused in codes(&row[1]) {
            let errors = parse(&configuration([(path, value(refused))])).unwrap_err();
            let named = errors.iter().any(|e| e.path == path && e.problem == "is not in this version");
            assert!(named, "{path}: {refused}: {errors:?}");
        }
    }
    assert_eq!(table.rows.len(), 1);
}

#[test]
fn every_annotation_that_is_read_is_described() {
    let table = table(CONFIGURATION, &["Label or annotation", "On", "Values", "Effect"]);
    let described: Vec<&str> = table.rows.iter().flat_map(|row| codes(&row[0])).collect();
    let read = [
        annotations::INJECT,
        annotations::EXPECTED_DURATION,
        annotations::EGRESS_GB,
        annotations::DATA_REGION,
        annotations::TRAFFIC_REGION,
        annotations::MAX_LATENCY_MS,
        annotations::ALLOWED_REGIONS,
        annotations::INTERRUPTIBLE,
    ];
    assert_eq!(described, read);
}

#[test]
fn the_described_grid_providers_are_all_there_are_and_count_what_is_said() {
    let table = table(CONFIGURATION, &["Provider", "Zones", "Counts", "Needs"]);
    assert_eq!(table.rows.len(), GridProvider::ALL.len());
    for (row, provider) in table.rows.iter().zip(GridProvider::ALL) {
        assert_eq!(codes(&row[0]), [provider.as_str()]);
        let counts = match provider.basis() {
            Basis::Lifecycle => "the whole life cycle",
            Basis::Direct => "burning fuel only",
        };
        assert!(row[2].contains(counts), "{provider:?}: {}", row[2]);
    }
}

#[test]
fn the_described_price_providers_are_all_there_are() {
    let table = table(CONFIGURATION, &["Provider", "On-demand", "Spot", "Needs"]);
    let described: Vec<&str> = table.rows.iter().flat_map(|row| codes(&row[0])).collect();
    let known: Vec<&str> = PriceProviderKind::ALL.iter().map(|(word, _)| *word).collect();
    assert_eq!(described, known);
}

#[test]
fn the_described_addresses_of_redis_are_taken() {
    let table = table(CONFIGURATION, &["Address", "What is there"]);
    for row in &table.rows {
        let [url] = codes(&row[0])[..] else { panic!("{row:?}") };
        for scheme in ["redis", "rediss", "valkey", "valkeys"] {
            let url = url.replacen("redis", scheme, 1).replace("host:port", "host:6379");
            let config = parse(&configuration([("store.redis.url", json!(url))])).unwrap();
            assert_eq!(config.store.redis.unwrap().url, url);
        }
    }
    assert_eq!(table.rows.len(), 3);
}
