//! Whether everything of an object is still there after a patch, value by value and in order.

use serde_json::Value;

const OUTPUT_PREFIX: &str = "eco-pulse.io/";
/// What only Eco-Pulse writes, and may replace and remove.
const OUTPUT: [&str; 7] = [
    "decision",
    "target-region",
    "baseline-region",
    "net-benefit-usd",
    "projected-savings-usd",
    "projected-co2e-avoided-g",
    "canary",
];
/// The one list that may grow, at its end.
const PREFERRED: &str = "/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution";

pub fn assert_nothing_lost(before: &Value, after: &Value) {
    assert_kept(before, after, &mut String::new());
}

fn assert_kept(before: &Value, after: &Value, path: &mut String) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in before {
                if is_ours(path, key) {
                    continue;
                }
                let length = path.len();
                path.push('/');
                path.push_str(key);
                let kept = after.get(key).unwrap_or_else(|| panic!("{path} is gone"));
                assert_kept(value, kept, path);
                path.truncate(length);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            let may_grow = path == PREFERRED && before.len() <= after.len();
            assert!(may_grow || before.len() == after.len(), "{path} has another length");
            before.iter().zip(after).for_each(|(before, after)| assert_kept(before, after, path));
        }
        // What was not there may be.
        (Value::Null, _) => {}
        _ => assert_eq!(before, after, "{path} is another"),
    }
}

fn is_ours(path: &str, key: &str) -> bool {
    matches!(path, "/metadata/labels" | "/metadata/annotations")
        && key.strip_prefix(OUTPUT_PREFIX).is_some_and(|name| OUTPUT.contains(&name))
}

/// How many preferred terms of node affinity an object has.
pub fn preferred_terms(object: &Value) -> usize {
    object.pointer(PREFERRED).and_then(Value::as_array).map_or(0, Vec::len)
}
