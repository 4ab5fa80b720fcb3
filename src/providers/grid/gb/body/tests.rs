//! Bodies as the API's definition gives them, and what becomes of those that are not as they should be.

use bytes::Bytes;
use http::HeaderMap;
use rstest::rstest;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-08-22T12:10:00Z")
}

/// Rows of half an hour from these times of 22 August 2026 on, with forecast and actual value.
fn body(rows: &[(&str, &str, &str)]) -> Vec<u8> {
    let rows: Vec<_> = rows
        .iter()
        .map(|(from, forecast, actual)| {
            let to = at(&format!("2026-08-22T{from}Z")) + HALF_HOUR;
            let to = to.strftime("%Y-%m-%dT%H:%MZ");
            format!(
                r#"{{"from":"2026-08-22T{from}Z","to":"{to}",
                    "intensity":{{"forecast":{forecast},"actual":{actual},"index":"moderate"}}}}"#
            )
        })
        .collect();
    format!(r#"{{"data":[{}]}}"#, rows.join(",")).into_bytes()
}

fn page(status: u16, body: &str) -> Page {
    Page {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

#[test]
fn a_metered_half_hour_is_a_measurement_of_combustion() {
    let recorded = br#"{"data":[{"from":"2018-01-20T12:00Z","to":"2018-01-20T12:30Z",
        "intensity":{"forecast":266,"actual":263,"index":"moderate"}}]}"#;
    let asked_at = at("2018-01-20T12:10:00Z");
    let expected = Reading {
        intensity: GramsPerKwh(263.0),
        starts_at: at("2018-01-20T12:00:00Z"),
        ends_at: at("2018-01-20T12:30:00Z"),
        provider: GridProvider::GbCarbonIntensity,
        signal: Signal::Average,
        basis: Basis::Direct,
        estimated: false,
        estimation_method: None,
        reported_at: asked_at,
        unchanged_since: at("2018-01-20T12:00:00Z"),
        replayed_at: None,
        outlook: Outlook::Climatology,
    };
    let answer = latest(recorded, asked_at).unwrap();
    assert_eq!(answer, Answer { readings: vec![expected], forecast: None });
}

#[test]
fn until_it_is_metered_the_forecast_stands_in_as_an_estimate() {
    let answer = latest(&body(&[("12:00", "266", "null")]), now()).unwrap();
    assert_eq!(answer.readings[0].intensity, GramsPerKwh(266.0));
    assert!(answer.readings[0].estimated);
    assert_eq!(answer.readings[0].estimation_method.as_deref(), Some("forecast"));
}

#[test]
fn of_several_half_hours_the_last_that_has_begun_is_current() {
    let rows = [("12:30", "3", "null"), ("11:30", "1", "10"), ("12:00", "2", "20")];
    assert_eq!(latest(&body(&rows), now()).unwrap().readings[0].intensity, GramsPerKwh(20.0));
}

#[test]
fn a_half_hour_long_past_is_handed_on_with_its_age() {
    let answer = latest(&body(&[("02:00", "266", "263")]), now()).unwrap();
    assert_eq!(answer.readings[0].age(now()).as_hours(), 9);
}

#[rstest]
#[case(r#"{"data":[]}"#, Failure::NoData)]
#[case(r#"{"data":[{"from":"2026-08-22T12:00Z","to":"2026-08-22T12:30Z","intensity":{"forecast":null,"actual":null}}]}"#,
       Failure::NoData)]
#[case(r#"{"data":[{"from":"2026-08-22T12:00Z","to":"2026-08-22T12:30Z","intensity":{"forecast":"9","actual":null}}]}"#,
       Failure::Unreadable)]
#[case(r#"{"data":[{"from":"2026-08-22T12:00Z","to":"2026-08-22T13:00Z","intensity":{"forecast":9,"actual":9}}]}"#,
       Failure::Unreadable)]
#[case(r#"{"data":[{"from":"2026-08-22T12:30Z","to":"2026-08-22T12:00Z","intensity":{"forecast":9,"actual":9}}]}"#,
       Failure::Unreadable)]
#[case(r#"{"data":[{"from":"2026-08-22T12:30Z","to":"2026-08-22T13:00Z","intensity":{"forecast":9,"actual":9}}]}"#,
       Failure::Unreadable)]
#[case(r#"{"data":[{"from":"2026-08-22T12:00Z","to":"2026-08-22T12:30Z"}]}"#, Failure::Unreadable)]
#[case(r#"{"data":[{"from":"2026-08-22T12:00"#, Failure::Unreadable)]
#[case(r#"{"data":{}}"#, Failure::Unreadable)]
#[case("{}", Failure::Unreadable)]
#[case("", Failure::Unreadable)]
#[case("<html></html>", Failure::Unreadable)]
fn what_is_not_as_it_should_be(#[case] body: &str, #[case] failure: Failure) {
    let error = latest(body.as_bytes(), now()).unwrap_err();
    assert_eq!(error.failure, failure, "{error}");
}

#[test]
fn a_forecast_starts_with_the_current_half_hour() {
    let rows = [("11:30", "1", "10"), ("12:00", "200", "20"), ("12:30", "300", "null")];
    let answer = forecast(&body(&rows), now()).unwrap();
    let expected = Forecast::new(now(), at("2026-08-22T12:00:00Z"), 1800, vec![200.0, 300.0]).unwrap();
    assert_eq!(answer, Answer { readings: Vec::new(), forecast: Some(Arc::new(expected)) });
}

#[rstest]
#[case(&[("12:00", "200", "null"), ("12:30", "null", "null"), ("13:00", "300", "null")])]
#[case(&[("12:00", "200", "null"), ("13:00", "300", "null")])]
fn a_forecast_ends_where_it_has_a_gap(#[case] rows: &[(&str, &str, &str)]) {
    let answer = forecast(&body(rows), now()).unwrap();
    assert_eq!(answer.forecast.unwrap().ends_at(), at("2026-08-22T12:30:00Z"));
}

#[rstest]
#[case(&[], Failure::NoData)]
#[case(&[("11:00", "200", "200"), ("11:30", "200", "200")], Failure::NoData)]
#[case(&[("12:00", "null", "200"), ("12:30", "200", "null")], Failure::NoData)]
#[case(&[("12:00", "-200", "null")], Failure::Implausible)]
fn a_forecast_that_is_none(#[case] rows: &[(&str, &str, &str)], #[case] failure: Failure) {
    let error = forecast(&body(rows), now()).unwrap_err();
    assert_eq!(error.failure, failure, "{error}");
}

#[rstest]
#[case(
    400,
    r#"{"error":{"code":"400 Bad Request","message":"Please enter a valid date"}}"#,
    Failure::BadRequest
)]
#[case(
    200,
    r#"{"error":{"code":"400 Bad Request","message":"Please enter a valid date"}}"#,
    Failure::BadRequest
)]
#[case(200, r#"{"error":{"code":"500 Internal Server Error","message":"Try later"}}"#, Failure::Outage)]
#[case(200, r#"{"error":{"message":"?"}}"#, Failure::NoData)]
#[case(500, r#"{"error":{"code":"500 Internal Server Error","message":"Try later"}}"#, Failure::Outage)]
#[case(503, "<html>Service Unavailable</html>", Failure::Outage)]
#[case(404, r#"{"error":{"code":"404 Not Found","message":"No data"}}"#, Failure::NoData)]
#[case(404, "<html>Not Found</html>", Failure::BadRequest)]
#[case(403, "Forbidden by the proxy", Failure::Unreachable)]
#[case(429, "", Failure::Throttled)]
#[case(204, "", Failure::Unreadable)]
fn refusals_are_told_apart(#[case] status: u16, #[case] body: &str, #[case] failure: Failure) {
    let error = refusal(&page(status, body)).unwrap_err();
    assert_eq!(error.failure, failure, "{error}");
    assert!(error.detail.contains(&status.to_string()), "{error}");
}

#[test]
fn an_answer_is_no_refusal() {
    assert_eq!(refusal(&page(200, r#"{"data":[]}"#)), Ok(()));
    assert_eq!(refusal(&page(200, "<html></html>")), Ok(()));
}
