//! How often a provider is asked: each zone once an interval, whatever there is to ask about it, and whoever asks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use eco_pulse::catalogue::Catalogue;
use eco_pulse::clock::{Clock, monotonic_now};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::pods::region;
use crate::redis::RedisServer;
use crate::running::{asks, token_file};
use crate::server::Server;
use crate::stand_in::{LATEST, StandIn, ZONES, access, hour_of, latest};
use crate::upstream::{Answer, Request};

const REGIONS: usize = 30;
const ZONES_OF_THEM: usize = 25;
const INTERVAL: Duration = Duration::from_secs(2);
/// An interval, less what may pass between a request's start and our note of it on a busy machine.
const NEARLY: Duration = Duration::from_millis(1500);
/// So many times each zone is asked about, at least, before it is counted.
const ROUNDS: usize = 4;

/// Regions of the catalogue: 25 of one zone each, and five more of the same zones.
fn regions() -> Vec<(String, String)> {
    let catalogue = Catalogue::built_in().unwrap();
    let mut chosen: Vec<(String, String)> = Vec::new();
    let mut zones = BTreeSet::new();
    for row in catalogue.regions() {
        let is_new = !zones.contains(row.zone.as_str());
        let has_room = if is_new { zones.len() < ZONES_OF_THEM } else { chosen.len() - zones.len() < 5 };
        if has_room {
            zones.insert(row.zone.as_str().to_owned());
            chosen.push((row.name.as_str().to_owned(), row.zone.as_str().to_owned()));
        }
    }
    assert_eq!((chosen.len(), zones.len()), (REGIONS, ZONES_OF_THEM));
    chosen
}

/// When each zone was asked about, and how often the list of zones was asked for.
#[derive(Default)]
struct Asked {
    zones: BTreeMap<String, Vec<Instant>>,
    lists: usize,
}

/// What `processes` with this store ask of one provider over several intervals.
async fn asked_by(processes: usize, store: &str) -> Asked {
    let regions = regions();
    let values: BTreeSet<&str> = regions.iter().map(|(_, zone)| zone.as_str()).collect();
    let values: Vec<(&str, f64)> = values.into_iter().map(|zone| (zone, 100.0)).collect();
    let stand_in = StandIn::start(&values, || Clock::system().now());
    let asked = Arc::<Mutex<Asked>>::default();

    let note = |answer: fn(&str, Timestamp) -> Answer| {
        let asked = asked.clone();
        move |request: &Request| {
            let zone = request.query["zone"].clone();
            asked.lock().unwrap().zones.entry(zone.clone()).or_default().push(monotonic_now());
            answer(&zone, hour_of(Clock::system().now()))
        }
    };
    stand_in.upstream.on(LATEST, note(|zone, hour| Answer::json(latest(zone, &json!(100), hour))));
    stand_in.upstream.on("/v4/carbon-intensity/history", note(history));
    stand_in.upstream.on("/v4/carbon-intensity/forecast", note(forecast));
    let (lists, answer) = (asked.clone(), access(values.iter().map(|(zone, _)| *zone), &["*"]));
    stand_in.upstream.on(ZONES, move |request| {
        lists.lock().unwrap().lists += 1;
        answer(request)
    });

    let names: Vec<String> = regions.iter().map(|(name, _)| format!("{{name: {name}}}")).collect();
    let (_secret, token_file) = token_file();
    let config = format!(
        "baseline: {{region: {}}}\nregions: [{}]\n{}{store}",
        regions[0].0,
        names.join(", "),
        asks(&stand_in, &token_file, &format!("refresh: {}s", INTERVAL.as_secs()))
    );
    let mut servers = Vec::new();
    for _ in 0..processes {
        servers.push(Server::start_with_records(&config).await);
    }
    let rounds = || asked.lock().unwrap().zones.values().map(Vec::len).min();
    let mut seen = 0;
    while asked.lock().unwrap().zones.len() < ZONES_OF_THEM || rounds() < Some(ROUNDS) {
        seen = stand_in.upstream.wait_for(seen + 1).len();
        assert!(seen < 10 * ROUNDS * ZONES_OF_THEM, "some zone is asked about too seldom");
    }
    for (server, _) in &servers {
        let snapshot = server.admin().await.get("/snapshot").await.json();
        for (name, _) in &regions {
            assert_eq!(region(&snapshot, name)["state"], "fresh", "{name}");
        }
    }
    drop(servers);
    std::mem::take(&mut *asked.lock().unwrap())
}

fn rows(from: Timestamp, hours: i64) -> Vec<Value> {
    let row = |hour| {
        let datetime = from + SignedDuration::from_hours(hour);
        json!({ "carbonIntensity": 100, "datetime": datetime, "isEstimated": false })
    };
    (0..hours).map(row).collect()
}

fn history(zone: &str, hour: Timestamp) -> Answer {
    let from = hour - SignedDuration::from_hours(23);
    Answer::json(
        json!({ "zone": zone, "temporalGranularity": "hourly", "history": rows(from, 24) }).to_string(),
    )
}

fn forecast(zone: &str, hour: Timestamp) -> Answer {
    Answer::json(
        json!({ "zone": zone, "temporalGranularity": "hourly", "forecast": rows(hour, 48) }).to_string(),
    )
}

fn assert_modest(asked: &Asked) {
    assert_eq!(asked.lists, 1, "what the token may read is asked once");
    for (zone, times) in &asked.zones {
        let soonest = times.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap();
        assert!(soonest >= NEARLY, "{zone} was asked about again after {soonest:?}");
    }
    let mut all: Vec<Instant> = asked.zones.values().flatten().copied().collect();
    all.sort();
    for (index, begin) in all.iter().enumerate() {
        let within = all[index..].iter().take_while(|time| **time - *begin < NEARLY).count();
        assert!(within <= ZONES_OF_THEM, "{within} requests within an interval");
    }
}

#[tokio::test]
async fn thirty_regions_in_25_zones_cost_25_requests_an_interval() {
    assert_modest(&asked_by(1, "").await);
}

#[tokio::test]
async fn five_processes_on_one_redis_ask_no_more_than_one() {
    let Some(redis) = RedisServer::start() else { return };
    let store = format!("store: {{redis: {{url: '{}'}}}}\n", redis.url());
    assert_modest(&asked_by(5, &store).await);
}
