//! Documents of a manifest.

use serde_json::Value;

/// Objects, in order.
pub struct Manifest(pub Vec<Value>);

impl Manifest {
    pub fn parse(text: &str) -> Self {
        let documents = text.split("\n---").map(|document| {
            let document = document.strip_prefix("---").unwrap_or(document);
            serde_saphyr::from_str::<Value>(document).unwrap_or_else(|error| panic!("{error}\nin {document}"))
        });
        let objects: Vec<Value> = documents.filter(|document| !document.is_null()).collect();
        assert!(!objects.is_empty());
        Self(objects)
    }

    /// All objects of a kind.
    pub fn of<'m>(&'m self, kind: &str) -> impl Iterator<Item = &'m Value> + use<'m> {
        let kind = kind.to_owned();
        self.0.iter().filter(move |object| object["kind"] == kind.as_str())
    }

    /// The one object of a kind whose name ends so.
    pub fn one(&self, kind: &str, ending: &str) -> &Value {
        let mut found =
            self.of(kind).filter(|object| object["metadata"]["name"].as_str().unwrap().ends_with(ending));
        let first = found.next().unwrap_or_else(|| panic!("no {kind} {ending}"));
        assert!(found.next().is_none(), "several {kind} {ending}");
        first
    }

    /// Every pod template, with the name of what owns it.
    pub fn pods(&self) -> Vec<(String, &Value)> {
        let kinds = ["Deployment", "StatefulSet", "DaemonSet", "Job"];
        let owners = kinds.iter().flat_map(|kind| self.of(kind));
        owners
            .map(|owner| {
                let name = format!(
                    "{} {}",
                    owner["kind"].as_str().unwrap(),
                    owner["metadata"]["name"].as_str().unwrap()
                );
                (name, &owner["spec"]["template"])
            })
            .collect()
    }
}
