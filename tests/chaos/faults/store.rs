//! Redis: decisions go on by what is in memory.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Fault, Manner};
use crate::redis::RedisServer;
use crate::scene::{Props, Scene};
use crate::slow_proxy::SlowProxy;
use crate::trial::{Budget, Expect, Row};

const UP: &str = "eco_pulse_store_up";
const SNAPSHOT: &str = "{eco-pulse}:snapshot";

pub const ALL: &[Fault] = &[
    Fault {
        name: "Redis down",
        broken: "killed with SIGKILL",
        run: |fault, how| Box::pin(broken(fault, how, RedisServer::kill, RedisServer::restart)),
    },
    Fault {
        name: "Redis paused",
        broken: "stopped with SIGSTOP",
        run: |fault, how| Box::pin(broken(fault, how, |redis| redis.pause(), |redis| redis.resume())),
    },
    Fault {
        name: "Redis with wrong data",
        broken: "its snapshot is overwritten with a text",
        run: |fault, how| {
            Box::pin(broken(
                fault,
                how,
                |redis| drop(redis.command(&["SET", SNAPSHOT, "not ours"])),
                |redis| drop(redis.command(&["DEL", SNAPSHOT])),
            ))
        },
    },
    Fault {
        name: "Redis poisoned",
        broken: "somebody writes a snapshot whose best region is one that nobody configured",
        run: |fault, how| Box::pin(poisoned(fault, how)),
    },
    Fault {
        name: "Redis fails over",
        broken: "it becomes a replica of a server that is not there, and a master again",
        run: |fault, how| {
            Box::pin(broken(
                fault,
                how,
                |redis| drop(redis.command(&["REPLICAOF", "127.0.0.1", "1"])),
                |redis| drop(redis.command(&["REPLICAOF", "NO", "ONE"])),
            ))
        },
    },
    Fault {
        name: "Redis slow",
        broken: "each of its answers comes 3 s late",
        run: |fault, how| Box::pin(slow(fault, how)),
    },
    Fault {
        name: "Redis down at start",
        broken: "it is not there when the program starts",
        run: |fault, how| Box::pin(down_at_the_start(fault, how)),
    },
];

async fn broken(
    fault: &'static Fault,
    how: Manner,
    breaks: fn(&mut RedisServer),
    mends: fn(&mut RedisServer),
) -> Option<Row> {
    let redis = RedisServer::start()?;
    let (mut scene, mut trial) = fault.begins(how, Props { redis: Some(redis), ..Props::default() }).await;
    let redis = scene.redis.as_mut()?;
    breaks(redis);
    trial.notices(UP, &[], |up| up == Some(0.0)).await;
    trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
    mends(redis);
    trial.notices(UP, &[], |up| up == Some(1.0)).await;
    trial.recovers().await;
    trial.compares_counters().await;
    Some(trial.ends())
}

async fn slow(fault: &'static Fault, how: Manner) -> Option<Row> {
    let redis = RedisServer::start()?;
    let proxy = SlowProxy::start(redis.port, Duration::ZERO).await;
    let redis_url = Some(format!("redis://{}", proxy.addr));
    let props = Props { redis: Some(redis), redis_url, ..Props::default() };
    let (_scene, mut trial) = fault.begins(how, props).await;
    proxy.delay(Duration::from_secs(3));
    trial.notices(UP, &[], |up| up == Some(0.0)).await;
    trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
    proxy.delay(Duration::ZERO);
    trial.notices(UP, &[], |up| up == Some(1.0)).await;
    trial.recovers().await;
    trial.compares_counters().await;
    Some(trial.ends())
}

async fn down_at_the_start(fault: &'static Fault, how: Manner) -> Option<Row> {
    let mut redis = RedisServer::start()?;
    redis.kill();
    let props = Props { redis: Some(redis), ..Props::default() };
    let (mut scene, mut trial) = fault.tries(how, Scene::set(props, how.timed));
    trial.becomes(&Expect::Opened(&["no_snapshot"])).await;
    trial.notes_counters().await;
    trial.pods(how.pods, Expect::Opened(&["no_snapshot"]), Budget::Answers).await;
    trial.compares_counters().await;
    scene.redis.as_mut()?.restart();
    trial.recovers().await;
    Some(trial.ends())
}

async fn poisoned(fault: &'static Fault, how: Manner) -> Option<Row> {
    /// A version that nobody reaches by counting.
    const POISONED: u32 = 1_000_000;
    let redis = RedisServer::start()?;
    let (scene, mut trial) = fault.begins(how, Props { redis: Some(redis), ..Props::default() }).await;
    let redis = scene.redis.as_ref()?;
    let mut body: Value = serde_json::from_str(&redis.command(&["HGET", SNAPSHOT, "body"])).unwrap();
    let mut best = body["regions"]["eu-north-1"].clone();
    assert!(set_all(&mut best, "intensity", &json!(1.0)) > 0, "{best}");
    body["regions"]["moon-1"] = best;
    redis.command(&["HSET", SNAPSHOT, "version", &POISONED.to_string(), "body", &body.to_string()]);
    let poisoned = f64::from(POISONED);
    trial.notices("eco_pulse_snapshot_version", &[], |version| version >= Some(poisoned)).await;
    trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
    trial.recovers().await;
    trial.compares_counters().await;
    Some(trial.ends())
}

/// Puts a value wherever there is one of this name; how often.
fn set_all(within: &mut Value, name: &str, value: &Value) -> usize {
    match within {
        Value::Object(members) => members.iter_mut().fold(0, |count, (key, member)| {
            if key == name {
                *member = value.clone();
                count + 1
            } else {
                count + set_all(member, name, value)
            }
        }),
        Value::Array(items) => items.iter_mut().map(|item| set_all(item, name, value)).sum(),
        _ => 0,
    }
}
