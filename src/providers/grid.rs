//! Grid data: what each provider can be asked about a region's carbon intensity, and what it may answer.

use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;

use super::FetchError;
use crate::domain::Region;
use crate::domain::region::GridZone;
use crate::domain::snapshot::{Forecast, GridProvider, Reading};

mod catalogue;
mod electricity_maps;
mod gb;
mod mock;
mod replay;

pub use catalogue::CatalogueGrid;
pub use electricity_maps::ElectricityMaps;
pub use gb::GbCarbonIntensity;
pub use mock::MockGrid;
pub use replay::{ReplayGrid, TraceError, TraceFault};

/// What a provider is asked about a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// The intensity now.
    Latest,
    /// The intensity of the last day, up to now.
    History,
    /// The intensity of the next days, as far as the provider looks.
    Forecast,
}

/// What a provider says. Values come as they were said: who judges them is the collector.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Readings, oldest first; the last one is the latest. Empty only when the question was the forecast.
    pub readings: Vec<Reading>,
    /// The forecast, when that was the question.
    pub forecast: Option<Arc<Forecast>>,
}

/// One reading: the latest.
impl From<Reading> for Answer {
    fn from(reading: Reading) -> Self {
        Self { readings: vec![reading], forecast: None }
    }
}

/// How a provider is reached, which decides how it is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It is in this process: asked about every region whenever something is to be published.
    Memory,
    /// It is asked over a network: once a zone and interval, paced, with patience and a circuit breaker.
    Network,
}

/// What a provider allows to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// It does not say.
    #[default]
    Unknown,
    /// These questions about these zones, and nothing else.
    Only(BTreeSet<(GridZone, Question)>),
}

/// What comes of asking, later.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, FetchError>> + Send + 'a>>;

/// One provider of grid data.
pub trait GridSource: Send + Sync + fmt::Debug {
    /// Which it is.
    fn provider(&self) -> GridProvider;

    /// How it is reached.
    fn reach(&self) -> Reach;

    /// What it can be asked; [`Question::Latest`] is always among it.
    fn questions(&self) -> &'static [Question] {
        &[Question::Latest]
    }

    /// Whether it speaks of a region at all, as far as can be told without asking: if not, nobody asks.
    ///
    /// # Errors
    /// It does not; why.
    fn speaks_of(&self, _region: &Region) -> Result<(), FetchError> {
        Ok(())
    }

    /// Asks about a region; of a provider on a network, a region stands for its zone.
    fn ask<'a>(&'a self, region: &'a Region, question: Question, now: Timestamp) -> Asked<'a, Answer>;

    /// Whether it can be asked what it may be asked.
    fn is_probed(&self) -> bool {
        false
    }

    /// Asks what it may be asked, before the first question.
    fn probe(&self) -> Asked<'_, Access> {
        Box::pin(async { Ok(Access::Unknown) })
    }
}
