//! What can go wrong with one pod's account.

use std::collections::HashSet;

use eco_pulse::accounts::run::{End, Run, Treatment};
use eco_pulse::accounts::sums::{Compared, Sums};
use eco_pulse::app::{BookError, Bookkeeper};
use eco_pulse::catalogue::Catalogue;
use eco_pulse::config::Config;
use eco_pulse::domain::history::PastReading;
use eco_pulse::domain::snapshot::{Basis, CapacityType};
use eco_pulse::domain::units::GramsPerKwh;
use eco_pulse::store::{BookStore, MemoryStore, SnapshotStore, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::rig::{LIMITS, stored_hours};
use crate::week::{REGIONS, at, lives, price, start, told};

struct Books {
    keeper: Bookkeeper,
    store: BookStore,
    history: SnapshotStore,
}

impl Books {
    async fn new() -> Self {
        let history = SnapshotStore::Memory(MemoryStore::new(SignedDuration::from_hours(24 * 400)));
        let store = BookStore::in_memory();
        let keeper = Bookkeeper::begin(store.clone(), history.clone(), LIMITS, at(0, 0)).await.unwrap();
        Self { keeper, store, history }
    }

    /// Tells measured readings of some hours, of all regions but one.
    async fn tell(&self, hours: std::ops::Range<i64>, but: &str) {
        let readings = told().into_iter().map(|told| PastReading { estimated: false, ..told.reading });
        let wanted = readings.filter(|reading| {
            let hour = reading.starts_at.duration_since(start()).as_hours();
            hours.contains(&hour) && reading.region.as_str() != but
        });
        self.history.remember(&wanted.collect::<Vec<_>>(), at(0, 0)).await.unwrap();
    }

    async fn open(&mut self, run: Run) {
        let now = run.bound_at;
        let uid = run.uid.clone();
        self.keeper.open(run, None, now).await.unwrap();
        let hour = now.duration_since(start()).as_hours();
        self.keeper.books.note_prices_of(&uid, now.as_second() / 3600, |key| price(key, hour));
    }

    fn note_prices(&mut self, now: Timestamp) {
        let hour = now.duration_since(start()).as_hours();
        self.keeper.books.note_prices(now.as_second() / 3600, |key| price(key, hour));
    }

    async fn look(&mut self, now: Timestamp) {
        self.note_prices(now);
        self.keeper.look(now).await.unwrap();
    }

    /// All that has been accounted for.
    async fn sums(&self) -> Sums {
        let mut total = Sums::default();
        for (_, sums) in stored_hours(&self.store).await {
            total += sums;
        }
        total
    }

    fn record(&self) -> Value {
        let (_, record) = self.keeper.books.unrecorded().next().unwrap();
        serde_json::from_str(record).unwrap()
    }
}

/// A steered pod that landed where it was sent, bound at half past two.
fn run(uid: &str) -> Run {
    let steered = |run: &Run| {
        let moved = run.treatment == Treatment::Steer && run.landed() == Some(true);
        moved
            && run.compares
            && run.base == Some(0)
            && run.places[0].price.capacity_type == CapacityType::OnDemand
    };
    let run = lives().into_iter().map(|life| life.run).find(steered).unwrap();
    Run { uid: uid.to_owned(), bound_at: at(2, 30), ..run }
}

fn seen(hour: i64, minute: i64) -> End {
    End { at: at(hour, minute), seen: true }
}

#[tokio::test]
async fn a_pod_that_was_gone_when_somebody_looked_ended_when_it_was_last_there() {
    let mut books = Books::new().await;
    books.tell(0..8, "").await;
    books.open(run("a")).await;
    books.keeper.books.confirm(at(4, 20));
    // Nobody looks for three hours, and then it is not among those that are there.
    books.keeper.listed(&HashSet::new(), at(7, 20)).await.unwrap();
    books.look(at(7, 20)).await;
    let record = books.record();
    assert_eq!(
        (record["ended_at"].as_str(), record["end_seen"].as_bool()),
        (Some("2022-06-06T04:20:00Z"), Some(false))
    );
    assert!((books.sums().await.measured_hours - 110.0 / 60.0).abs() < 1e-12);
}

#[tokio::test]
async fn an_hour_that_is_not_told_stays_open_and_is_filled_when_it_is() {
    let mut books = Books::new().await;
    books.tell(0..8, "us-east-1").await;
    books.open(run("a")).await;
    books.keeper.books.end("a", seen(4, 0));
    books.look(at(5, 0)).await;
    let sums = books.sums().await;
    assert_eq!(
        (sums.pods, sums.core_hours, sums.missing_hours),
        (1, 0.0, 0.0),
        "the baseline's hours are open"
    );
    let open: Vec<_> = books.keeper.books.open_runs().collect();
    assert_eq!(open[0].progress.waiting.len(), 2);
    books.tell(0..8, "").await;
    books.look(at(6, 0)).await;
    assert!((books.sums().await.measured_hours - 1.5).abs() < 1e-12);
    assert_eq!(books.keeper.books.open_runs().count(), 0);
}

#[tokio::test]
async fn what_is_never_told_is_counted_as_missing_in_the_end_and_what_is_known_is_kept() {
    let mut books = Books::new().await;
    books.tell(0..8, "us-east-1").await;
    books.open(run("a")).await;
    books.keeper.books.end("a", seen(4, 0));
    books.look(at(24 * 30 + 5, 0)).await;
    let sums = books.sums().await;
    // Where it ran is known, and so is the greenest region; the baseline is not, and neither is the mix that it is part of.
    assert!((sums.measured_hours - 1.5).abs() < 1e-12 && sums.actual.emissions_g > 0.0);
    assert_eq!((sums.against[0].hours, sums.against[1].hours), (0.0, 0.0));
    assert!((sums.against[2].hours - 1.5).abs() < 1e-12);
    let record = books.record();
    assert!(record["against"][0]["avoided_g"].is_null() && record["net_benefit_usd"].is_null(), "{record}");

    let mut blind = Books::new().await;
    blind.open(run("a")).await;
    blind.keeper.books.end("a", seen(4, 0));
    blind.look(at(24 * 30 + 5, 0)).await;
    let sums = blind.sums().await;
    assert_eq!((sums.missing_hours, sums.actual.emissions_g), (1.5, 0.0), "missing is not zero: it is said");
}

#[tokio::test]
async fn what_is_not_alike_is_not_compared() {
    let mut books = Books::new().await;
    books.tell(0..8, "").await;
    let baseline =
        told().into_iter().map(|told| told.reading).filter(|reading| reading.region.as_str() == REGIONS[0]);
    let direct: Vec<_> = baseline
        .map(|reading| PastReading {
            basis: Basis::Direct,
            estimated: false,
            intensity: GramsPerKwh(900.0),
            ..reading
        })
        .collect();
    books.history.remember(&direct, at(0, 0)).await.unwrap();
    books.open(run("a")).await;
    books.keeper.books.end("a", seen(4, 0));
    books.look(at(5, 0)).await;
    // Not by kind, whatever the time: it will not become alike by waiting.
    books.look(at(24 * 30 + 5, 0)).await;
    let sums = books.sums().await;
    assert!(sums.actual.emissions_g > 0.0);
    assert_eq!((sums.against[0], sums.against[1].hours), (Compared::default(), 0.0));
}

#[tokio::test]
async fn a_pod_counts_once_however_often_it_is_seen_and_whatever_the_clock_does() {
    let mut books = Books::new().await;
    books.tell(0..8, "").await;
    for _ in 0..3 {
        books.open(run("a")).await;
    }
    books.keeper.books.confirm(at(5, 0));
    books.look(at(5, 0)).await;
    let before = books.sums().await;
    assert_eq!(before.pods, 1);
    // Back by four hours, and on again.
    books.keeper.books.confirm(at(1, 0));
    books.look(at(1, 0)).await;
    books.look(at(5, 1)).await;
    assert_eq!(books.sums().await, before);

    books.keeper.books.end("a", seen(5, 0));
    books.look(at(6, 0)).await;
    assert_eq!(books.keeper.books.open_runs().count(), 0);
    // A Job's pod stays where it is after its end, and is seen again; also by whoever comes next.
    let mut next =
        Bookkeeper::begin(books.store.clone(), books.history.clone(), LIMITS, at(6, 0)).await.unwrap();
    assert!(next.books.knows("a"));
    next.open(run("a"), None, at(6, 0)).await.unwrap();
    assert_eq!(next.books.open_runs().count(), 0);
    // Once its record has been handed over and the API server has forgotten it, so may we.
    next.books.recorded("a");
    next.listed(&HashSet::new(), at(6, 0)).await.unwrap();
    assert!(!next.books.knows("a"));
}

#[tokio::test]
async fn of_two_who_write_one_is_refused() {
    let mut books = Books::new().await;
    books.tell(0..8, "").await;
    let mut other =
        Bookkeeper::begin(books.store.clone(), books.history.clone(), LIMITS, at(3, 0)).await.unwrap();
    books.open(run("a")).await;
    books.look(at(3, 0)).await;
    other.open(run("a"), None, at(3, 0)).await.unwrap();
    let refused = other.store().await.unwrap_err();
    assert!(matches!(refused, BookError::Store(StoreError::Outdated { .. })), "{refused}");
    assert_eq!(books.sums().await.pods, 1);
}

#[tokio::test]
async fn a_pod_from_before_the_accounts_begin_is_not_looked_at_hour_by_hour_for_ever() {
    let mut books = Books::new().await;
    let old = Run { bound_at: Timestamp::UNIX_EPOCH, ..run("a") };
    books.keeper.open(old, None, at(5, 0)).await.unwrap();
    books.keeper.books.confirm(at(5, 0));
    books.look(at(5, 0)).await;
    let [open] = books.keeper.books.open_runs().collect::<Vec<_>>()[..] else { panic!("one run") };
    assert!(open.progress.waiting.len() <= 30 * 24);
    let missing = open.progress.realised.missing_hours;
    assert!(missing > 52.0 * 365.0 * 24.0, "its years before are missing, and said to be: {missing}");
}

#[tokio::test]
async fn the_record_of_a_run_says_what_came_of_its_decision() {
    let mut books = Books::new().await;
    books.tell(0..8, "").await;
    let run = run("a");
    books.open(run.clone()).await;
    books.keeper.books.end("a", seen(4, 0));
    books.look(at(5, 0)).await;
    let record = books.record();
    let sums = books.sums().await;
    assert_eq!(record["record"], "realised");
    assert_eq!(record["decision_id"], run.decision_id.as_str());
    assert_eq!(
        (record["region"].as_str(), record["target_region"].as_str()),
        (Some("eu-north-1"), Some("eu-north-1"))
    );
    assert_eq!(record["hours"], serde_json::json!({ "measured": 1.5, "estimated": 0.0, "missing": 0.0 }));
    assert_eq!(record["co2e_g"].as_f64(), Some(sums.actual.emissions_g));
    assert_eq!(record["against"][0]["name"], "baseline");
    assert_eq!(record["against"][0]["avoided_g"].as_f64(), Some(sums.against[0].avoided_g));
    assert_eq!(record["against"][0]["projected"]["saved_usd"].as_f64(), Some(-0.01));
    assert_eq!(
        (sums.moves_ended, sums.moves_gained),
        (1, u64::from(record["net_benefit_usd"].as_f64().unwrap() > 0.0))
    );
}

/// A run that is over, by a configuration from which `eu-central-1` was taken meanwhile; one region has not told its readings.
async fn without_frankfurt(untold: &str) -> Books {
    let mut books = Books::new().await;
    books.tell(0..8, untold).await;
    let catalogue = Catalogue::built_in().unwrap();
    let yaml = "baseline: {region: us-east-1}\nregions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1}]\n";
    books.keeper.collected = Some(Config::parse(yaml, &catalogue).unwrap().regions);
    books.open(run("a")).await;
    books.keeper.books.end("a", seen(4, 0));
    books.look(at(5, 0)).await;
    books
}

#[tokio::test]
async fn a_region_that_is_gone_keeps_nobody_waiting() {
    let books = without_frankfurt("eu-central-1").await;
    let sums = books.sums().await;
    assert!((sums.measured_hours - 1.5).abs() < 1e-12);
    assert!(sums.against[0].hours > 0.0 && sums.against[2].hours > 0.0);
    assert!(sums.against[1].hours <= 0.0, "nobody knows what the mix would have been");
}

#[tokio::test]
async fn a_region_that_is_gone_keeps_no_other_one_from_being_waited_for() {
    let mut books = without_frankfurt("us-east-1").await;
    assert!(books.sums().await.measured_hours <= 0.0, "the base may yet be told");
    books.tell(0..8, "").await;
    books.look(at(5, 10)).await;
    let sums = books.sums().await;
    assert!((sums.measured_hours - 1.5).abs() < 1e-12 && sums.against[0].hours > 0.0, "{sums:?}");
}

#[tokio::test]
async fn thousands_that_end_together_are_closed_in_sets_that_can_be_written() {
    let mut books = Books::new().await;
    books.tell(0..8, "").await;
    for number in 0..2_500 {
        books.open(run(&format!("pod-{number}"))).await;
        books.keeper.books.end(&format!("pod-{number}"), seen(3, 0));
    }
    books.look(at(5, 0)).await;
    assert_eq!(books.keeper.books.open_runs().count(), 0);
    let version = books.store.version().await.unwrap();
    assert!(version > 2_500 / 1_000 + 2_500 / 200, "{version} sets of changes");
    let sums = books.sums().await;
    assert_eq!((sums.pods, sums.moves_ended), (2_500, 2_500));
}

#[tokio::test]
async fn a_pod_that_was_over_long_ago_is_charged_for_its_run_and_no_longer() {
    let mut books = Books::new().await;
    let now = at(24 * 60, 0);
    let end = End { at: at(3, 30), seen: true };
    books.keeper.open(run("a"), Some(end), now).await.unwrap();
    books.look(now).await;
    let record = books.record();
    assert_eq!(record["hours"], serde_json::json!({ "measured": 0.0, "estimated": 0.0, "missing": 1.0 }));
    assert_eq!(books.keeper.books.open_runs().count(), 0);
}

#[tokio::test]
async fn a_clock_that_was_ahead_for_a_while_charges_nobody() {
    let mut books = Books::new().await;
    books.tell(0..8, "").await;
    books.open(run("a")).await;
    books.keeper.books.confirm(at(24 * 9, 0));
    books.keeper.listed(&HashSet::new(), at(4, 0)).await.unwrap();
    books.look(at(5, 0)).await;
    assert_eq!(books.record()["ended_at"], "2022-06-06T04:00:00Z");
    assert!((books.sums().await.core_hours - 1.5 * run("a").asked.cpu_cores).abs() < 1e-12);
}

#[tokio::test]
async fn all_hours_that_wait_are_come_round_to() {
    let mut books = Books::new().await;
    for uid in ["a", "b", "c"] {
        books.open(run(uid)).await;
        books.keeper.books.end(uid, seen(5, 0));
    }
    books.look(at(6, 0)).await;
    // Three pods of three hours each, of which no reading is known.
    let all = books.keeper.books.waiting_after(None, usize::MAX);
    assert_eq!(all.len(), 9);
    let (mut round, mut last) = (Vec::new(), None);
    loop {
        let some = books.keeper.books.waiting_after(last.as_ref(), 4);
        round.extend(some.iter().cloned());
        last = some.get(3).cloned();
        if last.is_none() {
            break;
        }
    }
    assert_eq!(round, all, "oldest first, each once");
}

#[tokio::test]
async fn thousands_that_are_gone_together_are_noted_in_sets_that_can_be_written() {
    let mut books = Books::new().await;
    for number in 0..2_500 {
        books.open(run(&format!("pod-{number}"))).await;
    }
    books.keeper.store().await.unwrap();
    let before = books.store.version().await.unwrap();
    books.keeper.listed(&HashSet::new(), at(4, 0)).await.unwrap();
    assert_eq!(books.store.version().await.unwrap() - before, 3);
}
