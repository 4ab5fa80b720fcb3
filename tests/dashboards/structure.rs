//! Dashboards as files: current panels, each explained, none on top of another, nothing tied to one installation.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::files::{Dashboard, dashboards, root, text_of};

/// Panel types of Grafana 11 that these dashboards use; `graph`, `singlestat`, `table-old` are of another time.
const PANELS: [&str; 7] = ["gauge", "geomap", "heatmap", "row", "stat", "table", "timeseries"];

#[test]
fn each_dashboard_can_be_told_from_the_others_and_leads_to_them_and_to_the_report() {
    let mut uids = BTreeSet::new();
    for Dashboard { name, json } in dashboards() {
        assert_eq!(format!("{}.json", text_of(&json["uid"])), name, "links lead to it");
        assert!(uids.insert(text_of(&json["uid"]).to_owned()) && json["id"].is_null(), "{name}");
        assert!(json["schemaVersion"].as_u64().unwrap() >= 39, "{name}");
        assert!(!text_of(&json["title"]).is_empty() && !text_of(&json["description"]).is_empty(), "{name}");
        let links = json["links"].as_array().unwrap();
        assert!(links.iter().any(|link| link["type"] == "dashboards" && link["keepTime"] == true), "{name}");
        let report = links.iter().find(|link| link["type"] == "link").unwrap();
        let url = text_of(&report["url"]);
        let start = "${report_url}/report?from=${__from:date:iso}&to=${__to:date:iso}&output=pdf";
        assert!(url.starts_with(start), "{name}: {url}");
    }
}

#[test]
fn what_can_be_chosen_is_the_source_the_namespace_the_region_and_where_the_report_is() {
    for Dashboard { name, json } in dashboards() {
        let variables = json["templating"]["list"].as_array().unwrap();
        let named: BTreeSet<&str> = variables.iter().map(|variable| text_of(&variable["name"])).collect();
        assert_eq!(variables[0]["type"], "datasource", "{name}: the others ask it");
        for wanted in ["datasource", "region", "report_url"] {
            assert!(named.contains(wanted), "{name} lacks {wanted}");
        }
        let whole = json["panels"].to_string();
        for variable in &named {
            let used = whole.contains(&format!("${variable}")) || whole.contains(&format!("${{{variable}}}"));
            assert!(used || *variable == "report_url", "{name}: {variable} changes nothing");
        }
    }
}

#[test]
fn every_panel_says_what_it_shows_and_in_what_unit() {
    for dashboard in dashboards() {
        for panel in dashboard.panels() {
            let place = format!("{}: {}", dashboard.name, panel["title"]);
            assert!(text_of(&panel["title"]).len() > 3, "{place}");
            let description = text_of(&panel["description"]);
            assert!(description.len() > 20 && description.ends_with(['.', '?']), "{place}: {description}");
            let defaults = &panel["fieldConfig"]["defaults"];
            assert!(!text_of(&defaults["unit"]).is_empty(), "{place}: no unit");
            let steps = defaults["thresholds"]["steps"].as_array().unwrap();
            assert!(steps[0]["value"].is_null(), "{place}: the first colour has no lower end");
            let values: Vec<f64> = steps[1..].iter().map(|step| step["value"].as_f64().unwrap()).collect();
            assert!(values.is_sorted_by(|a, b| a < b), "{place}: {values:?}");
            let targets = panel["targets"].as_array().unwrap();
            let letters: BTreeSet<&str> = targets.iter().map(|target| text_of(&target["refId"])).collect();
            assert!(!targets.is_empty() && letters.len() == targets.len(), "{place}");
        }
    }
}

fn sources<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if key == "datasource" {
                    found.push(member);
                }
                sources(member, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| sources(item, found)),
        _ => {}
    }
}

#[test]
fn every_query_asks_the_source_that_was_chosen() {
    for dashboard in dashboards() {
        let mut found = Vec::new();
        sources(&dashboard.json, &mut found);
        let queries = dashboard.panels().flat_map(|panel| panel["targets"].as_array().unwrap()).count();
        assert!(found.len() > queries, "{}", dashboard.name);
        for source in found {
            assert_eq!(source["uid"], "${datasource}", "{}", dashboard.name);
            assert_eq!(source["type"], "prometheus", "{}", dashboard.name);
        }
    }
}

#[test]
fn no_panel_lies_on_another_or_beside_the_screen() {
    for Dashboard { name, json } in dashboards() {
        let panels = json["panels"].as_array().unwrap();
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        for panel in panels {
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{name}: {}", panel["id"]);
            assert!(PANELS.contains(&text_of(&panel["type"])), "{name}: {}", panel["type"]);
            let side = |side: &str| panel["gridPos"][side].as_u64().unwrap();
            assert!(
                side("w") > 0 && side("h") > 0 && side("x") + side("w") <= 24,
                "{name}: {}",
                panel["title"]
            );
            for x in side("x")..side("x") + side("w") {
                for y in side("y")..side("y") + side("h") {
                    assert!(taken.insert((x, y)), "{name}: {} lies on another", panel["title"]);
                }
            }
        }
        let bottom = taken.iter().map(|(_, y)| y + 1).max().unwrap();
        assert_eq!(u64::try_from(taken.len()).unwrap(), 24 * bottom, "{name}: there is a hole");
    }
}

#[test]
fn what_is_committed_is_what_its_source_makes() {
    match Command::new("python3").args(["scripts/dashboards", "--check"]).current_dir(root()).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => println!("skipped: python3 is not installed"),
    }
}
