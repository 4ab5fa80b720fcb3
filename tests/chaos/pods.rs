//! What is asked: a recorded pod, without its GPU, that goes to eu-north-1 when there is data; and nodes for it in three regions.

use bytes::Bytes;
use serde_json::{Value, json};

const REVIEW: &[u8] = include_bytes!("../data/kubernetes-1.36/ai-training.admission.json");
pub const NAMESPACE: &str = "ai-team";
/// The default, and the others; the last one is the best by far.
pub const REGIONS: [&str; 3] = ["eu-west-1", "us-east-1", "eu-north-1"];
const NODES_EACH: usize = 3;

/// Every node, by name and region.
pub fn nodes() -> impl Iterator<Item = (String, &'static str)> {
    (0..NODES_EACH).flat_map(|number| REGIONS.map(|region| (format!("node-{number}.{region}"), region)))
}

/// The questions about one pod.
pub struct Questions {
    review: Value,
    question: Value,
    asked: u64,
}

impl Default for Questions {
    fn default() -> Self {
        let mut review: Value = serde_json::from_slice(REVIEW).unwrap();
        for container in review["request"]["object"]["spec"]["containers"].as_array_mut().unwrap() {
            for list in ["limits", "requests"] {
                container["resources"][list].as_object_mut().unwrap().remove("nvidia.com/gpu");
            }
        }
        let names: Vec<String> = nodes().map(|(name, _)| name).collect();
        let question = json!({ "Pod": review["request"]["object"], "NodeNames": names });
        Self { review, question, asked: 0 }
    }
}

impl Questions {
    /// The next review, of a uid of its own.
    pub fn review(&mut self) -> Value {
        self.asked += 1;
        let uid = format!("{:08x}-0000-4000-8000-000000000000", self.asked);
        self.review["request"]["uid"] = json!(uid);
        self.review["request"]["object"]["metadata"]["uid"] = json!(uid);
        self.review.clone()
    }

    /// The scheduler's question.
    pub const fn question(&self) -> &Value {
        &self.question
    }
}

/// A body filled up with white space to a size.
pub fn padded(body: &Value, bytes: usize) -> Bytes {
    let mut body = body.to_string().into_bytes();
    body.resize(bytes.max(body.len()), b' ');
    body.into()
}
