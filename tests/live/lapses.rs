//! A provider that was well, fails, and is well again: its last word counts until it is too old, nobody restarts
//! anything, and the log says so once.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::pods::{assert_bypassed, assert_placed, job, region};
use crate::running::{OFTEN, Running, asks, in_time, token_file};
use crate::server::Server;
use crate::stand_in::{Hands, StandIn, end_of_hour, hour_of, is_about, latest};
use crate::upstream::Answer;

const REGIONS: &str = "baseline: {region: eu-west-1}\nregions: [{name: eu-west-1}, {name: eu-north-1}]\n";
/// As it is unless configured.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(2);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

const BEGAN: &str = "a zone's grid data cannot be refreshed; its last reading grows old";
const ENDED: &str = "a zone's grid data are refreshed again";

#[tokio::test]
async fn the_last_word_counts_until_max_age_and_the_next_one_at_once() {
    let hands = Hands::new();
    let said_at = hands.now();
    let stand_in = StandIn::start(&[("IE", 300.0), ("SE-SE3", 20.0)], move || said_at);
    let mut running = Running::start(&hands, &stand_in, REGIONS, OFTEN).await;
    assert_eq!(region(&running.snapshot().await, "eu-north-1")["trouble"], Value::Null);
    assert_placed(&running.mutate(&job(&[])).await, "eu-north-1");

    stand_in.script("SE-SE3", |_| Answer::new(500, ""));
    let in_trouble = |snapshot: &Value| region(snapshot, "eu-north-1")["trouble"][0]["failure"] == "outage";
    let snapshot = running.wait_for("the outage", in_trouble).await;
    assert_eq!(region(&snapshot, "eu-north-1")["state"], "fresh");
    hands.set(end_of_hour(said_at) + MAX_AGE);
    let snapshot = running.snapshot().await;
    let here = region(&snapshot, "eu-north-1");
    assert_eq!((&here["state"], &here["age_seconds"]), (&"fresh".into(), &json!(7200.0)));
    assert_eq!(here["grid"]["known"]["intensity"], 20.0);
    assert_placed(&running.mutate(&job(&[])).await, "eu-north-1");

    hands.set(end_of_hour(said_at) + MAX_AGE + SECOND);
    let now = hands.clone();
    stand_in.script("IE", move |_| Answer::json(latest("IE", &json!(300), hour_of(now.now()))));
    running.wait_for_state("eu-west-1", "fresh").await;
    let (answer, record) = running.decide(&job(&[])).await;
    assert_placed(&answer, "eu-west-1");
    let row = region(&record, "eu-north-1");
    assert_eq!((&row["state"], &row["excluded"]), (&"stale".into(), &"stale".into()), "{row}");
    assert_eq!((&row["intensity_g_per_kwh"], &row["terms_usd"]), (&Value::Null, &Value::Null), "{row}");
    assert_eq!(running.ready().await["without_grid_data"], json!({ "eu-north-1": "stale" }));

    let now = hands.clone();
    stand_in.script("SE-SE3", move |_| Answer::json(latest("SE-SE3", &json!(21), hour_of(now.now()))));
    let here = running.wait_for_state("eu-north-1", "fresh").await;
    assert_eq!((&here["trouble"], &here["grid"]["known"]["intensity"]), (&Value::Null, &json!(21.0)));
    assert_placed(&running.mutate(&job(&[])).await, "eu-north-1");
    running.stop().await;
}

/// All of them: the base's too.
#[tokio::test]
async fn without_any_provider_pods_are_placed_until_max_age_and_then_left_alone() {
    let hands = Hands::new();
    let said_at = hands.now();
    let stand_in = StandIn::start(&[("IE", 300.0), ("SE-SE3", 20.0)], move || said_at);
    let mut running = Running::start(&hands, &stand_in, REGIONS, OFTEN).await;
    for zone in ["IE", "SE-SE3"] {
        stand_in.script(zone, |_| Answer::new(503, ""));
    }
    let circuit = |running: &crate::prometheus_text::Scrape| {
        running.value("eco_pulse_provider_circuit_open", &[("provider", "electricity-maps")])
    };
    in_time("an open circuit", async { while circuit(&running.metrics().await) != 1.0 {} }).await;
    hands.set(end_of_hour(said_at) + MAX_AGE);
    assert_placed(&running.mutate(&job(&[])).await, "eu-north-1");
    hands.set(end_of_hour(said_at) + MAX_AGE + SECOND);
    let (answer, record) = running.decide(&job(&[])).await;
    assert_bypassed(&answer, "stale_snapshot");
    assert!(record["regions"].as_array().unwrap().iter().all(|row| row["state"] == "stale"), "{record}");

    for zone in ["IE", "SE-SE3"] {
        let now = hands.clone();
        stand_in.script(zone, move |_| Answer::json(latest(zone, &json!(100), hour_of(now.now()))));
    }
    running.wait_for_state("eu-west-1", "fresh").await;
    running.wait_for_state("eu-north-1", "fresh").await;
    assert_placed(&running.mutate(&job(&[])).await, "eu-north-1");
    assert_eq!(circuit(&running.metrics().await), 0.0);
    running.stop().await;
}

#[tokio::test]
async fn the_log_says_when_it_begins_and_when_it_ends_and_not_at_each_poll() {
    let stand_in = StandIn::start(&[("IE", 300.0), ("SE-SE3", 20.0)], || Hands::new().now());
    let (_secret, token_file) = token_file();
    let config = format!("{REGIONS}{}", asks(&stand_in, &token_file, OFTEN));
    let (mut server, _stdout) = Server::start_with_records(&config).await;

    stand_in.script("SE-SE3", |_| Answer::new(500, r#"{"error":"out of order"}"#));
    stand_in.upstream.forget();
    // Of every two requests one is about this zone at least, until it is asked less often.
    let polls = |stand_in: &StandIn| stand_in.asked_about("SE-SE3");
    let mut asked = 0;
    while polls(&stand_in) < 4 {
        asked = stand_in.upstream.wait_for(asked + 1).len();
        assert!(asked < 1000, "SE-SE3 is asked about no more");
    }
    stand_in.unscript("SE-SE3");
    let mut admin = server.admin().await;
    let recovery =
        async { while !region(&admin.get("/snapshot").await.json(), "eu-north-1")["trouble"].is_null() {} };
    in_time("recovery", recovery).await;
    server.signal("KILL");
    let (_, log) = server.wait_for_end();

    let about =
        |message: &str| -> Vec<&Value> { log.iter().filter(|line| line["message"] == message).collect() };
    let [began] = about(BEGAN)[..] else { panic!("{log:?}") };
    assert_eq!((&began["zone"], &began["failure"]), (&"SE-SE3".into(), &"outage".into()));
    assert_eq!((&began["level"], &began["provider"]), (&"WARN".into(), &"electricity-maps".into()));
    assert!(began["detail"].as_str().unwrap().contains("out of order"), "{began}");
    assert!(began["cure"].as_str().unwrap().contains("status page"), "{began}");
    let [ended] = about(ENDED)[..] else { panic!("{log:?}") };
    assert_eq!((&ended["zone"], &ended["after"]), (&"SE-SE3".into(), &"outage".into()));
    let of_grid = log.iter().filter(|line| line["zone"].is_string()).count();
    assert_eq!(of_grid, 2, "{log:?}");
    assert!(stand_in.upstream.requests().iter().any(|request| is_about(request, "IE")));
}
