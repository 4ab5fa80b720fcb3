//! Rows of text in columns, for terminals.

/// A column's heading, and whether it is set to the right.
pub type Heading<'a> = (&'a [String], bool);

/// The lines of a table, headings first, `gap` between columns; no line ends in spaces. A heading of fewer lines than the
/// others stands on the lowest.
#[must_use]
pub fn lines(headings: &[Heading<'_>], rows: &[&[String]], gap: &str) -> Vec<String> {
    let high = headings.iter().map(|(heading, _)| heading.len()).max().unwrap_or_default();
    let heads = (0..high).map(|line| {
        let cell = |(heading, _): &Heading<'_>| {
            let above = high - heading.len();
            line.checked_sub(above).and_then(|line| heading.get(line)).cloned().unwrap_or_default()
        };
        headings.iter().map(cell).collect::<Vec<String>>()
    });
    let all: Vec<Vec<String>> = heads.chain(rows.iter().map(|row| row.to_vec())).collect();
    let widths: Vec<usize> = (0..headings.len())
        .map(|column| {
            all.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or_default()
        })
        .collect();
    all.iter()
        .map(|row| {
            let cells = row.iter().zip(headings).zip(&widths);
            let cells: Vec<String> = cells
                .map(
                    |((cell, (_, is_right)), width)| {
                        if *is_right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                    },
                )
                .collect();
            cells.join(gap).trim_end().to_owned()
        })
        .collect()
}

/// The lines of a table, with columns moved together where they would not fit into `most` otherwise.
#[must_use]
pub fn lines_within(headings: &[Heading<'_>], rows: &[&[String]], most: usize) -> Vec<String> {
    let wide = lines(headings, rows, "  ");
    let fits = wide.iter().all(|line| width(line) <= most);
    if fits { wide } else { lines(headings, rows, " ") }
}

/// Columns that a text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().count()
}

/// The beginning of a text, with an ellipsis where it is longer.
#[must_use]
pub fn shortened(text: &str, most: usize) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{kept}\u{2026}")
}

/// Breaks a text between words, so that its lines fit; a word that is longer stands alone.
#[must_use]
pub fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
