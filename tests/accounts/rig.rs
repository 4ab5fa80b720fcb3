//! Drives the books through the week, as the accountant does.

use std::collections::{BTreeMap, HashSet};

use eco_pulse::accounts::books::Limits;
use eco_pulse::accounts::cells::HourKey;
use eco_pulse::accounts::run::End;
use eco_pulse::accounts::stored::hours_of;
use eco_pulse::accounts::sums::{Group, Sums};
use eco_pulse::app::{BookError, Bookkeeper};
use eco_pulse::store::{BookStore, MemoryStore, SnapshotStore};
use jiff::{SignedDuration, Timestamp};

use crate::expected::Figures;
use crate::week::{Life, STEP, STEPS, Told, lives, price, start, told};

/// Hours are kept for long: a server that forgets by its own clock lives years after the week.
pub const LIMITS: Limits = Limits { price_max_age_hours: 48, retention_days: 20_000, raw_retention_days: 30 };

/// The week as one process lives through it.
pub struct Simulation {
    pub keeper: Bookkeeper,
    pub lives: Vec<Life>,
    history: SnapshotStore,
    told: std::iter::Peekable<std::vec::IntoIter<Told>>,
}

pub fn time_of(step: i64) -> Timestamp {
    start() + STEP * i32::try_from(step).unwrap()
}

impl Simulation {
    /// Begins at a step, from what is stored.
    pub async fn begin(books: BookStore, step: i64) -> Result<Self, BookError> {
        let history = SnapshotStore::Memory(MemoryStore::new(SignedDuration::from_hours(24 * 400)));
        let keeper = Bookkeeper::begin(books, history.clone(), LIMITS, time_of(step)).await?;
        Ok(Self { keeper, lives: lives(), history, told: told().into_iter().peekable() })
    }

    /// One step: what was told since, what is there, what is due.
    pub async fn step(&mut self, step: i64, is_first: bool) -> Result<(), BookError> {
        let now = time_of(step);
        while let Some(told) = self.told.next_if(|told| told.from <= now) {
            self.history.remember(&[told.reading], now).await.unwrap();
        }
        let before = now - STEP;
        let there = |life: &Life| life.run.bound_at <= now && life.gone_at.is_none_or(|gone| gone > now);
        for life in self.lives.iter().filter(|life| there(life)) {
            if !self.keeper.books.knows(&life.run.uid) {
                self.keeper.open(life.run.clone(), None, now).await?;
            }
            if let Some(ended_at) = life.ended_at.filter(|ended_at| *ended_at <= now) {
                self.keeper.books.end(&life.run.uid, End { at: ended_at, seen: true });
            }
        }
        if is_first {
            let uids: HashSet<String> =
                self.lives.iter().filter(|life| there(life)).map(|life| life.run.uid.clone()).collect();
            self.keeper.listed(&uids, now).await?;
        } else {
            let gone = self
                .lives
                .iter()
                .filter(|life| life.gone_at.is_some_and(|gone| gone > before && gone <= now));
            for life in gone {
                self.keeper.books.gone(&life.run.uid, now);
            }
        }
        self.keeper.store().await?;
        let hours = start().as_second() / 3600;
        self.keeper
            .books
            .note_prices(now.as_second() / 3600, |key| price(key, now.as_second() / 3600 - hours));
        self.keeper.books.confirm(now);
        self.keeper.look(now).await?;
        let recorded: Vec<String> = self.keeper.books.unrecorded().map(|(uid, _)| uid.to_owned()).collect();
        for uid in recorded {
            self.keeper.books.recorded(&uid);
        }
        self.keeper.store().await
    }
}

/// The whole week, undisturbed.
pub async fn run_week(books: &BookStore) -> Simulation {
    let mut simulation = Simulation::begin(books.clone(), 0).await.unwrap();
    for step in 0..STEPS {
        simulation.step(step, step == 0).await.unwrap();
    }
    simulation
}

/// All that is kept of the week's hours.
pub async fn stored_hours(books: &BookStore) -> Vec<(HourKey, Sums)> {
    let first = start().as_second() / 86_400;
    let mut hours = Vec::new();
    for day in first..first + 12 {
        let table = hours_of(day);
        for (field, value) in books.table(&table).await.unwrap() {
            let sums = Sums::from_text(&table, &field, &value).unwrap();
            hours.push((HourKey::read(&table, &field).unwrap(), sums));
        }
    }
    hours
}

/// The figures by namespace, named as they are expected.
pub fn by_namespace(hours: &[(HourKey, Sums)]) -> BTreeMap<String, Figures> {
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for (key, some) in hours {
        let group = if key.group == Group::Holdout { "/holdout" } else { "" };
        *sums.entry(format!("{}{group}", key.namespace)).or_default() += *some;
    }
    sums.into_iter().map(|(namespace, sums)| (namespace, named(&sums))).collect()
}

/// Figures, named as they are expected.
#[allow(clippy::cast_precision_loss, reason = "some hundred pods")]
pub fn named(sums: &Sums) -> Figures {
    let mut figures = vec![
        ("pods".to_owned(), sums.pods as f64),
        ("steered".to_owned(), sums.steered as f64),
        ("missed".to_owned(), sums.missed as f64),
        ("moves_ended".to_owned(), sums.moves_ended as f64),
        ("moves_gained".to_owned(), sums.moves_gained as f64),
        ("core_hours".to_owned(), sums.core_hours),
        ("measured_hours".to_owned(), sums.measured_hours),
        ("estimated_hours".to_owned(), sums.estimated_hours),
        ("missing_hours".to_owned(), sums.missing_hours),
        ("actual_kwh".to_owned(), sums.actual.energy_kwh),
        ("actual_g".to_owned(), sums.actual.emissions_g),
        ("actual_usd".to_owned(), sums.actual.cost_usd),
        ("unpriced_hours".to_owned(), sums.actual.unpriced_hours),
        ("projected_hours".to_owned(), sums.projected_hours),
    ];
    for (index, (compared, projected)) in sums.against.iter().zip(sums.projected).enumerate() {
        figures.extend([
            (format!("against_{index}_hours"), compared.hours),
            (format!("against_{index}_priced_hours"), compared.priced_hours),
            (format!("against_{index}_g"), compared.emissions_g),
            (format!("against_{index}_usd"), compared.cost_usd),
            (format!("against_{index}_avoided_g"), compared.avoided_g),
            (format!("against_{index}_saved_usd"), compared.saved_usd),
            (format!("projected_{index}_g"), projected.avoided_g),
            (format!("projected_{index}_usd"), projected.saved_usd),
        ]);
    }
    figures.into_iter().collect()
}

/// Every figure to a billionth of itself.
pub fn assert_same(found: &BTreeMap<String, Figures>, expected: &BTreeMap<String, Figures>) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (namespace, figures) in found {
        for (name, found) in figures {
            let expected = expected[namespace].get(name).copied().unwrap_or_default();
            let close = (found - expected).abs() <= 1e-9 * expected.abs().max(1e-6);
            assert!(close, "{namespace} {name}: {found} is not {expected}");
        }
    }
}
