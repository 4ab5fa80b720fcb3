//! What answers at the moment: everything behind the listeners that follows from one configuration.
//!
//! Each request takes it once and keeps it, so that a change of configuration never shows halfway through an answer.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::report::Gather;
use super::router::Endpoints;
use crate::decider::Decider;
use crate::domain::Regions;
use crate::providers::grid::MockGrid;
use crate::providers::refresh::CollectNow;

/// Where listeners find what answers.
pub type LiveView = Arc<ArcSwap<Live>>;

/// What answers.
#[derive(Debug)]
pub struct Live {
    /// For API server and scheduler.
    pub endpoints: Endpoints,
    /// For the snapshot and the settings.
    pub decider: Arc<Decider>,
    /// For `PUT /mock/REGION`; `None` unless the mock grid is configured.
    pub mock: Option<MockControl>,
    /// For `/report`.
    pub reports: Arc<dyn Gather>,
}

/// Changes the mock grid and waits until decisions see it.
#[derive(Clone, Debug)]
pub struct MockControl {
    /// The grid.
    pub grid: Arc<MockGrid>,
    /// Its regions.
    pub regions: Arc<Regions>,
    /// Publishes the change.
    pub collect: CollectNow,
    /// The version decisions see.
    pub seen: watch::Receiver<u64>,
}
