//! YAML text to a tree of values. Knows the language, not the configuration.
//!
//! YAML 1.2 by choice: `NO` is Norway and `off` is a word, not booleans; `010` and `1:30` stay text. No message from
//! here quotes the file, which may hold a secret where none belongs.

use serde_json::{Map, Value};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

use super::error::ConfigErrors;

/// Largest text read, in bytes: a ConfigMap holds no more than 1 MiB.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// Aliases may be used, but a few lines must not unfold into gigabytes.
const MAX_REPLAYED_EVENTS: usize = 20_000;

/// The top-level map; an empty text is an empty map.
pub(super) fn parse(text: &str) -> Result<Map<String, Value>, ConfigErrors> {
    if text.len() > MAX_BYTES {
        return Err(ConfigErrors::whole_file(
            format!("the text has {} bytes, more than {MAX_BYTES}", text.len()),
            "give a configuration that fits a ConfigMap",
        ));
    }
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        // As text they reach the field's own check, which then names the path.
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        reject_unsupported_tags: true,
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPLAYED_EVENTS },
        // A snippet would print the lines around the error, secrets and all.
        with_snippet: false,
    };
    match serde_saphyr::from_str_with_options(text, options) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(ConfigErrors::whole_file(
            "the file is not a map",
            "write keys and values, for instance `mode: steer`",
        )),
        Err(error) => Err(syntax(&error)),
    }
}

fn syntax(error: &Error) -> ConfigErrors {
    let place = error
        .location()
        .map_or_else(String::new, |at| format!("line {}, column {}: ", at.line(), at.column()));
    let (problem, cure) = match error.without_snippet() {
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            (format!("the key `{key}` is there twice"), "keep one of them")
        }
        Error::MultipleDocuments { .. } => {
            ("a second YAML document begins".to_owned(), "keep one document in the file")
        }
        // The tag itself is not shown: it may be a password that begins with an exclamation mark.
        Error::UnsupportedTag { .. } => (
            "a value begins with `!`, which YAML reads as a tag".to_owned(),
            "put text that begins with `!` in quotes; tags are not used here",
        ),
        other => (
            format!("not valid YAML: {}", UserMessageFormatter.format_message(other)),
            "correct the syntax at that place; text with special characters goes in quotes",
        ),
    };
    ConfigErrors::whole_file(format!("{place}{problem}"), cure)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("")]
    #[case("# nothing but a comment\n")]
    #[case("---\n")]
    #[case("~")]
    fn an_empty_text_is_an_empty_map(#[case] text: &str) {
        assert_eq!(parse(text), Ok(Map::new()));
    }

    #[rstest]
    #[case::norway("a: NO", json!("NO"))]
    #[case::off_is_a_word("a: off", json!("off"))]
    #[case::no_sexagesimal("a: 1:30", json!("1:30"))]
    #[case::no_octal("a: 010", json!("010"))]
    #[case::no_underscores("a: 1_000", json!("1_000"))]
    #[case::no_dates("a: 2024-01-01", json!("2024-01-01"))]
    #[case::not_a_number_is_kept_as_text("a: .nan", json!(".nan"))]
    #[case::infinity_is_kept_as_text("a: -.inf", json!("-.inf"))]
    #[case::overflow_is_not_null("a: 1e400", json!(".inf"))]
    #[case::booleans("a: true", json!(true))]
    #[case::numbers("a: 1e3", json!(1000.0))]
    #[case::anchors("x: &x 5m\na: *x", json!("5m"))]
    fn reads_scalars_as_yaml_1_2_has_them(#[case] text: &str, #[case] expected: Value) {
        assert_eq!(parse(text).unwrap().get("a"), Some(&expected));
    }

    #[rstest]
    #[case("a: 1\nb: 2\na: 3", "line 3, column 1: the key `a` is there twice; keep one of them")]
    #[case("a: {b: 1, b: 2}", "line 1, column 11: the key `b` is there twice; keep one of them")]
    #[case(
        "a: [1",
        "line 1, column 4: not valid YAML: unclosed bracket '['; correct the syntax at that place; \
        text with special characters goes in quotes"
    )]
    #[case(
        "a: 1\n---\nb: 2",
        "line 3, column 1: a second YAML document begins; keep one document in the file"
    )]
    #[case("- 1", "the file is not a map; write keys and values, for instance `mode: steer`")]
    #[case("steer", "the file is not a map; write keys and values, for instance `mode: steer`")]
    fn says_where_the_syntax_is_wrong(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(
            parse(text).unwrap_err().to_string(),
            format!("1 error in the configuration:\nconfig: {expected}")
        );
    }

    #[rstest]
    #[case("password: !hunter2")]
    #[case("password: *hunter2")]
    #[case("password: @hunter2")]
    #[case("password: %hunter2")]
    #[case("password: 'hunter2")]
    #[case("password: \"hunter2\\q\"")]
    #[case("password: hunter2: x")]
    #[case("password: !!int hunter2")]
    #[case("password: !!binary \"@@hunter2\"")]
    #[case("password: {hunter2")]
    #[case("password: [hunter2")]
    fn never_quotes_the_text(#[case] text: &str) {
        let message = parse(text).unwrap_err().to_string();
        assert!(message.contains("line 1, column "), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn nesting_and_aliases_without_end_are_refused() {
        let deep = format!("a: {}{}", "[".repeat(20_000), "]".repeat(20_000));
        assert!(parse(&deep).is_err());
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..9 {
            let below = vec![format!("*a{}", level - 1); 10].join(",");
            bomb = format!("{bomb}a{level}: &a{level} [{below}]\n");
        }
        assert!(parse(&bomb).is_err());
        let long = format!("a: {}", "x".repeat(MAX_BYTES));
        assert!(parse(&long).unwrap_err().to_string().contains("more than 1048576"));
    }
}
