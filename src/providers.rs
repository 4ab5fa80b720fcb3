//! Where readings come from: grid data and prices, and the one task that polls, judges and publishes them.
//!
//! Nothing here is called while a pod waits.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::snapshot::Failure;

pub mod grid;
pub mod price;
pub mod refresh;
pub mod token;
pub mod web;

/// A provider gave nothing of use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", failure.as_str())]
pub struct FetchError {
    /// What it is.
    pub failure: Failure,
    /// What exactly, for people; never a secret.
    pub detail: Arc<str>,
    /// How long the provider asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl FetchError {
    /// A failure, and what exactly it is.
    #[must_use]
    pub fn new(failure: Failure, detail: impl Into<Arc<str>>) -> Self {
        Self { failure, detail: detail.into(), retry_after: None }
    }
}
