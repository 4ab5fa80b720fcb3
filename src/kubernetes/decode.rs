//! A pod from JSON; and of one that does not decode, which field is wrong, with which value, and what was expected.

use super::pod::Pod;

/// Longest path, and longest problem, in characters.
const MAX_SHOWN: usize = 200;

/// A pod that is not one.
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
    // Keeping track of the path costs time, so that only a pod that is refused already is read with it.
    serde_json::from_str(json).map_err(|error| located(json).unwrap_or_else(|| PodError::new(".", &error)))
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
