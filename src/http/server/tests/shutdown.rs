//! The stages of a shutdown, over HTTP/1.1 and HTTP/2.

use super::*;

#[tokio::test(start_paused = true)]
async fn winding_down_serves_on_and_asks_clients_to_leave() {
    let harness = start_plain();
    let mut io = harness.connect();
    assert!(!ask(&mut io, "/").await.contains("connection: close"));
    harness.stages.wind_down.cancel();
    sleep(5 * SECOND).await;
    assert!(ask(&mut io, "/").await.contains("connection: close"), "the idle connection was still usable");
    assert!(closes_within(&mut io, SECOND).await);
    let mut new = harness.connect();
    assert!(ask(&mut new, "/").await.contains("connection: close"), "new connections are still served");
}

#[tokio::test(start_paused = true)]
async fn a_request_in_flight_finishes_during_the_drain() {
    let harness = start_plain();
    let (mut busy, mut idle) = (harness.connect(), harness.connect());
    ask(&mut idle, "/").await;
    send(&mut busy, "GET /gate HTTP/1.1\r\nhost: x\r\n\r\n").await;
    harness.entered.notified().await;
    harness.stages.stop.cancel();
    assert!(closes_within(&mut idle, SECOND).await, "idle connections are closed at once");
    sleep(5 * SECOND).await;
    harness.gate.notify_one();
    assert!(answer(&mut busy).await.starts_with("HTTP/1.1 200"));
    let report = harness.serving.await.unwrap();
    assert_eq!(report, ServeReport { accepted: 2, drained: 2, ..ServeReport::default() });
}

#[tokio::test(start_paused = true)]
async fn what_is_busy_beyond_the_drain_limit_is_dropped_and_counted() {
    let harness = start_plain();
    let mut busy = harness.connect();
    send(&mut busy, "GET /gate HTTP/1.1\r\nhost: x\r\n\r\n").await;
    harness.entered.notified().await;
    harness.stages.stop.cancel();
    assert!(!closes_within(&mut busy, 9 * SECOND).await);
    assert!(closes_within(&mut busy, 2 * SECOND).await);
    let report = harness.serving.await.unwrap();
    assert_eq!(report, ServeReport { accepted: 1, dropped: 1, ..ServeReport::default() });
    assert_eq!(Arc::strong_count(&harness.held), 1, "no task holds a request any more");
}

#[tokio::test(start_paused = true)]
async fn clients_without_a_request_do_not_hold_up_the_drain() {
    let harness = start(true, ConnectionLimits::default());
    let mut stalled = harness.connect();
    stalled.write_all(&[0x16]).await.unwrap();
    let _silent_h2 = harness.connect_tls(&["h2"]).await;
    let _silent_h1 = harness.connect_tls(&[]).await;
    let report = timeout(SECOND, harness.stop()).await.unwrap();
    assert_eq!((report.drained, report.dropped), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_server_ends_its_connections() {
    let harness = start_plain();
    let mut busy = harness.connect();
    send(&mut busy, "GET /gate HTTP/1.1\r\nhost: x\r\n\r\n").await;
    harness.entered.notified().await;
    harness.serving.abort();
    assert!(closes_within(&mut busy, SECOND).await);
}

#[tokio::test(start_paused = true)]
async fn winding_down_ends_an_http2_connection_after_its_open_requests() {
    let harness = start(true, ConnectionLimits::default());
    let (mut client, connection) = harness.connect_http2().await;
    let in_flight = tokio::spawn(client.send_request(request("/gate")));
    harness.entered.notified().await;
    harness.stages.wind_down.cancel();
    sleep(SECOND).await;
    harness.gate.notify_one();
    assert_eq!(in_flight.await.unwrap().unwrap().status(), 200);
    // GOAWAY ends the connection by itself, without `stop`.
    timeout(SECOND, connection).await.unwrap().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_new_http2_connection_is_still_served_in_the_wind_down() {
    let harness = start(true, ConnectionLimits::default());
    harness.stages.wind_down.cancel();
    let (mut client, _connection) = harness.connect_http2().await;
    assert_eq!(client.send_request(request("/")).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn http2_requests_beyond_the_drain_limit_are_dropped_with_their_connection() {
    let harness = start(true, ConnectionLimits::default());
    let (mut client, _connection) = harness.connect_http2().await;
    let in_flight = tokio::spawn(client.send_request(request("/gate")));
    harness.entered.notified().await;
    harness.stages.stop.cancel();
    let report = harness.serving.await.unwrap();
    assert_eq!(report, ServeReport { accepted: 1, dropped: 1, ..ServeReport::default() });
    assert_eq!(Arc::strong_count(&harness.held), 1, "no task holds a request any more");
    in_flight.await.unwrap().unwrap_err();
}
