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

const STRANGER: [u8; 4] = [10, 9, 9, 9];

fn with_room_for(max_connections: usize) -> Harness {
    start(false, ConnectionLimits { max_connections, ..ConnectionLimits::default() })
}

#[tokio::test(start_paused = true)]
async fn a_stranger_who_takes_all_room_and_says_nothing_keeps_nobody_out() {
    let harness = with_room_for(8);
    let mut known = harness.connect();
    ask(&mut known, "/").await;
    let mut silent: Vec<_> = (0..20).map(|_| harness.connect_from(STRANGER)).collect();
    let mut late = harness.connect();
    timeout(SECOND, ask(&mut late, "/")).await.unwrap();
    timeout(SECOND, ask(&mut known, "/")).await.unwrap();
    // Its own oldest ones went: thirteen for its own, one for the other.
    for (number, io) in silent.iter_mut().enumerate() {
        assert_eq!(closes_within(io, SECOND).await, number < 14, "{number}");
    }
    let report = harness.stop().await;
    assert_eq!((report.accepted, report.gave_way, report.dropped, report.drained), (22, 14, 0, 8));
}

#[tokio::test(start_paused = true)]
async fn of_one_peers_connections_those_go_first_that_are_of_no_use() {
    let harness = with_room_for(3);
    let mut answering = harness.connect();
    send(&mut answering, "GET /gate HTTP/1.1\r\nhost: x\r\n\r\n").await;
    harness.entered.notified().await;
    let mut used = harness.connect();
    ask(&mut used, "/").await;
    let mut unused = harness.connect();
    let mut fourth = harness.connect();
    ask(&mut fourth, "/").await;
    assert!(closes_within(&mut unused, SECOND).await);
    // Silent for a while, while the other two are not.
    sleep(30 * SECOND).await;
    ask(&mut fourth, "/").await;
    let mut fifth = harness.connect();
    ask(&mut fifth, "/").await;
    assert!(closes_within(&mut used, SECOND).await);
    harness.gate.notify_one();
    assert!(answer(&mut answering).await.starts_with("HTTP/1.1 200"), "whoever is being answered stays");
    ask(&mut fourth, "/").await;
}

#[tokio::test(start_paused = true)]
async fn handshakes_that_are_never_completed_give_way_too() {
    let harness = start(true, ConnectionLimits { max_connections: 4, ..ConnectionLimits::default() });
    let _halves: Vec<_> = (0..4).map(|_| harness.connect_from(STRANGER)).collect();
    let mut io = timeout(SECOND, harness.connect_tls(&["http/1.1"])).await.unwrap();
    timeout(SECOND, ask(&mut io, "/")).await.unwrap();
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
