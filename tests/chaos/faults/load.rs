//! More than there is room for, and clients that mean no good: pods of others are answered all the same, and memory stays bounded.

use std::net::Ipv4Addr;
use std::time::Duration;

use eco_pulse::tls::client_config;
use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::task::AbortOnDropHandle;

use super::{Fault, Manner};
use crate::callers::{Address, Caller, tcp};
use crate::judge::Outcome;
use crate::scene::{Props, Scene};
use crate::stream::{Stream, Streamed};
use crate::trial::{Budget, Expect, Row, Trial};

/// Somebody else on the network.
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);
/// What an attack may add to the memory of a process.
const MOST_MORE_KIB: u64 = 128 * 1024;
/// And overload, once it has begun: where as many come as before nothing should grow, but for what an allocator keeps.
const MOST_MORE_LATER_KIB: u64 = 16 * 1024;
/// Decisions at once, of bodies that are decided about on threads of their own, and ten times as many callers.
const ROOM: usize = 2;
const LARGE: usize = 300 << 10;
const LARGEST: usize = 6 << 20;

pub const ALL: &[Fault] = &[
    Fault {
        name: "overload",
        broken: "ten times as many callers as there is room for, without a pause",
        run: |fault, how| Box::pin(overload(fault, how)),
    },
    Fault {
        name: "1,000 connections",
        broken: "a stranger opens them and says nothing",
        run: |fault, how| Box::pin(silent(fault, how)),
    },
    Fault {
        name: "half-open handshakes",
        broken: "a stranger begins 1,000 TLS handshakes and ends none",
        run: |fault, how| Box::pin(half_open(fault, how)),
    },
    Fault {
        name: "slow loris",
        broken: "a stranger sends 600 requests byte by byte",
        run: |fault, how| Box::pin(slow_loris(fault, how)),
    },
    Fault {
        name: "6 MiB bodies",
        broken: "a stranger sends reviews of the largest size, 16 at a time",
        run: |fault, how| Box::pin(largest(fault, how)),
    },
];

async fn begin(fault: &'static Fault, how: Manner, config: &str) -> (Scene, Address, Trial, u64) {
    let (scene, trial) = fault.begins(how, Props { config: config.to_owned(), ..Props::default() }).await;
    let address = scene.address();
    let resident_kib = scene.resident_kib();
    (scene, address, trial, resident_kib)
}

/// Memory is bounded; then whoever attacks goes, and all is as before.
async fn end(scene: Scene, mut trial: Trial, before_kib: u64, most_more_kib: u64) -> Option<Row> {
    let after_kib = scene.resident_kib();
    println!("  memory    {before_kib} KiB -> {after_kib} KiB");
    if after_kib > before_kib + most_more_kib {
        trial.complain(format!("memory went from {before_kib} to {after_kib} KiB"));
    }
    trial.recovers().await;
    trial.compares_counters().await;
    Some(trial.ends())
}

async fn overload(fault: &'static Fault, how: Manner) -> Option<Row> {
    let room = format!("server: {{maxConcurrent: {ROOM}}}\n");
    let (scene, address, mut trial, _) = begin(fault, how, &room).await;
    let streams: Vec<Stream> = (0..10 * ROOM)
        .map(|_| Stream::start_with(Caller::api_server(&address).from(STRANGER), Budget::Answers, LARGE))
        .collect();
    let spared = Expect::DecidedOrOpened(&["overloaded", "deadline"]);
    trial.pods(how.pods, spared, Budget::Answers).await;
    let settled_kib = scene.resident_kib();
    trial.pods(5 * how.pods, spared, Budget::Answers).await;
    let mut streamed = Streamed::default();
    for stream in streams {
        streamed.add(stream.ends(&mut trial).await);
    }
    for outcome in streamed.took.keys() {
        let is_answer = matches!(outcome, Outcome::Decided | Outcome::Opened(_));
        if how.timed && !is_answer {
            trial.complain(format!("a stream's pod: {}", outcome.as_text()));
        }
    }
    let shed = Outcome::Opened("overloaded".to_owned());
    let mut shed = streamed.took.remove(&shed).unwrap_or_default();
    shed.sort();
    let p99 = shed.get(shed.len() * 99 / 100).copied().unwrap_or_default();
    println!(
        "  shed      {} of {} at overload, the 99th percentile in {p99:.1?}",
        shed.len(),
        streamed.sent() + shed.len()
    );
    if shed.is_empty() {
        trial.complain("nothing was shed");
    }
    if how.timed && p99 > Duration::from_millis(50) {
        trial.complain(format!("99th percentile of what was shed: {p99:.1?}"));
    }
    end(scene, trial, settled_kib, MOST_MORE_LATER_KIB).await
}

async fn silent(fault: &'static Fault, how: Manner) -> Option<Row> {
    let (scene, address, mut trial, before_kib) = begin(fault, how, "").await;
    let mut held = Vec::new();
    for _ in 0..1000 {
        held.extend(tcp(address.webhook, STRANGER.into()).await);
    }
    newcomers(&mut trial, how).await;
    let row = end(scene, trial, before_kib, MOST_MORE_KIB).await;
    drop(held);
    row
}

async fn half_open(fault: &'static Fault, how: Manner) -> Option<Row> {
    /// A handshake record of 512 bytes, of which one comes.
    const BEGINNING: [u8; 6] = [22, 3, 1, 2, 0, 1];
    let (scene, address, mut trial, before_kib) = begin(fault, how, "").await;
    let mut held = Vec::new();
    for _ in 0..1000 {
        let Ok(mut stream) = tcp(address.webhook, STRANGER.into()).await else { continue };
        // It may have given way already.
        let _ = stream.write_all(&BEGINNING).await;
        held.push(stream);
    }
    newcomers(&mut trial, how).await;
    let row = end(scene, trial, before_kib, MOST_MORE_KIB).await;
    drop(held);
    row
}

/// Pods of an API server that was connected, and of one that connects anew each time.
async fn newcomers(trial: &mut Trial, how: Manner) {
    trial.pods(how.pods / 2, Expect::Decided, Budget::Answers).await;
    for _ in 0..how.pods / 2 {
        trial.reconnects();
        trial.pods(1, Expect::Decided, Budget::Answers).await;
    }
}

async fn slow_loris(fault: &'static Fault, how: Manner) -> Option<Row> {
    let (scene, address, mut trial, before_kib) = begin(fault, how, "").await;
    let mut dripping = Vec::new();
    for number in 0..600 {
        let Some(stream) = stranger(&address).await else { continue };
        dripping.push(AbortOnDropHandle::new(tokio::spawn(drip(stream, number % 2 == 0))));
    }
    newcomers(&mut trial, how).await;
    let row = end(scene, trial, before_kib, MOST_MORE_KIB).await;
    drop(dripping);
    row
}

/// A head, or a body, a byte at a time.
async fn drip(mut stream: TlsStream<TcpStream>, head: bool) {
    let line = "POST /mutate HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let start = if head { line.to_owned() } else { format!("{line}content-length: 5000000\r\n\r\n") };
    let mut bytes = tokio::time::interval(Duration::from_millis(100));
    let mut is_open = stream.write_all(start.as_bytes()).await.is_ok();
    while is_open {
        bytes.tick().await;
        is_open = stream.write_all(b"x").await.is_ok() && stream.flush().await.is_ok();
    }
}

async fn stranger(address: &Address) -> Option<TlsStream<TcpStream>> {
    let tls = client_config(address.authority_pem.as_bytes()).unwrap();
    let stream = tcp(address.webhook, STRANGER.into()).await.ok()?;
    TlsConnector::from(tls).connect(ServerName::try_from("localhost").unwrap(), stream).await.ok()
}

async fn largest(fault: &'static Fault, how: Manner) -> Option<Row> {
    let (scene, address, mut trial, before_kib) = begin(fault, how, "").await;
    let streams: Vec<Stream> = (0..16)
        .map(|_| Stream::start_with(Caller::api_server(&address).from(STRANGER), Budget::Gone, LARGEST))
        .collect();
    trial.pods(how.pods, Expect::DecidedOrOpened(&["deadline"]), Budget::Answers).await;
    for stream in streams {
        stream.ends(&mut trial).await;
    }
    end(scene, trial, before_kib, MOST_MORE_KIB).await
}
