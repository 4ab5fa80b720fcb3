//! Processes with a ledger: restarted, killed, out of disk, and without their store. And the command that looks at it.

use std::path::Path;
use std::process::Command;

use http::StatusCode;
use tempfile::TempDir;

use crate::command::{clean, run};
use crate::redis::RedisServer;
use crate::server::{CONFIG, Server, next};

const REVIEW: &[u8] = include_bytes!("../data/kubernetes-1.36/sidecars.admission.json");
/// A question that is quickly answered and leaves a small record.
const QUESTION: &str = r#"{"Pod":{"metadata":{"name":"web"}},"NodeNames":["a"]}"#;

/// A configuration in a file, and a folder beside it.
struct Setup {
    dir: TempDir,
    config: String,
}

impl Setup {
    fn with_file() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ledger.jsonl");
        Self::new(dir, &format!("ledger: {{file: {}}}\n", file.display()))
    }

    fn with_redis(server: &RedisServer) -> Self {
        Self::new(tempfile::tempdir().unwrap(), &format!("store: {{redis: {{url: \"{}\"}}}}\n", server.url()))
    }

    fn new(dir: TempDir, more: &str) -> Self {
        let config = format!("{CONFIG}{more}");
        std::fs::write(dir.path().join("eco-pulse.yaml"), &config).unwrap();
        Self { dir, config }
    }

    fn file(&self) -> std::path::PathBuf {
        self.dir.path().join("ledger.jsonl")
    }

    fn report(&self, more: &[&str]) -> crate::command::Ended {
        let config = self.dir.path().join("eco-pulse.yaml");
        run(&[&["report", "--verify", "--config", path(&config)], more].concat())
    }

    /// A process decides about so many pods, and ends as `signal` says.
    async fn decides(&self, pods: usize, signal: &str) {
        let (mut server, stdout) = Server::start_with_records(&self.config).await;
        let mut webhook = server.webhook().await;
        for _ in 0..pods {
            assert_eq!(webhook.post("/mutate", REVIEW).await.status, StatusCode::OK);
            // Kept first, then on standard output.
            next(&stdout).unwrap();
        }
        server.signal(signal);
        server.wait_for_end();
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The value beside a label, of the first chain.
fn shown<'o>(stdout: &'o str, label: &str) -> &'o str {
    stdout.lines().find_map(|line| line.strip_prefix(label)).unwrap_or_else(|| panic!("{stdout}")).trim()
}

#[tokio::test]
async fn a_chain_in_a_file_goes_on_however_a_process_ended_and_damage_is_named() {
    let setup = Setup::with_file();
    setup.decides(2, "TERM").await;
    setup.decides(2, "KILL").await;
    setup.decides(1, "TERM").await;
    let ended = setup.report(&[]);
    ended.assert_ok();
    assert_eq!(shown(&ended.stdout, "chain"), "replica-1");
    assert_eq!(shown(&ended.stdout, "records"), "5, 1 to 5 in order");
    assert_eq!(shown(&ended.stdout, "state"), "whole");
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ended.stdout);
    let head = shown(&ended.stdout, "head");
    setup.report(&["--head", head]).assert_ok();

    let text = std::fs::read_to_string(setup.file()).unwrap();
    std::fs::write(setup.file(), text.replacen("sidecars", "sidecarz", 1)).unwrap();
    let ended = setup.report(&[]);
    assert_eq!((ended.code, shown(&ended.stdout, "state")), (1, "BROKEN"));
    assert!(ended.stderr.contains("ledger.jsonl, line 1: the line was changed"), "{}", ended.stderr);

    let last = text.trim_end().rfind('\n').unwrap();
    std::fs::write(setup.file(), &text[..=last]).unwrap();
    setup.report(&[]).assert_ok();
    let ended = setup.report(&["--head", head]);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("the end was cut off"), "{}", ended.stderr);
}

#[test]
fn without_a_ledger_or_with_a_bad_head_the_command_says_what_to_give() {
    run(&["report", "--verify"]).assert_failed(2, &["ledger.file or store.redis"]);
    Setup::with_file().report(&["--head", "abc"]).assert_failed(2, &["--head abc", "64 digits"]);
}

#[test]
fn a_ledger_without_records_is_whole() {
    let ended = Setup::with_file().report(&[]);
    ended.assert_ok();
    assert_eq!(ended.stdout, "no records are kept yet\n");
}

#[tokio::test]
async fn a_second_process_on_the_same_file_does_not_start() {
    let setup = Setup::with_file();
    let (_first, _stdout) = Server::start(&setup.config).await;
    let config = setup.dir.path().join("eco-pulse.yaml");
    let ended = run(&[
        "serve",
        "--kube",
        "off",
        "--webhook-addr",
        "127.0.0.1:0",
        "--admin-addr",
        "127.0.0.1:0",
        "--config",
        path(&config),
    ]);
    assert_eq!(ended.code, 1);
    for text in [path(&setup.file()), "another process writes it: give each process a file of its own"] {
        assert!(ended.stderr.contains(text), "{}", ended.stderr);
    }
}

/// The limit on the size of files stands for a full disk: writes come back short, then fail.
#[tokio::test]
async fn on_a_full_disk_requests_are_answered_and_what_is_kept_is_whole() {
    let setup = Setup::with_file();
    let script = "trap '' XFSZ; ulimit -f 4; exec \"$0\" \"$@\"";
    let mut limited = Command::new("sh");
    limited.args(["-c", script, env!("CARGO_BIN_EXE_eco-pulse")]);
    let (mut server, stdout) = Server::launch_by(clean(limited), &setup.config);
    let mut admin = server.admin().await;
    for _ in 0..40 {
        assert_eq!(admin.post("/prioritize", QUESTION).await.status, StatusCode::OK);
    }
    let metrics = admin.get("/metrics").await;
    let dropped = metrics.text().lines().find(|line| line.contains(r#"dropped_total{at="store"}"#)).unwrap();
    assert!(!dropped.ends_with(" 0"), "{dropped}");
    server.signal("TERM");
    let (status, log) = server.wait_for_end();
    assert!(status.success(), "{log:?}");
    let failing = "ledger.file cannot be written; records are missing in it from here";
    assert_eq!(log.iter().filter(|line| line["message"] == failing).count(), 1, "told once: {log:?}");
    drop(stdout);
    setup.report(&[]).assert_ok();
    setup.decides(1, "TERM").await;
    let ended = setup.report(&[]);
    ended.assert_ok();
    assert_eq!(shown(&ended.stdout, "state"), "whole");
}

#[tokio::test]
async fn a_chain_in_redis_goes_on_over_a_restart() {
    let Some(server) = RedisServer::start() else { return };
    let setup = Setup::with_redis(&server);
    setup.decides(2, "TERM").await;
    setup.decides(3, "TERM").await;
    let ended = setup.report(&[]);
    ended.assert_ok();
    assert_eq!(shown(&ended.stdout, "records"), "5, 1 to 5 in order");
    let last = server.command(&["XREVRANGE", "{eco-pulse}:ledger:replica-1", "+", "-", "COUNT", "1"]);
    assert!(last.contains(shown(&ended.stdout, "head")), "{last}");
}

#[tokio::test]
async fn without_its_store_requests_are_answered_and_another_chain_begins_that_is_stored_later() {
    let Some(redis) = RedisServer::start() else { return };
    let setup = Setup::with_redis(&redis);
    setup.decides(1, "TERM").await;
    redis.pause();
    let (mut server, stdout) = Server::launch(&setup.config);
    let mut admin = server.admin().await;
    for _ in 0..3 {
        assert_eq!(admin.post("/prioritize", QUESTION).await.status, StatusCode::OK);
    }
    let begins = server.wait_for_log("the chain of records cannot go on: another one begins");
    let chain = begins["chain"].as_str().unwrap().to_owned();
    assert!(chain.starts_with("replica-1~"), "{chain}");
    redis.resume();
    let key = format!("{{eco-pulse}}:ledger:{chain}");
    redis.until(&["XLEN", &key], "3");
    server.signal("TERM");
    assert!(server.wait_for_end().0.success());
    drop(stdout);
    let ended = setup.report(&[]);
    ended.assert_ok();
    assert_eq!(ended.stdout.matches("whole").count(), 2, "{}", ended.stdout);
}
