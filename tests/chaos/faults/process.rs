//! The process itself: short of descriptors, hung, told to end, killed.

use std::net::Ipv4Addr;
use std::process::Command;

use super::{Fault, Manner};
use crate::callers::{Caller, tcp};
use crate::command::{clean, eco_pulse};
use crate::scene::Props;
use crate::stream::Stream;
use crate::trial::{Budget, Expect, Row};

/// Somebody else on the network.
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

pub const ALL: &[Fault] = &[
    Fault {
        name: "descriptors used up",
        broken: "it may open 64 files, and a stranger holds as many connections as it can",
        run: |fault, how| Box::pin(no_descriptors(fault, how)),
    },
    Fault { name: "hung", broken: "stopped with SIGSTOP", run: |fault, how| Box::pin(hung(fault, how)) },
    Fault {
        name: "SIGTERM under load",
        broken: "told to end while 8 callers ask without a pause",
        run: |fault, how| Box::pin(ended(fault, how, "TERM")),
    },
    Fault {
        name: "SIGKILL under load",
        broken: "killed while 8 callers ask without a pause",
        run: |fault, how| Box::pin(ended(fault, how, "KILL")),
    },
];

async fn no_descriptors(fault: &'static Fault, how: Manner) -> Option<Row> {
    let mut command = clean(Command::new("sh"));
    command.arg("-c").arg(r#"ulimit -n 64; exec "$0" "$@""#).arg(eco_pulse().get_program());
    let (scene, mut trial) = fault.begins(how, Props { command: Some(command), ..Props::default() }).await;
    let address = scene.address();
    let mut held = Vec::new();
    for _ in 0..100 {
        held.extend(tcp(address.webhook, STRANGER.into()).await);
    }
    scene.server.wait_for_log("cannot accept connections; if descriptors are short, raise `ulimit -n`");
    // Kept connections are served as ever; who comes anew is not.
    trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
    trial.reconnects();
    let by_kept = [Expect::DecidedOrNoAnswer, Expect::Decided, Expect::Decided];
    trial.pods_each(3, by_kept, Budget::Gone).await;
    drop(held);
    trial.recovers().await;
    trial.compares_counters().await;
    Some(trial.ends())
}

async fn hung(fault: &'static Fault, how: Manner) -> Option<Row> {
    let (scene, mut trial) = fault.begins(how, Props::default()).await;
    scene.server.signal("STOP");
    // Each pod waits for three time-outs.
    trial.pods(3, Expect::NoAnswer, Budget::Gone).await;
    scene.server.signal("CONT");
    trial.recovers().await;
    Some(trial.ends())
}

async fn ended(fault: &'static Fault, how: Manner, signal: &str) -> Option<Row> {
    let (mut scene, mut trial) = fault.begins(how, Props::default()).await;
    let address = scene.address();
    let streams: Vec<Stream> =
        (0..8).map(|_| Stream::start(Caller::api_server(&address), Budget::Gone)).collect();
    trial.pods(how.pods, Expect::DecidedOrOpened(&["overloaded", "deadline"]), Budget::Answers).await;
    scene.server.signal(signal);
    trial.pods(how.pods, Expect::DecidedOrNoAnswer, Budget::Gone).await;
    let (_, log) = scene.server.wait_for_end();
    if signal == "TERM" && log.iter().any(|line| line["level"] == "ERROR") {
        trial.complain("it did not end in order");
    }
    trial.pods(how.pods, Expect::NoAnswer, Budget::Gone).await;
    for stream in streams {
        stream.ends(&mut trial).await;
    }
    scene.start_again();
    scene.drain_records();
    trial.moves_to(&scene.address());
    trial.recovers().await;
    Some(trial.ends())
}
