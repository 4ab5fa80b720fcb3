//! A JSON Patch as text for a terminal: every byte of every operation, in lines that fit.

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// One operation of a patch, its value as it was sent.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Operation {
    pub op: String,
    pub path: String,
    value: Box<RawValue>,
}

/// Reads an RFC 6902 array.
pub(in crate::cli) fn operations(patch: &[u8]) -> anyhow::Result<Vec<Operation>> {
    serde_json::from_slice(patch).context("the patch is not an array of JSON Patch operations with values")
}

/// The operation in lines of at most `width`: op and path, then its value beside or below.
pub(in crate::cli) fn lines(operation: &Operation, width: usize) -> Vec<String> {
    const INDENT: &str = "    ";
    let Operation { op, path, value } = operation;
    let head = format!("{op} {path}");
    let beside = format!("{head} {}", value.get());
    if beside.chars().count() <= width {
        return vec![beside];
    }
    let below = wrapped(value.get(), width.saturating_sub(INDENT.len()));
    [head].into_iter().chain(below.into_iter().map(|line| format!("{INDENT}{line}"))).collect()
}

/// Weight and label values of every preferred node affinity term on `topology_key` that the patch adds, in its order.
pub(in crate::cli) fn preferred_regions(
    operations: &[Operation],
    topology_key: &str,
) -> Vec<(u64, Vec<String>)> {
    let mut found = Vec::new();
    for operation in operations.iter().filter(|operation| operation.path.starts_with("/spec/affinity")) {
        if let Ok(value) = serde_json::from_str(operation.value.get()) {
            collect_terms(&value, topology_key, &mut found);
        }
    }
    found
}

/// A preferred term is an object with `weight` and `preference`, at whatever depth the patch had to put it.
fn collect_terms(value: &Value, topology_key: &str, found: &mut Vec<(u64, Vec<String>)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_terms(item, topology_key, found)),
        Value::Object(members) => {
            let Some((weight, preference)) = members.get("weight").zip(members.get("preference")) else {
                return members.values().for_each(|value| collect_terms(value, topology_key, found));
            };
            let expressions = preference["matchExpressions"].as_array().into_iter().flatten();
            let values = expressions
                .filter(|expression| expression["key"] == topology_key)
                .flat_map(|expression| expression["values"].as_array().into_iter().flatten())
                .filter_map(|value| value.as_str().map(str::to_owned))
                .collect();
            found.push((weight.as_u64().unwrap_or_default(), values));
        }
        _ => {}
    }
}

/// JSON in lines of at most `width` characters, broken between [`pieces`]; a longer piece stands alone on its line,
/// and every further object of an array begins one. Joined together the lines are the text.
fn wrapped(json: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for piece in pieces(json) {
        let piece_length = piece.chars().count();
        let next_object = piece.starts_with('{') && line.ends_with(',');
        if length > 0 && (next_object || length + piece_length > width) {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        line.push_str(piece);
        length += piece_length;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// JSON text cut after every `,`, and after every `:` before an opening bracket, none of them part of a string: a key
/// and its value stay together where the value is a single one, or a list of one.
fn pieces(json: &str) -> Vec<&str> {
    let (mut in_string, mut escaped) = (false, false);
    let mut pieces = Vec::new();
    let mut start = 0;
    for (index, c) in json.char_indices() {
        let opens_next = || match json.as_bytes().get(index + 1) {
            Some(b'{') => true,
            Some(b'[') => !holds_one_value(&json[index + 2..]),
            _ => false,
        };
        if !in_string && (c == ',' || c == ':' && opens_next()) {
            pieces.push(&json[start..=index]);
            start = index + 1;
        }
        match c {
            '\\' if in_string && !escaped => escaped = true,
            '"' if !escaped => in_string = !in_string,
            _ => escaped = false,
        }
    }
    pieces.push(&json[start..]);
    pieces
}

/// Whether an array, of which `rest` is the text after its bracket, seems to hold a single plain value; a string with
/// punctuation in it may look like more, which only makes for one cut more.
fn holds_one_value(rest: &str) -> bool {
    rest.find([',', ']', '[', '{']).is_some_and(|index| rest[index..].starts_with(']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = r#"[
        {"op":"add","path":"/spec/affinity","value":{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
            {"weight":100,"preference":{"matchExpressions":[{"key":"region","operator":"In","values":["a"]}]}},
            {"weight":50,"preference":{"matchExpressions":[{"key":"region","operator":"In","values":["b"]}]}}]}}},
        {"op":"add","path":"/metadata/labels/x","value":"steer"}]"#;

    #[test]
    fn a_value_goes_beside_its_path_where_it_fits_and_below_where_not() {
        let operations = operations(PATCH.as_bytes()).unwrap();
        assert_eq!(lines(&operations[1], 80), [r#"add /metadata/labels/x "steer""#]);
        assert_eq!(lines(&operations[1], 29), ["add /metadata/labels/x", r#"    "steer""#]);
    }

    #[test]
    fn wrapped_lines_keep_to_the_width_and_lose_nothing() {
        let tricky = r#"{"a":"x,y:[{\"","b\\":["c,\\",1.5,{"d":null}],"e":"é"}"#;
        let longest = pieces(tricky).iter().map(|piece| piece.chars().count()).max().unwrap();
        for width in 8..60 {
            let lines = wrapped(tricky, width);
            assert_eq!(lines.concat(), tricky, "width {width}");
            let fits = |line: &String| line.chars().count() <= width.max(longest);
            assert!(lines.iter().all(fits), "width {width}: {lines:#?}");
        }
        assert!(wrapped(tricky, 20).len() > 1);
    }

    #[test]
    fn every_object_of_an_array_begins_a_line() {
        assert_eq!(
            wrapped(r#"{"a":[{"b":1,"c":2},{"b":3}]}"#, 80),
            [r#"{"a":[{"b":1,"c":2},"#, r#"{"b":3}]}"#]
        );
    }

    #[test]
    fn text_in_strings_is_never_cut() {
        assert_eq!(pieces(r#"{"a,\":[b":["c,d"],"e":5}"#), [r#"{"a,\":[b":"#, r#"["c,d"],"#, r#""e":5}"#]);
        assert_eq!(pieces(r#"{"a":["b"],"c":["d",1]}"#), [r#"{"a":["b"],"#, r#""c":"#, r#"["d","#, "1]}"]);
    }

    #[test]
    fn preferred_regions_come_in_the_order_of_the_patch() {
        let operations = operations(PATCH.as_bytes()).unwrap();
        let terms = preferred_regions(&operations, "region");
        assert_eq!(terms, [(100, vec!["a".to_owned()]), (50, vec!["b".to_owned()])]);
        assert_eq!(preferred_regions(&operations, "zone"), [(100, vec![]), (50, vec![])]);
    }
}
