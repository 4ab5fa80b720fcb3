//! Reports, from sums to the bytes of each form, and the endpoint that gives them.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../process/command.rs"]
#[allow(dead_code, reason = "the process's tests use more of it")]
mod command;
mod csv;
mod document;
mod endpoint;
mod json;
mod pdf;
mod sample;
mod table;
mod usage;

use eco_pulse::report::model::Report;
use eco_pulse::report::{Form, render};

fn text(report: &Report, form: Form) -> String {
    String::from_utf8(render(report, form).unwrap()).unwrap()
}

/// Headings of the sections of a report with everything in it.
const HEADINGS: [&str; 14] = [
    "Summary",
    "Emissions inventory",
    "Avoided emissions",
    "Cost saved",
    "Placements and moves",
    "Over time",
    "Owners",
    "Control group",
    "Data quality",
    "Decisions",
    "Ledger",
    "Method",
    "Constants",
    "Sources and licences of data",
];
