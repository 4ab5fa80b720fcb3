//! The forms of a report.

use super::csv::csv;
use super::error::ReportError;
use super::model::Report;
use super::pdf::pdf;
use super::table::table;

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// For a terminal of 80 columns.
    #[default]
    Table,
    /// For spreadsheets: one flat file.
    Csv,
    /// For programs: the whole model.
    Json,
    /// For people who keep it.
    Pdf,
}

/// A form that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// As comma-separated values.
    #[error("the report cannot be written as csv: {0}")]
    Csv(#[from] ::csv::Error),
    /// As JSON.
    #[error("the report cannot be written as json: {0}")]
    Json(#[from] serde_json::Error),
}

impl Form {
    /// Every form with its name.
    pub const ALL: [(&'static str, Self); 4] =
        [("table", Self::Table), ("csv", Self::Csv), ("json", Self::Json), ("pdf", Self::Pdf)];

    /// The form by its name.
    ///
    /// # Errors
    /// No form has it.
    pub fn named(name: &str) -> Result<Self, ReportError> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, form)| *form);
        found.ok_or_else(|| ReportError::UnknownForm(name.to_owned()))
    }

    /// What it is in HTTP.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Table => "text/plain; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Pdf => "application/pdf",
        }
    }

    /// What files of it end in.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Table => "txt",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Pdf => "pdf",
        }
    }
}

/// Writes a report. The same report always gives the same bytes.
///
/// # Errors
/// The writer of the form refuses a value.
pub fn render(report: &Report, form: Form) -> Result<Vec<u8>, FormError> {
    Ok(match form {
        Form::Table => table(report).into_bytes(),
        Form::Csv => csv(report)?,
        Form::Json => {
            let mut json = serde_json::to_vec_pretty(report)?;
            json.push(b'\n');
            json
        }
        Form::Pdf => pdf(report),
    })
}
