//! Which of the known words somebody may have meant.

/// Up to `count` of `known`, nearest first, that are a few slips of the hand away from `text`. Upper and lower case,
/// `_` and `-` do not count: `max_age` is `maxAge`.
pub(super) fn nearest<'k>(
    text: &str,
    known: impl IntoIterator<Item = &'k str>,
    count: usize,
) -> Vec<&'k str> {
    let wanted = fold(text);
    let limit = (wanted.len() / 3).max(1);
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|word| (distance(&wanted, &fold(word)), word))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    near.sort_unstable();
    near.into_iter().take(count).map(|(_, word)| word).collect()
}

fn fold(text: &str) -> Vec<char> {
    text.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// Edits (insert, delete, replace, each of one character) from one word to the other: Levenshtein's distance.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(to) {
            let above = *cell;
            left = (diagonal + usize::from(a != b)).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("kitten", "sitting", 3)]
    #[case("", "abc", 3)]
    #[case("abc", "", 3)]
    #[case("same", "same", 0)]
    #[case("refersh", "refresh", 2)]
    fn distance_is_levenshteins(#[case] from: &str, #[case] to: &str, #[case] expected: usize) {
        assert_eq!(distance(&fold(from), &fold(to)), expected);
    }

    #[rstest]
    #[case("max_age", &["maxAge"])]
    #[case("refersh", &["refresh"])]
    #[case("MAXAGE", &["maxAge"])]
    #[case("colour", &[])]
    #[case("", &[])]
    fn finds_what_was_meant_and_nothing_else(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(nearest(text, ["provider", "refresh", "maxAge", "mock"], 1), expected);
    }

    #[test]
    fn nearest_comes_first_and_no_more_than_asked() {
        let known = ["us-west-2", "us-east-2", "us-east-1", "eu-north-1"];
        assert_eq!(nearest("us-east-1x", known, 2), ["us-east-1", "us-east-2"]);
    }
}
