//! A certificate that changes in its files while the process serves: half a pair changes nothing, a whole one is shown to who
//! comes next, and who is connected stays.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::client::Client;
use crate::command::generate_certificates;
use crate::prometheus_text::Scrape;
use crate::server::{CONFIG, Server};

const FILES: [&str; 2] = ["tls.crt", "tls.key"];
const REFUSED: &str = "the certificate's files cannot be used; the one before stays in use";

async fn reloads(server: &Server, result: &str) -> f64 {
    let text = server.admin().await.get("/metrics").await;
    Scrape::parse(text.text()).value("eco_pulse_certificate_reloads_total", &[("result", result)])
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_pair_changes_nothing_and_a_whole_one_is_taken_over_with_no_failed_call() {
    let (server, _stdout) = Server::start(CONFIG).await;
    let folder = tempfile::tempdir().unwrap();
    let next = folder.path().join("next");
    generate_certificates(&next);
    let mut open = server.webhook().await;

    // Calls without end on new connections, by clients that trust both authorities as a bundle does during a change.
    let stop = Arc::new(AtomicBool::new(false));
    let authority = |folder: &std::path::Path| fs::read_to_string(folder.join("ca.crt")).unwrap();
    let bundle = authority(&server.certificates()) + &authority(&next);
    let (addr, stopped) = (server.webhook_addr, stop.clone());
    let load = tokio::spawn(async move {
        let mut calls = 0;
        while !stopped.load(Ordering::Relaxed) {
            assert_eq!(Client::tls(addr, &bundle).await.get("/health").await.status, 200);
            calls += 1;
        }
        calls
    });

    fs::copy(next.join(FILES[0]), server.certificates().join(FILES[0])).unwrap();
    let refused = server.wait_for_log(REFUSED);
    assert!(refused["error"].as_str().unwrap().contains("tls.key"), "{refused}");
    assert_eq!(reloads(&server, "refused").await, 1.0);
    // The old authority alone is trusted by this one.
    assert_eq!(server.webhook().await.get("/health").await.status, 200);

    fs::copy(next.join(FILES[1]), server.certificates().join(FILES[1])).unwrap();
    server.wait_for_log("a new certificate is in use");
    let mut newcomer = Client::tls(server.webhook_addr, &authority(&next)).await;
    assert_eq!(newcomer.get("/health").await.status, 200);
    assert_eq!(open.get("/health").await.status, 200, "who is connected stays");
    assert_eq!((reloads(&server, "applied").await, reloads(&server, "refused").await), (1.0, 1.0));
    stop.store(true, Ordering::Relaxed);
    println!("{} calls on new connections, none failed", load.await.unwrap());
}
