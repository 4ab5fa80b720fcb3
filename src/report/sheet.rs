//! A report as headed sections of words, figures and charts: what a terminal and a page have in common.

use std::iter::Sum;
use std::ops::SubAssign;

use super::figures::{Quantity, Sign, UNKNOWN, Units, count, decimals, written};

/// Characters of a cell at most. Kubernetes allows a namespace 63 and an owner 253.
const LONGEST_TEXT: usize = 200;

/// One section.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// What stands under it, in order.
    pub parts: Vec<Part>,
    /// Whether it is reference matter that begins a page of its own where there are pages.
    pub is_appendix: bool,
}

/// Something under a heading.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A paragraph.
    Text(String),
    /// Single figures, each with what it is.
    Facts(Vec<Fact>),
    /// A table.
    Grid(Grid),
    /// A chart, where charts can be shown.
    Chart(Chart),
}

/// A figure by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub label: String,
    /// The figure with its unit.
    pub value: String,
    /// What is to be known of it; may be empty.
    pub remark: String,
}

/// Figures side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// What it shows; may be empty.
    pub title: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows, a cell a column.
    pub rows: Vec<Vec<Cell>>,
    /// The row that sums up, if there is one.
    pub total: Option<Vec<Cell>>,
}

/// How a column is set, and headed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its heading, a line each.
    pub heading: Vec<String>,
    /// What stands in it.
    pub kind: ColumnKind,
}

/// What stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Names: to the left, shortened where there is no room.
    Names,
    /// Prose: to the left, broken over lines where there is no room.
    Prose,
    /// Figures: to the right, and always whole.
    Figures,
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A figure; `None`: not known.
    Figure(Quantity, Sign, Option<f64>),
}

/// A grid whose cells are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetGrid {
    /// Its rows as text.
    pub rows: Vec<Vec<String>>,
    /// The row that sums up.
    pub total: Option<Vec<String>>,
}

/// What charts show.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// What it shows, with the unit.
    pub title: String,
    /// Names of what is compared.
    pub series: Vec<String>,
    /// How it is drawn.
    pub kind: ChartKind,
    /// A label and a figure of each series, in the report's units; `None`: not known.
    pub points: Vec<(String, Vec<Option<f64>>)>,
}

/// How a chart is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartKind {
    /// Time runs to the right, figures go up.
    OverTime,
    /// A line for each label, figures go to the right.
    Listed,
}

/// A text as it may be shown: nothing in it moves a terminal's cursor, and none is so long that it takes a page of its own.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut characters =
        text.chars().map(|of| if of.is_control() { char::REPLACEMENT_CHARACTER } else { of });
    let mut shown: String = characters.by_ref().take(LONGEST_TEXT).collect();
    if characters.next().is_some() {
        shown.push('\u{2026}');
    }
    shown
}

impl Section {
    /// A section that is not reference matter.
    #[must_use]
    pub fn new(title: &'static str, parts: Vec<Part>) -> Self {
        Self { title, parts, is_appendix: false }
    }
}

impl Part {
    /// A paragraph.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl Column {
    /// Names.
    #[must_use]
    pub fn words(heading: &str) -> Self {
        Self { heading: vec![heading.to_owned()], kind: ColumnKind::Names }
    }

    /// Prose.
    #[must_use]
    pub fn prose(heading: &str) -> Self {
        Self { kind: ColumnKind::Prose, ..Self::words(heading) }
    }

    /// Figures.
    #[must_use]
    pub fn figures(heading: &[&str]) -> Self {
        let heading = heading.iter().filter(|line| !line.is_empty());
        Self { heading: heading.map(|line| (*line).to_owned()).collect(), kind: ColumnKind::Figures }
    }
}

impl Cell {
    /// Words; names are in them that somebody else gave.
    #[must_use]
    pub fn text(text: impl AsRef<str>) -> Self {
        Self::Text(printable(text.as_ref()))
    }

    /// An amount.
    #[must_use]
    pub const fn amount(quantity: Quantity, value: f64) -> Self {
        Self::Figure(quantity, Sign::Minus, Some(value))
    }

    /// An amount that may be unknown.
    #[must_use]
    pub const fn maybe(quantity: Quantity, value: Option<f64>) -> Self {
        Self::Figure(quantity, Sign::Minus, value)
    }

    /// A difference that may be unknown.
    #[must_use]
    pub const fn difference(quantity: Quantity, value: Option<f64>) -> Self {
        Self::Figure(quantity, Sign::Always, value)
    }

    /// How many.
    #[must_use]
    pub const fn count(count: u64) -> Self {
        Self::Figure(Quantity::Count, Sign::Minus, Some(count as f64))
    }
}

impl Grid {
    /// An empty one.
    #[must_use]
    pub fn new(title: impl Into<String>, columns: Vec<Column>) -> Self {
        Self { title: title.into(), columns, rows: Vec::new(), total: None }
    }

    /// Takes from the widths of names and prose, the widest first, until all have room, or none is wider than `least`.
    pub fn narrow<T>(&self, widths: &mut [T], room: T, least: T)
    where
        T: Copy + PartialOrd + Sum + SubAssign + From<u8>,
    {
        while widths.iter().copied().sum::<T>() > room {
            let texts = (0..widths.len()).filter(|index| self.columns[*index].kind != ColumnKind::Figures);
            let widest = texts.reduce(|one, other| if widths[other] >= widths[one] { other } else { one });
            let Some(widest) = widest.filter(|index| widths[*index] > least) else { break };
            widths[widest] -= T::from(1);
        }
    }

    /// Writes its cells: all figures of a quantity have the same decimals, so that they compare.
    #[must_use]
    pub fn set(&self, units: &Units) -> SetGrid {
        let cells = || self.rows.iter().chain(&self.total).flatten();
        let decimals_of = |quantity: Quantity| {
            let figures = cells().filter_map(move |cell| match cell {
                Cell::Figure(of, _, value) if *of == quantity => *value,
                _ => None,
            });
            decimals(quantity, figures.map(|value| units.scaled(quantity, value)))
        };
        let decimals = Quantity::ALL.map(|quantity| (quantity, decimals_of(quantity)));
        let set_cell = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            Cell::Figure(_, _, None) => UNKNOWN.to_owned(),
            Cell::Figure(quantity, sign, Some(value)) => {
                let decimals =
                    decimals.iter().find(|(of, _)| of == quantity).map_or(0, |(_, decimals)| *decimals);
                written(units.scaled(*quantity, *value), decimals, *sign)
            }
        };
        let set_row = |row: &Vec<Cell>| row.iter().map(set_cell).collect();
        SetGrid { rows: self.rows.iter().map(set_row).collect(), total: self.total.as_ref().map(set_row) }
    }
}

impl Fact {
    /// A figure in its unit, by itself.
    #[must_use]
    pub fn figure(
        label: impl Into<String>,
        (quantity, sign): (Quantity, Sign),
        value: Option<f64>,
        units: &Units,
    ) -> Self {
        let shown = value.map_or_else(
            || "not known".to_owned(),
            |value| {
                let scaled = units.scaled(quantity, value);
                let text = written(scaled, decimals(quantity, [scaled].into_iter()), sign);
                format!("{text} {}", units.name(quantity)).trim_end().to_owned()
            },
        );
        Self { label: label.into(), value: shown, remark: String::new() }
    }

    /// How many.
    #[must_use]
    pub fn count(label: impl Into<String>, of: u64) -> Self {
        Self { label: label.into(), value: count(of), remark: String::new() }
    }

    /// With a remark.
    #[must_use]
    pub fn with(self, remark: impl Into<String>) -> Self {
        Self { remark: remark.into(), ..self }
    }
}
