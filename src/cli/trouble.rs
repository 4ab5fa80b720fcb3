//! What is wrong with getting data, in words with the cure: once for each provider and cause, with the zones it bears on.

use std::collections::BTreeMap;

use crate::domain::Snapshot;
use crate::domain::snapshot::Failure;

/// What stands before each cause that `check` tells.
pub(super) const HEAD: &str = "failed";
/// Zones named one by one before the rest is counted.
const MOST_NAMED: usize = 4;
/// What every line has to fit into, as far as names and addresses allow.
const COLUMNS: usize = 80;
/// So much of what went wrong tells it from what else can.
const TELLING: usize = 60;
/// Before all lines of a text but its first.
const INDENT: &str = "    ";

/// Of one provider, what went wrong, and in which words.
type Cause<'s> = (&'s str, Failure, String);

/// The lines to print of all there is, each cause begun by `head`.
pub(super) fn troubles(snapshot: &Snapshot, head: &str) -> Vec<String> {
    let mut causes: BTreeMap<Cause<'_>, Vec<(&str, &str)>> = BTreeMap::new();
    for (_, region, data) in snapshot.iter() {
        let place = region.zone.as_ref().map_or_else(|| region.name.as_str(), |zone| zone.as_str());
        for trouble in &data.trouble {
            let cause = (trouble.provider.as_str(), trouble.failure, of_any_place(&trouble.detail, place));
            let places = causes.entry(cause).or_default();
            if places.iter().all(|(other, _)| *other != place) {
                places.push((place, &trouble.detail));
            }
        }
    }
    let grid = causes.iter().flat_map(|((provider, failure, _), places)| {
        let detail = places.first().map_or("", |(place, detail)| without_place(detail, place));
        let example = if places.len() > 1 && names_its_place(places) { "for one, " } else { "" };
        let title = format!("{provider} for {} ({})", named(places), failure.as_str());
        told(head, &title, Some(&format!("{example}{detail}")), failure.cure())
    });
    let prices = snapshot.price_trouble.iter().flat_map(|trouble| {
        let title = format!("{} for prices ({})", trouble.provider.as_str(), trouble.failure.as_str());
        told(head, &title, Some(&trouble.detail), trouble.failure.cure())
    });
    grid.chain(prices).collect()
}

/// Breaks a text between words, so that its lines fit; a word that is longer stands alone.
pub(super) fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let is_first = line.is_empty() || line == INDENT;
        if !is_first && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(std::mem::replace(&mut line, INDENT.to_owned()));
        } else if !is_first {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// What, why and the cure, each on lines of its own.
pub(super) fn told(head: &str, what: &str, why: Option<&str>, cure: &str) -> Vec<String> {
    let below = |text: &str| {
        // Broken as if the indent were a word of its own, and then with it in its place.
        let broken = wrapped(&format!("{} {text}", "-".repeat(INDENT.len() - 1)));
        broken.into_iter().map(|line| line.replacen("--- ", INDENT, 1))
    };
    let mut lines = wrapped(&format!("{head}: {what}"));
    lines.extend(why.into_iter().flat_map(below));
    lines.extend(below(&format!("cure: {cure}")));
    lines
}

/// The same words for every place, to tell whether two have one cause. Only their beginning: what a provider said is
/// cut, and with a longer name in it sooner.
fn of_any_place(detail: &str, place: &str) -> String {
    let rest = without_place(detail, place);
    let mut same = String::with_capacity(rest.len());
    let mut end = 0;
    for start in where_named(rest, place) {
        same.push_str(&rest[end..start]);
        same.push('\0');
        end = start + place.len();
    }
    same.push_str(&rest[end..]);
    same.chars().take(TELLING).collect()
}

/// Where a text names the place: as a word of its own, since a name of two letters is in many a path and a word.
fn where_named<'d>(text: &'d str, place: &'d str) -> impl Iterator<Item = usize> + 'd {
    let is_of_a_name = |char: char| char.is_alphanumeric() || char == '-' || char == '_';
    text.match_indices(place).map(|(start, _)| start).filter(move |start| {
        !text[..*start].ends_with(is_of_a_name) && !text[start + place.len()..].starts_with(is_of_a_name)
    })
}

/// The places stand in front already.
fn without_place<'d>(detail: &'d str, place: &str) -> &'d str {
    let rest = detail.strip_prefix("zone ").and_then(|rest| rest.strip_prefix(place));
    rest.and_then(|rest| rest.strip_prefix(": ")).unwrap_or(detail)
}

fn names_its_place(places: &[(&str, &str)]) -> bool {
    places
        .first()
        .is_some_and(|(place, detail)| where_named(without_place(detail, place), place).next().is_some())
}

fn named(places: &[(&str, &str)]) -> String {
    let named = places.iter().take(MOST_NAMED).map(|(place, _)| *place).collect::<Vec<_>>().join(", ");
    match places.len().checked_sub(MOST_NAMED) {
        None | Some(0) => named,
        Some(more) => format!("{named} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_one_for_all_places_whatever_holds_their_letters() {
        for detail in ["the token file /run/MmIERd/token is empty", "SE-SE3-like words are not it"] {
            assert_eq!(of_any_place(detail, "IE"), of_any_place(detail, "SE-SE3"), "{detail}");
        }
        assert_eq!(of_any_place("GET /v3?zone=IE: 404", "IE"), of_any_place("GET /v3?zone=SE: 404", "SE"));
        assert_eq!(of_any_place("zone IE: none, not for 'IE'.", "IE"), "none, not for '\0'.");
    }

    #[test]
    fn a_text_is_broken_between_words_and_never_within() {
        let long = "x".repeat(100);
        let text = format!("{} {long} end", "word ".repeat(17));
        let lines = wrapped(&text);
        let begin = ["word"; 16].join(" ");
        assert_eq!(
            lines,
            [begin, format!("{INDENT}word"), format!("{INDENT}{long}"), format!("{INDENT}end")]
        );
        assert_eq!(wrapped(""), [""]);
    }

    #[test]
    fn what_why_and_cure_begin_lines_of_their_own() {
        let lines = told(HEAD, "a for DE (no_data)", Some(&"many ".repeat(20)), Failure::NoData.cure());
        assert_eq!(lines[0], "failed: a for DE (no_data)");
        assert_eq!(lines[1], format!("{INDENT}{}", ["many"; 15].join(" ")));
        assert_eq!(lines[2], format!("{INDENT}{}", ["many"; 5].join(" ")));
        assert!(lines[3].starts_with("    cure: see whether"), "{lines:?}");
        assert!(lines.iter().all(|line| line.len() <= COLUMNS), "{lines:?}");
    }
}
