//! The limits of a question over HTTP: time, size, trust, and where it goes.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use eco_pulse::clock::Clock;
use eco_pulse::domain::snapshot::Failure;
use eco_pulse::providers::FetchError;
use eco_pulse::providers::web::{Page, Web};
use eco_pulse::tls::{CertificateResolver, Issued, client_config, issue, server_config};
use http::HeaderMap;
use reqwest::Url;
use rstest::rstest;

use super::upstream::{Answer, Upstream};
use super::{IMPATIENCE, web};

const MAX: usize = 1000;

async fn get(web: &Web, url: &str) -> Result<Page, FetchError> {
    web.get(Url::parse(url).unwrap(), HeaderMap::new(), MAX).await
}

async fn failure_at(web: &Web, url: &str) -> FetchError {
    get(web, url).await.unwrap_err()
}

#[rstest]
#[case(200)]
#[case(401)]
#[case(503)]
#[tokio::test]
async fn an_answer_of_any_status_is_a_page(#[case] status: u16) {
    let upstream = Upstream::start();
    upstream.on("/a/b", move |_| Answer::new(status, "body").header("retry-after", "7"));
    let headers = HeaderMap::from_iter([(http::header::ACCEPT, "x/y".parse().unwrap())]);
    let url = Url::parse(&upstream.url("/a/b?c=d%26e")).unwrap();
    let page = web().get(url, headers, MAX).await.unwrap();
    assert_eq!((page.status.as_u16(), page.body.as_ref()), (status, b"body".as_slice()));
    assert_eq!(page.retry_after(), Some(Duration::from_secs(7)));
    let [asked] = upstream.requests().try_into().unwrap();
    assert_eq!((asked.path.as_str(), asked.query["c"].as_str()), ("/a/b", "d&e"));
    assert_eq!(asked.header("accept"), "x/y");
    assert!(asked.header("user-agent").starts_with("eco-pulse/"), "{asked:?}");
}

#[rstest]
#[case::no_answer(Answer::never())]
#[case::no_end(Answer::json("0123456789").stalled())]
#[case::too_late(Answer::json("0123456789").after(Duration::from_hours(1)))]
#[tokio::test]
async fn who_does_not_answer_in_time_is_not_waited_for(#[case] answer: Answer) {
    let upstream = Upstream::start();
    upstream.on("/", move |_| answer.clone());
    let error = failure_at(&web().with_timeout(IMPATIENCE), &upstream.url("/")).await;
    assert_eq!(error.failure, Failure::Timeout, "{error}");
    assert!(error.detail.contains("200ms") && error.detail.contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    let upstream = Upstream::start();
    upstream.on("/", |_| Answer::json(r#"{"zone":"DE"}"#).cut_off());
    let error = failure_at(&web(), &upstream.url("/")).await;
    assert_eq!(error.failure, Failure::Unreadable, "{error}");
    assert!(error.detail.contains("breaks off"), "{error}");
}

#[tokio::test]
async fn no_more_is_read_than_is_wanted() {
    let upstream = Upstream::start();
    let (exact, longer) = ("x".repeat(MAX), "x".repeat(MAX + 1));
    upstream.on("/exact", move |_| Answer::new(200, exact.clone()).unmeasured());
    upstream.on("/announced", {
        let longer = longer.clone();
        // Its end never comes: that it is too long must be seen from what is announced.
        move |_| Answer::new(200, longer.clone()).stalled()
    });
    upstream.on("/unannounced", move |_| Answer::new(200, longer.clone()).unmeasured());
    assert_eq!(get(&web(), &upstream.url("/exact")).await.unwrap().body.len(), MAX);
    for path in ["/announced", "/unannounced"] {
        let error = failure_at(&web(), &upstream.url(path)).await;
        assert_eq!(error.failure, Failure::Unreadable, "{error}");
        assert!(error.detail.contains("longer than 1000 bytes"), "{error}");
    }
}

#[rstest]
#[case(301)]
#[case(302)]
#[case(307)]
#[case(308)]
#[tokio::test]
async fn a_redirect_is_not_followed(#[case] status: u16) {
    let (upstream, elsewhere) = (Upstream::start(), Upstream::start());
    let to = elsewhere.url("/login?back=secret");
    upstream.on("/", move |_| Answer::redirect(status, &to));
    let error = failure_at(&web(), &upstream.url("/")).await;
    assert_eq!(error.failure, Failure::Unreadable, "{error}");
    assert!(error.detail.contains(&elsewhere.url("/login")) && !error.detail.contains("secret"), "{error}");
    assert_eq!((upstream.requests().len(), elsewhere.requests().len()), (1, 0));
}

#[tokio::test]
async fn where_nobody_listens_nobody_is_reached() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = failure_at(&web(), &format!("http://127.0.0.1:{port}/")).await;
    assert_eq!(error.failure, Failure::Unreachable, "{error}");
    assert!(error.detail.contains(&format!("127.0.0.1:{port}")), "{error}");
    assert!(error.detail.contains("refused"), "{error}");
}

#[tokio::test]
async fn who_hangs_up_without_a_word_is_not_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let hangs_up = std::thread::spawn(move || drop(listener.accept().unwrap()));
    let error = failure_at(&web(), &url).await;
    hangs_up.join().unwrap();
    assert_eq!(error.failure, Failure::Unreachable, "{error}");
}

/// No label of a name is longer than 63 letters, so no resolver is asked.
#[tokio::test]
async fn a_name_that_cannot_be_looked_up_is_not_reached() {
    let host = format!("{}.localhost", "a".repeat(64));
    let error = failure_at(&web(), &format!("http://{host}/")).await;
    assert_eq!(error.failure, Failure::Unreachable, "{error}");
    assert!(error.detail.contains(&host), "{error}");
}

fn issued() -> Issued {
    issue(&["127.0.0.1".parse().unwrap()], Clock::system().now()).unwrap()
}

fn over_tls(issued: &Issued) -> Upstream {
    let resolver = CertificateResolver::new(issued.certificate().unwrap());
    let upstream = Upstream::start_tls(server_config(resolver, None).unwrap());
    upstream.on("/", |_| Answer::new(200, "body"));
    upstream
}

fn web_that_trusts(issued: &Issued) -> Web {
    let config = client_config(issued.authority_pem().as_bytes()).unwrap();
    Web::new(Arc::unwrap_or_clone(config)).unwrap()
}

#[tokio::test]
async fn who_is_vouched_for_is_trusted_and_nobody_else() {
    let issued = issued();
    let upstream = over_tls(&issued);
    assert_eq!(get(&web_that_trusts(&issued), &upstream.url("/")).await.unwrap().body, "body");
    for stranger in [web_that_trusts(&self::issued()), web()] {
        let error = failure_at(&stranger, &upstream.url("/")).await;
        assert_eq!(error.failure, Failure::Unreachable, "{error}");
        assert!(error.detail.contains("certificate") && error.detail.contains("SSL_CERT_FILE"), "{error}");
    }
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn a_certificate_of_another_name_is_not_trusted() {
    let issued = issued();
    let upstream = over_tls(&issued);
    let url = format!("https://localhost:{}/", upstream.port());
    let error = failure_at(&web_that_trusts(&issued), &url).await;
    assert_eq!(error.failure, Failure::Unreachable, "{error}");
    assert!(error.detail.contains("not valid for name"), "{error}");
}

/// Runs this very test again with proxies in the environment that nobody listens at.
#[tokio::test]
async fn this_machine_is_reached_whatever_proxies_there_are() {
    const INNER: &str = "ECO_PULSE_TEST_BEHIND_PROXY";
    let upstream = Upstream::start();
    upstream.on("/", |_| Answer::new(200, "body"));
    for host in ["127.0.0.1", "localhost"] {
        let page = get(&web(), &format!("http://{host}:{}/", upstream.port())).await.unwrap();
        assert_eq!(page.body, "body");
    }
    if std::env::var_os(INNER).is_some() {
        // The proxies are there: who is not this machine is asked over them, and not reached.
        let error = failure_at(&web(), "http://192.0.2.1/").await;
        assert!(error.failure == Failure::Unreachable && error.detail.contains("refused"), "{error}");
        return;
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", "web::this_machine_is_reached_whatever_proxies_there_are"]).env(INNER, "1");
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        again.env(name, format!("http://{nobody}"));
    }
    again.env_remove("NO_PROXY").env_remove("no_proxy").env_remove("REQUEST_METHOD");
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}
