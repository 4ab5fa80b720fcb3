//! The collector as a whole, on a store in memory and providers that say what the test wants.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::domain::Region;
use crate::domain::snapshot::{Basis, Failure, GridProvider, Outlook, Reading, Readings, Signal};
use crate::domain::units::GramsPerKwh;
use crate::providers::FetchError;
use crate::providers::grid::{Answer, Asked, MockGrid, Question, Reach};
use crate::providers::price::CataloguePrices;
use crate::store::MemoryStore;

const INTERVAL: Duration = Duration::from_mins(5);

/// A provider on a network that answers what it was told to, and remembers what it was asked.
#[derive(Debug, Default)]
struct Scripted {
    asked: Mutex<Vec<(String, Question)>>,
    fails: Mutex<VecDeque<FetchError>>,
}

impl Scripted {
    fn asked(&self) -> Vec<(String, Question)> {
        self.asked.lock().unwrap().clone()
    }
}

impl GridSource for Scripted {
    fn provider(&self) -> GridProvider {
        GridProvider::ElectricityMaps
    }

    fn reach(&self) -> Reach {
        Reach::Network
    }

    fn ask<'a>(&'a self, region: &'a Region, question: Question, now: Timestamp) -> Asked<'a, Answer> {
        let zone = region.zone.as_ref().unwrap().to_string();
        self.asked.lock().unwrap().push((zone, question));
        let answer = self.fails.lock().unwrap().pop_front().map_or_else(|| Ok(measured(now)), Err);
        Box::pin(async { answer })
    }
}

fn measured(now: Timestamp) -> Answer {
    let reading = Reading {
        intensity: GramsPerKwh(100.0),
        starts_at: now,
        ends_at: now + SignedDuration::from_hours(1),
        provider: GridProvider::ElectricityMaps,
        signal: Signal::Average,
        basis: Basis::Lifecycle,
        estimated: false,
        estimation_method: None,
        reported_at: now,
        unchanged_since: now,
        replayed_at: None,
        outlook: Outlook::Climatology,
    };
    Answer { readings: vec![reading], forecast: None }
}

struct Running {
    store: SnapshotStore,
    collect: CollectNow,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn run(regions: &str, source: Arc<dyn GridSource>) -> Running {
    let catalogue = Arc::new(Catalogue::built_in().unwrap());
    let config = Config::parse(&format!("regions: [{regions}]"), &*catalogue).unwrap();
    let store = SnapshotStore::Memory(MemoryStore::new(SignedDuration::from_hours(24)));
    let (collect, requests) = CollectNow::channel();
    let collector = Collector {
        grid: vec![source],
        prices: Arc::new(CataloguePrices::new(catalogue)),
        regions: config.regions.clone(),
        grid_max_age: config.policy().grid_max_age,
        grid_interval: INTERVAL,
        price_interval: config.prices.refresh,
        store: store.clone(),
        metrics: Arc::new(Metrics::new().unwrap()),
        clock: moving_clock(),
    };
    let stop = CancellationToken::new();
    let task = tokio::spawn(collector.run(requests, stop.clone()));
    Running { store, collect, stop, task }
}

/// A clock that goes with the runtime's timers, which the tests move.
fn moving_clock() -> Clock {
    let (begun, epoch) = (timer_now(), "2026-06-01T12:00:00Z".parse::<Timestamp>().unwrap());
    Clock::new(move || epoch + SignedDuration::try_from(timer_now() - begun).unwrap())
}

impl Running {
    async fn version(&self, wanted: u64) -> Arc<Readings> {
        let mut versions = self.store.subscribe();
        let seen = versions.wait_for(|latest| latest.as_ref().is_some_and(|latest| latest.version >= wanted));
        seen.await.unwrap().clone().unwrap()
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

fn mock(grams: f64) -> Arc<MockGrid> {
    Arc::new(MockGrid::new([("westeurope".into(), GramsPerKwh(grams))].into()))
}

#[tokio::test(start_paused = true)]
async fn the_first_version_has_grid_data_and_prices() {
    let running = run("{name: westeurope}", mock(400.0));
    let first = running.version(1).await;
    let here = &first.regions[&"westeurope".into()];
    assert!(here.grid.known().is_some());
    assert!(!here.prices.is_empty());
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_leaves_the_last_word_and_says_so() {
    let grid = mock(400.0);
    let running = run("{name: westeurope}", grid.clone());
    running.version(1).await;
    grid.unplug();
    let version = running.collect.collect().await.unwrap();
    let latest = running.version(version).await;
    let here = &latest.regions[&"westeurope".into()];
    assert_eq!(here.grid.known().map(|reading| reading.intensity), Some(GramsPerKwh(400.0)));
    assert_eq!(here.trouble[0].failure, Failure::Outage);
    let collect = running.collect.clone();
    running.stop().await;
    assert_eq!(collect.collect().await, None, "nobody collects any more");
}

#[tokio::test(start_paused = true)]
async fn a_value_that_was_set_is_published_at_once() {
    let grid = mock(400.0);
    let running = run("{name: westeurope}", grid.clone());
    running.version(1).await;
    grid.set("westeurope".into(), GramsPerKwh(700.0));
    let published = running.collect.collect().await.unwrap();
    let latest = running.version(published).await;
    let reading = latest.regions[&"westeurope".into()].grid.known().unwrap();
    assert_eq!(reading.intensity, GramsPerKwh(700.0));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn regions_of_one_zone_cost_one_request_an_interval() {
    let source = Arc::new(Scripted::default());
    let regions = "{name: eastus}, {name: eastus2}, {name: us-east-1}, {name: westeurope}";
    let running = run(regions, source.clone());
    let first = running.version(1).await;
    assert_eq!(first.regions.len(), 4);
    assert!(first.regions.values().all(|region| region.grid.known().is_some()));
    assert_eq!(source.asked().len(), 2, "{:?}", source.asked());
    tokio::time::sleep(Duration::from_hours(1)).await;
    let asked = source.asked().len();
    assert!((22..=26).contains(&asked), "{asked} requests in an hour and a moment");
    running.stop().await;
}

/// Answers for one zone, and never for the other.
#[derive(Debug)]
struct Half;
impl GridSource for Half {
    fn provider(&self) -> GridProvider {
        GridProvider::ElectricityMaps
    }

    fn reach(&self) -> Reach {
        Reach::Network
    }

    fn ask<'a>(&'a self, region: &'a Region, _: Question, now: Timestamp) -> Asked<'a, Answer> {
        let answers = region.name.as_str() == "eastus";
        Box::pin(async move { if answers { Ok(measured(now)) } else { std::future::pending().await } })
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_version_waits_for_answers_but_not_for_ever() {
    let begun = timer_now();
    let running = run("{name: eastus}, {name: westeurope}", Arc::new(Half));
    let first = running.version(1).await;
    assert_eq!(timer_now() - begun, Duration::from_secs(5));
    assert!(first.regions[&"eastus".into()].grid.known().is_some());
    assert!(first.regions[&"westeurope".into()].grid.known().is_none());
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_came_in_is_published_at_the_end_for_whoever_collects_next() {
    let running = run("{name: eastus}, {name: westeurope}", Arc::new(Half));
    let store = running.store.clone();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(store.latest().await.unwrap().is_none(), "the other zone is waited for");
    running.stop().await;
    let last = store.latest().await.unwrap().unwrap();
    assert!(last.regions[&"eastus".into()].grid.known().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_provider_with_a_defect_costs_its_answer_and_nothing_else() {
    #[derive(Debug)]
    struct Defect;
    impl GridSource for Defect {
        fn provider(&self) -> GridProvider {
            GridProvider::ElectricityMaps
        }
        fn reach(&self) -> Reach {
            Reach::Network
        }
        fn ask<'a>(&'a self, _: &'a Region, _: Question, _: Timestamp) -> Asked<'a, Answer> {
            Box::pin(async { panic!("a defect") })
        }
    }
    let running = run("{name: westeurope}", Arc::new(Defect));
    let first = running.version(1).await;
    let here = &first.regions[&"westeurope".into()];
    assert_eq!(here.trouble[0].failure, Failure::Unreadable);
    assert!(!here.prices.is_empty());
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_counted_is_remembered_for_the_accounts() {
    let running = run("{name: eastus}, {name: eastus2}", Arc::new(Scripted::default()));
    let first = running.version(1).await;
    let from = first.captured_at - SignedDuration::from_hours(1);
    let to = first.captured_at + SignedDuration::from_hours(1);
    // It is kept right after it was published.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for region in ["eastus", "eastus2"] {
        let past = running.store.history(&region.into(), from, to).await.unwrap();
        assert_eq!(past.len(), 1, "{region}");
        assert_eq!(past[0].intensity, GramsPerKwh(100.0));
    }
    running.stop().await;
}

mod handover;
