//! Room for connections, shared out among those who hold them: when there is none left, a newcomer takes the place of a
//! connection of whoever holds the most.
//!
//! Without that a single client that opens connections and says nothing would keep the API server out for as long as an
//! idle connection lives, and every pod would wait for the caller's time-out.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::task::{AbortHandle, Id};

use super::activity::Activity;

/// Who holds connections.
#[derive(Debug)]
pub(super) struct Room {
    limit: usize,
    taken: HashMap<Id, Place>,
    accepted: u64,
}

#[derive(Debug)]
struct Place {
    peer: IpAddr,
    number: u64,
    activity: Arc<Activity>,
    connection: AbortHandle,
}

impl Room {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, taken: HashMap::new(), accepted: 0 }
    }

    pub(super) fn taken(&self) -> usize {
        self.taken.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.taken.len() >= self.limit
    }

    pub(super) fn take(&mut self, peer: IpAddr, activity: Arc<Activity>, connection: AbortHandle) {
        self.accepted += 1;
        let place = Place { peer, number: self.accepted, activity, connection };
        self.taken.insert(place.connection.id(), place);
    }

    /// A connection has ended. False where it had been made to.
    pub(super) fn leave(&mut self, connection: Id) -> bool {
        self.taken.remove(&connection).is_some()
    }

    /// Ends a connection that is not being answered, of the peer that holds the most of these; of that peer's one that was
    /// never used, has been silent for long, and is old, in this order.
    pub(super) fn make_some(&mut self) {
        let mut held: HashMap<IpAddr, usize> = HashMap::new();
        for place in self.taken.values() {
            *held.entry(place.peer).or_default() += 1;
        }
        let victim = self.taken.values().max_by_key(|place| {
            let activity = &place.activity;
            let is_used = activity.received() > 0;
            (
                held[&place.peer],
                !activity.is_answering(),
                !is_used,
                activity.quiet_looks(),
                Reverse(place.number),
            )
        });
        if let Some(victim) = victim.map(|place| place.connection.clone()) {
            self.taken.remove(&victim.id());
            victim.abort();
        }
    }
}
