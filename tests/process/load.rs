//! Many clients at once, and the memory that takes.

use bytes::Bytes;
use serde_json::Value;

use crate::chain;
use crate::prometheus_text::Scrape;
use crate::records::REVIEWS;
use crate::server::{CONFIG, Server};

const CLIENTS: usize = 50;
const REVIEWS_EACH: usize = 200;
const MAX_RESIDENT_KIB: u64 = 100 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_clients_with_ten_thousand_reviews_are_all_answered_and_allowed() {
    let (mut server, stdout) = Server::start_with_records(CONFIG).await;
    let server_ref = &server;
    let mut connections = Vec::new();
    for _ in 0..CLIENTS {
        connections.push(server_ref.webhook().await);
    }
    let clients: Vec<_> = connections
        .into_iter()
        .enumerate()
        .map(|(client, mut connection)| {
            tokio::spawn(async move {
                let mut bypassed_in_need = 0;
                for number in 0..REVIEWS_EACH {
                    // Each client begins elsewhere in the list, so that at any time all kinds are under way.
                    let (body, uid) = review((client + number) % REVIEWS.len(), client, number);
                    let reply = connection.post("/mutate?timeout=1s", body).await;
                    assert_eq!(reply.status, 200, "{}", reply.text());
                    let answer = reply.json();
                    assert_eq!(answer["response"]["uid"], uid);
                    assert_eq!(answer["response"]["allowed"], true);
                    let reason = answer["response"]["auditAnnotations"]["reason"].as_str().unwrap();
                    bypassed_in_need += usize::from(["deadline", "overloaded"].contains(&reason));
                }
                bypassed_in_need
            })
        })
        .collect();
    let mut opened = 0;
    for client in clients {
        opened += client.await.unwrap();
    }
    let resident_kib = peak_resident_kib(server.pid());
    let scrape = server.admin().await.get("/metrics").await;
    let scrape = Scrape::parse(scrape.text());
    let (decided, dropped) =
        (scrape.total("eco_pulse_decisions_total"), scrape.total("eco_pulse_ledger_dropped_total"));
    println!(
        "{} reviews from {CLIENTS} clients: all 200 and allowed, {opened} of them opened for lack of time; {decided} \
         decisions counted, {dropped} records dropped; peak resident memory {resident_kib} KiB",
        CLIENTS * REVIEWS_EACH
    );
    assert!(resident_kib < MAX_RESIDENT_KIB, "{resident_kib} KiB");
    // One in ten was a rehearsal.
    let counted = CLIENTS * REVIEWS_EACH * (REVIEWS.len() - 1) / REVIEWS.len();
    assert_eq!(decided, counted as f64);
    assert_eq!(opened as f64, scrape.total("eco_pulse_fail_open_total"), "no other failure");

    server.signal("TERM");
    assert!(server.wait_for_end().0.success());
    let lines: Vec<String> = stdout.iter().collect();
    assert_eq!(chain::verify(&lines).len() as f64, decided - dropped);
}

/// A recorded review with a uid of its own.
fn review(kind: usize, client: usize, number: usize) -> (Bytes, String) {
    let body = std::str::from_utf8(REVIEWS[kind]).unwrap();
    let recorded: Value = serde_json::from_str(body).unwrap();
    let recorded = recorded["request"]["uid"].as_str().unwrap();
    let uid = format!("{client:08x}-0000-4000-8000-{number:012x}");
    assert_eq!(body.matches(recorded).count(), 1);
    (body.replace(recorded, &uid).into(), uid)
}

fn peak_resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}
