//! Failures to accept, the bound on connections, and panics.

use super::*;

#[tokio::test(start_paused = true)]
async fn running_out_of_descriptors_is_waited_out() {
    // EMFILE, as the system reports it.
    let no_descriptors = || Err(io::Error::from_raw_os_error(24));
    let harness = start_plain();
    let mut open = harness.connect();
    ask(&mut open, "/").await;
    for _ in 0..20 {
        harness.incoming.send(no_descriptors()).unwrap();
    }
    let mut late = harness.connect();
    assert!(ask(&mut open, "/").await.starts_with("HTTP/1.1 200"), "open connections go on meanwhile");
    // 10 ms doubled to 1 s, twenty times: about 14 s.
    assert!(timeout(10 * SECOND, ask(&mut late, "/")).await.is_err(), "no busy loop");
    let text = timeout(6 * SECOND, answer(&mut late)).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_left_before_accept_costs_no_pause() {
    let harness = start_plain();
    for _ in 0..1000 {
        harness.incoming.send(Err(io::ErrorKind::ConnectionAborted.into())).unwrap();
    }
    let mut io = harness.connect();
    timeout(Duration::from_millis(5), ask(&mut io, "/")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_the_pause_after_an_error() {
    let harness = start_plain();
    for _ in 0..1000 {
        harness.incoming.send(Err(io::Error::from_raw_os_error(24))).unwrap();
    }
    sleep(30 * SECOND).await;
    timeout(Duration::from_millis(5), harness.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn beyond_the_limit_a_connection_waits_for_room() {
    let harness = start(false, ConnectionLimits { max_connections: 1, ..ConnectionLimits::default() });
    let (mut first, mut second) = (harness.connect(), harness.connect());
    ask(&mut first, "/").await;
    assert!(timeout(30 * SECOND, ask(&mut second, "/")).await.is_err());
    drop(first);
    assert!(timeout(SECOND, answer(&mut second)).await.unwrap().starts_with("HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_ends_its_own_connection_only() {
    let harness = start_plain();
    let (mut other, mut bad) = (harness.connect(), harness.connect());
    ask(&mut other, "/").await;
    send(&mut bad, "GET /panic HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(closes_within(&mut bad, SECOND).await);
    assert!(ask(&mut other, "/").await.starts_with("HTTP/1.1 200"));
    let report = harness.stop().await;
    assert_eq!((report.panicked, report.drained, report.dropped), (1, 1, 0));
}
