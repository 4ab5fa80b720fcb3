//! Names of metrics in texts: prose, source and as much of PromQL as is needed to know what an expression asks for.

use std::collections::BTreeSet;

/// Every metric and every recorded series in a text, the parts of a histogram by its own name.
pub fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    let words = words.map(|word| word.trim_end_matches(':'));
    words.filter(|word| word.starts_with("eco_pulse_") || word.contains(":eco_pulse_")).map(family).collect()
}

/// Those that are no recorded series, whose names have colons.
pub fn metrics(text: &str) -> impl Iterator<Item = &str> {
    names(text).into_iter().filter(|name| !name.contains(':'))
}

/// The metric that a series belongs to.
pub fn family(series: &str) -> &str {
    let of_histogram = |end: &&str| series.strip_suffix(end).filter(|name| name.ends_with("_seconds"));
    ["_bucket", "_sum", "_count"].iter().find_map(of_histogram).unwrap_or(series)
}

#[test]
fn names_are_found_in_selectors_and_not_in_labels() {
    let expression = r#"histogram_quantile(0.9, sum by (le) (rate(eco_pulse_a_seconds_bucket{b="c"}[5m]))) / x:eco_pulse_d:sum"#;
    assert_eq!(names(expression), BTreeSet::from(["eco_pulse_a_seconds", "x:eco_pulse_d:sum"]));
    assert_eq!(metrics(expression).collect::<Vec<_>>(), ["eco_pulse_a_seconds"]);
    assert_eq!(names("up + on (eco) vector(1)"), BTreeSet::new());
    assert_eq!(metrics("of eco_pulse_a_total: all").collect::<Vec<_>>(), ["eco_pulse_a_total"]);
}
