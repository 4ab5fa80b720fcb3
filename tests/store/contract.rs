//! What every store keeps.

use std::sync::Arc;

use eco_pulse::domain::RegionName;
use eco_pulse::domain::units::GramsPerKwh;
use eco_pulse::store::{Leadership, StoreState};
use jiff::Timestamp;
use rstest::rstest;

use crate::redis::RedisServer;
use crate::rig::{NOON, Replica, at, grams, in_memory, past, readings};

#[derive(Clone, Copy)]
enum Kind {
    Memory,
    Redis,
}
use Kind::{Memory, Redis};

/// A store of its own for a test; `None` where the machine has no such server.
async fn given(kind: Kind) -> Option<(Replica, Option<RedisServer>)> {
    match kind {
        Memory => Some((in_memory(), None)),
        Redis => {
            let server = RedisServer::start()?;
            Some((Replica::of(&server, "the only one").await, Some(server)))
        }
    }
}

#[rstest]
#[case::memory(Memory)]
#[case::redis(Redis)]
#[tokio::test]
async fn versions_rise_by_one_and_what_was_published_is_what_is_read(#[case] kind: Kind) {
    let Some((replica, _server)) = given(kind).await else { return };
    assert_eq!(replica.store.latest().await.unwrap(), None);
    assert_eq!(replica.held(), 0);
    replica.leads().await;
    for version in 1_u32..=5 {
        let mut ours = readings(100.0 + f64::from(version));
        // What the caller says is of no account.
        ours.version = 77;
        let published = replica.store.publish(ours.clone()).await.unwrap();
        ours.version = u64::from(version);
        assert_eq!(*published, ours);
        assert_eq!(replica.store.latest().await.unwrap().as_deref(), Some(&ours));
        assert_eq!(replica.store.subscribe().borrow().as_deref(), Some(&ours));
    }
}

#[rstest]
#[case::memory(Memory)]
#[case::redis(Redis)]
#[tokio::test]
async fn who_subscribes_late_gets_the_current_version_first_and_never_an_older_one(#[case] kind: Kind) {
    let Some((replica, _server)) = given(kind).await else { return };
    replica.leads().await;
    replica.publishes(1.0).await;
    replica.publishes(2.0).await;
    let mut heard = replica.store.subscribe();
    assert_eq!(heard.borrow_and_update().as_ref().map(|readings| grams(readings)), Some(GramsPerKwh(2.0)));
    let listening = tokio::spawn(async move {
        let mut versions = Vec::new();
        while versions.last() != Some(&30) {
            heard.changed().await.unwrap();
            versions.push(heard.borrow_and_update().as_ref().unwrap().version);
        }
        versions
    });
    for _ in 3..=30 {
        replica.publishes(3.0).await;
    }
    let versions = listening.await.unwrap();
    assert!(versions.is_sorted_by(|one, next| one < next), "{versions:?}");
}

#[rstest]
#[case::memory(Memory)]
#[case::redis(Redis)]
#[tokio::test]
async fn publishing_from_many_tasks_gives_each_its_own_version(#[case] kind: Kind) {
    let Some((replica, _server)) = given(kind).await else { return };
    replica.leads().await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let store = replica.store.clone();
            tokio::spawn(async move {
                loop {
                    match store.publish(readings(1.0)).await {
                        Ok(published) => return published.version,
                        // Somebody was quicker.
                        Err(_) => drop(store.latest().await.unwrap()),
                    }
                }
            })
        })
        .collect();
    let mut versions = Vec::new();
    for task in tasks {
        versions.push(task.await.unwrap());
    }
    versions.sort_unstable();
    assert_eq!(versions, (1..=20).collect::<Vec<u64>>());
}

#[rstest]
#[case::memory(Memory)]
#[case::redis(Redis)]
#[tokio::test]
async fn the_only_process_leads_as_often_as_it_asks_and_again_after_it_resigned(#[case] kind: Kind) {
    let Some((replica, _server)) = given(kind).await else { return };
    assert_eq!(*replica.store.state().borrow(), StoreState::Up);
    assert!(!replica.store.lock_period().is_zero());
    for _ in 0..2 {
        assert_eq!(replica.store.lead().await, Ok(Leadership::Ours));
        assert_eq!(replica.store.lead().await, Ok(Leadership::Ours));
        replica.store.resign().await;
    }
}

#[rstest]
#[case::memory(Memory)]
#[case::redis(Redis)]
#[tokio::test]
async fn a_store_that_is_told_to_stop_stops_and_can_still_resign(#[case] kind: Kind) {
    let Some((replica, server)) = given(kind).await else { return };
    replica.leads().await;
    let store = replica.stop().await;
    store.resign().await;
    if let Some(server) = server {
        assert_eq!(server.command(&["EXISTS", "{eco-pulse}:collector"]), "0");
    }
}

#[rstest]
#[case::memory(Memory)]
#[case::redis(Redis)]
#[tokio::test]
async fn the_past_is_what_was_remembered_of_a_region_in_order(#[case] kind: Kind) {
    let Some((replica, _server)) = given(kind).await else { return };
    let hour = |region, hour, grams| past(region, &format!("2026-06-01T{hour}:00:00Z"), grams, false);
    let (nine, ten, eleven) =
        (hour("here", "09", 90.5), hour("here", "10", 100.0), hour("here", "11", 0.1 + 0.2));
    let elsewhere = hour("there", "10", 7.0);
    let now = at(NOON);
    let store = &replica.store;
    store.remember(&[eleven.clone(), nine.clone(), elsewhere.clone()], now).await.unwrap();
    store.remember(std::slice::from_ref(&ten), now).await.unwrap();
    let history = async |region, from, to| store.history(&RegionName::from(region), from, to).await.unwrap();
    let all = (Timestamp::MIN, Timestamp::MAX);
    assert_eq!(history("here", all.0, all.1).await, [nine.clone(), ten.clone(), eleven.clone()]);
    assert_eq!(history("there", all.0, all.1).await, [elsewhere]);
    assert_eq!(history("nowhere", all.0, all.1).await, []);
    // From the first moment of the span to before its last.
    assert_eq!(history("here", ten.starts_at, eleven.starts_at).await, std::slice::from_ref(&ten));
    assert_eq!(
        history("here", at("2026-06-01T09:00:00.5Z"), at("2026-06-01T11:00:00.5Z")).await,
        [ten, eleven]
    );
    assert_eq!(history("here", now, nine.starts_at).await, []);
}

#[rstest]
#[case::memory(Memory)]
#[case::redis(Redis)]
#[tokio::test]
async fn a_later_word_about_a_slot_counts_but_an_estimate_never_replaces_a_measurement(#[case] kind: Kind) {
    let Some((replica, _server)) = given(kind).await else { return };
    let ten = |grams, estimated| past("here", "2026-06-01T10:00:00Z", grams, estimated);
    let steps = [
        (ten(1.0, true), 1.0),
        (ten(2.0, true), 2.0),
        (ten(3.0, false), 3.0),
        (ten(4.0, true), 3.0),
        (ten(5.0, false), 5.0),
        // The very words that were there before.
        (ten(3.0, false), 3.0),
    ];
    for (said, kept) in steps {
        // Twice: the second time there is nothing new in it.
        for _ in 0..2 {
            replica.store.remember(std::slice::from_ref(&said), at(NOON)).await.unwrap();
        }
        let history = replica.store.history(&"here".into(), Timestamp::MIN, Timestamp::MAX).await.unwrap();
        assert_eq!(history.iter().map(|past| past.intensity.0).collect::<Vec<_>>(), [kept]);
    }
}

#[rstest]
#[case::memory(Memory)]
#[case::redis(Redis)]
#[tokio::test]
async fn what_is_past_the_retention_is_dropped_and_not_taken_in_again(#[case] kind: Kind) {
    let Some((replica, _server)) = given(kind).await else { return };
    let old = past("here", "2026-05-31T12:00:00Z", 1.0, false);
    let young = past("here", "2026-06-01T11:00:00Z", 2.0, false);
    let store = &replica.store;
    store.remember(std::slice::from_ref(&old), at("2026-05-31T13:00:00Z")).await.unwrap();
    store.remember(std::slice::from_ref(&young), at(NOON)).await.unwrap();
    let history = async || store.history(&"here".into(), Timestamp::MIN, Timestamp::MAX).await.unwrap();
    assert_eq!(history().await, [old.clone(), young.clone()], "a day is kept to its last half hour");
    let later = at("2026-06-01T12:30:00Z");
    let new = past("here", "2026-06-01T12:00:00Z", 3.0, false);
    store.remember(&[new.clone(), old], later).await.unwrap();
    assert_eq!(history().await, [young, new]);
}

/// One and the same value is one allocation, however many look at it.
#[tokio::test]
async fn in_memory_everybody_shares_one_snapshot() {
    let replica = in_memory();
    let published = replica.store.publish(readings(1.0)).await.unwrap();
    assert!(Arc::ptr_eq(&published, &replica.store.latest().await.unwrap().unwrap()));
}
