//! What decision records cost: bytes kept, time to scan and to verify them, memory; in a file, and in Redis where there is a
//! server.
//!
//! `cargo bench --bench ledger`; `ECO_PULSE_BENCH_RECORDS` (1000000) and `ECO_PULSE_BENCH_REGIONS` (3) change the size, and
//! `ECO_PULSE_BENCH_KINDS` (5) how many kinds of decisions take turns: the first of them alone is one that is steered.
#![allow(clippy::unwrap_used, missing_debug_implementations, reason = "a bench, for people to look at")]

#[path = "../tests/support/redis.rs"]
mod redis;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use eco_pulse::app::{LedgerSource, gather, snapshot_once};
use eco_pulse::audit::entry::{DecisionIds, Endpoint, Entry, Subject};
use eco_pulse::audit::file::{FileOptions, LedgerFile};
use eco_pulse::audit::ledger::Ledger;
use eco_pulse::audit::read::Span;
use eco_pulse::audit::scan::{Scanner, Wanted};
use eco_pulse::audit::segments::segments;
use eco_pulse::audit::verify::Verifier;
use eco_pulse::catalogue::Catalogue;
use eco_pulse::clock::{Clock, monotonic_now};
use eco_pulse::config::{Config, Mode};
use eco_pulse::decider::{Decided, Decider, Settings};
use eco_pulse::kubernetes::cluster::ClusterView;
use eco_pulse::kubernetes::placement::PodInContext;
use eco_pulse::report::{Asked, Form, Period, Scope, build, render};
use eco_pulse::store::{RedisStore, SnapshotStore, StoreState};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::redis::RedisServer;

/// Written to Redis at once.
const BATCH: usize = 200;
const START: &str = "2026-06-01T00:00:00Z";
const POD: &str = r#"{"metadata":{"name":"checkout-5b7d9c6f4-x2x9k"},"spec":{"restartPolicy":"Never",
    "containers":[{"name":"main","resources":{"requests":{"cpu":"2","memory":"4Gi"}}}]}}"#;
const SERVICE: &str = r#"{"metadata":{"name":"web-7c9d8b6f5-k4l2m"},"spec":{
    "containers":[{"name":"main","resources":{"requests":{"cpu":"250m","memory":"512Mi"}}},
        {"name":"proxy","resources":{"requests":{"cpu":"100m","memory":"128Mi"}}}]}}"#;
const WITHOUT_REQUESTS: &str = r#"{"metadata":{"name":"tool"},"spec":{"containers":[{"name":"main"}]}}"#;

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// The most memory this process has had so far, MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
}

fn told(what: &str, records: u64, seconds: f64) {
    let rate = records as f64 / seconds;
    println!("{what:<28}{seconds:>8.2} s {rate:>12.0} records/s   peak {:>4} MiB", peak_mib());
}

/// Decisions of as many kinds: steered, steered, staying, staying, and left alone.
async fn decisions(regions: u64, kinds: u64) -> Vec<Decided> {
    let last = regions - 1;
    let all = [(0, POD), (0, SERVICE), (last, POD), (last, SERVICE), (0, WITHOUT_REQUESTS)];
    let mut decisions = Vec::new();
    for (base, pod) in all.into_iter().take(usize::try_from(kinds).unwrap().max(1)) {
        decisions.push(decided(regions, base, pod).await);
    }
    decisions
}

/// A decision among so many regions.
async fn decided(regions: u64, base: u64, pod: &str) -> Decided {
    let mut yaml = format!("baseline: {{region: region-{base}}}\ngrid: {{provider: mock, mock: {{");
    for region in 0..regions {
        write!(yaml, "region-{region}: {}, ", 700 - region * 20).unwrap();
    }
    yaml.push_str("}}\nregions:\n");
    for region in 0..regions {
        writeln!(
            yaml,
            "- {{name: region-{region}, provider: on-prem, gridZone: DE, pue: 1.1{region}, priceUsdPerVcpuHour: 0.02, latitude: 52.5, longitude: {region}}}"
        )
        .unwrap();
    }
    let catalogue = Arc::new(Catalogue::built_in().unwrap());
    let config = Config::parse(&yaml, &*catalogue).unwrap();
    let now: Timestamp = START.parse().unwrap();
    let snapshot = snapshot_once(&config, &catalogue, &Clock::new(move || now)).await.unwrap();
    let decider = Decider::new(
        Settings::new(&config),
        Arc::new(ArcSwapOption::from_pointee(snapshot)),
        Arc::new(ArcSwap::from_pointee(ClusterView::unwatched("eco-pulse"))),
        1,
    );
    let pod = serde_json::from_str(pod).unwrap();
    decider.decide(PodInContext { pod: &pod, namespace: "shop" }, now)
}

/// Fills a ledger's file with records of a month.
fn fill(file: &Path, decisions: &[Decided], records: u64) {
    let options = FileOptions::new(file.to_owned(), SignedDuration::from_hours(24 * 365));
    let kept = Box::new(LedgerFile::open(options).unwrap());
    let (ledger, writer) =
        Ledger::start_kept("bench".to_owned(), None, Some(kept), Box::new(|_| {})).unwrap();
    let ids = DecisionIds::new(0x0123_4567_89ab_cdef);
    let start: Timestamp = START.parse().unwrap();
    let step = SignedDuration::from_hours(24 * 30) / i32::try_from(records).unwrap();
    for (record, decided) in (0..records).zip(decisions.iter().cycle()) {
        let entry = || Entry {
            at: start + step * i32::try_from(record).unwrap(),
            id: ids.next(),
            endpoint: Endpoint::Mutate,
            subject: Subject {
                uid: format!("{record:08x}-0000-4000-8000-0123456789ab"),
                namespace: format!("team-{}", record % 20),
                pod: "checkout-5b7d9c6f4-x2x9k".to_owned(),
                owner: Some(("ReplicaSet".to_owned(), format!("checkout-{}", record % 50))),
            },
            dry_run: false,
            mode: Mode::Steer,
            policies: Vec::new(),
            decision: decided.decision.clone(),
            demand: decided.demand.clone(),
            snapshot: decided.snapshot.clone(),
            duration: std::time::Duration::from_micros(85),
        };
        while ledger.offer(entry()).is_err() {
            std::thread::yield_now();
        }
    }
    writer.close();
}

async fn scan_and_verify(source: &LedgerSource, what: &str, records: u64) {
    let from: Timestamp = START.parse().unwrap();
    let to = from + SignedDuration::from_hours(24 * 31);
    let started = monotonic_now();
    let scanner = Scanner::new(Wanted { from, to, namespace: None, projected: true });
    let scan = source.read(Span::around(from, to), scanner).await.unwrap().finish();
    told(&format!("scan {what}"), scan.records, started.elapsed().as_secs_f64());
    assert_eq!((scan.records, scan.unreadable), (records, 0));
    let started = monotonic_now();
    let verified = source.read(Span::ALL, Verifier::new(None)).await.unwrap().finish();
    told(&format!("verify {what}"), records, started.elapsed().as_secs_f64());
    assert!(verified.is_whole(), "{verified:?}");
}

/// From the configuration to a PDF and a table, as the command makes them.
async fn report(kept: &str, what: &str, records: u64) {
    let catalogue = Arc::new(Catalogue::built_in().unwrap());
    let yaml = format!(
        "baseline: {{region: us-east-1}}\nregions: [{{name: us-east-1}}, {{name: eu-north-1}}]\n{kept}\n"
    );
    let config = Config::parse(&yaml, &*catalogue).unwrap();
    let from: Timestamp = START.parse().unwrap();
    let now = from + SignedDuration::from_hours(24 * 31);
    let (from, to) = (from.to_string(), now.to_string());
    let started = monotonic_now();
    let period = Period::read(Some(&from), Some(&to), now, Asked::Command).unwrap();
    let scope = Scope { period, namespace: None };
    let inputs = gather(&config, &catalogue, &scope, &Clock::new(move || now), |_| {}).await.unwrap();
    let report = build(inputs, now).unwrap();
    assert_eq!(report.decisions.records, records);
    for form in [Form::Pdf, Form::Table] {
        assert!(!render(&report, form).unwrap().is_empty());
    }
    told(&format!("report {what}"), records, started.elapsed().as_secs_f64());
}

async fn to_redis(server: &RedisServer, file: &Path) -> (SnapshotStore, CancellationToken) {
    let store = SnapshotStore::Redis(RedisStore::new(&server.options("bench")).unwrap());
    let (kept, stop) = (store.clone(), CancellationToken::new());
    let until = stop.clone();
    tokio::spawn(async move { kept.run(until).await });
    store.state().wait_for(|state| *state == StoreState::Up).await.unwrap();
    let mut seq = 0;
    for segment in segments(file).unwrap() {
        let (sender, mut lines) = tokio::sync::mpsc::channel::<Bytes>(4 * BATCH);
        let reading = tokio::task::spawn_blocking(move || {
            segment.read(|line| sender.blocking_send(Bytes::copy_from_slice(line.bytes)).unwrap()).unwrap();
        });
        let mut batch = Vec::new();
        while lines.recv_many(&mut batch, BATCH).await > 0 {
            let records: Vec<(u64, Bytes)> =
                batch.drain(..).zip(seq + 1..).map(|(line, seq)| (seq, line)).collect();
            seq += records.len() as u64;
            store.append_records("bench", &records).await.unwrap();
        }
        reading.await.unwrap();
    }
    (store, stop)
}

#[tokio::main]
async fn main() {
    let records = number("ECO_PULSE_BENCH_RECORDS", 1_000_000);
    let regions = number("ECO_PULSE_BENCH_REGIONS", 3);
    let dir = tempfile::tempdir().unwrap();
    let file: PathBuf = dir.path().join("ledger.jsonl");
    let decisions = decisions(regions, number("ECO_PULSE_BENCH_KINDS", 5)).await;
    println!("{records} records of {regions} regions, {} kinds", decisions.len());
    let started = monotonic_now();
    fill(&file, &decisions, records);
    told("write to the file", records, started.elapsed().as_secs_f64());
    let bytes: u64 =
        segments(&file).unwrap().iter().map(|segment| segment.path.metadata().unwrap().len()).sum();
    println!("on disk: {} bytes a record, {} MiB", bytes / records, bytes >> 20);
    report(&format!("ledger: {{file: '{}'}}", file.display()), "from the file", records).await;
    scan_and_verify(&LedgerSource::File(file.clone()), "the file", records).await;

    let Some(server) = RedisServer::start() else { return };
    let used = |server: &RedisServer| -> u64 {
        let info = server.command(&["INFO", "memory"]);
        info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().trim().parse().unwrap()
    };
    let before = used(&server);
    let started = monotonic_now();
    let (store, stop) = to_redis(&server, &file).await;
    told("write to Redis", records, started.elapsed().as_secs_f64());
    let bytes = used(&server) - before;
    println!("in Redis: {} bytes a record, {} MiB", bytes / records, bytes >> 20);
    report(&format!("store: {{redis: {{url: '{}'}}}}", server.url()), "from Redis", records).await;
    scan_and_verify(&LedgerSource::Store(store), "Redis", records).await;
    stop.cancel();
}
