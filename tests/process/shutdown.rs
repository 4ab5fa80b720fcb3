//! The end of a process: told to go, or killed.

use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt as _;

use http::StatusCode;

use crate::chain;
use crate::records::{FRONTEND, SIDECARS};
use crate::server::{CONFIG, Server, next};

#[tokio::test]
async fn told_to_go_it_turns_unready_serves_on_and_leaves_with_all_records_written() {
    let (mut server, stdout) = Server::start_with_records(CONFIG).await;
    let mut open = server.webhook().await;
    assert_eq!(open.post("/mutate", SIDECARS).await.status, StatusCode::OK);

    server.signal("TERM");
    server.wait_for_log("leaving: unready, still serving");
    let ready = server.admin().await.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((&ready.json()["ready"], &ready.json()["leaving"]), (&false.into(), &true.into()));
    assert_eq!(server.admin().await.get("/livez").await.status, StatusCode::OK);
    // A connection from before, and a new one: requests keep coming until every load balancer knows.
    let reply = open.post("/mutate", FRONTEND).await;
    assert_eq!((reply.status, &reply.json()["response"]["allowed"]), (StatusCode::OK, &true.into()));
    assert_eq!(reply.headers["connection"], "close", "the client is asked to go elsewhere");
    let reply = server.webhook().await.post("/mutate", SIDECARS).await;
    assert_eq!((reply.status, &reply.json()["response"]["allowed"]), (StatusCode::OK, &true.into()));

    let (status, log) = server.wait_for_end();
    assert_eq!(status.code(), Some(0), "{log:?}");
    let lines: Vec<String> = std::iter::from_fn(|| next(&stdout)).collect();
    assert_eq!(chain::verify(&lines).len(), 3);
}

#[tokio::test]
async fn a_second_signal_does_not_wait() {
    let (mut server, _stdout) = Server::start_with_records(CONFIG).await;
    server.signal("TERM");
    server.wait_for_log("leaving: unready, still serving");
    server.signal("INT");
    assert_eq!(server.wait_for_end().0.code(), Some(1));
}

#[tokio::test]
async fn killed_it_leaves_nothing_behind() {
    let (mut server, stdout) = Server::start_with_records(CONFIG).await;
    let before = files(&server);
    assert_eq!(server.webhook().await.post("/mutate", SIDECARS).await.status, StatusCode::OK);
    let line = next(&stdout).unwrap();
    server.signal("KILL");
    assert_eq!(server.wait_for_end().0.signal(), Some(9));
    assert_eq!(files(&server), before);
    // What was written is whole, and both ports are free for the next.
    assert_eq!(chain::verify(&[line]).len(), 1);
    assert_eq!(next(&stdout), None);
    for addr in [server.webhook_addr, server.admin_addr] {
        TcpListener::bind(addr).unwrap();
    }
}

fn files(server: &Server) -> Vec<String> {
    let mut names: Vec<String> = [server.working_dir(), server.certificates()]
        .iter()
        .flat_map(|dir| std::fs::read_dir(dir).unwrap())
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    names.sort();
    names
}
