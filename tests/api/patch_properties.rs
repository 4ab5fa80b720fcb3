//! For any pod there can be, whatever of its parents is absent, null or empty: the patch applies, decodes, adds only,
//! keeps every entry of the user's, never outvotes it, and a second pass changes nothing.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Map, Value, json};

use crate::support::{IRELAND_BASE, Rig, job, object};

const PREFERRED: &str = "/spec/affinity/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution";
const OUTPUT: [&str; 6] = [
    "eco-pulse.io/decision",
    "eco-pulse.io/target-region",
    "eco-pulse.io/baseline-region",
    "eco-pulse.io/net-benefit-usd",
    "eco-pulse.io/projected-savings-usd",
    "eco-pulse.io/projected-co2e-avoided-g",
];

/// Configurations that steer, stay with and without a base to prefer, and hold out.
fn rigs() -> Vec<Rig> {
    let mix = IRELAND_BASE.replace("{region: eu-west-1}", "{region: scheduler}");
    [
        (IRELAND_BASE, ""),
        (IRELAND_BASE, "decision: {minNetBenefitUsd: 1000, affinityWeight: 1}"),
        (IRELAND_BASE, "decision: {holdout: 1}"),
        (&mix, ""),
        (&mix, "decision: {minNetBenefitUsd: 1000}"),
    ]
    .map(|(yaml, setting)| Rig::new(&format!("{yaml}\nherd: {{maxPodsPerMinute: 1000000}}\n{setting}")))
    .into()
}

/// Text with what JSON pointers, JSON and UTF-8 make special.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,8}",
        "[a-z]{1,5}(\\.[a-z]{1,4}){0,2}/[a-z~/-]{1,8}",
        "[~/\"\\\\\u{0}-\u{1f}é€\u{1F331}]{0,6}",
        any::<String>(),
    ]
}

/// A key: mostly the user's own, sometimes one that only Eco-Pulse writes.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => text(),
        2 => proptest::sample::select(OUTPUT.to_vec()).prop_map(str::to_owned),
        1 => Just("eco-pulse.io/decision~1".to_owned()),
    ]
}

/// A member that may be absent (`None`), null, or there.
fn member(there: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Option<Value>> {
    prop_oneof![2 => Just(None), 1 => Just(Some(Value::Null)), 5 => there.prop_map(Some)].boxed()
}

fn text_map() -> impl Strategy<Value = Value> {
    btree_map(key(), text(), 0..6).prop_map(|map| json!(map))
}

fn expression() -> impl Strategy<Value = Value> {
    let keys = prop_oneof![
        Just("topology.kubernetes.io/region".to_owned()),
        Just("topology.kubernetes.io/zone".to_owned()),
        Just("kubernetes.io/hostname".to_owned()),
        text(),
    ];
    let values = prop_oneof![
        Just("us-east-1".to_owned()),
        Just("eu-west-1".to_owned()),
        Just("eu-north-1".to_owned()),
        Just("eu-north-1a".to_owned()),
        text(),
    ];
    let operators = proptest::sample::select(vec!["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]);
    (keys, operators, member(vec(values, 0..3).prop_map(|values| json!(values)))).prop_map(
        |(key, operator, values)| with(json!({ "key": key, "operator": operator }), [("values", values)]),
    )
}

fn selector_term() -> impl Strategy<Value = Value> {
    let list = || member(vec(expression(), 0..3).prop_map(Value::from));
    (list(), list()).prop_map(|(expressions, fields)| {
        with(json!({}), [("matchExpressions", expressions), ("matchFields", fields)])
    })
}

fn preferred_term() -> impl Strategy<Value = Value> {
    (1..=100, selector_term())
        .prop_map(|(weight, preference)| json!({ "weight": weight, "preference": preference }))
}

fn affinity() -> impl Strategy<Value = Value> {
    let required = vec(selector_term(), 0..3).prop_map(|terms| json!({ "nodeSelectorTerms": terms }));
    let preferred = vec(preferred_term(), 0..5).prop_map(Value::from);
    // Most pods have no hard rules, and those that have leave little to decide.
    let required = prop_oneof![3 => Just(None), 1 => member(required)];
    let node_affinity = (required, member(preferred)).prop_map(|(required, preferred)| {
        with(
            json!({}),
            [
                ("requiredDuringSchedulingIgnoredDuringExecution", required),
                ("preferredDuringSchedulingIgnoredDuringExecution", preferred),
            ],
        )
    });
    let pod_affinity = vec(text(), 0..2).prop_map(|keys| {
        let terms: Vec<Value> = keys.iter().map(|key| json!({ "topologyKey": key })).collect();
        json!({ "requiredDuringSchedulingIgnoredDuringExecution": terms })
    });
    (member(node_affinity), member(pod_affinity)).prop_map(|(node_affinity, anti)| {
        with(json!({}), [("nodeAffinity", node_affinity), ("podAntiAffinity", anti)])
    })
}

fn toleration() -> impl Strategy<Value = Value> {
    (
        member(text().prop_map(Value::from)),
        member(text().prop_map(Value::from)),
        member(any::<i64>().prop_map(Value::from)),
    )
        .prop_map(|(key, effect, seconds)| {
            with(json!({}), [("key", key), ("effect", effect), ("tolerationSeconds", seconds)])
        })
}

fn with<const N: usize>(mut object: Value, members: [(&str, Option<Value>); N]) -> Value {
    for (key, value) in members {
        if let Some(value) = value {
            object[key] = value;
        }
    }
    object
}

/// A review of a job's pod with any metadata maps, affinity and tolerations.
fn any_review() -> impl Strategy<Value = Value> {
    let tolerations = member(vec(toleration(), 0..4).prop_map(Value::from));
    (member(text_map()), member(text_map()), member(affinity()), tolerations).prop_map(
        |(labels, annotations, affinity, tolerations)| {
            let mut review = job("2", "8Gi");
            let pod = object(&mut review);
            for map in ["labels", "annotations"] {
                pod["metadata"].as_object_mut().unwrap().remove(map);
            }
            pod["spec"].as_object_mut().unwrap().remove("tolerations");
            let metadata = with(pod["metadata"].take(), [("labels", labels), ("annotations", annotations)]);
            let spec = with(pod["spec"].take(), [("affinity", affinity), ("tolerations", tolerations)]);
            pod["metadata"] = metadata;
            pod["spec"] = spec;
            review
        },
    )
}

/// The pod without what Eco-Pulse may write: its marks, and the terms after the user's own.
fn users_part(pod: &Value, users_terms: usize) -> Value {
    let mut pod = pod.clone();
    for (map, keys) in [("labels", &OUTPUT[..1]), ("annotations", &OUTPUT[..])] {
        if let Some(map) = pod["metadata"][map].as_object_mut() {
            map.retain(|key, _| !keys.contains(&key.as_str()));
        }
    }
    if let Some(terms) = pod.pointer_mut(PREFERRED).and_then(Value::as_array_mut) {
        terms.truncate(users_terms);
    }
    without_empty(pod)
}

/// Without nulls and empty parents: adding a child to what was absent makes the parent appear, and nothing else.
fn without_empty(value: Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(key, value)| (key, without_empty(value)));
            Value::Object(members.filter(|(_, value)| !is_empty(value)).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_empty).collect()),
        other => other,
    }
}

fn weights(pod: &Value) -> Vec<i64> {
    let terms = pod.pointer(PREFERRED).and_then(Value::as_array);
    terms.map_or_else(Vec::new, |terms| terms.iter().map(|term| term["weight"].as_i64().unwrap()).collect())
}

/// The patch's paths and form, its application and decoding are checked by [`Rig::admit`] for every answer.
fn holds_for(rig: &Rig, review: &Value) -> Result<(), TestCaseError> {
    let before = &review["request"]["object"];
    let first = rig.admit(review);
    let users = weights(before);
    prop_assert_eq!(users_part(&first.object, users.len()), users_part(before, users.len()));

    let all = weights(&first.object);
    let (kept, added) = all.split_at(users.len());
    prop_assert_eq!(kept, &users[..]);
    let ceiling = users.iter().min().map_or(100, |smallest| smallest - 1);
    prop_assert!(added.iter().all(|weight| (1..=ceiling).contains(weight)), "{:?} on {:?}", added, users);
    prop_assert!(added.is_sorted_by(|one, next| one > next), "{:?}", added);

    let second = rig.admit(&first.again(review));
    prop_assert_eq!(second.verdict(), first.verdict());
    prop_assert!(second.is_untouched(), "{:?}", second.patch);
    Ok(())
}

#[test]
fn any_pod_is_patched_without_loss_and_once() {
    let rigs = rigs();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(review in any_review())| {
        for rig in &rigs {
            holds_for(rig, &review)?;
        }
    });
}

/// The generator is worth something only if it reaches every kind of answer and every shape of parent.
#[test]
fn the_pods_above_are_of_every_kind() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let rig = &rigs()[0];
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..600 {
        let review = any_review().new_tree(&mut runner).unwrap().current();
        let admission = rig.admit(&review);
        seen.insert(format!("{} {}", admission.outcome, admission.reason));
        for operation in &admission.patch {
            let path = operation["path"].as_str().unwrap();
            seen.insert(if path.starts_with("/spec") {
                path.to_owned()
            } else {
                path.replace("eco-pulse.io~1", "")
            });
        }
    }
    for expected in [
        "steer net_benefit",
        "bypass single_region",
        "/spec/affinity",
        "/spec/affinity/nodeAffinity",
        PREFERRED,
        &format!("{PREFERRED}/-"),
        "/metadata/labels",
        "/metadata/labels/decision",
        "/metadata/annotations",
        "/metadata/annotations/decision",
    ] {
        assert!(seen.contains(expected), "{expected} is not among {seen:?}");
    }
}
