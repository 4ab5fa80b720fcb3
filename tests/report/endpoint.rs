//! `GET /report`: content types, names, messages, and one at a time.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use eco_pulse::clock::Clock;
use eco_pulse::http::report::{Gather, Gathering, reports};
use eco_pulse::report::Scope;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use crate::sample;

/// Gives what the sample has once it may, or an error.
#[derive(Debug)]
struct Given {
    may: Arc<Semaphore>,
    began: Arc<Semaphore>,
    fails: bool,
}

impl Gather for Given {
    fn gather(&self, scope: Scope) -> Gathering {
        let (may, fails) = (self.may.clone(), self.fails);
        self.began.add_permits(1);
        Box::pin(async move {
            let _permit = may.acquire().await?;
            anyhow::ensure!(!fails, "the store does not answer");
            Ok(sample::of_scope(scope))
        })
    }
}

fn router(given: Given) -> Router {
    let given: Arc<dyn Gather> = Arc::new(given);
    let now = sample::MADE_AT.parse().unwrap();
    reports(move || given.clone(), &Clock::new(move || now))
}

fn at_once(fails: bool) -> Router {
    router(Given { may: Arc::new(Semaphore::new(9)), began: Arc::new(Semaphore::new(0)), fails })
}

async fn ask(router: &Router, query: &str, accept: &str) -> Response<Body> {
    let request =
        Request::get(format!("/report?{query}")).header("accept", accept).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

async fn body(response: Response<Body>) -> Vec<u8> {
    response.into_body().collect().await.unwrap().to_bytes().to_vec()
}

const PERIOD: &str = "from=2026-11-02&to=2026-11-16";

#[tokio::test]
async fn every_form_has_its_type_and_its_name() {
    let router = at_once(false);
    for (form, content_type, disposition, begins) in [
        (
            "table",
            "text/plain; charset=utf-8",
            "inline; filename=\"eco-pulse-report-2026-11-02-to-2026-11-16.txt\"",
            "Carbon",
        ),
        (
            "csv",
            "text/csv; charset=utf-8",
            "attachment; filename=\"eco-pulse-report-2026-11-02-to-2026-11-16.csv\"",
            "section,",
        ),
        (
            "json",
            "application/json",
            "inline; filename=\"eco-pulse-report-2026-11-02-to-2026-11-16.json\"",
            "{",
        ),
        (
            "pdf",
            "application/pdf",
            "inline; filename=\"eco-pulse-report-2026-11-02-to-2026-11-16.pdf\"",
            "%PDF",
        ),
    ] {
        let response = ask(&router, &format!("{PERIOD}&output={form}"), "*/*").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[CONTENT_TYPE], content_type);
        assert_eq!(response.headers()[CONTENT_DISPOSITION], disposition);
        assert!(body(response).await.starts_with(begins.as_bytes()), "{form}");
    }
}

/// The link on each dashboard, as Grafana fills it in.
#[tokio::test]
async fn the_period_that_a_dashboard_shows_is_reported_in_whole_hours() {
    let query = "from=2026-11-16T20:19:09.254Z&to=2026-11-17T20:19:09.254Z&output=json&namespace=";
    let response = ask(&at_once(false), query, "text/html,*/*;q=0.8").await;
    assert_eq!(response.status(), StatusCode::OK);
    let report: serde_json::Value = serde_json::from_slice(&body(response).await).unwrap();
    assert_eq!(report["from"], "2026-11-16T20:00:00Z");
    assert_eq!(report["to"], "2026-11-17T21:00:00Z");
}

#[tokio::test]
async fn a_browser_gets_a_document_of_the_last_week() {
    let response = ask(&at_once(false), "", "text/html,*/*;q=0.8").await;
    assert_eq!(response.headers()[CONTENT_TYPE], "application/pdf");
    let name = "inline; filename=\"eco-pulse-report-2026-11-21-to-2026-11-28.pdf\"";
    assert_eq!(response.headers()[CONTENT_DISPOSITION], name);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_the_words_of_the_command() {
    let router = at_once(false);
    for (query, words) in [
        ("from=2026-11-08&to=2026-11-01", "to=2026-11-01 is not after from=2026-11-08"),
        (
            "from=2026-11-02&to=2026-11-16&namespace=shpo",
            "\"shpo\" has no pods in this period; those that have: batch, lab, shop",
        ),
        ("output=xml", "choose table, csv, json or pdf"),
        ("namespace=a%0Ab", "is no namespace's name"),
        ("form=pdf", "\"form\" is not known"),
        ("from=2027-11-08&to=2027-11-09", "in the future"),
    ] {
        let response = ask(&router, query, "*/*").await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{query}");
        let told = String::from_utf8(body(response).await).unwrap();
        assert!(told.contains(words), "{query}: {told}");
    }
}

#[tokio::test]
async fn a_store_that_fails_is_told_with_its_cause() {
    let response = ask(&at_once(true), PERIOD, "*/*").await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let told = String::from_utf8(body(response).await).unwrap();
    assert!(told.contains("cannot be gathered: the store does not answer"), "{told}");
}

/// A router that makes a report for the first who asks, until it may end.
async fn while_one_is_made() -> (Router, Arc<Semaphore>, JoinHandle<StatusCode>) {
    let (may, began) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let router = router(Given { may: may.clone(), began: began.clone(), fails: false });
    let asked = router.clone();
    let first = tokio::spawn(async move { ask(&asked, PERIOD, "*/*").await.status() });
    began.acquire().await.unwrap().forget();
    (router, may, first)
}

#[tokio::test]
async fn a_report_that_nobody_waits_for_any_more_counts_until_it_is_made() {
    let (router, may, first) = while_one_is_made().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(ask(&router, PERIOD, "*/*").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    may.add_permits(9);
    // It ends by itself: then there is room for another one.
    while ask(&router, PERIOD, "*/*").await.status() == StatusCode::SERVICE_UNAVAILABLE {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_report_is_made_at_a_time() {
    let (router, may, first) = while_one_is_made().await;
    let second = ask(&router, PERIOD, "*/*").await;
    assert_eq!(second.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!second.headers().contains_key(RETRY_AFTER));
    assert!(String::from_utf8(body(second).await).unwrap().contains("another report is being made"));
    may.add_permits(2);
    assert_eq!(first.await.unwrap(), StatusCode::OK);
    assert_eq!(ask(&router, PERIOD, "*/*").await.status(), StatusCode::OK, "the next one is made again");
}
