//! What an answer does to a pod, judged by libraries that the program does not use.

use serde_json::Value;

use crate::callers::{Answered, Called};
use crate::patched::{Harm, operations, patched_pod};
use crate::pods::REGIONS;

/// What a call came to for its pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Decided about.
    Decided,
    /// Answered as if nobody were here, for a reason if one is told.
    Opened(String),
    /// No usable answer: the caller goes on as if nobody were here.
    Ignored(String),
    /// The pod is not created, or finds no node.
    Refused(String),
    /// Something was changed that must not be.
    Wrong(String),
}

impl Outcome {
    /// Whether the pod is the worse for it.
    pub const fn is_harm(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Wrong(_))
    }

    pub fn as_text(&self) -> String {
        match self {
            Self::Decided => "decided".to_owned(),
            Self::Opened(reason) => reason.clone(),
            Self::Ignored(cause) => cause.clone(),
            Self::Refused(why) => format!("REFUSED {why}"),
            Self::Wrong(why) => format!("WRONG {why}"),
        }
    }
}

/// An answer that the caller takes, or what it makes of one that it does not.
fn taken(called: &Called) -> Result<&Answered, Outcome> {
    match &called.answer {
        Ok(answer) if answer.status == 200 => Ok(answer),
        Ok(answer) => Err(Outcome::Ignored(format!("status {}", answer.status.as_u16()))),
        Err(failure) => Err(Outcome::Ignored(failure.as_str().to_owned())),
    }
}

/// As the API server takes it: `failurePolicy: Ignore` opens for what is no answer, and not for a patch that does not apply.
pub fn mutate(review: &Value, called: &Called) -> Outcome {
    let answer = match taken(called) {
        Ok(answer) => answer,
        Err(outcome) => return outcome,
    };
    let Ok(answer) = serde_json::from_slice::<Value>(&answer.body) else {
        return Outcome::Wrong("no JSON".to_owned());
    };
    let response = &answer["response"];
    if response["allowed"] != true {
        return Outcome::Refused("not allowed".to_owned());
    }
    if response["uid"] != review["request"]["uid"] {
        return Outcome::Wrong("uid".to_owned());
    }
    let told = |key: &str| response["auditAnnotations"][key].as_str().unwrap_or_default().to_owned();
    let target = told("target-region");
    if !target.is_empty() && !REGIONS.contains(&target.as_str()) {
        return Outcome::Wrong(format!("sent to {target}"));
    }
    let Some(patch) = response["patch"].as_str() else {
        return if told("outcome") == "bypass" { Outcome::Opened(told("reason")) } else { Outcome::Decided };
    };
    judge_patch(&review["request"]["object"], patch)
}

fn judge_patch(before: &Value, patch: &str) -> Outcome {
    match operations(patch).and_then(|operations| patched_pod(before, &operations)) {
        Ok(_) => Outcome::Decided,
        Err(Harm::Refuses(why)) => Outcome::Refused(why),
        Err(Harm::Changes(why)) => Outcome::Wrong(why),
    }
}

/// As the scheduler takes it: `ignorable: true` opens for what is no answer, and an empty list leaves no node.
pub fn filter(question: &Value, called: &Called) -> Outcome {
    let answer = match taken(called) {
        Ok(answer) => answer,
        Err(outcome) => return outcome,
    };
    let Ok(answer) = serde_json::from_slice::<Value>(&answer.body) else {
        return Outcome::Wrong("no JSON".to_owned());
    };
    if answer["Error"].as_str().is_some_and(|error| !error.is_empty()) {
        return Outcome::Ignored("error in the answer".to_owned());
    }
    let (Some(asked), Some(kept)) = (question["NodeNames"].as_array(), answer["NodeNames"].as_array()) else {
        return Outcome::Refused("no node left".to_owned());
    };
    let mut rest = asked.iter();
    if kept.is_empty() {
        Outcome::Refused("no node left".to_owned())
    } else if !kept.iter().all(|name| rest.any(|asked| asked == name)) {
        Outcome::Wrong("nodes or order".to_owned())
    } else if kept.len() < asked.len() {
        Outcome::Decided
    } else {
        Outcome::Opened(ALL_NODES.to_owned())
    }
}

/// What `/filter` says when it opens: the reason is in counters and records alone.
pub const ALL_NODES: &str = "all nodes";
/// And `/prioritize`.
pub const NO_SCORES: &str = "no scores";

/// Any answer does: scores only add up.
pub fn prioritize(question: &Value, called: &Called) -> Outcome {
    let answer = match taken(called) {
        Ok(answer) => answer,
        Err(outcome) => return outcome,
    };
    let Ok(Value::Array(scores)) = serde_json::from_slice::<Value>(&answer.body) else {
        return Outcome::Wrong("no list".to_owned());
    };
    let asked = question["NodeNames"].as_array().unwrap();
    let is_sound = |score: &Value| {
        asked.contains(&score["Host"])
            && score["Score"].as_i64().is_some_and(|score| (0..=10).contains(&score))
    };
    match scores.is_empty() {
        true => Outcome::Opened(NO_SCORES.to_owned()),
        false if scores.iter().all(is_sound) => Outcome::Decided,
        false => Outcome::Wrong("hosts or scores".to_owned()),
    }
}
