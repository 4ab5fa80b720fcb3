//! What is wrong with a configuration: every error with its path, its value, and how to put it right.
//!
//! No error carries a value that may be a secret; whoever makes one decides (see [`super::value::Fault`]).

use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where, by keys and indices (`regions[2].pue`); empty when it is about the whole file.
    pub path: String,
    /// What stands there, as far as it may be shown.
    pub value: Option<String>,
    /// What is wrong with it.
    pub problem: String,
    /// What to write instead.
    pub cure: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        if let Some(value) = &self.value {
            write!(f, "{value} ")?;
        }
        write!(f, "{}; {}", self.problem, self.cure)
    }
}

impl std::error::Error for ConfigError {}

/// All that is wrong with one configuration, never empty. Displays as a list, one line an error, the number on top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    file: Option<PathBuf>,
    errors: Vec<ConfigError>,
}

impl ConfigErrors {
    pub(super) fn new(errors: Vec<ConfigError>) -> Self {
        Self { file: None, errors }
    }

    /// One error about the whole file.
    pub(super) fn whole_file(problem: impl Into<String>, cure: impl Into<String>) -> Self {
        let error =
            ConfigError { path: String::new(), value: None, problem: problem.into(), cure: cure.into() };
        Self::new(vec![error])
    }

    /// The same errors, found in `file`.
    pub(super) fn in_file(self, file: &Path) -> Self {
        Self { file: Some(file.to_owned()), ..self }
    }

    /// Each error, in the order they were found.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.errors.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = match self.errors.len() {
            1 => "1 error".to_owned(),
            many => format!("{many} errors"),
        };
        match &self.file {
            Some(file) => write!(f, "{count} in the configuration {}:", file.display())?,
            None => write!(f, "{count} in the configuration:")?,
        }
        self.errors.iter().try_for_each(|error| write!(f, "\nconfig: {error}"))
    }
}

impl std::error::Error for ConfigErrors {}
