//! What records are written to: what does not take them loses them, and no pod waits.

use std::process::{Command, Stdio};

use super::{Fault, Manner};
use crate::command::{clean, eco_pulse};
use crate::redis::RedisServer;
use crate::scene::{Props, Scene};
use crate::trial::{Budget, Expect, Row, Trial};

const DROPPED: &str = "eco_pulse_ledger_dropped_total";

pub const ALL: &[Fault] = &[
    Fault {
        name: "stdout blocked",
        broken: "nobody reads its records",
        run: |fault, how| Box::pin(standard_output_blocked(fault, how)),
    },
    Fault {
        name: "disk full",
        broken: "the ledger's file takes no byte more",
        run: |fault, how| Box::pin(disk_full(fault, how)),
    },
    Fault {
        name: "ledger full",
        broken: "Redis has no memory left for records",
        run: |fault, how| Box::pin(redis_full(fault, how)),
    },
];

async fn standard_output_blocked(fault: &'static Fault, how: Manner) -> Option<Row> {
    /// Of records of which each pod leaves three, more than pipe and queue hold.
    const FILL: usize = 1600;
    let scene = Scene::set(Props::default(), how.timed);
    let mut trial = Trial::new(fault.name, fault.broken, &scene.address(), how.timed);
    trial.begins_well().await;
    trial.pods(FILL, Expect::Decided, Budget::Answers).await;
    trial.notices(DROPPED, &[("at", "queue")], |count| count >= Some(1.0)).await;
    trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
    trial.recovers().await;
    trial.compares_counters().await;
    Some(trial.ends())
}

async fn disk_full(fault: &'static Fault, how: Manner) -> Option<Row> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.jsonl");
    // A file may grow to 64 blocks, and what goes beyond is an error instead of a signal.
    let script = r#"trap "" XFSZ; ulimit -f 64; exec "$0" "$@""#;
    let mut command = clean(Command::new("sh"));
    command.arg("-c").arg(script).arg(eco_pulse().get_program());
    let config = format!("ledger: {{file: '{}'}}\n", file.display());
    let props = Props { command: Some(command), config, ..Props::default() };
    let (scene, mut trial) = fault.begins(how, props).await;
    let mut filled = 0;
    while std::fs::metadata(&file).is_ok_and(|file| file.len() < 28 << 10) && filled < 1000 {
        trial.pods(10, Expect::Decided, Budget::Answers).await;
        filled += 10;
    }
    trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
    trial.notices(DROPPED, &[("at", "store")], |count| count >= Some(1.0)).await;
    // Where the limit can be lifted, records are kept again.
    let pid = scene.server.pid().to_string();
    let lifted =
        Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited"]).stderr(Stdio::null()).status();
    trial.recovers().await;
    if lifted.is_ok_and(|status| status.success()) {
        let before = std::fs::metadata(&file).map_or(0, |file| file.len());
        trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
        let grows = async {
            while std::fs::metadata(&file).map_or(0, |file| file.len()) <= before {
                trial.pods(1, Expect::Decided, Budget::Answers).await;
            }
        };
        if tokio::time::timeout(std::time::Duration::from_secs(30), grows).await.is_err() {
            trial.complain("records are not kept again");
        }
    }
    trial.compares_counters().await;
    Some(trial.ends())
}

async fn redis_full(fault: &'static Fault, how: Manner) -> Option<Row> {
    let redis = RedisServer::start()?;
    let (scene, mut trial) = fault.begins(how, Props { redis: Some(redis), ..Props::default() }).await;
    let redis = scene.redis.as_ref()?;
    redis.command(&["CONFIG", "SET", "maxmemory", "1000"]);
    trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
    redis.command(&["CONFIG", "SET", "maxmemory", "0"]);
    trial.recovers().await;
    trial.compares_counters().await;
    Some(trial.ends())
}
