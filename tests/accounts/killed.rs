//! The accountant killed at random points: each time another process begins anew from what is stored.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use eco_pulse::app::BookError;
use eco_pulse::store::{BookStore, Leadership, RedisOptions, RedisStore, SnapshotStore, Timing};
use tokio_util::sync::CancellationToken;

use crate::expected::figures;
use crate::redis::{self, RedisServer};
use crate::rig::{Simulation, assert_same, by_namespace, run_week, stored_hours};
use crate::week::{STEPS, lives};

/// The test that a child runs too.
const TEST: &str =
    "killed::killed_a_hundred_times_on_a_local_file_the_totals_are_those_of_an_undisturbed_week";
const STORE: &str = "ECO_PULSE_TEST_ACCOUNTS";
const FIRST_STEP: &str = "ECO_PULSE_TEST_FIRST_STEP";
const KILLS: usize = 100;
/// A store that was just killed under somebody else is in order again by then.
const MOST_FAILURES: u32 = 1000;

/// In the child: lives through the week from a step on, and tells each step before it begins. Killed by its parent.
async fn live_on(store: &str) {
    let books = open(store);
    let mut step: i64 = std::env::var(FIRST_STEP).unwrap().parse().unwrap();
    let mut failures = 0;
    while step < STEPS {
        // What the accountant does: whatever fails, it begins anew from what is stored.
        let before = step;
        if let Err(error) = live(&books, &mut step).await {
            println!("anew at {step}: {error}");
            failures = if step == before { failures + 1 } else { 0 };
            assert!(failures < MOST_FAILURES, "it does not get on: {error}");
        }
    }
    println!("done");
}

async fn live(books: &BookStore, step: &mut i64) -> Result<(), BookError> {
    while books.lead().await? != Leadership::Ours {
        tokio::task::yield_now().await;
    }
    let mut simulation = Simulation::begin(books.clone(), *step).await?;
    let mut is_first = true;
    while *step < STEPS {
        println!("step {step}");
        if books.lead().await? != Leadership::Ours {
            return Ok(());
        }
        simulation.step(*step, is_first).await?;
        is_first = false;
        *step += 1;
    }
    Ok(())
}

fn open(store: &str) -> BookStore {
    if !store.starts_with("redis:") {
        return BookStore::in_file(Path::new(store)).unwrap();
    }
    let timing = Timing { lock_period: std::time::Duration::from_millis(200), ..Timing::default() };
    let options = RedisOptions { timing, ..redis::options(store.to_owned(), "accountant") };
    let redis = RedisStore::new(&options).unwrap();
    let kept = SnapshotStore::Redis(redis.clone());
    // Ends with the runtime.
    drop(tokio::spawn(async move { kept.run(CancellationToken::new()).await }));
    BookStore::Redis(redis)
}

/// Starts the child again and again, and kills it after it has told a random number of lines: whatever it is at then.
fn live_and_die(store: &str) {
    let mut seed = 11_u64;
    let (mut step, mut kills) = (0_i64, 0);
    loop {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", TEST, "--nocapture"])
            .env(STORE, store)
            .env(FIRST_STEP, step.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let lines = 1 + (seed >> 33) % (2 * STEPS as u64 / KILLS as u64 - 2);
        let mut told = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some(number) = line.strip_prefix("step ") {
                (step, told) = (number.parse().unwrap(), told + 1);
            }
            if line == "done" {
                assert!(child.wait().unwrap().success());
                assert!(kills >= KILLS, "only {kills} kills");
                println!("killed {kills} times");
                return;
            }
            // What it tells after its death still counts: it is read to its end.
            if told == lines && kills < KILLS {
                child.kill().unwrap();
            }
        }
        assert_eq!(child.wait().unwrap().signal(), Some(9), "it ended by itself at step {step}");
        kills += 1;
    }
}

/// What is stored after a week with deaths is what is stored after one without, to the last digit.
async fn same_as_undisturbed(books: &BookStore) {
    let undisturbed = BookStore::in_memory();
    run_week(&undisturbed).await;
    let (found, expected) = (stored_hours(books).await, stored_hours(&undisturbed).await);
    assert!(!expected.is_empty());
    assert_same(&by_namespace(&found), &by_namespace(&expected));
    assert_same(&by_namespace(&found), &figures(&lives()));
    let totals = |store: BookStore| async move { store.table("totals").await.unwrap() };
    let (found, expected) = (totals(books.clone()).await, totals(undisturbed).await);
    assert_eq!(found.len(), expected.len());
    for ((key, found), (other, expected)) in found.iter().zip(&expected) {
        let (found, expected): (f64, f64) = (found.parse().unwrap(), expected.parse().unwrap());
        assert_eq!(key, other);
        assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{key}: {found} is not {expected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_a_hundred_times_on_a_local_file_the_totals_are_those_of_an_undisturbed_week() {
    if let Ok(store) = std::env::var(STORE) {
        return live_on(&store).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.jsonl.accounts");
    live_and_die(file.to_str().unwrap());
    same_as_undisturbed(&BookStore::read_file(&file).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_a_hundred_times_on_redis_the_totals_are_those_of_an_undisturbed_week() {
    let Some(server) = RedisServer::start() else { return };
    live_and_die(&server.url());
    same_as_undisturbed(&open(&server.url())).await;
}
