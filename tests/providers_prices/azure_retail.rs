//! Azure's list: a question a region, pages, and what a region's failure costs the others.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use eco_pulse::domain::snapshot::{CapacityType, Failure, PriceProvider};
use eco_pulse::domain::units::UsdPerHour;
use eco_pulse::providers::FetchError;
use eco_pulse::providers::price::{AzureRetail, PriceSource, PricesByRegion};
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{Feed, Reply, ask, catalogue, now, price, web};

const PATH: &str = "/api/retail/prices";
const D4S: &str = "Standard_D4s_v5";

fn item(region: &str, meter: &str, product: &str, usd: f64) -> Value {
    json!({
        "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": usd, "unitPrice": usd, "armRegionName": region,
        "effectiveStartDate": "2021-11-01T00:00:00Z", "meterName": meter, "productName": product,
        "skuName": meter, "serviceName": "Virtual Machines", "unitOfMeasure": "1 Hour", "type": "Consumption",
        "isPrimaryMeterRegion": true, "armSkuName": D4S
    })
}

/// What the list has of a type: the machine, its spot, and everything it must not be taken for.
fn items(region: &str, usd: f64) -> Vec<Value> {
    let (linux, windows) = ("Virtual Machines Dsv5 Series", "Virtual Machines Dsv5 Series Windows");
    vec![
        item(region, "D4s v5 Low Priority", linux, usd * 0.2),
        item(region, "D4s v5", windows, usd + 0.184),
        item(region, "D4s v5", linux, usd),
        item(region, "D4s v5 Spot", windows, usd * 0.3 + 0.1),
        item(region, "D4s v5 Spot", linux, usd * 0.25),
    ]
}

fn page(items: &[Value], next: Option<&str>) -> Reply {
    let body = json!({"BillingCurrency": "USD", "Items": items, "NextPageLink": next, "Count": items.len()});
    Reply::ok(body.to_string())
}

/// The region a question is about.
fn region_of(target: &str) -> &str {
    target.split("armRegionName+eq+%27").nth(1).unwrap().split("%27").next().unwrap()
}

fn source(feed: &Feed) -> AzureRetail {
    AzureRetail::new(web(), &feed.url(PATH), &catalogue(), ["m5.xlarge".into(), "Standard_D4as_v6".into()])
        .unwrap()
}

async fn asked(feed: &Feed, names: &[&str]) -> Result<PricesByRegion, FetchError> {
    ask(&source(feed), names).await
}

fn regions_of(prices: &PricesByRegion) -> Vec<&str> {
    prices.keys().map(eco_pulse::domain::RegionName::as_str).collect()
}

#[tokio::test]
async fn each_region_of_azures_is_asked_about_once_and_no_other() {
    let feed = Feed::answering(|target| {
        let region = region_of(target);
        page(&items(region, if region == "eastus" { 0.192 } else { 0.204 }), None)
    })
    .await;
    let prices = asked(&feed, &["eastus", "eu-north-1", "swedencentral", "us-central1"]).await.unwrap();

    let questions = feed.asked();
    let about: Vec<&str> = questions.iter().map(|question| region_of(question)).collect();
    assert_eq!(about, ["eastus", "swedencentral"]);
    for question in &questions {
        assert!(
            question.starts_with("/api/retail/prices?api-version=2023-01-01-preview&%24filter="),
            "{question}"
        );
        assert!(question.contains("armSkuName+eq+%27Standard_D4s_v5%27+or+"), "{question}");
        assert!(question.contains("%27Standard_D4as_v6%27"), "named in the configuration: {question}");
        assert!(!question.contains("m5.xlarge") && !question.contains("n2-"), "not sold there: {question}");
    }

    for (region, usd) in [("eastus", 0.192), ("swedencentral", 0.204)] {
        let listed = price(&prices, region, D4S, CapacityType::OnDemand).unwrap();
        assert_eq!((listed.per_hour, listed.precision), (UsdPerHour(usd), UsdPerHour::ZERO));
        assert_eq!((listed.provider, listed.reported_at), (PriceProvider::AzureRetail, Some(now())));
        let spot = price(&prices, region, D4S, CapacityType::Spot).unwrap();
        assert_eq!((spot.per_hour, spot.interruption.as_deref()), (UsdPerHour(usd * 0.25), None));
        assert_eq!(prices[&region.into()].len(), 2);
    }
    for elsewhere in ["eu-north-1", "us-central1"] {
        assert_eq!(prices[&elsewhere.into()], [], "Azure says nothing of {elsewhere}");
    }
}

#[tokio::test]
async fn without_a_region_of_azures_nobody_is_asked() {
    let feed = Feed::saying([Reply::status(500)]).await;
    let prices = asked(&feed, &["eu-north-1"]).await.unwrap();
    assert_eq!((prices[&"eu-north-1".into()].len(), feed.asked().len()), (0, 0));
}

/// A server whose pages lead on as `link` says, given its own origin and the number of the page.
async fn leading(link: impl Fn(&str, usize) -> Option<String> + Send + 'static) -> Feed {
    let origin = Arc::new(Mutex::new(String::new()));
    let (own, mut number) = (origin.clone(), 0);
    let all = items("swedencentral", 0.204);
    let feed = Feed::answering(move |_| {
        let part = all.get(number..=number).unwrap_or_default();
        number += 1;
        page(part, link(&own.lock().unwrap(), number).as_deref())
    })
    .await;
    origin.lock().unwrap().clone_from(&feed.origin);
    feed
}

#[tokio::test]
async fn pages_are_followed_to_the_last() {
    let feed =
        leading(|origin, page| (page < 5).then(|| format!("{origin}{PATH}?$filter=x%20y&$skip={page}")))
            .await;
    let prices = asked(&feed, &["swedencentral"]).await.unwrap();
    assert_eq!(feed.asked()[1..], [1, 2, 3, 4].map(|page| format!("{PATH}?$filter=x%20y&$skip={page}")));
    assert_eq!(
        price(&prices, "swedencentral", D4S, CapacityType::OnDemand).unwrap().per_hour,
        UsdPerHour(0.204)
    );
    assert_eq!(price(&prices, "swedencentral", D4S, CapacityType::Spot).unwrap().per_hour, UsdPerHour(0.051));
}

/// Half a list would pass for a whole one: a machine on the pages that are missing would have no price.
#[rstest]
#[case::to_another_page_for_ever(|origin: &str, page: usize| format!("{origin}{PATH}?$skip={page}"), 10, "10 pages")]
#[case::back_to_itself(|origin: &str, _: usize| format!("{origin}{PATH}?$skip=1"), 2, "a page that was read")]
#[case::to_another_host(|_: &str, _: usize| "http://127.0.0.1:9/?$skip=1".to_owned(), 1, "another place")]
#[case::to_another_scheme(|origin: &str, _: usize| origin.replace("http", "https"), 1, "another place")]
#[case::nowhere(|_: &str, _: usize| "page two".to_owned(), 1, "no address")]
#[tokio::test]
async fn a_list_that_leads_astray_is_not_followed(
    #[case] link: fn(&str, usize) -> String,
    #[case] requests: usize,
    #[case] said: &str,
) {
    let feed = leading(move |origin, page| Some(link(origin, page))).await;
    let error = asked(&feed, &["swedencentral"]).await.unwrap_err();
    assert_eq!(error.failure, Failure::Unreadable);
    assert!(error.detail.starts_with("swedencentral: ") && error.detail.contains(said), "{error}");
    assert_eq!(feed.asked().len(), requests);
}

#[rstest]
#[case::throttled(Reply::status(429).with("Retry-After", "90"), Failure::Throttled, Some(90))]
#[case::out_of_order(Reply::status(503).with("Retry-After", "30"), Failure::Outage, Some(30))]
#[case::bad_question(Reply::status(400), Failure::BadRequest, None)]
#[case::a_web_page(Reply::ok("<html>Sign in</html>"), Failure::Unreadable, None)]
#[case::an_error(Reply::ok(r#"{"Error": {"Code": "BadRequest"}}"#), Failure::Unreadable, None)]
#[case::other_items(
    Reply::ok(r#"{"Items": [{"sku": "D4s"}], "NextPageLink": null}"#),
    Failure::Unreadable,
    None
)]
#[tokio::test]
async fn a_bad_answer_is_told_apart_and_gives_no_price(
    #[case] reply: Reply,
    #[case] failure: Failure,
    #[case] retry_after_seconds: Option<u64>,
) {
    let feed = Feed::saying([reply]).await;
    let error = asked(&feed, &["swedencentral"]).await.unwrap_err();
    assert_eq!(error.failure, failure, "{error}");
    assert_eq!(error.retry_after.map(|after| after.as_secs()), retry_after_seconds);
}

/// A page that fails late fails its region: the pages before it are not all there is.
#[tokio::test]
async fn a_page_that_fails_late_fails_its_region() {
    let origin = Arc::new(Mutex::new(String::new()));
    let own = origin.clone();
    let feed = Feed::answering(move |target| {
        if target.contains("skip") {
            return Reply::status(500);
        }
        let next = format!("{}{PATH}?$skip=1", own.lock().unwrap());
        page(&items("swedencentral", 0.204), Some(&next))
    })
    .await;
    origin.lock().unwrap().clone_from(&feed.origin);
    let error = asked(&feed, &["swedencentral"]).await.unwrap_err();
    assert_eq!(error.failure, Failure::Outage);
}

/// Absent is no news, and its last prices stand; there with nothing would say that nothing is sold.
#[tokio::test]
async fn a_region_that_fails_is_absent_and_the_others_are_not() {
    let feed = Feed::answering(|target| match region_of(target) {
        "westeurope" => Reply::status(500),
        "northeurope" => page(&[], None),
        region => page(&items(region, 0.2), None),
    })
    .await;
    let prices = asked(&feed, &["eastus", "westeurope", "northeurope", "uksouth"]).await.unwrap();
    assert_eq!(regions_of(&prices), ["eastus", "northeurope", "uksouth"]);
    assert_eq!(prices[&"northeurope".into()], [], "nothing is sold there");
}

#[tokio::test]
async fn who_asks_to_be_left_alone_is_and_the_next_round_goes_on_with_the_others() {
    let mut left = 2;
    let feed = Feed::answering(move |target| {
        left -= 1;
        match left {
            0 => Reply::status(429).with("Retry-After", "60"),
            _ => page(&items(region_of(target), 0.2), None),
        }
    })
    .await;
    let source = source(&feed);
    let names = ["eastus", "westeurope", "northeurope", "uksouth"];
    assert_eq!(regions_of(&ask(&source, &names).await.unwrap()), ["eastus"]);
    assert_eq!(feed.asked().len(), 2, "nobody else is asked about");
    let lacks = source.shortfall().unwrap();
    assert_eq!((lacks.failure, lacks.retry_after), (Failure::Throttled, Some(Duration::from_mins(1))));
    assert!(lacks.detail.starts_with("westeurope: "), "{lacks}");
    assert_eq!(ask(&source, &names).await.unwrap().len(), 4);
    assert_eq!(source.shortfall(), None);
    let questions = feed.asked();
    let about: Vec<&str> = questions[2..].iter().map(|question| region_of(question)).collect();
    assert_eq!(about, ["northeurope", "uksouth", "eastus", "westeurope"]);
}

#[tokio::test]
async fn after_three_failures_the_round_is_given_up() {
    let feed = Feed::saying([Reply::status(503)]).await;
    let error = asked(&feed, &["eastus", "westeurope", "northeurope", "uksouth"]).await.unwrap_err();
    assert_eq!((error.failure, feed.asked().len()), (Failure::Outage, 3));
    assert!(error.detail.starts_with("eastus: it answered 503"), "{error}");
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
    drop(listener);
    let source = AzureRetail::new(web(), &url, &catalogue(), []).unwrap();
    assert_eq!(source.provider(), PriceProvider::AzureRetail);
    assert_eq!(ask(&source, &["eastus"]).await.unwrap_err().failure, Failure::Unreachable);
}
