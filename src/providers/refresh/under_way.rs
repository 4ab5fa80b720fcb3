//! Requests under way, and what each is about: a request that ends by a defect comes back as one that failed.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio::task::{Id, JoinSet};

use super::super::FetchError;
use super::super::grid::{Access, Answer, Question};
use super::super::price::PricesByRegion;
use crate::domain::snapshot::Failure;

/// What a request was about.
#[derive(Clone, Copy, Debug)]
pub enum Ticket {
    /// A provider's word on a place.
    Grid {
        /// The provider, by index.
        desk: usize,
        /// The place, by index.
        place: usize,
        /// What was asked.
        question: Question,
        /// When.
        asked_at: Timestamp,
    },
    /// What a provider allows to be asked.
    Probe {
        /// The provider, by index.
        desk: usize,
    },
    /// Prices.
    Prices {
        /// When they were asked for.
        asked_at: Timestamp,
    },
}

/// What came of it.
#[derive(Debug)]
pub enum Came {
    /// Of a provider's word on a place.
    Grid(Result<Answer, FetchError>),
    /// Of what a provider allows to be asked.
    Probe(Result<Access, FetchError>),
    /// Of prices.
    Prices(Result<PricesByRegion, FetchError>),
}

/// Requests under way, and what each is about.
#[derive(Debug, Default)]
pub struct UnderWay {
    tasks: JoinSet<Came>,
    tickets: HashMap<Id, Ticket>,
}

impl UnderWay {
    /// Whether none is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tickets.is_empty()
    }

    /// Starts one.
    pub fn start(&mut self, ticket: Ticket, request: impl Future<Output = Came> + Send + 'static) {
        self.tickets.insert(self.tasks.spawn(request).id(), ticket);
    }

    /// The next one that comes back; never, while none is under way.
    pub async fn next(&mut self) -> (Ticket, Came) {
        loop {
            let (id, came) = match self.tasks.join_next_with_id().await {
                Some(Ok((id, came))) => (id, Some(came)),
                Some(Err(error)) => (error.id(), None),
                None => std::future::pending().await,
            };
            let Some(ticket) = self.tickets.remove(&id) else { continue };
            let defect = || FetchError::new(Failure::Unreadable, "a defect ended the request");
            let came = came.unwrap_or_else(|| match ticket {
                Ticket::Grid { .. } => Came::Grid(Err(defect())),
                Ticket::Probe { .. } => Came::Probe(Err(defect())),
                Ticket::Prices { .. } => Came::Prices(Err(defect())),
            });
            return (ticket, came);
        }
    }
}
