//! Electricity Maps, as its API answers: what it is asked, what is made of the answers, and that the token goes where
//! it belongs and nowhere else.

use std::fs;
use std::time::Duration;

use eco_pulse::domain::region::GridZone;
use eco_pulse::domain::snapshot::{Basis, Failure};
use eco_pulse::providers::FetchError;
use eco_pulse::providers::grid::{Access, ElectricityMaps, GridSource as _, Question, Reach};
use eco_pulse::providers::token::TokenFile;
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use tempfile::TempDir;

use super::upstream::{Answer, Upstream};
use super::{IMPATIENCE, at, region_in, web};

const TOKEN: &str = "hunter2-token";
const PLAN: &str = r#"{"error":"Request unauthorized for zoneKey=SE-SE3,requestType=latest,dataType=carbon-intensity.",
    "message":"You do not have access to this specific endpoint for this specific zone. Contact us."}"#;
const LATEST: &str = r#"{"zone":"SE-SE3","carbonIntensity":23,"datetime":"2026-08-22T17:00:00.000Z",
    "updatedAt":"2026-08-22T17:24:08.708Z","createdAt":"2026-08-21T22:35:11.365Z","emissionFactorType":"lifecycle",
    "flowTraced":true,"isEstimated":true,"estimationMethod":"FORECASTS_HIERARCHY","temporalGranularity":"hourly"}"#;
const NO_DATA: &str = r#"{"error":"No recent data for zone \"SE-SE3\""}"#;

fn now() -> Timestamp {
    at("2026-08-22T17:30:00Z")
}

/// A stand-in, a token file, and who asks.
struct Rig {
    upstream: Upstream,
    secret: TempDir,
    source: ElectricityMaps,
}

impl Rig {
    fn new(base: &str) -> Self {
        let (upstream, secret) = (Upstream::start(), tempfile::tempdir().unwrap());
        fs::write(secret.path().join("token"), format!("{TOKEN}\n")).unwrap();
        let file = TokenFile::new(secret.path().join("token"));
        let source = ElectricityMaps::new(web(), &upstream.url(base), file).unwrap();
        Self { upstream, secret, source }
    }

    /// Answers so, whatever is asked.
    fn answering(answer: Answer) -> Self {
        let rig = Self::new("/v4");
        rig.upstream.on("/*", move |_| answer.clone());
        rig
    }

    fn write_token(&self, token: &str) {
        fs::write(self.secret.path().join("token"), token).unwrap();
    }

    async fn ask_at(
        &self,
        question: Question,
        now: Timestamp,
    ) -> Result<eco_pulse::providers::grid::Answer, FetchError> {
        self.source.ask(&region_in(Some("SE-SE3")), question, now).await
    }

    async fn ask(&self, question: Question) -> Result<eco_pulse::providers::grid::Answer, FetchError> {
        self.ask_at(question, now()).await
    }

    async fn failure(&self, question: Question) -> FetchError {
        self.ask(question).await.unwrap_err()
    }
}

#[rstest]
#[case("/v4", "/v4/carbon-intensity/latest", &[("disableCallerLookup", "true"), ("temporalGranularity", "hourly")])]
#[case("/v4/", "/v4/carbon-intensity/latest", &[("disableCallerLookup", "true"), ("temporalGranularity", "hourly")])]
#[case("/v3", "/v3/carbon-intensity/latest", &[("shouldUseFallbackCallerLookup", "false")])]
#[case("/v3/", "/v3/carbon-intensity/latest", &[("shouldUseFallbackCallerLookup", "false")])]
#[case("/grid", "/grid/carbon-intensity/latest", &[("disableCallerLookup", "true"), ("temporalGranularity", "hourly")])]
#[tokio::test]
async fn each_version_is_asked_in_its_own_words(
    #[case] base: &str,
    #[case] path: &str,
    #[case] more: &[(&str, &str)],
) {
    let rig = Rig::new(base);
    rig.upstream.on(path, |_| Answer::json(LATEST));
    let answer = rig.ask(Question::Latest).await.unwrap();
    let [reading] = answer.readings.as_slice() else { panic!("{answer:?}") };
    assert!((reading.intensity.0 - 23.0).abs() < 1e-9);
    assert_eq!((reading.basis, reading.estimated), (Basis::Lifecycle, true));
    let [asked] = rig.upstream.requests().try_into().unwrap();
    let always = [("zone", "SE-SE3"), ("emissionFactorType", "lifecycle")];
    let query = always.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    assert_eq!(asked.query, query.collect());
    assert_eq!((asked.method.as_str(), asked.header("auth-token")), ("GET", TOKEN));
}

#[tokio::test]
async fn history_and_forecast_are_other_pages() {
    let rig = Rig::new("/v4");
    rig.upstream.on("/v4/carbon-intensity/history", |_| {
        Answer::json(
            r#"{"zone":"SE-SE3","temporalGranularity":"hourly","history":[
                {"zone":"SE-SE3","carbonIntensity":21,"datetime":"2026-08-22T16:00:00.000Z","isEstimated":false},
                {"zone":"SE-SE3","carbonIntensity":21,"datetime":"2026-08-22T17:00:00.000Z","isEstimated":true}]}"#,
        )
    });
    rig.upstream.on("/v4/carbon-intensity/forecast", |_| {
        Answer::json(
            r#"{"zone":"SE-SE3","updatedAt":"2026-08-22T16:50:00.000Z","temporalGranularity":"hourly","forecast":[
                {"carbonIntensity":20,"datetime":"2026-08-22T17:00:00.000Z"},
                {"carbonIntensity":30,"datetime":"2026-08-22T18:00:00.000Z"}]}"#,
        )
    });
    let history = rig.ask(Question::History).await.unwrap();
    assert_eq!(history.readings.len(), 2);
    assert_eq!(history.readings[1].unchanged_since, at("2026-08-22T16:00:00Z"));
    let forecast = rig.ask(Question::Forecast).await.unwrap();
    assert!(forecast.readings.is_empty());
    let forecast = forecast.forecast.unwrap();
    assert_eq!(forecast.ends_at(), at("2026-08-22T19:00:00Z"));
    assert!((forecast.mean().0 - 25.0).abs() < 1e-9);
    assert_eq!(rig.upstream.requests()[1].query["horizonHours"], "48");
}

#[rstest]
#[case(Answer::new(401, r#"{"error":"Invalid auth-token"}"#), Failure::BadToken, "Invalid auth-token")]
#[case(Answer::new(401, PLAN), Failure::NotInPlan, "zoneKey=SE-SE3")]
#[case(Answer::new(401, r#"{"error":"Token unauthorized for zoneKey"}"#), Failure::NotInPlan, "zoneKey")]
#[case(
    Answer::new(401, r#"{"error":"Endpoint not available"}"#),
    Failure::NotInPlan,
    "Endpoint not available"
)]
#[case(Answer::new(403, "Access denied"), Failure::NotInPlan, "Access denied")]
#[case(Answer::new(404, NO_DATA), Failure::NoData, "No recent data")]
#[case(Answer::json(NO_DATA), Failure::NoData, "No recent data")]
#[case(
    Answer::new(400, r#"{"error":"Valid breakdown types are: normal"}"#),
    Failure::BadRequest,
    "breakdown"
)]
#[case(Answer::new(429, ""), Failure::Throttled, "429")]
#[case(Answer::new(500, ""), Failure::Outage, "500")]
#[case(Answer::new(503, "<html>maintenance</html>"), Failure::Outage, "maintenance")]
#[case(Answer::new(200, "<html>log in</html>"), Failure::Unreadable, "unexpected body")]
#[case(Answer::json("").unmeasured(), Failure::Unreadable, "unexpected body")]
#[case(Answer::json(LATEST).cut_off(), Failure::Unreadable, "breaks off")]
#[case(Answer::redirect(301, "http://127.0.0.1:1/v5"), Failure::Unreadable, "http://127.0.0.1:1/v5")]
#[case(Answer::json(LATEST.replace("SE-SE3", "DE")), Failure::WrongZone, "about zone \"DE\"")]
#[tokio::test]
async fn whatever_goes_wrong_is_told_apart_and_named_once(
    #[case] answer: Answer,
    #[case] failure: Failure,
    #[case] words: &str,
) {
    let rig = Rig::answering(answer);
    for question in [Question::Latest, Question::History, Question::Forecast] {
        rig.upstream.forget();
        let error = rig.failure(question).await;
        // A row without a list around it is no answer to these two.
        let is_row = matches!(failure, Failure::WrongZone) && question != Question::Latest;
        assert!(error.failure == failure || is_row, "{question:?}: {error}");
        assert!(error.detail.starts_with("zone SE-SE3: "), "{error}");
        assert!(error.detail.contains(words) || is_row, "{error}");
        assert_eq!(rig.upstream.requests().len(), 1, "a question is not repeated");
    }
}

#[tokio::test]
async fn a_value_that_is_null_is_no_data() {
    let rig = Rig::answering(Answer::json(LATEST.replace("23", "null")));
    assert_eq!(rig.failure(Question::Latest).await.failure, Failure::NoData);
}

#[tokio::test]
async fn last_weeks_value_comes_with_its_age() {
    let rig = Rig::answering(Answer::json(LATEST.replace("08-22T17:00", "08-15T17:00")));
    let answer = rig.ask(Question::Latest).await.unwrap();
    assert_eq!(answer.readings[0].age(now()).as_hours(), 167);
}

#[tokio::test]
async fn who_does_not_answer_is_given_up() {
    let rig = Rig::new("/v4");
    rig.upstream.on("/*", |_| Answer::never());
    let file = TokenFile::new(rig.secret.path().join("token"));
    let source =
        ElectricityMaps::new(web().with_timeout(IMPATIENCE), &rig.upstream.url("/v4"), file).unwrap();
    let error = source.ask(&region_in(Some("SE-SE3")), Question::Latest, now()).await.unwrap_err();
    assert_eq!(error.failure, Failure::Timeout, "{error}");
    assert!(error.detail.starts_with("zone SE-SE3: "), "{error}");
}

#[rstest]
#[case("120", 120)]
#[case("Sat, 22 Aug 2026 17:31:00 GMT", 60)]
#[tokio::test]
async fn how_long_to_wait_is_handed_on(#[case] said: &str, #[case] seconds: u64) {
    let answer =
        Answer::new(429, "").header("date", "Sat, 22 Aug 2026 17:30:00 GMT").header("retry-after", said);
    let error = Rig::answering(answer).failure(Question::Latest).await;
    assert_eq!(error.retry_after, Some(Duration::from_secs(seconds)));
}

#[tokio::test]
async fn a_bad_token_is_told_with_the_file_to_mend_and_never_shown() {
    let body = format!(r#"{{"error":"Invalid auth-token {TOKEN}","message":"{TOKEN}"}}"#);
    let rig = Rig::answering(Answer::new(401, body));
    let error = rig.failure(Question::Latest).await;
    assert_eq!(error.failure, Failure::BadToken, "{error}");
    assert!(error.detail.contains("check the token in ") && error.detail.contains("/token"), "{error}");
    for status in [200, 400, 403, 404, 500] {
        let rig =
            Rig::answering(Answer::new(status, format!(r#"{{"zone":"{TOKEN}","datetime":"{TOKEN}"}}"#)));
        for error in [rig.failure(Question::Latest).await, rig.source.probe().await.unwrap_err()] {
            assert!(!format!("{error} {error:?} {:?}", rig.source).contains("hunt"), "{error}");
        }
    }
    assert!(!format!("{error} {error:?} {:?}", rig.source).contains("hunter2"), "{error}");
}

/// Under throttling, users see their token called invalid.
#[tokio::test]
async fn a_token_that_was_accepted_just_now_is_not_bad_at_once() {
    let rig = Rig::answering(Answer::json(LATEST));
    rig.ask(Question::Latest).await.unwrap();
    rig.upstream.on("/*", |_| Answer::new(401, r#"{"error":"Invalid auth-token"}"#));
    let hour = SignedDuration::from_hours(1);
    let error = rig.ask_at(Question::Latest, now() + hour).await.unwrap_err();
    assert_eq!(error.failure, Failure::Throttled, "{error}");
    assert!(error.detail.contains("Invalid auth-token") && error.detail.contains("17:30:00Z"), "{error}");
    let later = now() + hour + SignedDuration::from_secs(1);
    assert_eq!(rig.ask_at(Question::Latest, later).await.unwrap_err().failure, Failure::BadToken);
    // Another token was never accepted.
    rig.write_token("hunter2-other");
    assert_eq!(rig.failure(Question::Latest).await.failure, Failure::BadToken);
}

#[tokio::test]
async fn a_token_that_is_changed_counts_from_the_next_question_on() {
    let rig = Rig::answering(Answer::json(LATEST));
    rig.ask(Question::Latest).await.unwrap();
    rig.write_token("  next\r\n");
    rig.ask(Question::Latest).await.unwrap();
    let sent: Vec<_> =
        rig.upstream.requests().iter().map(|asked| asked.header("auth-token").to_owned()).collect();
    assert_eq!(sent, [TOKEN, "next"]);
}

#[rstest]
#[case(None, "cannot be read")]
#[case(Some(""), "is empty")]
#[case(Some("a\nb"), "more than one line")]
#[tokio::test]
async fn without_a_token_nobody_is_asked(#[case] content: Option<&str>, #[case] why: &str) {
    let rig = Rig::answering(Answer::json(LATEST));
    match content {
        Some(content) => rig.write_token(content),
        None => fs::remove_file(rig.secret.path().join("token")).unwrap(),
    }
    for error in [rig.failure(Question::Latest).await, rig.source.probe().await.unwrap_err()] {
        assert_eq!(error.failure, Failure::NoToken, "{error}");
        assert!(error.detail.contains(why) && error.detail.contains("/token"), "{error}");
    }
    assert_eq!(rig.upstream.requests().len(), 0);
}

#[tokio::test]
async fn a_region_without_a_zone_is_not_asked_about() {
    let rig = Rig::answering(Answer::json(LATEST));
    let error = rig.source.ask(&region_in(None), Question::Latest, now()).await.unwrap_err();
    assert_eq!(error.failure, Failure::NoData, "{error}");
    assert_eq!(rig.upstream.requests().len(), 0);
}

#[tokio::test]
async fn the_list_of_zones_tells_what_the_token_may_ask() {
    let rig = Rig::new("/v3/");
    rig.upstream.on("/v3/zones", |_| {
        Answer::json(
            r#"{"DE":{"zoneName":"Germany"},
                "SE-SE3":{"zoneName":"Stockholm","access":["carbon-intensity/latest","power-breakdown/latest"]}}"#,
        )
    });
    let access = rig.source.probe().await.unwrap();
    assert_eq!(access, Access::Only([(GridZone::from("SE-SE3"), Question::Latest)].into()));
    assert_eq!(rig.upstream.requests()[0].header("auth-token"), TOKEN);
    rig.upstream.on("/v3/zones", |_| Answer::json(r#"{"DE":{"zoneName":"Germany"}}"#));
    assert_eq!(rig.source.probe().await.unwrap(), Access::Unknown);
}

#[rstest]
#[case(Answer::new(401, r#"{"error":"Invalid auth-token"}"#), Failure::BadToken)]
#[case(Answer::new(503, ""), Failure::Outage)]
#[case(Answer::json("[]"), Failure::Unreadable)]
#[case(Answer::new(404, "no such page"), Failure::BadRequest)]
#[tokio::test]
async fn a_list_of_zones_that_is_not_had_is_told(#[case] answer: Answer, #[case] failure: Failure) {
    let error = Rig::answering(answer).source.probe().await.unwrap_err();
    assert_eq!(error.failure, failure, "{error}");
    assert!(error.detail.starts_with("the list of zones: "), "{error}");
}

#[tokio::test]
async fn it_is_on_a_network_and_can_be_asked_three_things() {
    let rig = Rig::new("/v4");
    assert_eq!(rig.source.reach(), Reach::Network);
    assert_eq!(rig.source.questions(), [Question::Latest, Question::History, Question::Forecast]);
}

#[test]
fn an_address_that_is_none_is_refused() {
    let file = TokenFile::new("/nowhere");
    assert!(ElectricityMaps::new(web(), "https://user:hunter2@api.electricitymaps.com/v4", file).is_err());
}
