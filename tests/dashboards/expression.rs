//! As much of PromQL as is needed to know which metrics an expression names.

use std::collections::BTreeSet;

/// Every metric and every recorded series in an expression, the parts of a histogram by its own name.
pub fn names(expression: &str) -> BTreeSet<&str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    words.filter(|word| word.starts_with("eco_pulse_") || word.contains(":eco_pulse_")).map(family).collect()
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
    assert_eq!(names("up + on (eco) vector(1)"), BTreeSet::new());
}
