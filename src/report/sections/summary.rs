//! The figures of all pods, and what a reader has to know.

use super::{counterfactual, share};
use crate::accounts::sums::COUNTERFACTUALS;
use crate::report::figures::{Quantity, Sign, Units, constant, count};
use crate::report::known::Known as _;
use crate::report::model::Report;
use crate::report::sheet::{Cell, Column, Fact, Grid, Part, Section};

const TITLE: &str = "Summary";
/// Where savings are shown.
pub(super) const LABELS: &str = "Energy and emissions are modelled from requests, not measured. USD are attributed: a \
     bill changes only when machines are added or taken away. Below zero: more was emitted, or paid, than there.";

/// What is said of a period without pods.
pub(super) fn nothing(report: &Report) -> Section {
    let whose = report.namespace.as_ref().map_or(String::new(), |name| format!(" in namespace {name}"));
    let mut parts = vec![Part::text(format!(
        "No pod was bound or ran{whose} in this period after a decision: there is nothing to report."
    ))];
    parts.extend(report.notes.iter().map(Part::text));
    Section::new(TITLE, parts)
}

pub(super) fn summary(report: &Report, units: &Units) -> Section {
    let mut parts = vec![Part::Facts(facts(report, units)), Part::Grid(against(report, units))];
    parts.push(Part::text(LABELS));
    if report.has_realised() {
        parts.push(Part::text(
            "Projected: expected when the pods were bound, over their expected runs. Realised: from where they ran in \
             this period, hour by hour; pods that still run have more to come.",
        ));
    }
    parts.extend(open(report).map(Part::Text));
    parts.extend(report.notes.iter().map(Part::text));
    Section::new(TITLE, parts)
}

fn facts(report: &Report, units: &Units) -> Vec<Fact> {
    let total = &report.total;
    let amount = |label: &str, quantity, value| Fact::figure(label, (quantity, Sign::Minus), value, units);
    if !report.has_realised() {
        let hours = Some(total.projected_hours);
        return vec![
            Fact::count("Pods decided about", total.pods).with(format!("{} steered", count(total.steered))),
            amount("Expected pod-hours", Quantity::Hours, hours),
        ];
    }
    let unpriced = if total.actual.unpriced_hours > 0.0 { "some hours have no price" } else { "attributed" };
    vec![
        Fact::count("Pods bound", total.pods).with(format!(
            "{} steered, {} missed",
            count(total.steered),
            count(total.missed)
        )),
        amount("Core-hours", Quantity::Hours, Some(total.core_hours)).with("requested"),
        amount("Energy", Quantity::Energy, Some(total.actual.energy_kwh)).with("modelled"),
        amount("Emissions where they ran", Quantity::Emissions, total.known_emissions())
            .with("location-based, modelled"),
        amount("Cost where they ran", Quantity::Money, total.known_cost()).with(unpriced),
    ]
}

fn against(report: &Report, units: &Units) -> Grid {
    let mass = units.name(Quantity::Emissions);
    let mut columns = vec![Column::words("compared with")];
    let heads: &[[&str; 2]] = if report.has_realised() {
        &[
            ["avoided", "projected"],
            ["avoided", "realised"],
            ["saved", "projected"],
            ["saved", "realised"],
            ["hours", "compared"],
        ]
    } else {
        &[["avoided", "projected"], ["saved", "projected"]]
    };
    columns.extend(heads.iter().map(|[of, how]| {
        let unit = match *of {
            "avoided" => mass,
            "saved" => "USD",
            _ => "%",
        };
        Column::figures(&[of, how, unit])
    }));
    let mut grid = Grid::new("All pods, without the control group", columns);
    let total = &report.total;
    for index in 0..COUNTERFACTUALS {
        let mut row = vec![
            Cell::text(counterfactual(index, &report.setting)),
            Cell::difference(Quantity::Emissions, total.projected_g(index)),
        ];
        let saved = Cell::difference(Quantity::Money, total.projected_usd(index));
        if report.has_realised() {
            row.extend([
                Cell::difference(
                    Quantity::Emissions,
                    total.known_against(index).map(|compared| compared.avoided_g),
                ),
                saved,
                Cell::difference(
                    Quantity::Money,
                    total.known_cost_against(index).map(|compared| compared.saved_usd),
                ),
                share(total.against[index].hours, total.pod_hours()),
            ]);
        } else {
            row.push(saved);
        }
        grid.rows.push(row);
    }
    grid
}

fn open(report: &Report) -> Option<String> {
    let open = report.open;
    let running = (open.running > 0).then(|| format!("{} pods still run", count(open.running)));
    let waiting = (open.waiting_hours > 0.0)
        .then(|| format!("{} pod-hours wait for readings", constant(open.waiting_hours)));
    let told: Vec<String> = [running, waiting].into_iter().flatten().collect();
    (!told.is_empty()).then(|| format!("Not closed yet: {}.", told.join("; ")))
}
