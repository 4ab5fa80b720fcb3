//! Standard error that takes no log lines: pods are answered all the same.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;

use http::StatusCode;

use crate::client::Client;
use crate::command::{eco_pulse, generate_certificates};
use crate::server::{CONFIG, PATIENCE};

/// Each leaves a line in a log at this level, and together far more than a pipe holds.
const BAD_REQUESTS: usize = 2000;
const TALKATIVE: &str = "log: {level: debug}\n";

#[tokio::test]
async fn while_nobody_reads_the_log_requests_are_answered_and_the_process_can_be_ended() {
    let dir = tempfile::tempdir().unwrap();
    let (config, certificates) = (dir.path().join("eco-pulse.yaml"), dir.path().join("certs"));
    fs::write(&config, format!("{CONFIG}{TALKATIVE}")).unwrap();
    generate_certificates(&certificates);
    let admin = free_address();
    let mut child = eco_pulse()
        .args(["serve", "--kube", "off", "--webhook-addr", "127.0.0.1:0", "--admin-addr", &admin.to_string()])
        .arg("--config")
        .arg(config)
        .arg("--cert-dir")
        .arg(certificates)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while TcpStream::connect(admin).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "it does not start");
    }

    let asked = tokio::time::timeout(PATIENCE, async {
        let mut client = Client::plain(admin).await;
        for _ in 0..BAD_REQUESTS {
            assert_eq!(client.post("/filter", "no JSON").await.status, StatusCode::BAD_REQUEST);
        }
        client.get("/livez").await.status
    });
    let asked = asked.await;
    // A second signal does not wait for load balancers to take note.
    for _ in 0..2 {
        let pid = child.id().to_string();
        assert!(std::process::Command::new("kill").arg(pid).status().unwrap().success());
    }
    if asked.is_err() {
        child.kill().unwrap();
    }
    let ended = child.wait().unwrap();
    assert_eq!(asked.expect("a request waits for whoever reads the log"), StatusCode::OK);
    assert!(ended.code().is_some(), "{ended}");
}

fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}
