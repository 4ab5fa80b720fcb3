//! What a collector takes over from another one: from one before it, and from one that collected while it was asleep.

use super::*;
use crate::domain::snapshot::{Price, RegionReadings};
use crate::providers::price::{PriceSource, PricesByRegion};

/// Gives prices only after so long, on a network.
#[derive(Debug)]
struct SlowPrices(Arc<Catalogue>, Duration);

impl PriceSource for SlowPrices {
    fn provider(&self) -> crate::domain::snapshot::PriceProvider {
        crate::domain::snapshot::PriceProvider::AzureRetail
    }

    fn ask<'a>(&'a self, regions: &'a Regions, now: Timestamp) -> Asked<'a, PricesByRegion> {
        let known = CataloguePrices::new(self.0.clone());
        Box::pin(async move {
            tokio::time::sleep(self.1).await;
            known.ask(regions, now).await
        })
    }
}

fn collector(
    config: &Config,
    grid: Arc<dyn GridSource>,
    prices: Arc<dyn PriceSource>,
    store: &SnapshotStore,
) -> Collector {
    Collector {
        grid: vec![grid],
        prices,
        regions: config.regions.clone(),
        grid_max_age: config.policy().grid_max_age,
        grid_interval: INTERVAL,
        price_interval: config.prices.refresh,
        store: store.clone(),
        metrics: Arc::new(Metrics::new().unwrap()),
        clock: moving_clock(),
    }
}

fn start(collector: Collector) -> Running {
    let (collect, requests) = CollectNow::channel();
    let (stop, store) = (CancellationToken::new(), collector.store.clone());
    let task = tokio::spawn(collector.run(requests, stop.clone()));
    Running { store, collect, stop, task }
}

fn catalogue() -> Arc<Catalogue> {
    Arc::new(Catalogue::built_in().unwrap())
}

fn config(regions: &str) -> Config {
    Config::parse(&format!("regions: [{regions}]"), &*catalogue()).unwrap()
}

fn memory() -> SnapshotStore {
    SnapshotStore::Memory(MemoryStore::new(SignedDuration::from_hours(24)))
}

fn static_prices() -> Arc<dyn PriceSource> {
    Arc::new(CataloguePrices::new(catalogue()))
}

fn silent() -> Arc<Scripted> {
    let outage = || FetchError::new(Failure::Outage, "gone");
    Arc::new(Scripted {
        fails: Mutex::new(std::iter::repeat_with(outage).take(1000).collect()),
        ..Default::default()
    })
}

#[tokio::test(start_paused = true)]
async fn what_another_one_published_meanwhile_is_not_turned_back() {
    let config = config("{name: westeurope}");
    let store = memory();
    let source = Arc::new(Scripted::default());
    let running = start(collector(&config, source.clone(), static_prices(), &store));
    let first = running.version(1).await;
    // This one sleeps; another collects, knows more, and is gone before this one wakes.
    let mut newer = Readings::clone(&first);
    let region = newer.regions.get_mut(&"westeurope".into()).unwrap();
    let later = measured(first.captured_at + SignedDuration::from_mins(2)).readings.remove(0);
    let later = Reading { intensity: GramsPerKwh(250.0), ..later };
    region.grid = crate::domain::snapshot::GridReading::Known(later);
    store.publish(newer).await.unwrap();
    let version = running.collect.collect().await.unwrap();
    let latest = running.version(version).await;
    let reading = latest.regions[&"westeurope".into()].grid.known().unwrap();
    assert_eq!(reading.intensity, GramsPerKwh(250.0));
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn prices_that_were_asked_for_and_never_came_are_asked_for_again() {
    let config = config("{name: westeurope}");
    let store = memory();
    let slow = Arc::new(SlowPrices(catalogue(), Duration::from_secs(20)));
    let running = start(collector(&config, Arc::new(Scripted::default()), slow.clone(), &store));
    let first = running.version(1).await;
    assert!(first.regions[&"westeurope".into()].prices.is_empty());
    running.stop().await;
    let begun = timer_now();
    let running = start(collector(&config, Arc::new(Scripted::default()), slow, &store));
    let mut versions = store.subscribe();
    let has = |latest: &Option<Arc<Readings>>| {
        latest.as_ref().is_some_and(|latest| !latest.regions[&"westeurope".into()].prices.is_empty())
    };
    versions.wait_for(has).await.unwrap();
    let waited = timer_now() - begun;
    assert!(waited < INTERVAL, "a region had no price for {waited:?}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn prices_that_are_at_hand_are_those_of_now() {
    let config = config("{name: westeurope}");
    let store = memory();
    let running = start(collector(&config, Arc::new(Scripted::default()), static_prices(), &store));
    let mut old = Readings::clone(&*running.version(1).await);
    running.stop().await;
    // As the release before this one knew it.
    let here: &mut RegionReadings = old.regions.get_mut(&"westeurope".into()).unwrap();
    let was: Vec<Price> = here.prices.clone();
    here.prices.iter_mut().for_each(|price| price.per_hour.0 = 99.0);
    store.publish(old).await.unwrap();
    let running = start(collector(&config, Arc::new(Scripted::default()), static_prices(), &store));
    tokio::time::sleep(INTERVAL * 2).await;
    let latest = store.latest().await.unwrap().unwrap();
    assert_eq!(latest.regions[&"westeurope".into()].prices, was);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_zone_that_is_configured_anew_has_nothing_of_the_one_before() {
    let store = memory();
    let before = config("{name: westeurope}");
    let running = start(collector(&before, Arc::new(Scripted::default()), static_prices(), &store));
    running.version(1).await;
    running.stop().await;
    let after = config("{name: westeurope, gridZone: PL}");
    let running = start(collector(&after, silent(), static_prices(), &store));
    tokio::time::sleep(INTERVAL * 2).await;
    let latest = store.latest().await.unwrap().unwrap();
    let grid = &latest.regions[&"westeurope".into()].grid;
    assert!(grid.known().is_none(), "another zone's value: {grid:?}");
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_taken_over_with_the_rest() {
    let config = config("{name: westeurope}");
    let store = memory();
    let running = start(collector(&config, silent(), static_prices(), &store));
    let first = running.version(1).await;
    assert_eq!(first.regions[&"westeurope".into()].trouble[0].failure, Failure::Outage);
    running.stop().await;
    let running = start(collector(&config, silent(), static_prices(), &store));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let version = running.collect.collect().await.unwrap();
    let taken_over = running.version(version).await;
    assert_eq!(taken_over.regions[&"westeurope".into()].trouble, first.regions[&"westeurope".into()].trouble);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_put_back_silences_nothing() {
    let config = config("{name: westeurope}");
    let store = memory();
    let grid = mock(400.0);
    let mut collector = collector(&config, grid.clone(), static_prices(), &store);
    let ahead = Arc::new(std::sync::atomic::AtomicI64::new(3600));
    let (right, by) = (moving_clock(), ahead.clone());
    collector.clock = Clock::new(move || {
        right.now() + SignedDuration::from_secs(by.load(std::sync::atomic::Ordering::SeqCst))
    });
    let running = start(collector);
    running.version(1).await;
    ahead.store(0, std::sync::atomic::Ordering::SeqCst);
    grid.set("westeurope".into(), GramsPerKwh(700.0));
    let version = running.collect.collect().await.unwrap();
    let latest = running.version(version).await;
    let reading = latest.regions[&"westeurope".into()].grid.known().unwrap();
    assert_eq!(reading.intensity, GramsPerKwh(700.0));
    running.stop().await;
}

/// Throttles its list of zones.
#[derive(Debug, Default)]
struct Throttling(Scripted);

impl GridSource for Throttling {
    fn provider(&self) -> GridProvider {
        GridProvider::ElectricityMaps
    }

    fn reach(&self) -> Reach {
        Reach::Network
    }

    fn ask<'a>(&'a self, region: &'a Region, question: Question, now: Timestamp) -> Asked<'a, Answer> {
        self.0.ask(region, question, now)
    }

    fn is_probed(&self) -> bool {
        true
    }

    fn probe(&self) -> Asked<'_, crate::providers::grid::Access> {
        let wait = Some(Duration::from_mins(10));
        let error = FetchError { retry_after: wait, ..FetchError::new(Failure::Throttled, "not so often") };
        Box::pin(async { Err(error) })
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_to_be_left_alone_when_asked_what_it_allows_is() {
    let config = config("{name: westeurope}");
    let store = memory();
    let source = Arc::new(Throttling::default());
    let running = start(collector(&config, source.clone(), static_prices(), &store));
    tokio::time::sleep(Duration::from_mins(9)).await;
    assert_eq!(source.0.asked(), []);
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(source.0.asked().len(), 1);
    running.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_look_at_everything_says_why_a_zone_was_not_asked_about() {
    let config = config("{name: westeurope}, {name: eastus}, {name: uksouth}, {name: francecentral}");
    let source = Arc::new(Scripted::default());
    let wait = Some(Duration::from_mins(10));
    let throttled = FetchError { retry_after: wait, ..FetchError::new(Failure::Throttled, "not so often") };
    source.fails.lock().unwrap().push_back(throttled);
    let readings = collector(&config, source.clone(), static_prices(), &memory()).once(|_| {}).await;
    for (name, region) in &readings.regions {
        assert!(
            region.grid.known().is_some() || !region.trouble.is_empty(),
            "{name}: no value, and no word why"
        );
    }
}

/// Speaks of one zone, and fails.
#[derive(Debug)]
struct OfOneZone(Arc<Scripted>);

impl GridSource for OfOneZone {
    fn provider(&self) -> GridProvider {
        GridProvider::GbCarbonIntensity
    }

    fn reach(&self) -> Reach {
        Reach::Network
    }

    fn speaks_of(&self, region: &Region) -> Result<(), FetchError> {
        let here = region.zone.as_ref().is_some_and(|zone| zone.as_str() == "GB");
        if here { Ok(()) } else { Err(FetchError::new(Failure::NoData, "another zone")) }
    }

    fn ask<'a>(&'a self, region: &'a Region, question: Question, now: Timestamp) -> Asked<'a, Answer> {
        self.0.ask(region, question, now)
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_asks_about_what_a_provider_does_not_speak_of() {
    let config = config("{name: westeurope}, {name: eastus}, {name: uksouth}");
    let (store, source) = (memory(), silent());
    let collector = collector(&config, Arc::new(OfOneZone(source.clone())), static_prices(), &store);
    let metrics = collector.metrics.clone();
    let running = start(collector);
    tokio::time::sleep(INTERVAL * 100).await;
    assert!(source.asked().iter().all(|(zone, _)| zone == "GB"));
    let latest = store.latest().await.unwrap().unwrap();
    assert_eq!(latest.regions[&"eastus".into()].trouble[0].failure, Failure::NoData);
    // Nothing that was never asked passes for an answer.
    let text = metrics.render(None, SignedDuration::ZERO, latest.captured_at).unwrap();
    assert!(text.contains("eco_pulse_provider_circuit_open{provider=\"gb-carbon-intensity\"} 1"), "{text}");
    assert!(!text.contains("no_data"), "{text}");
    running.stop().await;
    // Whoever collects from now on tells of it.
    let text = metrics.render(None, SignedDuration::ZERO, latest.captured_at).unwrap();
    assert!(!text.contains("circuit_open{"), "{text}");
}
