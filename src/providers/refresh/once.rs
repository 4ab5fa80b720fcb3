//! Everything asked once, without publishing: what `check` and `explain` look at.

use std::time::Duration;

use super::Collector;
use super::desk::Desk;
use super::round::Round;
use crate::clock::timer_now;
use crate::domain::snapshot::Readings;

/// A provider that asks to be left alone for longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Answers that have come back, whatever they are.
    pub answered: usize,
    /// Questions there are.
    pub questions: usize,
}

impl Collector {
    /// Asks every provider once about everything; what failed is in the readings. `tell` hears of each answer.
    ///
    /// The pace is the collector's own, and so is the patience: a provider that fails again and again is not asked
    /// about what is left.
    pub async fn once(&self, tell: impl Fn(Progress)) -> Readings {
        let (now, timer) = (self.clock.now(), timer_now());
        let mut round = Round::new(self, self.collection(timer), 0, timer);
        round.begin(now, timer);
        round.collection.tells_all = true;
        let networks = round.collection.desks.iter().filter(|desk| desk.is_on_a_network());
        // Each provider's places and what it allows; and prices.
        let places = |desk: &Desk| (0..desk.places.len()).filter(|place| desk.may_ask(*place)).count();
        let questions =
            networks.map(|desk| places(desk) + usize::from(desk.source.is_probed())).sum::<usize>() + 1;
        round.ask_memory().await;
        let mut answered = 0;
        loop {
            let timer = timer_now();
            round.ask_what_is_due(timer);
            // Nothing is published here.
            round.publish_at = None;
            let wake_at = round.wake_at(timer);
            if round.under_way.is_empty() && wake_at > timer + PATIENCE {
                return Readings { version: 1, ..round.collection.readings(self.clock.now()) };
            }
            tokio::select! {
                biased;
                (ticket, came) = round.under_way.next() => {
                    round.take(ticket, came);
                    answered = questions.min(answered + 1);
                    tell(Progress { answered, questions });
                }
                () = tokio::time::sleep_until(wake_at) => {}
            }
        }
    }
}
