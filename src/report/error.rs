//! What is wrong with what was asked of a report, in words that name what was asked, its value and the cure.

use jiff::Timestamp;

use super::period::MOST_DAYS;

/// Namespaces named one by one before the rest is counted.
const MOST_NAMED: usize = 12;

/// Who asks: the same arguments have other spellings on a command line and in an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `--from X`.
    Command,
    /// `from=X`.
    Query,
}

impl Asked {
    /// An argument's name.
    #[must_use]
    pub fn name(self, argument: &str) -> String {
        match self {
            Self::Command => format!("--{argument} "),
            Self::Query => format!("{argument}="),
        }
    }

    /// An argument with its value.
    #[must_use]
    pub fn value(self, argument: &str, value: &str) -> String {
        format!("{}{value}", self.name(argument))
    }
}

/// A report that cannot be made as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Only one end of the period.
    #[error("{} is missing: give both ends of the period", missing.trim_end_matches([' ', '=']))]
    OneEnd {
        /// The argument that is missing.
        missing: String,
    },
    /// Neither a date nor a point in time.
    #[error(
        "{name}\"{value}\" is neither a date nor a time: write 2026-11-01, or 2026-11-01T00:00:00Z with an offset"
    )]
    NotATime {
        /// The argument.
        name: String,
        /// What it says.
        value: String,
    },
    /// Sums are kept by the hour.
    #[error("{name}\"{value}\" is not a whole hour in UTC, and figures are kept by the hour: round it")]
    NotAWholeHour {
        /// The argument.
        name: String,
        /// What it says.
        value: String,
    },
    /// Nothing lies between the two.
    #[error(
        "{to} is not after {from}: exchange them, or give a later end (which the period does not include)"
    )]
    EndBeforeStart {
        /// The start, with its name.
        from: String,
        /// The end, with its name.
        to: String,
    },
    /// Nothing has happened yet.
    #[error("{from} is in the future, and it is {now}: give an earlier start")]
    Future {
        /// The start, with its name.
        from: String,
        /// The time now.
        now: Timestamp,
    },
    /// Nothing is kept for so long.
    #[error(
        "{from} to {to} is longer than {MOST_DAYS} days, and nothing is kept for so long: give a shorter period"
    )]
    TooLong {
        /// The start, with its name.
        from: String,
        /// The end, with its name.
        to: String,
    },
    /// None of the period's pods is in the namespace.
    #[error("namespace \"{namespace}\" has no pods in this period; those that have: {}", named(known))]
    UnknownNamespace {
        /// The namespace asked for.
        namespace: String,
        /// Those that have pods, in order.
        known: Vec<String>,
    },
    /// No form that a report can be written in.
    #[error("output={0:?} is not known: choose table, csv, json or pdf")]
    UnknownForm(String),
}

fn named(known: &[String]) -> String {
    let named = known.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match known.len().checked_sub(MOST_NAMED) {
        None | Some(0) => named,
        Some(more) => format!("{named} and {more} more"),
    }
}
