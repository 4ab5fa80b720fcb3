//! Aligned tables for terminals.

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
        let width = |index: usize, heading: &str| {
            let cells = self.rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
            cells.chain([heading.chars().count()]).max().unwrap_or_default()
        };
        let widths: Vec<usize> =
            self.columns.iter().enumerate().map(|(index, (heading, _))| width(index, heading)).collect();
        let set = |cells: &[&str]| {
            let columns = self.columns.iter().zip(&widths).zip(cells);
            let cells: Vec<String> = columns
                .map(|(((_, align), width), cell)| match align {
                    Align::Left => format!("{cell:<width$}"),
                    Align::Right => format!("{cell:>width$}"),
                })
                .collect();
            cells.join("  ").trim_end().to_owned()
        };
        let headings: Vec<&str> = self.columns.iter().map(|(heading, _)| *heading).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(String::as_str).collect::<Vec<_>>());
        [headings].into_iter().chain(rows).map(|cells| set(&cells)).collect()
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
}
