//! Bodies as recorded of versions 3 and 4, and what becomes of those that are not as they should be.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zone(name: &str) -> GridZone {
    GridZone::from(name)
}

fn now() -> Timestamp {
    at("2026-08-22T17:30:00Z")
}

/// As version 4 answers for DK-DK2, with some of its fields replaced; `null` takes a field out.
fn v4(changes: &serde_json::Value) -> Vec<u8> {
    let mut body = serde_json::json!({
        "zone": "DK-DK2", "carbonIntensity": 75, "datetime": "2026-08-22T17:00:00.000Z",
        "updatedAt": "2026-08-22T17:24:08.708Z", "createdAt": "2026-08-21T22:35:11.365Z",
        "emissionFactorType": "lifecycle", "flowTraced": true, "isEstimated": true,
        "estimationMethod": "FORECASTS_HIERARCHY", "temporalGranularity": "hourly",
    });
    for (field, value) in changes.as_object().unwrap() {
        body[field] = value.clone();
    }
    serde_json::to_vec(&body).unwrap()
}

fn latest_with(changes: &serde_json::Value) -> Result<Reading, FetchError> {
    latest(&v4(changes), &zone("DK-DK2"), now()).map(|mut readings| {
        assert_eq!(readings.len(), 1);
        readings.remove(0)
    })
}

#[test]
fn version_4_says_all_there_is_to_know() {
    let expected = Reading {
        intensity: GramsPerKwh(75.0),
        starts_at: at("2026-08-22T17:00:00Z"),
        ends_at: at("2026-08-22T18:00:00Z"),
        provider: GridProvider::ElectricityMaps,
        signal: Signal::Average,
        basis: Basis::Lifecycle,
        estimated: true,
        estimation_method: Some("FORECASTS_HIERARCHY".into()),
        reported_at: at("2026-08-22T17:24:08.708Z"),
        unchanged_since: at("2026-08-22T17:00:00Z"),
        replayed_at: None,
        outlook: Outlook::Climatology,
    };
    assert_eq!(latest_with(&serde_json::json!({})).unwrap(), expected);
}

#[test]
fn version_3_says_less_and_means_the_same() {
    let body = br#"{
      "zone": "US-CAR-DUK", "carbonIntensity": 216, "datetime": "2024-03-06T19:00:00.000Z",
      "updatedAt": "2024-03-06T18:48:27.926Z", "createdAt": "2024-03-03T19:47:16.265Z",
      "emissionFactorType": "lifecycle", "isEstimated": true, "estimationMethod": "TIME_SLICER_AVERAGE"
    }"#;
    let readings = latest(body, &zone("US-CAR-DUK"), at("2024-03-06T19:10:00Z")).unwrap();
    let [reading] = readings.as_slice() else { panic!("{readings:?}") };
    assert_eq!(reading.intensity, GramsPerKwh(216.0));
    assert_eq!(reading.ends_at, at("2024-03-06T20:00:00Z"));
    assert_eq!(reading.reported_at, at("2024-03-06T18:48:27.926Z"));
}

#[test]
fn what_is_not_said_is_taken_the_careful_way() {
    let said = br#"{"zone":"DK-DK2","carbonIntensity":75.5,"datetime":"2026-08-22T17:00:00Z"}"#;
    let readings = latest(said, &zone("DK-DK2"), now()).unwrap();
    assert!(readings[0].estimated, "not said to be measured");
    assert_eq!(readings[0].estimation_method, None);
    assert_eq!(readings[0].reported_at, now());
    assert_eq!(readings[0].basis, Basis::Lifecycle, "as asked for");
    assert_eq!(readings[0].intensity, GramsPerKwh(75.5));
}

/// The collector judges and counts them.
#[rstest]
#[case(0.0)]
#[case(-12.5)]
#[case(5000.0)]
fn values_are_handed_on_as_they_are_said(#[case] grams: f64) {
    let reading = latest_with(&serde_json::json!({"carbonIntensity": grams})).unwrap();
    assert_eq!(reading.intensity, GramsPerKwh(grams));
}

#[test]
fn other_emissions_and_measurements_are_said_to_be_such() {
    let direct = latest_with(&serde_json::json!({"emissionFactorType": "direct"})).unwrap();
    assert_eq!(direct.basis, Basis::Direct);
    let measured = latest_with(&serde_json::json!({"isEstimated": false, "estimationMethod": null})).unwrap();
    assert!(!measured.estimated && measured.estimation_method.is_none());
    let chatty = latest_with(&serde_json::json!({"estimationMethod": "A\n".repeat(500)})).unwrap();
    let method = chatty.estimation_method.unwrap();
    assert!(method.chars().count() == MOST_OF_A_METHOD && !method.contains('\n'), "{method}");
}

#[rstest]
#[case("hourly", 60)]
#[case("15_minutes", 15)]
#[case("5_minutes", 5)]
fn an_interval_is_as_long_as_it_is_said_to_be(#[case] granularity: &str, #[case] minutes: i64) {
    let reading = latest_with(&serde_json::json!({"temporalGranularity": granularity})).unwrap();
    assert_eq!(reading.ends_at.duration_since(reading.starts_at), SignedDuration::from_mins(minutes));
}

#[test]
fn last_weeks_data_is_handed_on_with_its_age() {
    let reading = latest_with(&serde_json::json!({"datetime": "2026-08-15T17:00:00.000Z"})).unwrap();
    assert_eq!(reading.age(now()), SignedDuration::from_hours(7 * 24) - SignedDuration::from_mins(30));
}

#[rstest]
#[case(serde_json::json!({"carbonIntensity": null}), Failure::NoData, "2026-08-22T17:00:00Z is null")]
#[case(serde_json::json!({"zone": "DE"}), Failure::WrongZone, "about zone \"DE\"")]
#[case(serde_json::json!({"zone": "dk-dk2"}), Failure::WrongZone, "dk-dk2")]
#[case(serde_json::json!({"zone": "DE", "carbonIntensity": null}), Failure::WrongZone, "DE")]
#[case(serde_json::json!({"zone": null}), Failure::Unreadable, "has no zone")]
#[case(serde_json::json!({"carbonIntensity": "75"}), Failure::Unreadable, "carbonIntensity")]
#[case(serde_json::json!({"carbonIntensity": [75]}), Failure::Unreadable, "carbonIntensity")]
#[case(serde_json::json!({"datetime": null}), Failure::Unreadable, "datetime")]
#[case(serde_json::json!({"datetime": "yesterday"}), Failure::Unreadable, "datetime")]
#[case(serde_json::json!({"datetime": 1_787_418_000}), Failure::Unreadable, "datetime")]
#[case(serde_json::json!({"datetime": "2026-08-22T17:00:00"}), Failure::Unreadable, "datetime")]
#[case(serde_json::json!({"datetime": "2026-08-22T18:00:00Z"}), Failure::Unreadable, "still to come")]
#[case(serde_json::json!({"datetime": "9999-12-30T22:00:00Z"}), Failure::Unreadable, "9999")]
#[case(serde_json::json!({"temporalGranularity": "daily"}), Failure::Unreadable, "\"daily\"")]
fn what_is_not_as_it_should_be(
    #[case] change: serde_json::Value,
    #[case] failure: Failure,
    #[case] why: &str,
) {
    let error = latest_with(&change).unwrap_err();
    assert_eq!(error.failure, failure, "{error}");
    assert!(error.detail.contains(why), "{error}");
}

#[test]
fn an_hour_that_began_by_a_clock_a_little_ahead_of_ours_is_no_future() {
    let body = v4(&serde_json::json!({"datetime": "2026-08-22T18:00:00Z"}));
    assert!(latest(&body, &zone("DK-DK2"), at("2026-08-22T17:55:00Z")).is_ok());
    assert!(latest(&body, &zone("DK-DK2"), at("2026-08-22T17:54:59Z")).is_err());
}

#[rstest]
#[case("")]
#[case("<!DOCTYPE html><html><body>Welcome to the hotel's network</body></html>")]
#[case("75")]
#[case("null")]
#[case(r#"[{"zone":"DK-DK2"}]"#)]
#[case(r#"{"zone":"DK-DK2","carbonIntensity":75,"datetime":"2026-08-22T17:00"#)]
#[case(r#"{"zone":"DK-DK2","carbonIntensity":NaN,"datetime":"2026-08-22T17:00:00Z"}"#)]
#[case(r#"{"zone":"DK-DK2","carbonIntensity":1e999,"datetime":"2026-08-22T17:00:00Z"}"#)]
#[case(r#"{"zone":"DK-DK2","carbonIntensity":75,"datetime":"2026-08-22T17:00:00Z"}{}"#)]
fn what_is_no_such_json_is_unreadable(#[case] body: &str) {
    for read in [latest, history] {
        let error = read(body.as_bytes(), &zone("DK-DK2"), now()).unwrap_err();
        assert_eq!(error.failure, Failure::Unreadable, "{error}");
    }
    assert_eq!(forecast(body.as_bytes(), &zone("DK-DK2"), now()).unwrap_err().failure, Failure::Unreadable);
}

fn hour(hour: u32, grams: &str) -> String {
    format!(
        r#"{{"zone":"DE","carbonIntensity":{grams},"datetime":"2026-08-22T{hour:02}:00:00.000Z",
            "updatedAt":"2026-08-22T17:20:00.000Z","emissionFactorType":"lifecycle","isEstimated":false}}"#
    )
}

fn history_of(key: &str, rows: &[String]) -> Result<Vec<Reading>, FetchError> {
    let body = format!(r#"{{"zone":"DE","{key}":[{}],"temporalGranularity":"hourly"}}"#, rows.join(","));
    history(body.as_bytes(), &zone("DE"), now())
}

#[rstest]
#[case("history")]
#[case("data")]
fn history_is_in_order_whatever_it_is_called_and_without_what_is_not_known(#[case] key: &str) {
    let rows = [hour(17, "599"), hour(14, "607.5"), hour(15, "null"), hour(16, "599")];
    let readings = history_of(key, &rows).unwrap();
    let said: Vec<_> = readings.iter().map(|reading| (reading.starts_at, reading.intensity.0)).collect();
    let expected = [
        (at("2026-08-22T14:00:00Z"), 607.5),
        (at("2026-08-22T16:00:00Z"), 599.0),
        (at("2026-08-22T17:00:00Z"), 599.0),
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_value_is_unchanged_since_the_first_hour_of_its_unbroken_row() {
    let rows = [
        hour(10, "435"),
        hour(12, "435"),
        hour(13, "435"),
        hour(14, "435"),
        hour(15, "436"),
        hour(16, "435"),
    ];
    let since: Vec<_> = history_of("history", &rows).unwrap();
    let since: Vec<_> = since.iter().map(|reading| reading.unchanged_since).collect();
    // 11:00 is missing, which breaks the row.
    let hours = [10, 12, 12, 12, 15, 16].map(|hour| at(&format!("2026-08-22T{hour}:00:00Z")));
    assert_eq!(since, hours);
}

#[test]
fn of_two_words_about_an_hour_the_later_one_counts() {
    let corrected = hour(16, "610").replace("17:20:00", "17:25:00");
    for rows in [[hour(16, "599"), corrected.clone()], [corrected.clone(), hour(16, "599")]] {
        let readings = history_of("history", &rows).unwrap();
        assert_eq!(readings.len(), 1);
        assert_eq!(readings[0].intensity, GramsPerKwh(610.0));
    }
}

#[test]
fn hours_to_come_are_no_history() {
    assert_eq!(history_of("history", &[hour(17, "1"), hour(18, "2")]).unwrap().len(), 1);
    let error = history_of("history", &[hour(18, "2"), hour(19, "2")]).unwrap_err();
    assert_eq!(error.failure, Failure::Unreadable, "{error}");
}

#[rstest]
#[case(r#"{"zone":"FR","history":[]}"#, Failure::WrongZone)]
#[case(r#"{"history":[]}"#, Failure::Unreadable)]
#[case(r#"{"zone":"DE"}"#, Failure::Unreadable)]
#[case(r#"{"zone":"DE","history":[]}"#, Failure::NoData)]
#[case(
    r#"{"zone":"DE","history":[{"datetime":"2026-08-22T16:00:00Z","carbonIntensity":null}]}"#,
    Failure::NoData
)]
#[case(
    r#"{"zone":"DE","history":[{"zone":"FR","datetime":"2026-08-22T16:00:00Z","carbonIntensity":9}]}"#,
    Failure::WrongZone
)]
#[case(
    r#"{"zone":"DE","history":[{"datetime":"2026-08-22T16:00:00Z","carbonIntensity":"9"}]}"#,
    Failure::Unreadable
)]
#[case(
    r#"{"zone":"DE","temporalGranularity":"daily","history":[{"datetime":"2026-08-22T00:00:00Z"}]}"#,
    Failure::Unreadable
)]
fn a_history_that_is_none(#[case] body: &str, #[case] failure: Failure) {
    let error = history(body.as_bytes(), &zone("DE"), now()).unwrap_err();
    assert_eq!(error.failure, failure, "{error}");
}

/// Rows of a forecast from 17:00 on, as version 4 gives them: two fields each.
fn forecast_of(rows: &[(&str, &str)], more: &str) -> Result<Forecast, FetchError> {
    let rows: Vec<_> = rows
        .iter()
        .map(|(time, grams)| {
            format!(r#"{{"carbonIntensity":{grams},"datetime":"2026-08-22T{time}:00.000Z"}}"#)
        })
        .collect();
    let body = format!(r#"{{"zone":"DE","forecast":[{}]{more}}}"#, rows.join(","));
    let answer = forecast(body.as_bytes(), &zone("DE"), now())?;
    assert!(answer.readings.is_empty());
    Ok(Arc::unwrap_or_clone(answer.forecast.unwrap()))
}

const ISSUED: &str = r#","updatedAt":"2026-08-22T16:50:00.000Z","temporalGranularity":"hourly""#;

#[test]
fn a_forecast_is_what_is_said_hour_by_hour() {
    let forecast = forecast_of(&[("17:00", "100"), ("18:00", "200"), ("19:00", "300")], ISSUED).unwrap();
    let expected = Forecast::new(
        at("2026-08-22T16:50:00Z"),
        at("2026-08-22T17:00:00Z"),
        3600,
        vec![100.0, 200.0, 300.0],
    );
    assert_eq!(forecast, expected.unwrap());
    assert_eq!(forecast.ends_at(), at("2026-08-22T20:00:00Z"));
    let unsaid = forecast_of(&[("17:00", "100")], "").unwrap();
    assert_eq!(unsaid.issued_at(), now());
}

#[rstest]
#[case(&[("17:00", "100"), ("18:00", "null"), ("19:00", "300")])]
#[case(&[("17:00", "100"), ("19:00", "300"), ("20:00", "300")])]
#[case(&[("19:00", "300"), ("17:00", "100")])]
fn a_forecast_ends_where_it_has_a_gap(#[case] rows: &[(&str, &str)]) {
    let forecast = forecast_of(rows, ISSUED).unwrap();
    assert_eq!(forecast.ends_at(), at("2026-08-22T18:00:00Z"));
    assert!((forecast.mean().0 - 100.0).abs() < 1e-9);
}

#[rstest]
#[case(&[], Failure::NoData)]
#[case(&[("17:00", "null"), ("18:00", "100")], Failure::NoData)]
#[case(&[("17:00", "100"), ("17:30", "100")], Failure::Unreadable)]
#[case(&[("17:00", "100"), ("17:00", "100")], Failure::Unreadable)]
#[case(&[("17:00", "\"100\"")], Failure::Unreadable)]
#[case(&[("17:00", "100"), ("18:00", "-1")], Failure::Implausible)]
fn a_forecast_that_is_none(#[case] rows: &[(&str, &str)], #[case] failure: Failure) {
    let error = forecast_of(rows, ISSUED).unwrap_err();
    assert_eq!(error.failure, failure, "{error}");
}

#[test]
fn a_forecast_of_another_zone_is_refused() {
    let body = br#"{"zone":"FR","forecast":[{"carbonIntensity":9,"datetime":"2026-08-22T17:00:00Z"}]}"#;
    assert_eq!(forecast(body, &zone("DE"), now()).unwrap_err().failure, Failure::WrongZone);
}

proptest! {
    #[test]
    fn no_body_does_more_harm_than_an_error(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(latest(&body, &zone("DE"), now()).is_err());
        prop_assert!(history(&body, &zone("DE"), now()).is_err());
        prop_assert!(forecast(&body, &zone("DE"), now()).is_err());
    }

    /// Whatever the values and wherever there are holes: nothing is made up, and the row of equals is what it says.
    #[test]
    fn history_adds_nothing(values in proptest::collection::vec(proptest::option::of(0_u32..4), 1..17)) {
        let rows: Vec<_> = values
            .iter()
            .zip(0_u32..)
            .map(|(value, at)| hour(at, &value.map_or_else(|| "null".to_owned(), |value| value.to_string())))
            .collect();
        let known: Vec<f64> = values.iter().flatten().map(|value| f64::from(*value)).collect();
        match history_of("history", &rows) {
            Err(error) => prop_assert!(known.is_empty() && error.failure == Failure::NoData),
            Ok(readings) => {
                let said: Vec<f64> = readings.iter().map(|reading| reading.intensity.0).collect();
                prop_assert_eq!(said, known);
                for reading in &readings {
                    let row = readings.iter().filter(|other| {
                        other.starts_at >= reading.unchanged_since && other.starts_at <= reading.starts_at
                    });
                    let hours = reading.ends_at.duration_since(reading.unchanged_since).as_hours();
                    prop_assert!(row.clone().all(|other| other.intensity == reading.intensity));
                    prop_assert_eq!(i64::try_from(row.count()).unwrap(), hours);
                }
            }
        }
    }
}
