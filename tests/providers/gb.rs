//! Great Britain's grid operator, as its API answers.

use eco_pulse::domain::Region;
use eco_pulse::domain::snapshot::{Basis, Failure};
use eco_pulse::providers::FetchError;
use eco_pulse::providers::grid::{Access, GbCarbonIntensity, GridSource as _, Question, Reach};
use rstest::rstest;

use super::upstream::{Answer, Upstream};
use super::{IMPATIENCE, at, region_in, web};

const NOW: &str = "2026-08-22T12:40:12Z";

fn gb(upstream: &Upstream) -> GbCarbonIntensity {
    GbCarbonIntensity::new(web(), &upstream.url("/")).unwrap()
}

fn britain() -> Region {
    region_in(Some("GB"))
}

async fn ask(
    upstream: &Upstream,
    question: Question,
) -> Result<eco_pulse::providers::grid::Answer, FetchError> {
    gb(upstream).ask(&britain(), question, at(NOW)).await
}

#[tokio::test]
async fn the_current_half_hour_is_asked_for_without_any_key() {
    let upstream = Upstream::start();
    upstream.on("/intensity", |_| {
        Answer::json(
            r#"{"data":[{"from":"2026-08-22T12:30Z","to":"2026-08-22T13:00Z",
                "intensity":{"forecast":266,"actual":null,"index":"moderate"}}]}"#,
        )
    });
    let answer = ask(&upstream, Question::Latest).await.unwrap();
    assert!((answer.readings[0].intensity.0 - 266.0).abs() < 1e-9);
    assert!(answer.readings[0].estimated);
    assert_eq!(answer.readings[0].basis, Basis::Direct);
    assert_eq!(answer.readings[0].ends_at, at("2026-08-22T13:00:00Z"));
    let [asked] = upstream.requests().try_into().unwrap();
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", "/intensity"));
    assert_eq!(asked.header("auth-token"), "");
}

#[tokio::test]
async fn the_forecast_of_two_days_is_asked_for_from_this_half_hour_on() {
    let upstream = Upstream::start();
    upstream.on("/intensity/*", |request| {
        assert!(request.path.ends_with("/fw48h"));
        Answer::json(
            r#"{"data":[
                {"from":"2026-08-22T12:30Z","to":"2026-08-22T13:00Z","intensity":{"forecast":200,"actual":null}},
                {"from":"2026-08-22T13:00Z","to":"2026-08-22T13:30Z","intensity":{"forecast":100,"actual":null}}]}"#,
        )
    });
    let forecast = ask(&upstream, Question::Forecast).await.unwrap().forecast.unwrap();
    assert_eq!(forecast.starts_at(), at("2026-08-22T12:30:00Z"));
    assert_eq!(forecast.ends_at(), at("2026-08-22T13:30:00Z"));
    assert!((forecast.mean().0 - 150.0).abs() < 1e-9);
    assert_eq!(upstream.requests()[0].path, "/intensity/2026-08-22T12:30Z/fw48h");
}

#[rstest]
#[case(Some("SE-SE3"))]
#[case(Some("GB-NIR"))]
#[case(None)]
#[tokio::test]
async fn of_other_zones_it_knows_nothing_and_is_not_asked(#[case] zone: Option<&str>) {
    let upstream = Upstream::start();
    let error = gb(&upstream).ask(&region_in(zone), Question::Latest, at(NOW)).await.unwrap_err();
    assert_eq!(error.failure, Failure::NoData, "{error}");
    assert!(error.detail.contains(zone.unwrap_or("no grid zone")), "{error}");
    assert_eq!(upstream.requests().len(), 0);
}

#[rstest]
#[case(
    Answer::new(400, r#"{"error":{"code":"400 Bad Request","message":"Please mend it"}}"#),
    Failure::BadRequest
)]
#[case(Answer::new(500, r#"{"error":{"code":"500 Internal","message":"Please wait"}}"#), Failure::Outage)]
#[case(Answer::new(503, "<html>"), Failure::Outage)]
#[case(Answer::new(200, "<html>"), Failure::Unreadable)]
#[case(Answer::json(r#"{"data":[]}"#), Failure::NoData)]
#[case(Answer::json(r#"{"data":[{"from""#).cut_off(), Failure::Unreadable)]
#[case(Answer::redirect(302, "/login"), Failure::Unreadable)]
#[tokio::test]
async fn whatever_goes_wrong_is_named_once(#[case] answer: Answer, #[case] failure: Failure) {
    let upstream = Upstream::start();
    upstream.on("/*", move |_| answer.clone());
    for question in [Question::Latest, Question::Forecast] {
        upstream.forget();
        let error = ask(&upstream, question).await.unwrap_err();
        assert_eq!(error.failure, failure, "{error}");
        assert!(error.detail.starts_with("zone GB: "), "{error}");
        assert_eq!(upstream.requests().len(), 1, "a question is not repeated");
    }
}

#[tokio::test]
async fn who_does_not_answer_is_given_up() {
    let upstream = Upstream::start();
    upstream.on("/intensity", |_| Answer::never());
    let gb = GbCarbonIntensity::new(web().with_timeout(IMPATIENCE), &upstream.url("")).unwrap();
    let error = gb.ask(&britain(), Question::Latest, at(NOW)).await.unwrap_err();
    assert_eq!(error.failure, Failure::Timeout, "{error}");
}

#[tokio::test]
async fn it_is_on_a_network_and_has_no_list_of_what_may_be_asked() {
    let upstream = Upstream::start();
    let gb = gb(&upstream);
    assert_eq!(gb.reach(), Reach::Network);
    assert_eq!(gb.questions(), [Question::Latest, Question::Forecast]);
    assert_eq!(gb.probe().await.unwrap(), Access::Unknown);
    assert_eq!(
        gb.ask(&britain(), Question::History, at(NOW)).await.unwrap_err().failure,
        Failure::BadRequest
    );
    assert_eq!(upstream.requests().len(), 0);
}

#[test]
fn an_address_that_is_none_is_refused() {
    assert!(GbCarbonIntensity::new(web(), "api.carbonintensity.org.uk").is_err());
}
