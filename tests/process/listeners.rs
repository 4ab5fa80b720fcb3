//! What both listeners offer.

use http::{Method, StatusCode};

use crate::prometheus_text::Scrape;
use crate::records::{NO_REQUESTS, SIDECARS};
use crate::server::{CONFIG, Server};

#[tokio::test]
async fn both_listeners_answer_what_they_offer_and_nothing_else() {
    let (server, _stdout) = Server::start_with_records(CONFIG).await;
    let (mut webhook, mut admin) = (server.webhook().await, server.admin().await);
    for (client, path) in [(&mut webhook, "/health"), (&mut admin, "/health")] {
        let reply = client.get(path).await;
        assert_eq!((reply.status, reply.text()), (StatusCode::OK, "ok\n"));
    }
    assert_eq!(admin.get("/livez").await.text(), "ok\n");
    let ready = admin.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK, "{}", ready.text());
    assert_eq!(ready.json()["ready"], true);
    let report = admin.get("/report?output=json").await;
    assert_eq!((report.status, report.json()["schema"].as_u64()), (StatusCode::OK, Some(1)));
    // What only operators need is not where the API server comes in, and the other way round.
    for path in ["/metrics", "/snapshot", "/decisions", "/report", "/livez", "/readyz"] {
        assert_eq!(webhook.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(admin.post("/mutate", SIDECARS).await.status, StatusCode::NOT_FOUND);
    assert_eq!(webhook.get("/mutate").await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(webhook.send(Method::PUT, "/mock/us-east-1", "low").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_snapshot_shows_each_region_with_its_reading_and_prices() {
    let (server, _stdout) = Server::start_with_records(CONFIG).await;
    let snapshot = server.admin().await.get("/snapshot").await.json();
    let regions = snapshot["regions"].as_array().unwrap();
    let shown: Vec<_> = regions
        .iter()
        .map(|region| (region["name"].as_str().unwrap(), region["grid"]["known"]["intensity"].as_f64()))
        .collect();
    assert_eq!(shown, [("us-east-1", Some(300.0)), ("eu-west-1", Some(700.0)), ("eu-north-1", Some(50.0))]);
    for region in regions {
        assert_eq!(region["state"], "fresh");
        assert!(region["age_seconds"].as_f64().unwrap() >= 0.0);
        assert!(region["pue"].as_f64().unwrap() >= 1.0);
        let prices = region["prices"].as_array().unwrap();
        assert!(prices.iter().any(|price| price["instance_type"] == "m5.xlarge"), "{region}");
        assert!(prices.iter().all(|price| price["usd_per_hour"].as_f64().unwrap() > 0.0), "{region}");
    }
    assert!(snapshot["version"].as_u64().unwrap() >= 1);
}

/// Name, type and label names, as the public contract has them; those of what this version does not do are not there.
const METRICS: &[(&str, &str, &[&str])] = &[
    ("eco_pulse_decisions_total", "counter", &["endpoint", "outcome", "reason"]),
    ("eco_pulse_decision_duration_seconds", "histogram", &["endpoint"]),
    ("eco_pulse_fail_open_total", "counter", &["endpoint", "reason"]),
    ("eco_pulse_grid_intensity_grams_per_kwh", "gauge", &["provider", "region", "zone"]),
    ("eco_pulse_price_usd_per_hour", "gauge", &["capacity_type", "instance_type", "region"]),
    ("eco_pulse_reading_age_seconds", "gauge", &["region"]),
    ("eco_pulse_snapshot_age_seconds", "gauge", &[]),
    ("eco_pulse_provider_requests_total", "counter", &["provider", "result"]),
    ("eco_pulse_steered_pods_total", "counter", &["baseline", "namespace", "target"]),
    ("eco_pulse_energy_kwh_total", "counter", &["namespace", "region"]),
    ("eco_pulse_emissions_grams_total", "counter", &["namespace", "region"]),
    ("eco_pulse_carbon_avoided_grams_total", "counter", &["against", "method", "namespace"]),
    ("eco_pulse_carbon_added_grams_total", "counter", &["against", "method", "namespace"]),
    ("eco_pulse_cost_saved_usd_total", "counter", &["against", "method", "namespace"]),
    ("eco_pulse_cost_added_usd_total", "counter", &["against", "method", "namespace"]),
    ("eco_pulse_ledger_dropped_total", "counter", &["at"]),
];

#[tokio::test]
async fn every_metric_of_the_contract_is_there_in_valid_text() {
    // A batch pod that may go anywhere, so that one is steered.
    let steered = String::from_utf8(SIDECARS.to_vec())
        .unwrap()
        .replace(r#""eco-pulse.io/max-latency-ms":"40""#, r#""eco-pulse.io/egress-gb":"0""#);
    let steered = steered.replace(
        r#""restartPolicy":"Always","terminationGrace"#,
        r#""restartPolicy":"Never","terminationGrace"#,
    );
    let (server, _stdout) = Server::start_with_records(CONFIG).await;
    let (mut webhook, mut admin) = (server.webhook().await, server.admin().await);
    let answer = webhook.post("/mutate", steered).await.json();
    assert_eq!(answer["response"]["auditAnnotations"]["outcome"], "steer", "{answer}");
    assert_eq!(webhook.post("/mutate", NO_REQUESTS).await.status, StatusCode::OK);

    let reply = admin.get("/metrics").await;
    assert_eq!(reply.headers["content-type"], "text/plain; version=0.0.4");
    let scrape = Scrape::parse(reply.text());
    for (name, kind, labels) in METRICS {
        let family = scrape.0.get(*name).unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(family.kind, *kind, "{name}");
        let suffix = if *kind == "histogram" { "_count" } else { "" };
        let samples: Vec<_> =
            family.samples.iter().filter(|sample| sample.name == format!("{name}{suffix}")).collect();
        assert!(!samples.is_empty(), "{name} has no series");
        for sample in samples {
            let names: Vec<&str> = sample.labels.keys().map(String::as_str).collect();
            assert_eq!(names, *labels, "{name}");
        }
    }
    assert!(
        scrape
            .find("eco_pulse_decision_duration_seconds_bucket", &[("endpoint", "mutate"), ("le", "0.19")])
            .is_some(),
        "a bucket ends at the deadline"
    );
    assert_eq!(scrape.total("eco_pulse_decisions_total"), 2.0);
    assert_eq!(scrape.total("eco_pulse_steered_pods_total"), 1.0);
    let intensity = [("provider", "mock"), ("region", "eu-north-1"), ("zone", "SE-SE3")];
    assert_eq!(scrape.value("eco_pulse_grid_intensity_grams_per_kwh", &intensity), 50.0);
    for name in ["eco_pulse_carbon_avoided_grams_total", "eco_pulse_cost_saved_usd_total"] {
        assert!(scrape.0[name].help.contains("at the decision"), "when it is counted is said");
    }
}

#[tokio::test]
async fn there_is_no_handle_on_a_grid_that_is_not_mock() {
    let (server, _stdout) = Server::start_with_records("grid: {provider: catalogue}\n").await;
    let reply = server.admin().await.send(Method::PUT, "/mock/us-east-1", "low").await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert_eq!(reply.text(), "the mock grid is not configured: set grid.provider to mock\n");
}
