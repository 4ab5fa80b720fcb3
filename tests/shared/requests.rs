//! What the provider sees of many replicas: one request a zone and interval, whoever collects.

use std::time::Duration;

use crate::callers::Callers;
use crate::grid::{Grid, Hands};
use crate::redis::RedisServer;
use crate::replicas::{EASY, Replica, data_centres};
use crate::waiting::until;

/// Keys of Electricity Maps.
const ZONES: [&str; 25] = [
    "AT", "BE", "BG", "CH", "CZ", "DE", "DK-DK1", "DK-DK2", "EE", "ES", "FI", "FR", "GB", "GR", "HR", "HU",
    "IE", "LT", "LV", "NL", "PL", "PT", "RO", "SI", "SK",
];
const REGIONS: usize = 30;
const REPLICAS: usize = 5;
/// Long against a change of collectors, so that one which began anew would show.
const REFRESH: &str = "6s";
/// The same, less what a busy machine may delay a request by.
const HARDLY_REFRESH: Duration = Duration::from_secs(5);

/// Some zones feed two regions.
fn config(grid: &Grid, redis: &str) -> String {
    let regions = data_centres(ZONES.into_iter().cycle().take(REGIONS));
    format!("{regions}{}{EASY}store: {{redis: {{url: '{redis}'}}}}\n", grid.section(REFRESH))
}

/// The one that collects, taken out of all of them.
async fn take_collector(replicas: &mut Vec<(Replica, Callers)>) -> (Replica, Callers) {
    let mut found = Vec::new();
    until("one collects", async || {
        found.clear();
        for (index, (_, callers)) in replicas.iter_mut().enumerate() {
            if callers.collects().await {
                found.push(index);
            }
        }
        !found.is_empty()
    })
    .await;
    assert_eq!(found.len(), 1, "of all replicas one collects");
    replicas.swap_remove(found[0])
}

#[tokio::test]
async fn thirty_regions_in_twenty_five_zones_and_five_replicas_cost_twenty_five_requests_an_interval() {
    let Some(redis) = RedisServer::start() else { return };
    let hands = Hands::default();
    let values: Vec<(&str, f64)> =
        ZONES.iter().zip(100..).map(|(zone, value)| (*zone, f64::from(value))).collect();
    let grid = Grid::start(&values, &hands);
    let config = config(&grid, &redis.url());
    let mut replicas = Vec::new();
    for name in 0..REPLICAS {
        let replica = Replica::start(&config, &hands, &format!("replica-{name}"));
        let callers = replica.callers().await;
        replicas.push((replica, callers));
    }
    for (_, callers) in &mut replicas {
        callers.has_version(1).await;
        assert_eq!(known(callers).await, REGIONS);
    }
    assert_eq!((grid.asked(), grid.probes()), (ZONES.len(), 1));

    let (collector, _) = take_collector(&mut replicas).await;
    collector.kill();
    until("two more rounds", async || grid.asked() >= 3 * ZONES.len()).await;
    take_collector(&mut replicas).await;
    assert_eq!(grid.probes(), 2, "once for each that took office");
    grid.assert_asked_within(HARDLY_REFRESH, ZONES.len());
}

/// Regions with a reading.
async fn known(callers: &mut Callers) -> usize {
    let snapshot = callers.admin.get("/snapshot").await.json();
    let regions = snapshot["regions"].as_array().unwrap();
    regions.iter().filter(|region| region["state"] == "fresh").count()
}
