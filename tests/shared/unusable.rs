//! A Redis that cannot be used, for every reason an operator can give it: `serve` starts, says so once with the cure, and
//! leaves pods alone; `check` fails with the same; and once it is mended, nobody restarts anything.

use std::path::{Path, PathBuf};

use eco_pulse::app::Role;
use http::StatusCode;
use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

use crate::callers::Callers;
use crate::command::{path, run};
use crate::grid::{Grid, Hands, REGIONS, VALUES};
use crate::redis::{RedisServer, free_port};
use crate::replicas::{self, EASY, Replica};
use crate::server::Server;
use crate::waiting::until;

const SNAPSHOT: &str = "{eco-pulse}:snapshot";
const PASSWORD: &str = "correct-horse";
const WRONG_PASSWORD: &str = "battery-staple";
const FAILS: &str = "the store fails; the readings at hand are used meanwhile";

#[derive(Clone, Copy, Debug)]
enum Fault {
    NobodyAtThePort,
    NoPasswordGiven,
    WrongPassword,
    PasswordFileMissing,
    PasswordFileEmpty,
    ForeignKey,
}

impl Fault {
    /// What has to be said: what it is, and what helps.
    const fn told(self) -> [&'static str; 2] {
        match self {
            Self::NobodyAtThePort => {
                ["Connection refused", "see that it runs, and that store.redis.url is right"]
            }
            Self::NoPasswordGiven => {
                ["asks for a password", "name the file that holds it in store.redis.passwordFile"]
            }
            Self::WrongPassword => {
                ["refuses the password", "correct the file that store.redis.passwordFile names"]
            }
            Self::PasswordFileMissing => {
                ["no such file", "write the password to the file that store.redis.passwordFile names"]
            }
            Self::PasswordFileEmpty => {
                ["the file is empty", "write the password to the file that store.redis.passwordFile names"]
            }
            Self::ForeignKey => [
                "{eco-pulse}:snapshot holds something else (a string)",
                "delete it, or give Eco-Pulse another database",
            ],
        }
    }

    const fn has_password(self) -> bool {
        !matches!(self, Self::NobodyAtThePort | Self::ForeignKey)
    }
}

/// A Redis with a fault, and who has to do with it.
struct Scene {
    fault: Fault,
    redis: RedisServer,
    dir: TempDir,
    grid: Grid,
}

impl Scene {
    fn set(fault: Fault) -> Option<Self> {
        let protected = ["--requirepass", PASSWORD];
        let mut redis = RedisServer::start_with(if fault.has_password() { &protected } else { &[] })?;
        let dir = tempfile::tempdir().unwrap();
        match fault {
            Fault::NobodyAtThePort => redis.kill(),
            Fault::WrongPassword => std::fs::write(dir.path().join("password"), WRONG_PASSWORD).unwrap(),
            Fault::PasswordFileEmpty => std::fs::write(dir.path().join("password"), "\n").unwrap(),
            Fault::ForeignKey => assert_eq!(redis.command(&["SET", SNAPSHOT, "not ours"]), "OK"),
            Fault::NoPasswordGiven | Fault::PasswordFileMissing => {}
        }
        let grid = Grid::start(VALUES, &Hands::default());
        Some(Self { fault, redis, dir, grid })
    }

    fn password_file(&self) -> PathBuf {
        self.dir.path().join("password")
    }

    fn config(&self) -> String {
        let password = match self.fault {
            Fault::WrongPassword | Fault::PasswordFileMissing | Fault::PasswordFileEmpty => {
                format!(", passwordFile: '{}'", self.password_file().display())
            }
            _ => String::new(),
        };
        let url = self.redis.url();
        format!("{REGIONS}{}{EASY}store: {{redis: {{url: '{url}'{password}}}}}\n", self.grid.section("1s"))
    }

    /// What the operator does who read what was said.
    fn mend(&mut self) {
        match self.fault {
            Fault::NobodyAtThePort => self.redis.restart(),
            // The configuration has to be changed: that is a restart.
            Fault::NoPasswordGiven => {
                self.redis.command_as(PASSWORD, &["CONFIG", "SET", "requirepass", ""]);
            }
            // A newline at the end is no part of it.
            Fault::WrongPassword | Fault::PasswordFileMissing | Fault::PasswordFileEmpty => {
                std::fs::write(self.password_file(), format!("{PASSWORD}\n")).unwrap();
            }
            Fault::ForeignKey => assert_eq!(self.redis.command(&["DEL", SNAPSHOT]), "1"),
        }
    }
}

fn assert_told(text: &str, fault: Fault) {
    for words in fault.told() {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    assert!(!text.contains(PASSWORD) && !text.contains(WRONG_PASSWORD), "{text}");
}

fn check(config: &str, dir: &Path) -> crate::command::Ended {
    let file = dir.join("eco-pulse.yaml");
    std::fs::write(&file, config).unwrap();
    run(&["check", "--config", path(&file)])
}

#[rstest]
#[case::nobody_at_the_port(Fault::NobodyAtThePort)]
#[case::no_password_given(Fault::NoPasswordGiven)]
#[case::wrong_password(Fault::WrongPassword)]
#[case::password_file_missing(Fault::PasswordFileMissing)]
#[case::password_file_empty(Fault::PasswordFileEmpty)]
#[case::foreign_key(Fault::ForeignKey)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_be_used_is_told_with_the_cure_and_used_once_it_is_mended(#[case] fault: Fault) {
    let Some(mut scene) = Scene::set(fault) else { return };
    let config = scene.config();
    let (mut server, _records) = Server::launch(&config);
    let mut callers = Callers::of(&server.address()).await;
    callers.bypass("no_snapshot").await;

    let ended = check(&config, scene.dir.path());
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_told(&ended.stderr, fault);
    assert!(ended.stderr.contains("store.redis: "), "{ended:?}");

    scene.mend();
    until("the store answers", async || callers.has_store().await).await;
    until("pods are decided about", async || callers.answer().await["response"]["patch"].is_string()).await;
    assert_eq!(callers.degraded().await, [""; 0]);
    let ended = check(&config, scene.dir.path());
    assert_eq!(ended.code, 0, "{ended:?}");

    server.signal("KILL");
    let (_, log) = server.wait_for_end();
    let told: Vec<&Value> = log.iter().filter(|line| line["message"] == FAILS).collect();
    let [told] = told[..] else { panic!("told once: {told:?}") };
    assert_eq!(told["level"], "WARN");
    assert_told(told["error"].as_str().unwrap(), fault);
}

/// It is not waited for, but for the grid data that it would have.
#[tokio::test]
async fn a_replica_without_its_store_and_without_data_is_ready_after_a_while() {
    let hands = Hands::default();
    let grid = Grid::start(VALUES, &hands);
    let url = format!("redis://127.0.0.1:{}", free_port());
    let replica = Replica::start(&replicas::config(&grid, &url), &hands, "alone");
    let mut callers = replica.callers().await;
    callers.bypass("no_snapshot").await;
    until("it is ready", async || callers.admin.get("/readyz").await.status == StatusCode::OK).await;
    assert_eq!(callers.degraded().await, ["snapshot", "store"]);
    callers.bypass("no_snapshot").await;
}

/// Who only reads cannot help it; a collector of this release replaces it.
#[tokio::test]
async fn a_snapshot_of_a_newer_release_is_not_used() {
    let Some(redis) = RedisServer::start() else { return };
    let hands = Hands::default();
    let grid = Grid::start(VALUES, &hands);
    redis.command(&["HSET", SNAPSHOT, "version", "41", "schema", "99", "body", "{}"]);
    let config = replicas::config(&grid, &redis.url());
    let webhook = Replica::start_as(Role::Webhook, &config, &hands, "webhook");
    let mut callers = webhook.callers().await;
    callers.bypass("no_snapshot").await;
    let dir = tempfile::tempdir().unwrap();
    let ended = check(&config, dir.path());
    assert_eq!(ended.code, 1, "{ended:?}");
    for words in ["store.redis: ", "has schema 99, and this release reads up to", "finish the upgrade"] {
        assert!(ended.stderr.contains(words), "{words:?} is not in: {ended:?}");
    }
    assert!(!callers.has_store().await);
    callers.bypass("no_snapshot").await;

    let _collector = Replica::start_as(Role::Controller, &config, &hands, "controller");
    callers.has_version(42).await;
    callers.gains_store().await;
    assert_eq!(callers.decide().await.as_deref(), Some("eu-north-1"));
}
