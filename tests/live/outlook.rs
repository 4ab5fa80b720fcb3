//! What a run of two days is expected to emit: the forecast as far as it goes, the zone's climatology after that, and
//! what the last value was off it, which fades.

use eco_pulse::catalogue::Catalogue;
use eco_pulse::domain::units::Hours;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, civil};
use rstest::rstest;
use serde_json::json;

use crate::pods::{job, region};
use crate::running::{OFTEN, Running, in_time};
use crate::stand_in::{Hands, StandIn, ZONES, access, hour_of};
use crate::upstream::Answer;

const REGIONS: &str = "baseline: {region: eu-west-1}\nregions: [{name: eu-west-1}, {name: eu-north-1}]\n";
const HERE: &str = "eu-north-1";
const ZONE: &str = "SE-SE3";
const SAID: f64 = 37.0;
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const RUN_HOURS: i64 = 48;

/// Summer of next year, within an hour: far from the 29th of February, of which climatologies have one every year.
fn one_day_in_summer(now: Timestamp) -> Timestamp {
    let year = TimeZone::UTC.to_datetime(now).year() + 1;
    TimeZone::UTC.to_timestamp(civil::datetime(year, 6, 15, 10, 17, 0, 0)).unwrap()
}

/// No two hours are alike.
fn foreseen(hour: i64) -> f64 {
    20.0 + (hour * 7 % 31) as f64
}

/// What is left, over the next minute, of how far a value was off the usual so long ago: it fades to 1/e in a day.
fn left_of_it(age: SignedDuration) -> f64 {
    let days = |age: SignedDuration| age.as_secs_f64() / 86_400.0;
    let minute = SignedDuration::from_mins(1);
    ((-days(age)).exp() - (-days(age + minute)).exp()) / days(minute)
}

/// The slow way, minute by minute, from what was said alone: until the forecast begins the reading holds.
fn expected(from: Timestamp, begins: Timestamp, hours: i64) -> f64 {
    let catalogue = Catalogue::built_in().unwrap();
    let climatology = catalogue.climatology(ZONE).unwrap();
    let minute = |minute| {
        let at = from + SignedDuration::from_mins(minute);
        let hour = at.duration_since(begins).as_secs().div_euclid(3600);
        match hour {
            ..0 => SAID,
            hour if hour < hours => foreseen(hour),
            _ => {
                let last = begins + SignedDuration::from_hours(hours - 1);
                let above = foreseen(hours - 1) - climatology.at(last).0;
                climatology.at(at).0 + above * left_of_it(at.duration_since(last))
            }
        }
    };
    (0..RUN_HOURS * 60).map(minute).sum::<f64>() / (RUN_HOURS * 60) as f64
}

#[rstest]
#[case::from_this_hour_on(0, 24)]
#[case::from_the_next_hour_on(1, 24)]
#[case::longer_than_the_run(0, 72)]
#[case::of_one_hour(0, 1)]
#[tokio::test]
async fn a_long_run_is_judged_by_the_forecast_and_then_by_climatology(
    #[case] from_hour: i64,
    #[case] hours: i64,
) {
    let hands = Hands::new();
    let now = hands.clone();
    let stand_in = StandIn::start(&[("IE", 300.0), (ZONE, SAID)], move || now.now());
    stand_in
        .upstream
        .on(ZONES, access(["IE", ZONE], &["carbon-intensity/latest", "carbon-intensity/forecast"]));
    let now = hands.clone();
    stand_in.upstream.on("/v4/carbon-intensity/forecast", move |request| {
        if request.query["zone"] != ZONE {
            return Answer::new(404, "");
        }
        let begins = hour_of(now.now()) + HOUR * i32::try_from(from_hour).unwrap();
        let row = |hour| {
            json!({ "carbonIntensity": foreseen(hour), "datetime": begins + SignedDuration::from_hours(hour) })
        };
        let rows: Vec<_> = (0..hours).map(row).collect();
        let body = json!({ "zone": ZONE, "temporalGranularity": "hourly", "updatedAt": now.now(), "forecast": rows });
        Answer::json(body.to_string())
    });
    let mut running = Running::start(&hands, &stand_in, REGIONS, OFTEN).await;
    let start = one_day_in_summer(hands.now());
    hands.set(start);
    let begins = hour_of(start) + SignedDuration::from_hours(from_hour);
    running
        .wait_for("the forecast", |snapshot| {
            let reading = &region(snapshot, HERE)["grid"]["known"];
            reading["outlook"]["forecast"]["starts_at"] == json!(begins)
                && reading["starts_at"] == json!(hour_of(start))
        })
        .await;

    let expected = expected(start, begins, hours);
    let (_, record) = running.decide(&job(&[("expected-duration", "48h")])).await;
    assert_eq!(record["demand"]["hours"], 48.0, "{record}");
    // Records carry six digits.
    let in_record: f64 = format!("{expected:.5e}").parse().unwrap();
    assert_eq!(region(&record, HERE)["intensity_g_per_kwh"], in_record, "{record}");
    assert_ne!(in_record, SAID);

    let snapshot = running.app().decider().snapshot().unwrap();
    let data = snapshot.data(snapshot.regions.by_name(HERE).unwrap());
    let mean = data.mean_over_run(data.grid.known().unwrap(), start, Hours(RUN_HOURS as f64)).0;
    assert!((mean - expected).abs() < 1e-6, "{mean} is not {expected}");
    running.stop().await;
}

/// A forecast that holds what cannot be is no forecast; the reading stays.
#[rstest]
#[case::negative(json!(-1.0))]
#[case::zero(json!(0))]
#[case::too_high(json!(5000))]
#[case::text(json!("many"))]
#[tokio::test]
async fn a_forecast_that_cannot_be_is_passed_over(#[case] value: serde_json::Value) {
    let hands = Hands::new();
    let now = hands.now();
    let stand_in = StandIn::start(&[("IE", 300.0), (ZONE, SAID)], move || now);
    stand_in
        .upstream
        .on(ZONES, access(["IE", ZONE], &["carbon-intensity/latest", "carbon-intensity/forecast"]));
    stand_in.upstream.on("/v4/carbon-intensity/forecast", move |request| {
        let row = json!({ "carbonIntensity": value, "datetime": hour_of(now) });
        let body =
            json!({ "zone": request.query["zone"], "temporalGranularity": "hourly", "forecast": [row] });
        Answer::json(body.to_string())
    });
    let mut running = Running::start(&hands, &stand_in, REGIONS, OFTEN).await;
    // Both forecasts have come back by then: each zone is asked about the present again.
    let asked_again = async {
        while stand_in.asked_about(ZONE) < 3 || stand_in.asked_about("IE") < 3 {
            running.snapshot().await;
        }
    };
    in_time("the next question", asked_again).await;
    let snapshot = running.snapshot().await;
    let here = region(&snapshot, HERE);
    assert_eq!((&here["state"], &here["grid"]["known"]["outlook"]), (&json!("fresh"), &json!("climatology")));
    running.stop().await;
}
