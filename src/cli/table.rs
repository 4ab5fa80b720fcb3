//! Aligned tables for terminals.

use crate::report::lines as aligned_lines;

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
        self.lines_with("  ")
    }

    /// The lines, with columns moved together where they would not fit into `width` otherwise.
    pub(super) fn lines_within(&self, width: usize) -> Vec<String> {
        let lines = self.lines();
        let fits = lines.iter().all(|line| line.chars().count() <= width);
        if fits { lines } else { self.lines_with(" ") }
    }

    fn lines_with(&self, gap: &str) -> Vec<String> {
        let headings: Vec<[String; 1]> =
            self.columns.iter().map(|(heading, _)| [(*heading).to_owned()]).collect();
        let aligns = self.columns.iter().map(|(_, align)| *align == Align::Right);
        let headings: Vec<(&[String], bool)> =
            headings.iter().map(<[String; 1]>::as_slice).zip(aligns).collect();
        let rows: Vec<&[String]> = self.rows.iter().map(Vec::as_slice).collect();
        aligned_lines(&headings, &rows, gap)
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
