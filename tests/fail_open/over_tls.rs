//! The same through the whole application, over real TLS: how callers see it, and that it recovers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use eco_pulse::app::{App, Options};
use eco_pulse::audit::entry::Endpoint;
use eco_pulse::catalogue::Catalogue;
use eco_pulse::clock::Clock;
use eco_pulse::config::Config;
use http::{Method, StatusCode};
use jiff::Timestamp;
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::answers::{assert_decided, assert_opened, assert_refused};
use crate::bodies::{self, path, recorded, with_pod};
use crate::client::{Client, Reply, tls_stream};
use crate::prometheus_text::Scrape;
use crate::rig::{CONFIG, cluster};

/// More than a debug build on a busy machine needs for a decision.
const NO_HURRY: &str = "decision: {deadline: 900ms}\n";
const BEYOND_MAX_AGE_SECONDS: i64 = 3 * 3600;

struct Running {
    app: App,
    seconds: Arc<AtomicI64>,
}

fn start(more: &str) -> Running {
    let catalogue = Arc::new(Catalogue::built_in().unwrap());
    // Certificates are made for, and checked at, the real time.
    let seconds = Arc::new(AtomicI64::new(Clock::system().now().as_second()));
    let told = seconds.clone();
    let app = App::start(Options {
        cluster: cluster(),
        clock: Clock::new(move || Timestamp::from_second(told.load(Ordering::SeqCst)).unwrap()),
        ..Options::new(Config::parse(&format!("{CONFIG}{more}"), &*catalogue).unwrap(), catalogue)
    });
    Running { app: app.unwrap(), seconds }
}

impl Running {
    async fn webhook(&self) -> Client {
        Client::tls(self.app.webhook_addr().unwrap(), self.app.authority_pem().unwrap()).await
    }

    async fn admin(&self) -> Client {
        Client::plain(self.app.admin_addr()).await
    }

    /// Sets a value, which brings a fresh snapshot; answered once decisions see it.
    async fn refresh(&self) {
        let reply = self.admin().await.send(Method::PUT, "/mock/us-east-1", "high").await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    }

    async fn fail_opens(&self, endpoint: Endpoint, reason: &str) -> f64 {
        let text = self.admin().await.get("/metrics").await;
        let labels = [("endpoint", endpoint.as_str()), ("reason", reason)];
        Scrape::parse(text.text()).value("eco_pulse_fail_open_total", &labels)
    }
}

#[rstest]
#[tokio::test]
async fn stale_data_open_and_fresh_ones_decide_again_on_the_same_connection(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let running = start(NO_HURRY);
    running.refresh().await;
    let mut client = running.webhook().await;
    assert_decided(endpoint, &client.post(&path(endpoint), recorded(endpoint)).await);

    running.seconds.fetch_add(BEYOND_MAX_AGE_SECONDS, Ordering::SeqCst);
    assert_opened(endpoint, &client.post(&path(endpoint), recorded(endpoint)).await, "stale_snapshot");
    assert_eq!(running.fail_opens(endpoint, "stale_snapshot").await, 1.0);
    let ready = running.admin().await.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK, "old data make no pod unready");

    running.refresh().await;
    assert_decided(endpoint, &client.post(&path(endpoint), recorded(endpoint)).await);
    assert_eq!(running.fail_opens(endpoint, "stale_snapshot").await, 1.0);
}

#[rstest]
#[tokio::test]
async fn a_pod_that_does_not_decode_is_let_through(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let running = start(NO_HURRY);
    running.refresh().await;
    let mut client = running.webhook().await;
    let body = with_pod(endpoint, br#"{"metadata":{},"spec":{"containers":5}}"#);
    assert_opened(endpoint, &client.post(&path(endpoint), body).await, "undecodable");
    assert_eq!(running.fail_opens(endpoint, "undecodable").await, 1.0);
    assert_decided(endpoint, &client.post(&path(endpoint), recorded(endpoint)).await);
}

#[rstest]
#[tokio::test]
async fn ten_mebibytes_are_too_much_for_a_limit_of_one_and_harm_nobody(
    #[values(Endpoint::Mutate, Endpoint::Filter, Endpoint::Prioritize)] endpoint: Endpoint,
) {
    let running = start(&format!("{NO_HURRY}server: {{maxBodyMiB: 1, maxFilterBodyMiB: 1}}\n"));
    running.refresh().await;
    let mut other = running.webhook().await;

    let head = raw_head(endpoint, 10 << 20);
    let reply = raw(&running, head.as_bytes()).await;
    assert_refused(&reply, StatusCode::PAYLOAD_TOO_LARGE, "body is over 1048576 bytes: raise server.max");
    assert_eq!(running.fail_opens(endpoint, "undecodable").await, 1.0);

    assert_decided(endpoint, &other.post(&path(endpoint), recorded(endpoint)).await);
}

/// The extender's time for a body is longer; on a paused clock it has its test beside the other bodies.
#[tokio::test]
async fn a_review_that_trickles_in_is_cut_off_at_the_deadline() {
    let running = start("decision: {deadline: 100ms}\n");
    let whole = recorded(Endpoint::Mutate);
    let mut begun = raw_head(Endpoint::Mutate, whole.len()).into_bytes();
    begun.extend_from_slice(&whole[..whole.len() / 2]);
    let reply = raw(&running, &begun).await;
    assert_refused(&reply, StatusCode::REQUEST_TIMEOUT, "body did not arrive in 100ms");
    assert_eq!(running.fail_opens(Endpoint::Mutate, "deadline").await, 1.0);
}

#[tokio::test]
async fn a_value_that_cannot_be_is_refused_by_name_and_changes_nothing() {
    let running = start(NO_HURRY);
    running.refresh().await;
    let mut admin = running.admin().await;
    for (value, problem) in [
        ("NaN", "mock value \"NaN\" of eu-north-1: is not a finite number"),
        ("-1", "mock value \"-1\" of eu-north-1: is negative"),
        ("inf", "mock value \"inf\" of eu-north-1: is not a finite number"),
        ("2001", "mock value \"2001\" of eu-north-1: is above 2000"),
        ("", "mock value \"\" of eu-north-1: is not high, low or a number"),
        ("medium", "mock value \"medium\" of eu-north-1: is not high, low or a number"),
    ] {
        let reply = admin.send(Method::PUT, "/mock/eu-north-1", value).await;
        assert_refused(&reply, StatusCode::BAD_REQUEST, problem);
        assert_refused(
            &reply,
            StatusCode::BAD_REQUEST,
            "; give high (700), low (50) or a number from 0 to 2000",
        );
    }
    let reply = admin.send(Method::PUT, "/mock/mars-north-1", "low").await;
    let problem = "region \"mars-north-1\" is not configured: name one that GET /snapshot lists";
    assert_refused(&reply, StatusCode::NOT_FOUND, problem);

    let reply = admin.send(Method::PUT, "/mock/eu-north-1", &b"\xff\xfe"[..]).await;
    let problem = "of eu-north-1: is not high, low or a number; give high (700), low (50) or a number";
    assert_refused(&reply, StatusCode::BAD_REQUEST, problem);

    let snapshot = admin.get("/snapshot").await.json();
    let intensities: Vec<_> = snapshot["regions"].as_array().unwrap().iter().map(intensity).collect();
    assert_eq!(intensities, [700.0, 700.0, 50.0], "{snapshot}");
    let reply = admin.send(Method::PUT, "/mock/eu-north-1", "123.5").await;
    assert_eq!(reply.status, StatusCode::OK);
    let snapshot = admin.get("/snapshot").await.json();
    assert_eq!(intensity(&snapshot["regions"][2]), 123.5, "{snapshot}");
}

fn intensity(region: &serde_json::Value) -> f64 {
    region["grid"]["known"]["intensity"].as_f64().unwrap()
}

fn raw_head(endpoint: Endpoint, length: usize) -> String {
    format!(
        "POST {} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n",
        bodies::path(endpoint)
    )
}

/// Sends these bytes and no more, and reads what is answered to them until the server closes.
async fn raw(running: &Running, bytes: &[u8]) -> Reply {
    let mut io = tls_stream(running.app.webhook_addr().unwrap(), running.app.authority_pem().unwrap()).await;
    io.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    io.read_to_end(&mut answer).await.unwrap();
    let text = String::from_utf8(answer).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let (status, fields) = head.split_once("\r\n").unwrap();
    let headers = fields.split("\r\n").map(|field| {
        let (name, value) = field.split_once(": ").unwrap();
        (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap())
    });
    Reply {
        status: status.split(' ').nth(1).unwrap().parse().unwrap(),
        headers: headers.collect(),
        body: body.to_owned().into(),
    }
}
