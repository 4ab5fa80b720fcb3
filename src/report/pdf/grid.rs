//! Tables on pages: columns as wide as they need, headings again on every page.

use super::page::{GREY, HAIR, LEFT, Pages, RIGHT, Type};
use crate::report::figures::Units;
use crate::report::sheet::{ColumnKind, Grid, SetGrid};

const BODY: Type = Type::regular(8.0);
const HEAD: Type = Type::bold(7.5);
const TITLE: Type = Type::bold(9.0);
const LEADING: f32 = 10.0;
const PADDING: f32 = 2.0;
const GAP: f32 = 8.0;
/// Below this, a name tells nothing any more.
const NARROWEST: f32 = 60.0;

/// A table under way.
struct Setting<'g> {
    grid: &'g Grid,
    /// Where columns begin, and how wide they are.
    columns: Vec<(f32, f32)>,
}

/// Least height that is worth beginning a table for.
pub(super) fn least_height(grid: &Grid) -> f32 {
    let title = if grid.title.is_empty() { 0.0 } else { 14.0 };
    title + head_height(grid) + 3.0 * row_height(1)
}

pub(super) fn draw(pages: &mut Pages, grid: &Grid, units: &Units) {
    let set = grid.set(units);
    let setting = Setting { grid, columns: columns(grid, &set) };
    pages.ensure(least_height(grid));
    if !grid.title.is_empty() {
        pages.text(LEFT, pages.y + 9.0, &TITLE.shortened(&grid.title, RIGHT - LEFT), TITLE);
        pages.y += 14.0;
    }
    setting.head(pages);
    let last = set.rows.len().saturating_sub(1);
    for (index, row) in set.rows.iter().enumerate() {
        let cells = setting.broken(row);
        let height = row_height(cells.iter().map(Vec::len).max().unwrap_or(1));
        // The sum does not stand alone on a page.
        let with_sum = if index == last && set.total.is_some() { row_height(1) } else { 0.0 };
        if pages.ensure(height + with_sum) {
            setting.head(pages);
        }
        setting.row(pages, &cells, BODY);
        pages.y += height;
        pages.line((LEFT, pages.y), (RIGHT, pages.y), 0.3, HAIR);
    }
    if let Some(total) = &set.total {
        pages.line((LEFT, pages.y), (RIGHT, pages.y), 0.7, GREY);
        setting.row(pages, &setting.broken(total), Type { face: super::font::Face::Bold, ..BODY });
        pages.y += row_height(1);
    }
}

fn row_height(lines: usize) -> f32 {
    lines as f32 * LEADING + 2.0 * PADDING
}

fn head_height(grid: &Grid) -> f32 {
    row_height(grid.columns.iter().map(|column| column.heading.len()).max().unwrap_or(1))
}

/// Names and prose give way until figures have their room; what is left over is shared.
fn columns(grid: &Grid, set: &SetGrid) -> Vec<(f32, f32)> {
    let mut widths: Vec<f32> = (0..grid.columns.len())
        .map(|index| {
            let heads = grid.columns[index].heading.iter().map(|line| HEAD.width(line));
            let cells = set.rows.iter().map(|row| BODY.width(&row[index]));
            let total = set.total.iter().map(|row| Type::bold(BODY.size).width(&row[index]));
            heads.chain(cells).chain(total).fold(0.0, f32::max) + 0.5
        })
        .collect();
    let room = RIGHT - LEFT - GAP * (widths.len().saturating_sub(1)) as f32;
    grid.narrow(&mut widths, room, NARROWEST);
    let spare = (room - widths.iter().sum::<f32>()).max(0.0) / widths.len().max(1) as f32;
    let mut x = LEFT;
    widths
        .into_iter()
        .map(|width| {
            let column = (x, width + spare);
            x += width + spare + GAP;
            column
        })
        .collect()
}

impl Setting<'_> {
    fn head(&self, pages: &mut Pages) {
        let high = self.grid.columns.iter().map(|column| column.heading.len()).max().unwrap_or(1);
        let cells: Vec<Vec<String>> = self
            .grid
            .columns
            .iter()
            .map(|column| {
                let above = vec![String::new(); high - column.heading.len()];
                above.into_iter().chain(column.heading.iter().cloned()).collect()
            })
            .collect();
        self.row(pages, &cells, HEAD.in_grey());
        pages.y += head_height(self.grid);
        pages.line((LEFT, pages.y), (RIGHT, pages.y), 0.7, GREY);
    }

    /// A row's cells as the lines that they need.
    fn broken(&self, row: &[String]) -> Vec<Vec<String>> {
        let cells = row.iter().zip(&self.columns).zip(&self.grid.columns);
        cells
            .map(|((cell, (_, width)), column)| match column.kind {
                ColumnKind::Prose => BODY.wrapped(cell, *width),
                _ => vec![Type::bold(BODY.size).shortened(cell, *width)],
            })
            .collect()
    }

    fn row(&self, pages: &mut Pages, cells: &[Vec<String>], of: Type) {
        for ((lines, (x, width)), column) in cells.iter().zip(&self.columns).zip(&self.grid.columns) {
            for (index, line) in lines.iter().enumerate() {
                let y = pages.y + PADDING + index as f32 * LEADING + 7.5;
                if column.kind == ColumnKind::Figures {
                    pages.text_to(x + width, y, line, of);
                } else {
                    pages.text(*x, y, line, of);
                }
            }
        }
    }
}
