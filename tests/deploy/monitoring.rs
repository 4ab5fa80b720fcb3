//! Dashboards and rules in the chart: those of the folder `dashboards`, where Grafana and Prometheus look for them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::helm::{chart, helm, root, template};

/// What a Grafana or a Prometheus reads, by file; the rules' own tests are for promtool.
fn committed() -> BTreeMap<String, String> {
    let files = std::fs::read_dir(root().join("dashboards")).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|file| {
            (file.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&file).unwrap())
        })
        .filter(|(name, _)| name != "rules.test.yaml")
        .collect()
}

#[test]
fn the_chart_ships_the_dashboards_and_rules_that_are_tested() {
    let files = std::fs::read_dir(chart().join("files/monitoring")).unwrap();
    let shipped: BTreeMap<String, String> = files
        .map(|entry| {
            let file = entry.unwrap().path();
            (file.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&file).unwrap())
        })
        .collect();
    assert_eq!(shipped.len(), 5);
    assert!(shipped == committed(), "python3 scripts/dashboards");
}

#[test]
fn dashboards_and_rules_arrive_unchanged_where_they_are_looked_for() {
    let Some(helm) = helm() else { return };
    let example = chart().join("ci/monitoring-values.yaml");
    let manifest = template(&helm, &["--values", example.to_str().unwrap()]).unwrap();
    let mut committed = committed();
    let rules: Value = serde_saphyr::from_str(&committed.remove("rules.yaml").unwrap()).unwrap();
    for (name, text) in &committed {
        let part = name.strip_prefix("eco-pulse-").unwrap().strip_suffix(".json").unwrap();
        let map = manifest.one("ConfigMap", &format!("-dashboard-{part}"));
        let shipped: Value = serde_json::from_str(map["data"][name].as_str().unwrap()).unwrap();
        let wanted = text.replace("http://localhost:8080", "https://eco-pulse.example");
        assert_eq!(shipped, serde_json::from_str::<Value>(&wanted).unwrap(), "{name}");
        assert_eq!(map["metadata"]["namespace"], "monitoring");
        assert_eq!(map["metadata"]["labels"]["dashboards.example/grafana"], "true");
        assert_eq!(map["metadata"]["annotations"]["grafana_folder"], "Eco-Pulse");
    }
    let rule = manifest.of("PrometheusRule").next().unwrap();
    assert_eq!(rule["spec"], rules);
    assert_eq!(rule["metadata"]["namespace"], "monitoring");
    assert_eq!(rule["metadata"]["labels"]["release"], "monitoring");
}

/// The operator names the target's namespace `namespace` and its port `endpoint`; ours are other things.
#[test]
fn a_scrape_keeps_the_labels_that_metrics_bring() {
    let Some(helm) = helm() else { return };
    let manifest = template(&helm, &["--set", "serviceMonitor.enabled=true"]).unwrap();
    let monitor = manifest.of("ServiceMonitor").next().unwrap();
    assert_eq!(monitor["spec"]["endpoints"][0]["honorLabels"], true);
}

#[test]
fn nothing_of_it_is_there_until_it_is_asked_for() {
    let Some(helm) = helm() else { return };
    let manifest = template(&helm, &[]).unwrap();
    assert_eq!(manifest.of("PrometheusRule").count() + manifest.of("ServiceMonitor").count(), 0);
    assert_eq!(
        manifest.of("ConfigMap").filter(|map| map["data"].to_string().contains("schemaVersion")).count(),
        0
    );
    // The sidecar's usual label, where nobody says another.
    let manifest = template(&helm, &["--set", "monitoring.dashboards.enabled=true"]).unwrap();
    let map = manifest.one("ConfigMap", "-dashboard-overview");
    assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
    assert_eq!(map["metadata"]["namespace"], "eco-pulse");
}
