//! What is committed: dashboards with their panels, rules, queries of the cookbook.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A dashboard, by its file's name.
pub struct Dashboard {
    pub name: String,
    pub json: Value,
}

pub fn dashboards() -> Vec<Dashboard> {
    let files = std::fs::read_dir(root().join("dashboards")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|end| end == "json")).collect();
    files.sort();
    assert_eq!(files.len(), 4, "{files:?}");
    files
        .iter()
        .map(|file| Dashboard {
            name: file.file_name().unwrap().to_str().unwrap().to_owned(),
            json: serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap(),
        })
        .collect()
}

impl Dashboard {
    /// What shows data: panels but for the headings of rows.
    pub fn panels(&self) -> impl Iterator<Item = &Value> {
        self.json["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row")
    }
}

/// An expression, and what stands on its answer.
pub struct Promised {
    /// Where it stands, for people.
    pub place: String,
    pub expression: String,
    /// Labels that its series need.
    pub labels: BTreeSet<String>,
}

/// What `$method` may be.
const METHODS: [&str; 2] = ["projected", "realised"];

/// Every query of every panel, with Grafana's variables filled in: by either method where one is chosen.
pub fn panel_queries() -> Vec<Promised> {
    let dashboards = dashboards();
    let of_panel = |dashboard: &Dashboard, panel: &Value| -> Vec<Promised> {
        let place = format!("{}: {}", dashboard.name, text_of(&panel["title"]));
        let targets = panel["targets"].as_array().unwrap();
        let by = |target: &Value, method: &str| Promised {
            place: format!("{place} ({}, {method})", text_of(&target["refId"])),
            expression: filled_in(&text_of(&target["expr"]).replace("$method", method)),
            labels: legend_labels(text_of(&target["legendFormat"])),
        };
        targets
            .iter()
            .flat_map(|target| {
                let is_chosen = text_of(&target["expr"]).contains("$method");
                METHODS[..if is_chosen { 2 } else { 1 }].iter().map(|method| by(target, method))
            })
            .collect()
    };
    dashboards
        .iter()
        .flat_map(|dashboard| dashboard.panels().flat_map(move |panel| of_panel(dashboard, panel)))
        .collect()
}

/// Queries that fill a variable's choices, each as one that brings the label.
pub fn variable_queries() -> Vec<Promised> {
    let mut found = Vec::new();
    for dashboard in dashboards() {
        for variable in dashboard.json["templating"]["list"].as_array().unwrap() {
            if variable["type"] == "query" {
                let query = text_of(&variable["query"]["query"]);
                let inside = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
                let (metric, label) = inside.and_then(|inside| inside.split_once(", ")).unwrap();
                found.push(Promised {
                    place: format!("{}: variable {}", dashboard.name, text_of(&variable["name"])),
                    expression: metric.to_owned(),
                    labels: BTreeSet::from([label.to_owned()]),
                });
            }
        }
    }
    found
}

/// Columns that tables and maps take from labels: panel by panel, with the expressions that have to bring them.
pub fn columns() -> Vec<(String, Vec<String>, BTreeSet<String>)> {
    let mut found = Vec::new();
    for dashboard in dashboards() {
        for panel in dashboard.panels() {
            let mut labels = BTreeSet::new();
            for step in panel["transformations"].as_array().into_iter().flatten() {
                let options = &step["options"];
                let renamed = options["renameByName"].as_object().into_iter().flatten().map(|(name, _)| name);
                labels.extend(renamed.filter(|name| !name.starts_with("Value")).cloned());
                labels.extend(options["byField"].as_str().map(str::to_owned));
                let converted = options["conversions"].as_array().into_iter().flatten();
                labels.extend(converted.map(|one| text_of(&one["targetField"]).to_owned()));
            }
            let expressions = panel["targets"].as_array().unwrap().iter();
            let expressions = expressions.map(|target| filled_in(text_of(&target["expr"]))).collect();
            if !labels.is_empty() {
                found.push((
                    format!("{}: {}", dashboard.name, text_of(&panel["title"])),
                    expressions,
                    labels,
                ));
            }
        }
    }
    assert!(found.len() > 5);
    found
}

/// Queries of the cookbook.
pub fn cookbook() -> Vec<Promised> {
    let document = text("docs/promql.md");
    let blocks = document.split("```promql\n").skip(1);
    let queries: Vec<Promised> = blocks
        .map(|rest| {
            let expression = filled_in(rest.split_once("```").unwrap().0.trim());
            let place = format!("docs/promql.md: {}", expression.lines().next().unwrap());
            Promised { place, expression, labels: BTreeSet::new() }
        })
        .collect();
    assert!((15..=30).contains(&queries.len()), "{}", queries.len());
    queries
}

/// Groups of rules.
pub fn rules() -> Vec<Value> {
    let read: Value = serde_saphyr::from_str(&text("dashboards/rules.yaml")).unwrap();
    let groups = read["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// An expression as Grafana would send it, with everything chosen, over a short time.
fn filled_in(expression: &str) -> String {
    let filled = [
        ("$__rate_interval", "15s"),
        ("$__range", "5m"),
        ("$__interval", "1s"),
        // Of an hour there are only moments.
        ("[1h:5m]", "[1h:1s]"),
        // The demonstration's one namespace, also where only one can be chosen.
        ("=\"$namespace\"", "=~\".*\""),
        ("$namespace", ".*"),
        ("$region", ".*"),
        ("$method", METHODS[0]),
    ]
    .iter()
    .fold(expression.to_owned(), |text, (variable, value)| text.replace(variable, value));
    // What is left of them would be an end-of-line anchor or a capture.
    assert!(!filled.replace("$1", "").contains('$'), "unknown variable: {filled}");
    filled
}

fn legend_labels(legend: &str) -> BTreeSet<String> {
    legend.split("{{").skip(1).map(|rest| rest.split_once("}}").unwrap().0.to_owned()).collect()
}

pub fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
