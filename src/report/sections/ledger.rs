//! Where the ledger ended when the report was made.

use crate::report::model::Report;
use crate::report::sheet::{Cell, Column, Grid, Part, Section, printable};

pub(super) fn heads(report: &Report) -> Option<Section> {
    if report.heads.is_empty() {
        return None;
    }
    let mut grid = Grid::new("", vec![Column::words("replica"), Column::figures(&["record"])]);
    grid.rows =
        report.heads.iter().map(|head| vec![Cell::text(&head.replica), Cell::count(head.seq)]).collect();
    let mut parts = vec![Part::text(
        "Decision records are chained by their hashes, a chain a replica. With the hash of the last one, \
         `eco-pulse report --verify --head HASH` proves that nothing was changed or cut off since.",
    )];
    parts.push(Part::Grid(grid));
    parts.extend(
        report.heads.iter().map(|head| Part::Text(format!("{}: {}", printable(&head.replica), head.hash))),
    );
    Some(Section::new("Ledger", parts))
}
