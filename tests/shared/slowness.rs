//! A Redis that is slow, or says nothing for good: pods never wait for it.

use std::time::Duration;

use crate::callers::Pods;
use crate::grid::{Grid, Hands, VALUES};
use crate::redis::RedisServer;
use crate::replicas::{Replica, config};
use crate::slow_proxy::SlowProxy;

const SLOW: Duration = Duration::from_secs(2);
const FOR_GOOD: Duration = Duration::from_hours(1);

/// A replica whose Redis answers at once until the proxy is told otherwise.
async fn start() -> Option<(RedisServer, SlowProxy, Grid, Replica)> {
    let redis = RedisServer::start()?;
    let proxy = SlowProxy::start(redis.port, Duration::ZERO).await;
    let hands = Hands::default();
    let grid = Grid::start(VALUES, &hands);
    let replica = Replica::start(&config(&grid, &format!("redis://{}", proxy.addr)), &hands, "one");
    Some((redis, proxy, grid, replica))
}

#[tokio::test]
async fn a_slow_redis_slows_no_pod_and_is_used_again_once_it_is_quick() {
    let Some((_redis, proxy, _grid, replica)) = start().await else { return };
    let mut callers = replica.callers().await;
    callers.has_version(1).await;
    callers.gains_store().await;
    let pods = Pods::keep_coming(&replica.address()).await;
    proxy.delay(SLOW);
    callers.loses_store().await;
    let last = callers.version().await;
    proxy.delay(Duration::ZERO);
    callers.gains_store().await;
    callers.has_version(last + 1).await;
    pods.stop().await;
}

#[tokio::test]
async fn a_thousand_pods_are_decided_about_while_redis_answers_nothing() {
    let Some((_redis, proxy, _grid, replica)) = start().await else { return };
    let mut callers = replica.callers().await;
    callers.has_version(1).await;
    proxy.delay(FOR_GOOD);
    for _ in 0..1000 {
        callers.decide().await;
    }
    callers.loses_store().await;
    callers.assert_never_opened().await;
}
