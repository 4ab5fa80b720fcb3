//! Records that are too old are taken off Redis, and no others, whatever one replica's clock says.

use std::sync::Arc;

use bytes::Bytes;
use eco_pulse::app::{App, Options};
use eco_pulse::catalogue::Catalogue;
use eco_pulse::clock::Clock;
use eco_pulse::config::Config;
use eco_pulse::store::{EntryId, SnapshotStore};
use jiff::{SignedDuration, Timestamp};

use crate::accounts::store_of;
use crate::callers::{Address, Callers};
use crate::redis::RedisServer;
use crate::replicas::TIMING;
use crate::waiting::until;

fn record(at: Timestamp) -> Bytes {
    Bytes::from(format!(r#"{{"schema":1,"ts":"{at}"}}"#))
}

fn app(redis: &RedisServer, replica: &str, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> App {
    let catalogue = Arc::new(Catalogue::built_in().unwrap());
    let config = format!(
        "baseline: {{region: eu-west-1}}\nregions: [{{name: eu-west-1}}]\nstore: {{redis: {{url: '{}'}}}}\n",
        redis.url()
    );
    let options = Options {
        clock: Clock::new(now),
        replica: replica.to_owned(),
        ..Options::new(Config::parse(&config, &*catalogue).unwrap(), catalogue)
    };
    App::start_with_timing(options, TIMING).unwrap()
}

async fn numbers(store: &SnapshotStore, chain: &str) -> Vec<u64> {
    let records = store.records(chain, EntryId::default(), 10_000).await.unwrap();
    records.iter().filter_map(|record| record.seq).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_whose_clock_is_years_ahead_takes_off_what_is_old_by_redis_too() {
    let Some(redis) = RedisServer::start() else { return };
    let (store, _in_touch) = store_of(&redis);
    let store = SnapshotStore::Redis(store);
    let now = Clock::system().now();
    let days_ago = |days: i64| record(now - SignedDuration::from_hours(24 * days));
    // Kept for 30 days: one chain of which nothing is young enough, one of which something is, and a young one.
    let chains = [("gone", vec![40, 35]), ("half", vec![40, 35, 10, 1]), ("young", vec![2, 1])];
    for (chain, days) in &chains {
        let records: Vec<(u64, Bytes)> = (1..).zip(days.iter().map(|days| days_ago(*days))).collect();
        until("records are stored", async || store.append_records(chain, &records).await.is_ok()).await;
    }
    let app = app(&redis, "ahead", || Clock::system().now() + SignedDuration::from_hours(2 * 365 * 24));
    let numbers = async |chain: &str| numbers(&store, chain).await;
    // Chains are gone through by name.
    until("the second chain is trimmed", async || numbers("half").await == [3, 4]).await;
    assert_eq!(store.chains().await.unwrap(), ["half", "young"]);
    app.run_until(async {}).await.unwrap();
    assert_eq!(numbers("young").await, [1, 2], "young by Redis's clock");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_room_loses_its_oldest_records_and_takes_new_ones() {
    let Some(redis) = RedisServer::start() else { return };
    let (store, _in_touch) = store_of(&redis);
    let store = SnapshotStore::Redis(store);
    let now = Clock::system().now();
    let records: Vec<(u64, Bytes)> = (1..=4000).map(|seq| (seq, record(now))).collect();
    for some in records.chunks(500) {
        until("records are stored", async || store.append_records("old", some).await.is_ok()).await;
    }
    let app = app(&redis, "busy", || Clock::system().now());
    let address = Address {
        webhook: app.webhook_addr().unwrap(),
        admin: app.admin_addr(),
        authority_pem: app.authority_pem().unwrap().to_owned(),
    };
    let mut callers = Callers::of(&address).await;
    let first = async || numbers(&store, "old").await[0];
    assert_eq!(first().await, 1);
    let memory = redis.command(&["INFO", "memory"]);
    let used = memory.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().trim();
    redis.command(&["CONFIG", "SET", "maxmemory", &(used.parse::<u64>().unwrap() * 6 / 5).to_string()]);
    callers.answer().await;
    until("the oldest records have made room", async || first().await > 1000).await;
    // What is freed is the server's to give back when it likes.
    redis.command(&["CONFIG", "SET", "maxmemory", "0"]);
    until("the new record is stored", async || numbers(&store, "busy").await == [1]).await;
    app.run_until(async {}).await.unwrap();
}
