//! How long a connection may be idle, slow or silent.

use super::*;

#[tokio::test(start_paused = true)]
async fn idle_keep_alive_outlives_the_api_servers_90_seconds() {
    let harness = start_plain();
    let mut io = harness.connect();
    for _ in 0..3 {
        assert!(ask(&mut io, "/").await.starts_with("HTTP/1.1 200"));
        sleep(API_SERVER_IDLE + 25 * SECOND).await;
    }
    assert!(ask(&mut io, "/").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn idle_keep_alive_over_tls_outlives_it_too() {
    let harness = start(true, ConnectionLimits::default());
    let mut io = harness.connect_tls(&["http/1.1"]).await;
    ask(&mut io, "/").await;
    sleep(API_SERVER_IDLE + 25 * SECOND).await;
    assert!(ask(&mut io, "/").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn a_connection_dialled_ahead_may_wait_as_long_for_its_first_request() {
    let harness = start_plain();
    let mut io = harness.connect();
    sleep(API_SERVER_IDLE + 25 * SECOND).await;
    assert!(ask(&mut io, "/").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_in_the_end() {
    let harness = start_plain();
    let (mut fresh, mut used) = (harness.connect(), harness.connect());
    ask(&mut used, "/").await;
    assert!(!closes_within(&mut used, 119 * SECOND).await);
    // A look at the counters each eighth of the limit: 120 s, and at most 15 s more.
    assert!(closes_within(&mut used, 17 * SECOND).await);
    assert!(closes_within(&mut fresh, SECOND).await);
    assert_eq!(harness.stop().await.silent, 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_head_that_trickles_is_cut_ten_seconds_after_its_first_byte() {
    for used_before in [false, true] {
        let harness = start_plain();
        let mut io = harness.connect();
        if used_before {
            ask(&mut io, "/").await;
        }
        sleep(60 * SECOND).await;
        send(&mut io, "G").await;
        assert!(!closes_within(&mut io, 5 * SECOND).await);
        send(&mut io, "ET / HTTP/1.1\r\n").await;
        assert!(!closes_within(&mut io, 4 * SECOND).await, "a new byte neither shortens nor lengthens it");
        send(&mut io, "x: y\r\n").await;
        assert!(closes_within(&mut io, 2 * SECOND).await, "used before: {used_before}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_within_its_limit_is_served_and_resets_the_timer() {
    let harness = start_plain();
    let mut io = harness.connect();
    for _ in 0..3 {
        for part in ["GET / HTTP/1.1\r\n", "host: localhost\r\n"] {
            send(&mut io, part).await;
            sleep(4 * SECOND).await;
        }
        send(&mut io, "\r\n").await;
        assert!(answer(&mut io).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stalls_or_an_answer_that_is_not_read_ends_with_the_idle_limit() {
    let harness = start_plain();
    let (mut stalled, mut deaf) = (harness.connect(), harness.connect());
    send(&mut stalled, "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf").await;
    send(&mut deaf, "GET /big HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(!closes_within(&mut stalled, 100 * SECOND).await);
    assert!(closes_within(&mut stalled, 36 * SECOND).await);
    let mut rest = Vec::new();
    deaf.read_to_end(&mut rest).await.unwrap();
    assert!(rest.len() < 8 << 20, "the answer was cut");
    assert_eq!(harness.stop().await.silent, 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_longer_than_the_idle_limit_is_waited_for() {
    let harness = start_plain();
    let mut io = harness.connect();
    send(&mut io, "GET /gate HTTP/1.1\r\nhost: x\r\n\r\n").await;
    harness.entered.notified().await;
    assert!(!closes_within(&mut io, 600 * SECOND).await);
    harness.gate.notify_one();
    assert!(answer(&mut io).await.starts_with("HTTP/1.1 200"));
    assert!(closes_within(&mut io, 136 * SECOND).await, "then it is idle like any other");
}

#[tokio::test(start_paused = true)]
async fn over_http2_too() {
    let limits = ConnectionLimits { ping_interval: 10_000 * SECOND, ..ConnectionLimits::default() };
    let harness = start(true, limits);
    let (mut client, _connection) = harness.connect_http2().await;
    let asked = tokio::spawn(client.send_request(request("/gate")));
    harness.entered.notified().await;
    sleep(600 * SECOND).await;
    harness.gate.notify_one();
    assert_eq!(asked.await.unwrap().unwrap().status(), http::StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_head_over_the_limit_is_answered_431() {
    let harness = start_plain();
    let mut io = harness.connect();
    send(&mut io, &format!("GET / HTTP/1.1\r\nx: {}", "y".repeat(33 * 1024))).await;
    let mut text = String::new();
    io.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 431"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_never_completes_is_ended_and_blocks_nobody() {
    let harness = start(true, ConnectionLimits::default());
    let mut stalled = harness.connect();
    // The first bytes of a TLS record, and no more.
    stalled.write_all(&[0x16, 0x03, 0x01]).await.unwrap();
    assert!(!closes_within(&mut stalled, 4 * SECOND).await);
    let mut good = harness.connect_tls(&[]).await;
    assert!(ask(&mut good, "/").await.starts_with("HTTP/1.1 200"));
    assert!(closes_within(&mut stalled, 2 * SECOND).await);
    let report = harness.stop().await;
    assert_eq!((report.accepted, report.without_handshake), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn an_http2_client_that_says_nothing_after_the_handshake_is_ended() {
    let harness = start(true, ConnectionLimits::default());
    let mut io = harness.connect_tls(&["h2"]).await;
    assert!(closes_within(&mut io, 136 * SECOND).await);
    assert_eq!(harness.stop().await.silent, 1);
}

#[tokio::test(start_paused = true)]
async fn an_idle_http2_connection_outlives_it_as_long_as_it_answers_pings() {
    let harness = start(true, ConnectionLimits::default());
    let (mut client, _connection) = harness.connect_http2().await;
    sleep(API_SERVER_IDLE + 300 * SECOND).await;
    let response = client.send_request(request("/")).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
}
