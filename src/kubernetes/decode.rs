//! A pod from JSON; and of one that does not decode, which field is wrong, with which value, and what was expected.

use super::pod::{NodeSelectorTerm, Pod};

/// Longest path, and longest problem, in characters.
const MAX_SHOWN: usize = 200;

/// A pod that is stored has 1.5 MiB at most, as etcd is set up; one that is larger will not be stored.
const MAX_BYTES: usize = 3 << 19;
/// Commas and braces in a pod: an item of a list, or an entry of a map, is written in a few bytes with one of them and takes up to
/// a hundred in memory. Smaller pods cannot have so many.
const MAX_PARTS: usize = 50_000;
/// Rules for its node that a pod may have, the values they list included. Each is tried on each node where a pod asks for single
/// nodes, so that with 5,000 nodes as many take some 100 ms.
const MAX_RULES: usize = 500;

/// A pod that is not one, or none that could be stored and scheduled in a reasonable time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct PodError {
    /// The field, as in `spec.containers[0].resources`; `.` for the pod as a whole.
    pub path: String,
    /// What stands there, and what should.
    pub problem: String,
}

/// Decodes a pod.
///
/// # Errors
/// A field that Eco-Pulse reads is not of the type that Kubernetes gives it.
pub fn decode_pod(json: &str) -> Result<Pod<'_>, PodError> {
    // serde would take a list for a struct, field by field.
    if !json.trim_start().starts_with('{') {
        return Err(PodError { path: ".".to_owned(), problem: "is not an object".to_owned() });
    }
    if json.len() > MAX_BYTES {
        let problem = format!("has {} bytes; {MAX_BYTES} at most, as every stored object", json.len());
        return Err(PodError { path: ".".to_owned(), problem });
    }
    if json.len() > MAX_PARTS && memchr::memchr2_iter(b',', b'{', json.as_bytes()).count() > MAX_PARTS {
        return Err(PodError { path: ".".to_owned(), problem: format!("has more than {MAX_PARTS} parts") });
    }
    // Keeping track of the path costs time, so that only a pod that is refused already is read with it.
    let pod: Pod<'_> = serde_json::from_str(json)
        .map_err(|error| located(json).unwrap_or_else(|| PodError::new(".", &error)))?;
    let rules = rules_for_nodes(&pod);
    if rules > MAX_RULES {
        let problem = format!("has {rules} rules and values for its node; {MAX_RULES} at most");
        return Err(PodError { path: "spec.affinity".to_owned(), problem });
    }
    Ok(pod)
}

/// How much there is to try on a node.
fn rules_for_nodes(pod: &Pod<'_>) -> usize {
    let of_term = |term: &NodeSelectorTerm<'_>| -> usize {
        let rules = term.match_expressions.iter().chain(&term.match_fields);
        1 + rules.map(|rule| 1 + rule.values.len()).sum::<usize>()
    };
    let affinity = pod.spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref());
    let required = affinity.and_then(|affinity| affinity.required.as_ref());
    let terms = required.map_or(&[][..], |required| &required.node_selector_terms);
    pod.spec.node_selector.len() + pod.spec.tolerations.len() + terms.iter().map(of_term).sum::<usize>()
}

fn located(json: &str) -> Option<PodError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let error = serde_path_to_error::deserialize::<_, Pod<'_>>(&mut deserializer).err()?;
    Some(PodError::new(&error.path().to_string(), error.inner()))
}

impl PodError {
    fn new(path: &str, error: &serde_json::Error) -> Self {
        let problem = error.to_string();
        // Line and column are of the JSON that was sent, which nobody sees.
        let position = format!(" at line {} column {}", error.line(), error.column());
        let problem = problem.strip_suffix(&position).unwrap_or(&problem);
        // It quotes the value, which may be megabytes long, and is logged while the pod waits.
        let problem = problem.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect();
        // A key of a map that was not kept shows as `?`; the problem names it then.
        let path = path.strip_suffix(".?").unwrap_or(path).chars().take(MAX_SHOWN).collect();
        Self { path, problem }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        r#"{"spec":{"containers":5}}"#,
        "spec.containers: invalid type: integer `5`, expected a sequence of at most 20000 items"
    )]
    #[case(
        r#"{"metadata":{"labels":{"app":["a"]}}}"#,
        "metadata.labels.app: invalid type: sequence, expected a string"
    )]
    #[case("[{},{}]", ".: is not an object")]
    #[case(r#"{"spec":{"nodeName":"a"#, "spec.nodeName: EOF while parsing a string")]
    fn names_the_field_and_what_stands_there(#[case] json: &str, #[case] expected: &str) {
        assert_eq!(decode_pod(json).unwrap_err().to_string(), expected);
    }

    #[rstest]
    // More than is stored.
    #[case(format!(r#"{{"metadata":{{"annotations":{{"a":"{}"}}}}}}"#, "x".repeat(MAX_BYTES)), ". has 1572")]
    // Items of three bytes.
    #[case(with_terms(&format!(r#"{{"matchExpressions":[{}]}}"#, vec!["{}"; 30_000].join(","))), ". has more than 50000 parts")]
    // Few enough to be read, too many to be tried on thousands of nodes.
    #[case(with_terms(&vec![r#"{"matchExpressions":[{}]}"#; 400].join(",")), "spec.affinity has 800 rules")]
    #[case(
        with_terms(&format!(r#"{{"matchFields":[{{"key":"metadata.name","values":[{}]}}]}}"#, vec![r#""n""#; 600].join(","))),
        "spec.affinity has 602 rules"
    )]
    fn one_that_takes_more_memory_or_time_than_a_pod_can_is_refused(
        #[case] json: String,
        #[case] expected: &str,
    ) {
        let error = decode_pod(&json).unwrap_err();
        let told = format!("{} {}", error.path, error.problem);
        assert!(told.starts_with(expected), "{told}");
    }

    fn with_terms(terms: &str) -> String {
        format!(
            r#"{{"metadata":{{}},"spec":{{"affinity":{{"nodeAffinity":{{"requiredDuringSchedulingIgnoredDuringExecution":{{"nodeSelectorTerms":[{terms}]}}}}}}}}}}"#
        )
    }

    #[test]
    fn a_pod_that_asks_for_some_hundred_nodes_by_name_is_one() {
        let names = vec![r#""node""#; 450].join(",");
        let json =
            with_terms(&format!(r#"{{"matchFields":[{{"key":"metadata.name","values":[{names}]}}]}}"#));
        assert!(decode_pod(&json).is_ok());
    }

    #[test]
    fn a_long_value_is_cut() {
        let json = format!(
            r#"{{"metadata":{{"labels":{{"{0}":5}}}},"spec":{{"containers":"{0}"}}}}"#,
            "a".repeat(100_000)
        );
        assert!(decode_pod(&json).unwrap_err().to_string().len() < 500);
        let json = format!(r#"{{"spec":{{"containers":"{}"}}}}"#, "a".repeat(100_000));
        assert!(decode_pod(&json).unwrap_err().to_string().len() < 500);
    }
}
