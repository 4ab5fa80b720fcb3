//! Standard output that takes no records: pods are answered all the same.

use http::StatusCode;
use serde_json::Value;

use crate::prometheus_text::Scrape;
use crate::server::{CONFIG, Server};

/// A question that is quickly answered and leaves a small record.
const QUESTION: &str = r#"{"Pod":{"metadata":{"name":"web"}},"NodeNames":["a"]}"#;
/// The ledger's queue, what a pipe holds of records of half a kilobyte, and what the writer holds in its hand.
const QUEUE: usize = 4096;
const PIPE: usize = 64 * 1024 / 500 + 2;
const MORE: usize = 50;

async fn dropped(server: &Server) -> f64 {
    let text = server.admin().await.get("/metrics").await;
    Scrape::parse(text.text()).value("eco_pulse_ledger_dropped_total", &[("at", "queue")])
}

#[tokio::test]
async fn while_nobody_reads_requests_are_answered_and_what_does_not_fit_is_dropped_and_counted() {
    let (mut server, unread) = Server::start(CONFIG).await;
    let mut client = server.admin().await;
    for _ in 0..QUEUE + PIPE + MORE {
        let reply = client.post("/prioritize", QUESTION).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.json(), serde_json::json!([{ "Host": "a", "Score": 0 }]));
    }
    assert!(dropped(&server).await >= 1.0);

    // Its end waits for the records, but not for ever.
    server.signal("TERM");
    let (status, log) = server.wait_for_end();
    assert_eq!(status.code(), Some(0), "{log:?}");
    let unwritten = "decision records were left unwritten: standard output does not take them";
    assert!(log.iter().any(|line| line["message"] == unwritten), "{log:?}");
    drop(unread);
}

#[tokio::test]
async fn after_it_was_closed_requests_are_answered_and_the_log_says_so_once() {
    let (mut server, stdout) = Server::start(CONFIG).await;
    drop(stdout);
    let mut client = server.admin().await;
    for _ in 0..20 {
        assert_eq!(client.post("/prioritize", QUESTION).await.status, StatusCode::OK);
    }
    while client.get("/decisions").await.json().as_array().unwrap().len() < 20 {}
    server.signal("TERM");
    let (status, log) = server.wait_for_end();
    assert_eq!(status.code(), Some(0), "{log:?}");
    let complaints: Vec<&Value> =
        log.iter().filter(|line| line["message"] == "decision log cannot be written").collect();
    assert_eq!(complaints.len(), 1, "{log:?}");
}
