//! The books with what keeps them: each set of changes is stored before the next is made.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::known::Known;
use crate::accounts::AT_THE_START;
use crate::accounts::books::{Books, Limits};
use crate::accounts::cells::DAY_HOURS;
use crate::accounts::due::Due;
use crate::accounts::grid::hour_of;
use crate::accounts::run::{End, Run};
use crate::accounts::stored::{Unreadable, hours_of, owners_of};
use crate::domain::Regions;
use crate::store::{BookStore, Leadership, SnapshotStore, StoreError};

/// Hours that are accounted for in one set of changes.
const HOURS_AT_ONCE: usize = 200;
/// Pods whose end is noted in one set of changes.
const GONE_AT_ONCE: usize = 1000;
/// Runs that are closed in one set of changes.
const CLOSED_AT_ONCE: usize = 1000;
/// Hours that wait, at one look.
const MOST_WAITING: usize = 20_000;
/// Between two looks at hours that wait for readings.
const WAITING_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// Days, today among them, whose figures stay in memory.
pub(super) const DAYS_IN_MEMORY: i64 = 8;

/// The books cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something stored cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// The books, in memory and in their store.
#[derive(Debug)]
pub struct Bookkeeper {
    /// In memory. What is changed here is stored by [`Bookkeeper::store`].
    pub books: Books,
    store: BookStore,
    history: SnapshotStore,
    version: u64,
    waiting_looked_at: Timestamp,
    /// Where the last look at waiting hours stopped; `None`: at their end.
    last_waiting: Option<Due>,
    expired_on: i64,
    /// The regions whose readings are collected; `None`: nobody says, and all may come.
    pub collected: Option<Arc<Regions>>,
}

impl Bookkeeper {
    /// Reads the books as they are stored.
    ///
    /// # Errors
    /// The store fails, or holds what cannot be read.
    pub async fn begin(
        store: BookStore,
        history: SnapshotStore,
        limits: Limits,
        now: Timestamp,
    ) -> Result<Self, BookError> {
        let version = store.version().await?;
        let mut books = Books::new(limits);
        for table in AT_THE_START {
            books.load(table, &store.table(table).await?)?;
        }
        let mut keeper = Self {
            books,
            store,
            history,
            version,
            waiting_looked_at: Timestamp::MIN,
            last_waiting: None,
            expired_on: 0,
            collected: None,
        };
        let today = hour_of(now).div_euclid(DAY_HOURS);
        for day in today - DAYS_IN_MEMORY + 1..=today {
            keeper.read_day(day).await?;
        }
        Ok(keeper)
    }

    /// Counts a pod that was bound, and its end where that is known already.
    ///
    /// # Errors
    /// As [`Bookkeeper::begin`].
    pub async fn open(&mut self, run: Run, end: Option<End>, now: Timestamp) -> Result<(), BookError> {
        self.read_day(self.books.day_of_binding(run.bound_at, now)).await?;
        self.books.open(run, end, now);
        Ok(())
    }

    /// Takes a whole list of the pods there are: what is not in it is gone.
    ///
    /// # Errors
    /// As [`Bookkeeper::store`].
    pub async fn listed(&mut self, uids: &HashSet<String>, now: Timestamp) -> Result<(), BookError> {
        // After an outage many are gone, and one set of changes has an end.
        for some in self.books.missing_from(uids).chunks(GONE_AT_ONCE) {
            for uid in some {
                self.books.gone(uid, now);
            }
            self.store().await?;
        }
        Ok(())
    }

    /// Stores what has changed. When that fails, what is in memory is not what is stored, and has to be given up.
    ///
    /// # Errors
    /// The store fails, or somebody else has written.
    pub async fn store(&mut self) -> Result<(), BookError> {
        let changes = self.books.take_changes();
        if !changes.is_empty() {
            self.version = self.store.write(self.version, changes).await?;
        }
        Ok(())
    }

    /// Accounts for the hours that are due, and closes the runs that have ended.
    ///
    /// # Errors
    /// As [`Bookkeeper::store`].
    pub async fn look(&mut self, now: Timestamp) -> Result<(), BookError> {
        self.store().await?;
        let mut due = self.books.due(now);
        // Hours together that are near each other: so few readings are needed at a time.
        due.sort_unstable();
        if now.duration_since(self.waiting_looked_at).abs() >= WAITING_EVERY {
            self.waiting_looked_at = now;
            let waiting = self.books.waiting_after(self.last_waiting.as_ref(), MOST_WAITING);
            self.last_waiting = waiting.get(MOST_WAITING - 1).cloned();
            due.extend(waiting);
        }
        for some in due.chunks(HOURS_AT_ONCE) {
            self.stay().await?;
            self.account(some, now).await?;
        }
        for day in self.books.days_to_close() {
            self.read_day(day).await?;
        }
        while self.books.close(now, CLOSED_AT_ONCE) > 0 {
            self.stay().await?;
            self.store().await?;
        }
        let today = hour_of(now).div_euclid(DAY_HOURS);
        if self.expired_on != today {
            self.expired_on = today;
            self.store.expire(now);
        }
        self.books.forget_days_before(today - DAYS_IN_MEMORY + 1);
        Ok(())
    }

    /// Stays the one who may write: a long look must not lose the lock.
    async fn stay(&self) -> Result<(), BookError> {
        match self.store.lead().await? {
            Leadership::Ours => Ok(()),
            Leadership::Theirs(_) => Err(StoreError::NotCollector.into()),
        }
    }

    async fn account(&mut self, due: &[Due], now: Timestamp) -> Result<(), BookError> {
        for day in self.books.days_of(due) {
            self.read_day(day).await?;
        }
        let (history, needed) = (&self.history, self.books.readings_for(due));
        let known = Known::read(history, needed, self.collected.clone()).await?;
        self.books.account(due, &known, now);
        self.store().await
    }

    async fn read_day(&mut self, day: i64) -> Result<(), BookError> {
        if self.books.has_day(day) {
            return Ok(());
        }
        let (hours, owners) =
            (self.store.table(&hours_of(day)).await?, self.store.table(&owners_of(day)).await?);
        Ok(self.books.load_day(day, &hours, &owners)?)
    }
}
