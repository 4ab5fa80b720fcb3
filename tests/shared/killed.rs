//! The accountant itself, with its watch, its lock, its collector and its ledger, in a process that is killed a hundred times:
//! in the end the books are those of a process that was left alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use eco_pulse::app::{App, Kubernetes, LedgerSource, Options, Role};
use eco_pulse::audit::read::Span;
use eco_pulse::audit::verify::Verifier;
use eco_pulse::catalogue::Catalogue;
use eco_pulse::clock::Clock;
use eco_pulse::config::Config;
use eco_pulse::kubernetes::cluster::ClusterView;
use eco_pulse::store::{BookStore, Timing};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::accounts::{KWH_NORTH, KWH_WEST, PODS, cluster, over, pod, store_of};
use crate::api_server::{ApiServer, client_of};
use crate::client::Client;
use crate::prometheus_text::Scrape;
use crate::redis::RedisServer;
use crate::replicas::TIMING;
use crate::waiting::until;

/// This test, which a child runs too.
const TEST: &str = "killed::killed_a_hundred_times_the_accountant_keeps_the_books_of_one_that_was_left_alone";
/// The folder in which a child finds what it is to be.
const SCENE: &str = "ECO_PULSE_TEST_ACCOUNTANT";
const KILLS: u32 = 100;
const START: &str = "2026-06-01T12:07:00Z";
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Hours that pass: over midnight.
const HOURS: i32 = 25;
/// In each, first the clock moves on and then pods come and end.
const KILLS_AT_ONCE: u32 = 2;
/// A child that was killed keeps the lock for so long.
const LOCK: Duration = Duration::from_millis(400);
/// It is killed within so much, and has begun, read its books, or is writing them by then.
const LIVES_MS: u64 = 500;

/// In the child: the accountant, until it is killed.
async fn keep_books(scene: &Path) {
    let text = |name: &str| std::fs::read_to_string(scene.join(name)).unwrap();
    let catalogue = Arc::new(Catalogue::built_in().unwrap());
    let config = Config::parse(&text("config.yaml"), &*catalogue).unwrap();
    let role = if config.store.redis.is_some() { Role::Controller } else { Role::All };
    let clock = scene.join("clock");
    let options = Options {
        clock: Clock::new(move || std::fs::read_to_string(&clock).unwrap().parse().unwrap()),
        cluster: ClusterView::pending("eco-pulse"),
        kubernetes: Some(Kubernetes::new(client_of(&text("server")), "eco-pulse")),
        replica: "one".to_owned(),
        role,
        ..Options::new(config, catalogue)
    };
    let app = App::start_with_timing(options, Timing { lock_period: LOCK, ..TIMING }).unwrap();
    println!("admin {}", app.admin_addr());
    app.run_until(std::future::pending()).await.unwrap();
}

/// Where the books are kept.
enum Kept {
    File,
    Redis(RedisServer),
}

/// A child that has started.
struct Running {
    child: Child,
    client: Client,
    /// Said when it has ended.
    ended: oneshot::Receiver<()>,
}

struct Scene {
    folder: TempDir,
    server: ApiServer,
    kept: Kept,
    running: Option<Running>,
    kills: u32,
    seed: u64,
}

impl Scene {
    fn new(kept: Kept) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        // A server forgets by its own clock, and lives long after the test's time.
        let days = "retentionDays: 3650, rawRetentionDays: 3650";
        let store = match &kept {
            Kept::File => format!("ledger: {{file: '{}', {days}}}", file("ledger.jsonl").display()),
            Kept::Redis(redis) => format!("store: {{redis: {{url: '{}'}}}}\nledger: {{{days}}}", redis.url()),
        };
        let config = format!(
            "mode: steer\nbaseline: {{region: eu-west-1}}\nregions: [{{name: eu-west-1}}, {{name: eu-north-1}}]\n\
             carbon: {{priceUsdPerTonne: 50}}\n\
             grid: {{provider: replay, refresh: 200ms, replay: {{file: '{}', speed: 1}}}}\n{store}\n",
            file("trace.csv").display()
        );
        let server = cluster();
        std::fs::write(file("config.yaml"), config).unwrap();
        std::fs::write(file("trace.csv"), trace()).unwrap();
        std::fs::write(file("server"), server.url()).unwrap();
        Self { folder, server, kept, running: None, kills: 0, seed: 7 }
    }

    fn set_clock(&self, now: Timestamp) {
        // In one step: a child reads it all the time.
        let new = self.folder.path().join("clock.new");
        std::fs::write(&new, now.to_string()).unwrap();
        std::fs::rename(new, self.folder.path().join("clock")).unwrap();
    }

    /// The child, which is started if there is none.
    async fn running(&mut self) -> &mut Running {
        if self.running.is_none() {
            self.running = Some(self.start().await);
        }
        self.running.as_mut().unwrap()
    }

    async fn start(&self) -> Running {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", TEST, "--nocapture"])
            .env(SCENE, self.folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let admin = lines.find_map(|line| Some(line.split_once("admin ")?.1.to_owned()));
        let (tell, ended) = oneshot::channel();
        // Whoever writes to a pipe that nobody reads ends.
        drop(std::thread::spawn(move || {
            lines.for_each(drop);
            let _ = tell.send(());
        }));
        let client = Client::plain(admin.expect("the child does not start").parse().unwrap()).await;
        Running { child, client, ended }
    }

    /// At whatever point it is.
    fn kill(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        running.child.kill().unwrap();
        assert_eq!(running.child.wait().unwrap().signal(), Some(9), "it ended by itself");
        self.kills += 1;
    }

    /// What has happened is accounted for in the end, however often who does so is killed meanwhile.
    async fn settle(&mut self, kills: u32, now: Timestamp, lives: &[Life]) {
        for _ in 0..kills {
            self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let random = self.seed >> 33;
            let running = self.running().await;
            let lives = Duration::from_millis(random % LIVES_MS);
            let ended = tokio::time::timeout(lives, &mut running.ended).await;
            assert!(ended.is_err(), "it ended by itself");
            self.kill();
        }
        self.running().await;
        let expected = Expected::at(now, lives);
        until("all is accounted for", async || {
            let running = self.running.as_mut().unwrap();
            let scrape = Scrape::parse(running.client.get("/metrics").await.text());
            Expected::shown(&scrape).is(&expected) && self.is_told(now)
        })
        .await;
    }

    /// Whether the readings of this hour are kept.
    fn is_told(&self, now: Timestamp) -> bool {
        let starts_at = Timestamp::from_second(now.as_second() / 3600 * 3600).unwrap().to_string();
        let counted = match &self.kept {
            Kept::File => {
                let file = self.folder.path().join("ledger.jsonl.readings");
                std::fs::read_to_string(file)
                    .unwrap_or_default()
                    .matches(&format!("measured {starts_at}"))
                    .count()
            }
            Kept::Redis(redis) => ["eu-west-1", "eu-north-1"]
                .iter()
                .filter(|region| {
                    let key = format!("{{eco-pulse}}:history:{region}");
                    redis.command(&["ZRANGE", &key, "0", "-1"]).contains(&format!("measured {starts_at}"))
                })
                .count(),
        };
        counted >= 2
    }

    /// All that the books say of the time: by table and key.
    async fn books(&self) -> BTreeMap<(String, String), Value> {
        let mut in_touch = None;
        let store = match &self.kept {
            Kept::File => BookStore::read_file(&self.folder.path().join("ledger.jsonl.accounts")).unwrap(),
            Kept::Redis(redis) => BookStore::Redis(in_touch.insert(store_of(redis)).0.clone()),
        };
        until("the books can be read", async || store.version().await.is_ok()).await;
        let first = START.parse::<Timestamp>().unwrap().as_second() / 86_400;
        let days = first - 1..first + 4;
        let tables = days.flat_map(|day| [format!("hours:{day}"), format!("owners:{day}")]);
        let mut books = BTreeMap::new();
        for table in tables.chain(["totals".to_owned()]) {
            for (key, value) in store.table(&table).await.unwrap() {
                books.insert((table.clone(), key), serde_json::from_str(&value).unwrap());
            }
        }
        books
    }

    /// The lines of the ledger.
    fn ledger(&self) -> String {
        match &self.kept {
            Kept::File => std::fs::read_to_string(self.folder.path().join("ledger.jsonl")).unwrap(),
            Kept::Redis(redis) => redis.command(&["XRANGE", "{eco-pulse}:ledger:one", "-", "+"]),
        }
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}

/// Two zones whose intensity is another one in every hour.
fn trace() -> String {
    let first: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
    let mut trace = "datetime_utc,IE,SE-SE3\n".to_owned();
    for hour in 0..96 {
        let at = first + HOUR * hour;
        writeln!(trace, "{at},{},{}", 300 + 7 * (hour % 11), 20 + 3 * (hour % 5)).unwrap();
    }
    trace
}

/// A pod's life.
struct Life {
    name: String,
    bound_at: Timestamp,
    ended_at: Timestamp,
    is_north: bool,
    label: &'static str,
}

impl Life {
    /// The pod that is bound in this hour: every third one goes astray, every fifth one is left alone.
    fn of(hour: i32) -> Self {
        let bound_at = START.parse::<Timestamp>().unwrap() + HOUR * hour - SignedDuration::from_mins(3);
        // Told in the hour of the end, as from a watch: none, one or more hours after the binding.
        let minutes = 1 + 60 * i64::from(hour % 6);
        Self {
            name: format!("pod-{hour}"),
            bound_at,
            ended_at: bound_at + SignedDuration::from_mins(minutes),
            is_north: hour % 3 != 0,
            label: if hour % 5 == 4 { "holdout" } else { "steer" },
        }
    }

    fn object(&self, now: Timestamp) -> Value {
        let mut object = pod(&self.name, self.label, if self.is_north { "north" } else { "west" });
        object["status"]["conditions"][0]["lastTransitionTime"] = json!(self.bound_at.to_string());
        object["metadata"]["ownerReferences"][0]["name"] = json!(format!("job-of-{}", self.name));
        if self.ended_at <= now { over(object, "Succeeded", &self.ended_at.to_string()) } else { object }
    }
}

/// What is shown once all is accounted for, by a straightforward computation.
#[derive(Clone, Copy, Debug, Default)]
struct Expected {
    bound: f64,
    open: f64,
    energy_kwh: f64,
}

impl Expected {
    fn at(now: Timestamp, lives: &[Life]) -> Self {
        let hour = Timestamp::from_second(now.as_second() / 3600 * 3600).unwrap();
        let mut expected = Self::default();
        for life in lives {
            expected.bound += 1.0;
            // A run is closed when the hour of its end is over.
            expected.open += f64::from(u8::from(life.ended_at > hour));
            let ran = life.ended_at.min(hour).duration_since(life.bound_at).as_secs_f64().max(0.0) / 3600.0;
            expected.energy_kwh += ran * if life.is_north { KWH_NORTH } else { KWH_WEST };
        }
        expected
    }

    fn shown(scrape: &Scrape) -> Self {
        Self {
            bound: scrape.total("eco_pulse_placements_total"),
            open: scrape.find("eco_pulse_runs_open", &[]).unwrap_or(f64::NAN),
            energy_kwh: scrape.total("eco_pulse_energy_kwh_total"),
        }
    }

    fn is(&self, other: &Self) -> bool {
        // The README's figures have four digits.
        let is_close = (self.energy_kwh - other.energy_kwh).abs() <= 1e-3 * other.energy_kwh;
        (self.bound, self.open) == (other.bound, other.open) && is_close
    }
}

/// A day and an hour, with so many kills whenever something has happened.
async fn lived(kept: Kept, kills: u32) -> Scene {
    let mut scene = Scene::new(kept);
    let mut lives: Vec<Life> = Vec::new();
    for hour in 0..HOURS {
        let now = START.parse::<Timestamp>().unwrap() + HOUR * hour;
        scene.set_clock(now);
        scene.settle(kills, now, &lives).await;
        // Finished pods are removed after a while, as a Job's are, once their end was seen.
        for life in
            lives.iter().filter(|life| life.ended_at <= now - HOUR * 3 && life.ended_at > now - HOUR * 4)
        {
            scene.server.remove(PODS, &format!("team/{}", life.name));
        }
        lives.push(Life::of(hour));
        let there = lives.iter().filter(|life| life.ended_at > now - HOUR * 3);
        scene.server.put_all(PODS, there.map(|life| life.object(now)));
        scene.settle(kills, now, &lives).await;
    }
    let end = START.parse::<Timestamp>().unwrap() + HOUR * HOURS;
    let closed = lives.iter().filter(|life| life.ended_at <= end - HOUR * 2);
    let names: Vec<String> = closed.map(|life| format!(r#""pod":"{}""#, life.name)).collect();
    assert!(names.len() > 15, "{names:?}");
    until("every run that was closed has a record", async || {
        let ledger = scene.ledger();
        names.iter().all(|name| ledger.lines().any(|line| line.contains("realised") && line.contains(name)))
    })
    .await;
    scene
}

#[track_caller]
fn assert_same(found: &BTreeMap<(String, String), Value>, expected: &BTreeMap<(String, String), Value>) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (key, found) in found {
        assert!(is_close(found, &expected[key]), "{key:?}: {found} is not {}", expected[key]);
    }
}

/// Numbers to a billionth, all else to the letter.
fn is_close(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            (found - expected).abs() <= 1e-9 * expected.abs().max(1e-6)
        }
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(one, other)| is_close(one, other))
        }
        (Value::Object(found), Value::Object(expected)) => {
            found.len() == expected.len()
                && found.iter().all(|(key, one)| expected.get(key).is_some_and(|other| is_close(one, other)))
        }
        _ => found == expected,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_a_hundred_times_the_accountant_keeps_the_books_of_one_that_was_left_alone() {
    if let Some(scene) = std::env::var_os(SCENE) {
        return keep_books(Path::new(&scene)).await;
    }
    let (Some(one), Some(other)) = (RedisServer::start(), RedisServer::start()) else { return };
    let mut undisturbed = lived(Kept::Redis(one), 0).await;
    let expected = undisturbed.books().await;
    assert!(expected.len() > 60, "{} entries", expected.len());
    undisturbed.kill();
    for kept in [Kept::Redis(other), Kept::File] {
        let mut scene = lived(kept, KILLS_AT_ONCE).await;
        assert!(scene.kills >= KILLS, "only {} kills", scene.kills);
        println!("killed {} times", scene.kills);
        scene.kill();
        assert_same(&scene.books().await, &expected);
        if let Kept::File = scene.kept {
            let source = LedgerSource::File(scene.folder.path().join("ledger.jsonl"));
            let verified = source.read(Span::ALL, Verifier::new(None)).await.unwrap().finish();
            assert!(verified.is_whole(), "{verified:?}");
        }
    }
}
