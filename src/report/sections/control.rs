//! The control group beside the others.

use crate::report::figures::{Quantity, Sign, written};
use crate::report::model::{Estimate, GroupFigures, Report};
use crate::report::sheet::{Cell, Column, Fact, Grid, Part, Section};

pub(super) fn control_group(report: &Report) -> Option<Section> {
    let holdout = report.holdout.as_ref()?;
    let mut grid = Grid::new(
        "",
        vec![
            Column::words("group"),
            Column::figures(&["owners"]),
            Column::figures(&["pods"]),
            Column::figures(&["core-hours"]),
            Column::figures(&["gCO2e", "a core-hour"]),
            Column::figures(&["USD", "a core-hour"]),
        ],
    );
    grid.rows = vec![row("decided", &holdout.decided), row("control", &holdout.holdout)];
    let facts = vec![
        fact("Reduction of emissions for a core-hour", holdout.reduction),
        fact("Saving of cost for a core-hour", holdout.saving),
    ];
    let told = "Owners in the control group were chosen by chance and their pods left as they came: they measure what \
         would have happened, instead of assuming it. The comparison covers the days for which figures by owner are \
         kept. An interval that includes 0 means that chance alone could have done it.";
    Some(Section::new("Control group", vec![Part::text(told), Part::Grid(grid), Part::Facts(facts)]))
}

fn row(name: &str, figures: &GroupFigures) -> Vec<Cell> {
    vec![
        Cell::text(name),
        Cell::count(figures.owners),
        Cell::count(figures.pods),
        Cell::amount(Quantity::Hours, figures.core_hours),
        Cell::maybe(Quantity::Rate, figures.emissions_g_per_core_hour),
        Cell::maybe(Quantity::MoneyRate, figures.cost_usd_per_core_hour),
    ]
}

fn fact(label: &str, estimate: Option<Estimate>) -> Fact {
    let percent = |share: f64| format!("{} %", written(share * 100.0, 1, Sign::Always));
    let Some(estimate) = estimate else {
        let value = "not known".to_owned();
        return Fact { label: label.to_owned(), value, remark: "no core-hours, or no prices".to_owned() };
    };
    let remark = match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => {
            format!("95 % confidence interval {} to {}", percent(low), percent(high))
        }
        _ => "fewer than two owners in a group: no interval".to_owned(),
    };
    Fact { label: label.to_owned(), value: percent(estimate.value), remark }
}
