//! The model as JSON.

use eco_pulse::report::Form;
use eco_pulse::report::model::{Report, SCHEMA};
use serde_json::Value;

use crate::sample;
use crate::text;

#[test]
fn json_says_everything_and_reads_back() {
    for report in [sample::report(), sample::empty(), sample::of_decisions()] {
        let json = text(&report, Form::Json);
        let again: Report = serde_json::from_str(&json).unwrap();
        assert_eq!(text(&again, Form::Table), text(&report, Form::Table));
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["schema"], SCHEMA);
    }
}

#[test]
fn counterfactuals_are_named_in_the_order_of_the_figures() {
    let json: Value = serde_json::from_str(&text(&sample::report(), Form::Json)).unwrap();
    assert_eq!(json["counterfactuals"], serde_json::json!(["baseline", "scheduler_mix", "static_greenest"]));
    assert_eq!(json["total"]["against"].as_array().unwrap().len(), 3);
    assert_eq!(json["namespaces"][2]["namespace"], "lab");
    assert!(json["namespaces"][2]["sums"]["against"][0]["avoided_g"].as_f64().unwrap() < 0.0);
}
