//! By namespace: the inventory, what was avoided, what was saved, and where pods went.

use super::summary::LABELS;
use super::{SHORT, avoided_g, counterfactual, share};
use crate::accounts::sums::{COUNTERFACTUALS, Sums};
use crate::report::figures::{Quantity, Units};
use crate::report::known::Known as _;
use crate::report::model::Report;
use crate::report::sheet::{Cell, Chart, ChartKind, Column, Grid, Part, Section, printable};

/// Namespaces that a chart can show; the rest is one line.
const MOST_CHARTED: usize = 12;
/// Said wherever one of the two is shown.
const APART: &str = "Inventory and avoided emissions are different things (GHG Protocol): avoided emissions compare with \
     what did not happen, and are never to be subtracted from an inventory.";

/// What a column of figures is made of.
type Of = fn(&Sums, usize) -> Cell;

pub(super) fn inventory(report: &Report, units: &Units) -> Option<Section> {
    if !report.has_realised() || report.inventory.is_empty() {
        return None;
    }
    let mut grid = Grid::new(
        "By namespace and region, control group included",
        vec![
            Column::words("namespace"),
            Column::words("region"),
            Column::figures(&["core-hours"]),
            Column::figures(&[units.name(Quantity::Energy)]),
            Column::figures(&[units.name(Quantity::Emissions)]),
            Column::figures(&["pod-hours", "missing"]),
        ],
    );
    let figures = |core_hours, energy_kwh, emissions_g, missing| {
        [
            Cell::amount(Quantity::Hours, core_hours),
            Cell::amount(Quantity::Energy, energy_kwh),
            Cell::amount(Quantity::Emissions, emissions_g),
            Cell::amount(Quantity::Hours, missing),
        ]
    };
    let mut sums = [0.0; 4];
    for row in &report.inventory {
        let region = if row.region.is_empty() { "not known" } else { &row.region };
        let words = [Cell::text(&row.namespace), Cell::text(region)];
        let of = [row.core_hours, row.energy_kwh, row.emissions_g, row.missing_hours];
        sums.iter_mut().zip(of).for_each(|(sum, figure)| *sum += figure);
        grid.rows.push(words.into_iter().chain(figures(of[0], of[1], of[2], of[3])).collect());
    }
    let words = [Cell::text("all"), Cell::text("")];
    grid.total = Some(words.into_iter().chain(figures(sums[0], sums[1], sums[2], sums[3])).collect());
    let told = "Location-based emissions of the pods, modelled from requests, by the grid of the region they ran in. \
         Pods that Eco-Pulse does not decide about are not in it, nor are idle machines.";
    let parts = vec![Part::text(format!("{told} {APART}")), Part::Grid(grid)];
    Some(Section::new("Emissions inventory", parts))
}

pub(super) fn avoided(report: &Report, units: &Units) -> Section {
    let mass = units.name(Quantity::Emissions);
    let mut parts = vec![Part::text(format!("{APART} {}", compared_with(report)))];
    parts.push(Part::Chart(chart(report, units)));
    parts.push(Part::Grid(savings(
        report,
        format!("Avoided emissions, {mass}"),
        |sums, index| Cell::difference(Quantity::Emissions, sums.projected_g(index)),
        |sums, index| {
            Cell::difference(
                Quantity::Emissions,
                sums.known_against(index).map(|compared| compared.avoided_g),
            )
        },
    )));
    if report.has_realised() {
        parts.push(Part::Grid(elsewhere(
            report,
            format!("Emissions where the pods ran, and what they would have been elsewhere, {mass}"),
            |sums, _| Cell::maybe(Quantity::Emissions, sums.known_emissions()),
            |sums, index| {
                Cell::maybe(
                    Quantity::Emissions,
                    sums.known_against(index).map(|compared| compared.emissions_g),
                )
            },
        )));
        parts.push(Part::text(
            "Elsewhere, and avoided, cover the hours in which both sides are known; where the pods ran, all hours.",
        ));
    }
    Section::new("Avoided emissions", parts)
}

pub(super) fn saved(report: &Report) -> Section {
    let mut parts = vec![Part::text(format!(
        "Cash only: price and transfer, never carbon or latency. Differences that the sources of prices cannot tell \
         apart count as none. {LABELS}"
    ))];
    parts.push(Part::Grid(savings(
        report,
        "Saved, USD".to_owned(),
        |sums, index| Cell::difference(Quantity::Money, sums.projected_usd(index)),
        |sums, index| {
            Cell::difference(
                Quantity::Money,
                sums.known_cost_against(index).map(|compared| compared.saved_usd),
            )
        },
    )));
    if report.has_realised() {
        parts.push(Part::Grid(elsewhere(
            report,
            "Cost where the pods ran, and elsewhere, USD".to_owned(),
            |sums, _| Cell::maybe(Quantity::Money, sums.known_cost()),
            |sums, index| {
                Cell::maybe(Quantity::Money, sums.known_cost_against(index).map(|compared| compared.cost_usd))
            },
        )));
    }
    Section::new("Cost saved", parts)
}

pub(super) fn moves(report: &Report) -> Section {
    let realised = report.has_realised();
    let mut columns =
        vec![Column::words("namespace"), Column::figures(&["pods"]), Column::figures(&["steered"])];
    if realised {
        columns.extend([
            Column::figures(&["missed"]),
            Column::figures(&["moves", "ended"]),
            Column::figures(&["with", "gain"]),
            Column::figures(&["share", "%"]),
        ]);
    }
    let row = |name: &str, sums: &Sums| {
        let mut row = vec![Cell::text(name), Cell::count(sums.pods), Cell::count(sums.steered)];
        if realised {
            row.extend([
                Cell::count(sums.missed),
                Cell::count(sums.moves_ended),
                Cell::count(sums.moves_gained),
                share(sums.moves_gained as f64, sums.moves_ended as f64),
            ]);
        }
        row
    };
    let grid = by_namespace(report, String::new(), columns, row);
    let told = if realised {
        "Steered: sent to another region than the base. Missed: bound in another region than the preferred one. Moves \
         that ended: pods steered, bound where they were sent, and gone again; with gain: with a realised net benefit \
         above zero, carbon counted at its price."
    } else {
        "Steered: sent to another region than the base. Where the pods were bound is not known."
    };
    Section::new("Placements and moves", vec![Part::text(told), Part::Grid(grid)])
}

/// A row for each namespace, and one for all.
pub(super) fn by_namespace(
    report: &Report,
    title: String,
    columns: Vec<Column>,
    row: impl Fn(&str, &Sums) -> Vec<Cell>,
) -> Grid {
    let mut grid = Grid::new(title, columns);
    grid.rows = report.namespaces.iter().map(|of| row(&of.namespace, &of.sums)).collect();
    grid.total = (report.namespaces.len() > 1).then(|| row("all", &report.total));
    grid
}

/// Projected and realised side by side, against each counterfactual.
fn savings(report: &Report, title: String, projected: Of, realised: Of) -> Grid {
    let hows: &[(&str, Of)] = if report.has_realised() {
        &[("projected", projected), ("realised", realised)]
    } else {
        &[("projected", projected)]
    };
    let pairs = || (0..COUNTERFACTUALS).flat_map(|index| hows.iter().map(move |how| (index, how)));
    let mut columns = vec![Column::words("namespace")];
    columns.extend(pairs().map(|(index, (how, _))| Column::figures(&[SHORT[index], how])));
    by_namespace(report, title, columns, |name, sums| {
        [Cell::text(name)].into_iter().chain(pairs().map(|(index, (_, of))| of(sums, index))).collect()
    })
}

/// Here, and at each counterfactual.
fn elsewhere(report: &Report, title: String, here: Of, there: Of) -> Grid {
    let mut columns =
        vec![Column::words("namespace"), Column::figures(&["core-hours"]), Column::figures(&["here"])];
    columns.extend(SHORT.map(|short| Column::figures(&[short])));
    by_namespace(report, title, columns, |name, sums| {
        let begin = [Cell::text(name), Cell::amount(Quantity::Hours, sums.core_hours), here(sums, 0)];
        begin.into_iter().chain((0..COUNTERFACTUALS).map(|index| there(sums, index))).collect()
    })
}

fn compared_with(report: &Report) -> String {
    let names: Vec<String> =
        (0..COUNTERFACTUALS).map(|index| counterfactual(index, &report.setting)).collect();
    format!(
        "Compared with the {}, with the {} (what Kubernetes alone does: it spreads), and with the {} region by the year's \
         mean, fixed beforehand: a claim that does not hold against that one is met by a constant.",
        names[0], names[1], names[2]
    )
}

fn chart(report: &Report, units: &Units) -> Chart {
    let realised = report.has_realised();
    let figure = |sums: &Sums, index: usize| {
        avoided_g(report, sums, index).map(|grams| units.scaled(Quantity::Emissions, grams))
    };
    let both = |sums: &Sums| vec![figure(sums, 0), figure(sums, 2)];
    let (shown, rest) = report.namespaces.split_at(report.namespaces.len().min(MOST_CHARTED));
    let mut points: Vec<_> = shown.iter().map(|row| (printable(&row.namespace), both(&row.sums))).collect();
    if !rest.is_empty() {
        let mut sums = Sums::default();
        for row in rest {
            sums += row.sums;
        }
        points.push((format!("{} others", rest.len()), both(&sums)));
    }
    let how = if realised { "realised" } else { "projected" };
    Chart {
        title: format!("Avoided emissions by namespace, {how}, {}", units.name(Quantity::Emissions)),
        series: vec![against(report, 0), against(report, 2)],
        kind: ChartKind::Listed,
        points,
    }
}

/// What a chart calls figures against a counterfactual.
pub(super) fn against(report: &Report, index: usize) -> String {
    format!("against the {}", counterfactual(index, &report.setting))
}
