//! A strict reader of Prometheus' text format 0.0.4: what it refuses, a scrape may refuse too.

use std::collections::{BTreeMap, BTreeSet};

/// One metric family.
#[derive(Debug)]
pub struct Family {
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// What it is, for people.
    pub help: String,
    /// Its series.
    pub samples: Vec<Sample>,
}

/// One series' value.
#[derive(Debug)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// A whole scrape, by family.
#[derive(Debug)]
pub struct Scrape(pub BTreeMap<String, Family>);

impl Scrape {
    /// Reads a scrape; panics with the line that breaks the format.
    pub fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line ends like all others");
        let mut families: BTreeMap<String, Family> = BTreeMap::new();
        let mut current = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').unwrap_or_else(|| panic!("no help: {line}"));
                assert!(is_name(name, true), "name: {line}");
                let family = Family { kind: String::new(), help: help.to_owned(), samples: Vec::new() };
                assert!(families.insert(name.to_owned(), family).is_none(), "twice: {line}");
                name.clone_into(&mut current);
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap_or_else(|| panic!("no type: {line}"));
                assert_eq!(name, current, "HELP and TYPE stand together: {line}");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "type: {line}");
                let family = families.get_mut(name).unwrap_or_else(|| panic!("no HELP: {line}"));
                assert!(family.kind.is_empty() && family.samples.is_empty(), "order: {line}");
                kind.clone_into(&mut family.kind);
            } else {
                let sample = Sample::parse(line);
                let family = families.get_mut(&current).unwrap_or_else(|| panic!("no family: {line}"));
                let suffixes: &[&str] =
                    if family.kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
                assert!(
                    suffixes.iter().any(|suffix| sample.name == format!("{current}{suffix}")),
                    "not of the family above it: {line}"
                );
                family.samples.push(sample);
            }
        }
        let scrape = Self(families);
        scrape.0.iter().for_each(|(name, family)| family.check(name));
        scrape
    }

    /// A series' value; 0 where it does not exist, as a counter that never counted.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.find(name, labels).unwrap_or_default()
    }

    /// A series' value.
    pub fn find(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted: BTreeMap<String, String> =
            labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.samples()
            .find(|sample| sample.name == name && sample.labels == wanted)
            .map(|sample| sample.value)
    }

    /// The sum over all series of a name.
    pub fn total(&self, name: &str) -> f64 {
        self.samples().filter(|sample| sample.name == name).map(|sample| sample.value).sum()
    }

    fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.0.values().flat_map(|family| &family.samples)
    }
}

impl Family {
    fn check(&self, name: &str) {
        assert!(!self.kind.is_empty() && !self.help.is_empty(), "{name} has no TYPE, or HELP says nothing");
        let mut seen = BTreeSet::new();
        for sample in &self.samples {
            let series = (&sample.name, &sample.labels);
            assert!(seen.insert(series), "{name} has a series twice: {sample:?}");
            if self.kind == "counter" {
                assert!(sample.value >= 0.0 && sample.value.is_finite(), "{name}: {sample:?}");
                assert!(name.ends_with("_total"), "{name} is a counter");
            }
        }
        if self.kind == "histogram" {
            self.check_histogram(name);
        }
    }

    fn check_histogram(&self, name: &str) {
        for count in self.samples.iter().filter(|sample| sample.name == format!("{name}_count")) {
            let buckets: Vec<(f64, f64)> = self
                .samples
                .iter()
                .filter(|sample| sample.name == format!("{name}_bucket"))
                .filter(|sample| {
                    count.labels.iter().all(|(key, value)| sample.labels.get(key) == Some(value))
                })
                .map(|sample| (number(sample.labels.get("le").map_or("", |le| le)), sample.value))
                .collect();
            assert!(
                buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1),
                "{name}: buckets rise: {buckets:?}"
            );
            assert_eq!(buckets.last(), Some(&(f64::INFINITY, count.value)), "{name}: +Inf holds them all");
        }
    }
}

impl Sample {
    fn parse(line: &str) -> Self {
        let name_end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no value: {line}"));
        let (name, mut rest) = line.split_at(name_end);
        assert!(is_name(name, true), "name: {line}");
        let mut labels = BTreeMap::new();
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside;
            while !rest.starts_with('}') {
                let (key, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("label: {line}"));
                assert!(is_name(key, false), "label {key}: {line}");
                let (value, after) = quoted(after).unwrap_or_else(|| panic!("open quote: {line}"));
                assert!(labels.insert(key.to_owned(), value).is_none(), "label twice: {line}");
                rest = after.strip_prefix(',').unwrap_or(after);
            }
            rest = &rest[1..];
        }
        let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("no space before the value: {line}"));
        Self { name: name.to_owned(), labels, value: number(value) }
    }
}

/// A label's value up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                escaped @ ('\\' | '"') => escaped,
                other => panic!("unknown escape \\{other}"),
            }),
            other => value.push(other),
        }
    }
    None
}

fn is_name(name: &str, colons: bool) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':'))
}

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        text => text.parse().unwrap_or_else(|_| panic!("no number: {text}")),
    }
}
