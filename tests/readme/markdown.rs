//! As much of Markdown as the documents use.

/// A fenced block.
pub struct Block<'a> {
    /// What stands behind the opening fence.
    pub language: &'a str,
    /// What stands between the fences.
    pub text: &'a str,
}

impl Block<'_> {
    /// The file it is to be saved as: its first line says so, as a comment.
    pub fn file(&self) -> Option<&str> {
        self.text.lines().next()?.strip_prefix("# ")
    }
}

/// Every fenced block.
pub fn blocks(document: &str) -> Vec<Block<'_>> {
    let mut parts = document.split("```").skip(1);
    let mut blocks = Vec::new();
    while let (Some(inside), Some(_outside)) = (parts.next(), parts.next()) {
        let (language, text) = inside.split_once('\n').unwrap();
        blocks.push(Block { language, text });
    }
    blocks
}

/// The block that is to be saved as `file`.
pub fn block<'a>(document: &'a str, file: &str) -> &'a str {
    blocks(document)
        .into_iter()
        .find(|block| block.file() == Some(file))
        .unwrap_or_else(|| panic!("no block {file}"))
        .text
}

/// A table.
pub struct Table {
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The cells of a column, by its title; `None` when the table has no such column.
    pub fn column(&self, title: &str) -> Option<Vec<&str>> {
        let index = self.header.iter().position(|cell| cell == title)?;
        Some(self.rows.iter().map(|row| row[index].as_str()).collect())
    }
}

/// Every table.
pub fn tables(document: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut in_table = false;
    for line in document.lines() {
        if !line.starts_with('|') {
            in_table = false;
        } else if line.starts_with("|---") {
        } else if in_table {
            let table = tables.last_mut().unwrap();
            let cells = cells(line);
            assert_eq!(cells.len(), table.header.len(), "{line}");
            table.rows.push(cells);
        } else {
            tables.push(Table { header: cells(line), rows: Vec::new() });
            in_table = true;
        }
    }
    tables
}

/// The one table with these titles.
pub fn table(document: &str, header: &[&str]) -> Table {
    let mut found = tables(document).into_iter().filter(|table| table.header == header);
    let table = found.next().unwrap_or_else(|| panic!("no table {header:?}"));
    assert!(found.next().is_none(), "two tables {header:?}");
    table
}

fn cells(line: &str) -> Vec<String> {
    const BAR: &str = "\u{1}";
    let line = line.replace("\\|", BAR);
    let inner = line.trim().trim_start_matches('|');
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    inner.split('|').map(|cell| cell.trim().replace(BAR, "|")).collect()
}

/// Every back-ticked text of a cell.
pub fn codes(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// The text on one line, so that a phrase is found wherever its lines break.
pub fn flowing(document: &str) -> String {
    document.split_whitespace().collect::<Vec<_>>().join(" ")
}
