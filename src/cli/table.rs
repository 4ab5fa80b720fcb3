//! Aligned tables for terminals.

use crate::report::{Heading, lines as aligned, lines_within as aligned_within};

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows under a heading, set when all are known.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with one cell per column.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines, heading first; no line ends in spaces.
    pub(super) fn lines(&self) -> Vec<String> {
        self.set(|headings, rows| aligned(headings, rows, "  "))
    }

    /// The lines, with columns moved together where they would not fit into `width` otherwise.
    pub(super) fn lines_within(&self, width: usize) -> Vec<String> {
        self.set(|headings, rows| aligned_within(headings, rows, width))
    }

    fn set(&self, set: impl Fn(&[Heading<'_>], &[&[String]]) -> Vec<String>) -> Vec<String> {
        let headings: Vec<[String; 1]> =
            self.columns.iter().map(|(heading, _)| [(*heading).to_owned()]).collect();
        let aligns = self.columns.iter().map(|(_, align)| *align == Align::Right);
        let headings: Vec<Heading<'_>> = headings.iter().map(<[String; 1]>::as_slice).zip(aligns).collect();
        let rows: Vec<&[String]> = self.rows.iter().map(Vec::as_slice).collect();
        set(&headings, &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&[("REGION", Align::Left), ("USD", Align::Right)]);
        table.row(["eu".to_owned(), "+1.25".to_owned()]);
        table.row(["canadacentral".to_owned(), "0".to_owned()]);
        assert_eq!(table.lines(), ["REGION           USD", "eu             +1.25", "canadacentral      0"]);
    }

    #[test]
    fn columns_move_together_where_the_terminal_is_narrow() {
        let mut table = Table::new(&[("A", Align::Left), ("B", Align::Right)]);
        table.row(["one".to_owned(), "2".to_owned()]);
        assert_eq!(table.lines_within(6), ["A    B", "one  2"]);
        assert_eq!(table.lines_within(5), ["A   B", "one 2"]);
    }
}
