//! What cannot be used of a provider's answers: the region is left out or falls back, its state and its trouble show
//! everywhere, and no number is made up.

use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use serde_json::{Value, json};

use crate::pods::{assert_bypassed, assert_placed, job, region};
use crate::prometheus_text::Scrape;
use crate::running::{OFTEN, Running};
use crate::stand_in::{Hands, StandIn, hour_of, latest, no_data};
use crate::upstream::Answer;

const ZONE: &str = "SE-SE3";
const HERE: &str = "eu-north-1";
const BASE_IS_WELL: &str =
    "baseline: {region: eu-west-1}\nregions: [{name: eu-west-1}, {name: eu-north-1}]\n";
const BASE_IS_NOT: &str =
    "baseline: {region: eu-north-1}\nregions: [{name: eu-west-1}, {name: eu-north-1}]\n";
const FALLS_BACK: &str = "refresh: 100ms, fallback: [catalogue]";
const PLAN: &str = r#"{"error":"Request unauthorized for zoneKey=SE-SE3,requestType=latest,dataType=carbon-intensity.",
    "message":"You do not have access to this specific endpoint for this specific zone."}"#;
const SERIES: &str = "eco_pulse_grid_intensity_grams_per_kwh";
const PROVIDER: (&str, &str) = ("provider", "grid/electricity-maps");
/// No value of the climatologies of either zone.
const SAID: f64 = 33.25;

/// What is to become of an answer.
struct Expected {
    state: &'static str,
    failure: &'static str,
    /// What the request counts as.
    result: &'static str,
    /// Why the value was refused, when it was.
    refused: Option<&'static str>,
    /// What a pod of this region as base is let through for.
    bypass: &'static str,
}

const fn missing(failure: &'static str) -> Expected {
    Expected { state: "missing", failure, result: failure, refused: None, bypass: "baseline_unknown" }
}

const fn implausible(why: &'static str) -> Expected {
    Expected {
        state: "implausible",
        failure: "implausible",
        result: "implausible",
        refused: Some(why),
        bypass: "baseline_unknown",
    }
}

const TOO_OLD: Expected = Expected {
    state: "stale",
    failure: "too_old",
    result: "too_old",
    refused: None,
    bypass: "stale_snapshot",
};

fn says(value: &Value, now: Timestamp) -> Answer {
    Answer::json(latest(ZONE, value, hour_of(now)))
}

fn says_raw(value: &str, now: Timestamp) -> Answer {
    Answer::json(latest(ZONE, &json!("VALUE"), hour_of(now)).replace("\"VALUE\"", value))
}

fn bad(name: &str, now: Timestamp) -> (Answer, Expected) {
    let week = SignedDuration::from_hours(7 * 24);
    match name {
        "zero" => (says(&json!(0), now), implausible("zero")),
        "negative" => (says(&json!(-1), now), implausible("negative")),
        "too high" => (says(&json!(5000), now), implausible("too_high")),
        "far too high" => (says(&json!(1e9), now), implausible("too_high")),
        "null" => (says(&Value::Null, now), missing("no_data")),
        "NaN" => (says_raw("NaN", now), missing("unreadable")),
        "NaN as text" => (says(&json!("NaN"), now), missing("unreadable")),
        "infinite" => (says_raw("1e999", now), missing("unreadable")),
        "another zone" => (Answer::json(latest("DE", &json!(SAID), hour_of(now))), missing("wrong_zone")),
        "last week" => (Answer::json(latest(ZONE, &json!(SAID), hour_of(now) - week)), TOO_OLD),
        "next week" => (Answer::json(latest(ZONE, &json!(SAID), hour_of(now) + week)), missing("unreadable")),
        "throttled" => (Answer::new(429, "").header("retry-after", "60"), missing("throttled")),
        // The other zone's answer has shown that the token is good: users report this of throttling.
        "bad token, of one zone" => {
            (Answer::new(401, r#"{"error":"Invalid auth-token"}"#), missing("throttled"))
        }
        "plan" => (Answer::new(401, PLAN), missing("not_in_plan")),
        "no data" => (no_data(ZONE), missing("no_data")),
        "no data, well meant" => {
            (Answer::json(r#"{"error":"No recent data for zone \"SE-SE3\""}"#), missing("no_data"))
        }
        "unknown zone" => {
            let words = r#"{"status":"error","message":"Zone 'SE-SE3' does not exist."}"#;
            (Answer::new(404, words), missing("bad_request"))
        }
        "500" => (Answer::new(500, ""), missing("outage")),
        "503" => (Answer::new(503, "<html>Service Unavailable</html>"), missing("outage")),
        "HTML" => (Answer::new(200, "<html>Welcome</html>"), missing("unreadable")),
        "elsewhere" => (Answer::redirect(302, "https://example.org/"), missing("unreadable")),
        "truncated" => (says(&json!(SAID), now).cut_off(), missing("unreadable")),
        other => panic!("no answer is called {other}"),
    }
}

/// What stands in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    LeftOut,
    FallsBack,
    IsBase,
}

#[rstest]
#[tokio::test]
async fn an_answer_that_cannot_be_used_leaves_its_state_everywhere_and_no_number(
    #[values(
        "zero",
        "negative",
        "too high",
        "far too high",
        "null",
        "NaN",
        "NaN as text",
        "infinite",
        "another zone",
        "last week",
        "next week",
        "throttled",
        "bad token, of one zone",
        "plan",
        "no data",
        "no data, well meant",
        "unknown zone",
        "500",
        "503",
        "HTML",
        "elsewhere",
        "truncated"
    )]
    answer: &str,
    #[values(Setting::LeftOut, Setting::FallsBack, Setting::IsBase)] setting: Setting,
) {
    let hands = Hands::new();
    let (answer, expected) = bad(answer, hands.now());
    let now = hands.clone();
    let stand_in = StandIn::start(&[("IE", 300.0), (ZONE, 20.0)], move || now.now());
    stand_in.script(ZONE, move |_| answer.clone());
    let (regions, grid) = match setting {
        Setting::LeftOut => (BASE_IS_WELL, OFTEN),
        Setting::FallsBack => (BASE_IS_WELL, FALLS_BACK),
        Setting::IsBase => (BASE_IS_NOT, OFTEN),
    };
    let mut running = Running::start(&hands, &stand_in, regions, grid).await;
    running.wait_for("the answer", |snapshot| !region(snapshot, HERE)["trouble"].is_null()).await;

    let snapshot = running.snapshot().await;
    assert_eq!(region(&snapshot, "eu-west-1")["state"], "fresh");
    let here = region(&snapshot, HERE);
    assert_trouble(here, &expected);
    let scrape = running.metrics().await;
    let count = scrape.value("eco_pulse_provider_requests_total", &[PROVIDER, ("result", expected.result)]);
    assert!(count >= 1.0, "{count} requests count as {}", expected.result);
    let refused = expected.refused.map_or(0.0, |why| {
        scrape.value("eco_pulse_readings_refused_total", &[("provider", "electricity-maps"), ("reason", why)])
    });
    assert_eq!(refused >= 1.0, expected.refused.is_some());
    assert_eq!(refused, scrape.total("eco_pulse_readings_refused_total"), "for this reason alone");

    let (answer, record) = running.decide(&job(&[])).await;
    let row = region(&record, HERE);
    if setting == Setting::FallsBack {
        assert_falls_back(here, row, &scrape);
        assert_placed(&answer, HERE);
    } else {
        assert_left_out(here, row, &scrape, expected.state);
        assert_eq!(running.ready().await["without_grid_data"], json!({ HERE: expected.state }));
        match setting {
            Setting::IsBase => assert_bypassed(&answer, expected.bypass),
            _ => assert_placed(&answer, "eu-west-1"),
        }
    }
    running.stop().await;
}

fn assert_trouble(here: &Value, expected: &Expected) {
    let [trouble] = here["trouble"].as_array().unwrap().as_slice() else { panic!("{here}") };
    assert_eq!(trouble["provider"], "electricity-maps");
    assert_eq!(trouble["failure"], expected.failure, "{trouble}");
    assert!(!trouble["cure"].as_str().unwrap().is_empty(), "{trouble}");
    assert!(!trouble["detail"].as_str().unwrap().is_empty(), "{trouble}");
}

fn assert_left_out(here: &Value, row: &Value, scrape: &Scrape, state: &str) {
    assert_eq!(here["state"], state, "{here}");
    assert_eq!((&row["state"], &row["excluded"]), (&state.into(), &state.into()), "{row}");
    for number in ["intensity_g_per_kwh", "terms_usd", "net_benefit_usd"] {
        assert_eq!(row[number], Value::Null, "{row}");
    }
    assert_eq!(scrape.find("eco_pulse_reading_state", &[("region", HERE), ("state", state)]), Some(1.0));
    // What was said last week is shown as such, with its age; nothing else has a number.
    let old = (state == "stale").then_some((SAID, "electricity-maps".to_owned()));
    assert_eq!(series(scrape), old);
}

fn assert_falls_back(here: &Value, row: &Value, scrape: &Scrape) {
    let reading = &here["grid"]["known"];
    assert_eq!((&here["state"], &reading["provider"]), (&"estimated".into(), &"catalogue".into()), "{here}");
    assert_eq!((&row["state"], &row["provider"]), (&"estimated".into(), &"catalogue".into()), "{row}");
    assert_eq!(row["excluded"], Value::Null, "{row}");
    assert!(row["intensity_g_per_kwh"].as_f64().unwrap() > 0.0, "{row}");
    assert!(row["terms_usd"].is_object(), "{row}");
    let labels = [("region", HERE), ("state", "estimated")];
    assert_eq!(scrape.find("eco_pulse_reading_state", &labels), Some(1.0));
    let usual = reading["intensity"].as_f64().unwrap();
    assert_ne!(usual, SAID);
    assert_eq!(series(scrape), Some((usual, "catalogue".to_owned())));
}

/// The value that metrics show for the region, and whose it is.
fn series(scrape: &Scrape) -> Option<(f64, String)> {
    let of_region = scrape.0[SERIES].samples.iter().filter(|sample| sample.labels["region"] == HERE);
    let found: Vec<(f64, String)> =
        of_region.map(|sample| (sample.value, sample.labels["provider"].clone())).collect();
    assert!(found.len() <= 1, "{found:?}");
    found.into_iter().next()
}

#[rstest]
#[case::left_out(OFTEN, "baseline_unknown")]
#[case::falls_back(FALLS_BACK, "")]
#[tokio::test]
async fn a_token_that_nobody_knows_costs_every_zone(#[case] grid: &str, #[case] bypass: &str) {
    let hands = Hands::new();
    let stand_in = StandIn::start(&[("IE", 300.0), (ZONE, 20.0)], Timestamp::default);
    stand_in.upstream.on("/*", |_| Answer::new(401, r#"{"error":"Invalid auth-token"}"#));
    for zone in ["IE", ZONE] {
        stand_in.script(zone, |_| Answer::new(401, r#"{"error":"Invalid auth-token"}"#));
    }
    let mut running = Running::start(&hands, &stand_in, BASE_IS_WELL, grid).await;
    let snapshot = running.snapshot().await;
    for name in ["eu-west-1", HERE] {
        let trouble = &region(&snapshot, name)["trouble"][0];
        assert_eq!(trouble["failure"], "bad_token", "{trouble}");
        assert!(trouble["cure"].as_str().unwrap().contains("renew the token"), "{trouble}");
    }
    let (answer, record) = running.decide(&job(&[])).await;
    if bypass.is_empty() {
        assert_placed(&answer, HERE);
        assert_eq!(region(&record, "eu-west-1")["provider"], "catalogue");
    } else {
        assert_bypassed(&answer, bypass);
    }
    running.stop().await;
}

/// Then no zone can be asked about for as long as it says; each says why, and the start does not wait for that.
#[tokio::test]
async fn throttled_from_the_start_every_zone_says_so() {
    let hands = Hands::new();
    let now = hands.now();
    let stand_in = StandIn::start(&[("IE", 300.0), (ZONE, 20.0)], move || now);
    stand_in.script("IE", |_| Answer::new(429, "").header("retry-after", "60"));
    let mut running = Running::start(&hands, &stand_in, BASE_IS_WELL, "refresh: 10s").await;
    let snapshot = running.snapshot().await;
    for name in ["eu-west-1", HERE] {
        assert_eq!(region(&snapshot, name)["trouble"][0]["failure"], "throttled", "{snapshot}");
    }
    assert_eq!(region(&snapshot, HERE)["asked_at"], Value::Null);
    assert_eq!(stand_in.asked_about(ZONE), 0);
    assert_bypassed(&running.mutate(&job(&[])).await, "baseline_unknown");
    running.stop().await;
}

/// Burning fuel only and the whole life cycle never meet in one difference, whatever was asked for.
#[tokio::test]
async fn a_value_of_another_basis_is_incomparable() {
    let hands = Hands::new();
    let now = hands.now();
    let stand_in = StandIn::start(&[("IE", 300.0), (ZONE, 20.0)], move || now);
    stand_in.script(ZONE, move |_| {
        Answer::json(latest(ZONE, &json!(SAID), hour_of(now)).replace("\"lifecycle\"", "\"direct\""))
    });
    let mut running = Running::start(&hands, &stand_in, BASE_IS_WELL, OFTEN).await;
    running.wait_for_state(HERE, "fresh").await;
    let (answer, record) = running.decide(&job(&[])).await;
    assert_placed(&answer, "eu-west-1");
    let row = region(&record, HERE);
    assert_eq!((&row["state"], &row["basis"]), (&"incomparable".into(), &"direct".into()));
    assert_eq!((&row["excluded"], &row["terms_usd"]), (&"incomparable".into(), &Value::Null));
    running.stop().await;
}
