//! The AWS spot advisor's feed: percents off the catalogue's prices.
#![expect(clippy::unwrap_used, reason = "tests")]

use eco_pulse::domain::snapshot::{CapacityType, Failure, PriceProvider};
use eco_pulse::domain::units::UsdPerHour;
use eco_pulse::providers::FetchError;
use eco_pulse::providers::price::{AwsSpotAdvisor, CataloguePrices, PricesByRegion};
use jiff::Timestamp;
use rstest::rstest;

use crate::support::{Feed, Reply, ask, catalogue, now, price, web};

/// As the feed had it in July 2025, but for `ap-south-1`, whose saving here is one that cannot be.
const BODY: &str = r#"{
    "instance_types": {"m5.xlarge": {"emr": true, "cores": 4, "ram_gb": 16.0}},
    "ranges": [{"index": 0, "label": "<5%", "dots": 0, "max": 5}, {"index": 1, "label": "5-10%", "dots": 1, "max": 11},
        {"index": 2, "label": "10-15%", "dots": 2, "max": 16}, {"index": 3, "label": "15-20%", "dots": 3, "max": 22},
        {"index": 4, "label": ">20%", "dots": 4, "max": 100}],
    "spot_advisor": {
        "us-east-1": {"Linux": {"m5.xlarge": {"s": 66, "r": 4}, "x9.huge": {"s": 50, "r": 0}}, "Windows": {}},
        "eu-north-1": {"Windows": {"m5.xlarge": {"s": 20, "r": 0}}, "Linux": {"m5.xlarge": {"s": 70, "r": 4}}},
        "ap-south-1": {"Linux": {"m5.xlarge": {"s": -62, "r": 0}}}
    },
    "global_rate": "<10%"}"#;

const PATH: &str = "/spot-advisor-data.json";

async fn asked(feed: &Feed, names: &[&str]) -> Result<PricesByRegion, FetchError> {
    let source = AwsSpotAdvisor::new(web(), &feed.url(PATH), catalogue()).unwrap();
    ask(&source, names).await
}

/// 70 % off 0.204 leaves 0.0612; the feed rounds to whole percents, so that the price is known to within half of one of
/// the on-demand price, 0.00102. 66 % off 0.192 leaves 0.06528, within 0.00096.
#[rstest]
#[case("eu-north-1", 0.204, 0.0612, 0.00102)]
#[case("us-east-1", 0.192, 0.06528, 0.00096)]
#[tokio::test]
async fn spot_is_what_the_saving_leaves_of_the_on_demand_price(
    #[case] region: &str,
    #[case] on_demand: f64,
    #[case] spot: f64,
    #[case] precision: f64,
) {
    let feed = Feed::saying([Reply::ok(BODY).with("Last-Modified", "Thu, 18 Jun 2026 10:24:51 GMT")]).await;
    let prices = asked(&feed, &["us-east-1", "eu-north-1"]).await.unwrap();
    assert_eq!(feed.asked(), [PATH], "one request, however many regions");

    let listed = price(&prices, region, "m5.xlarge", CapacityType::OnDemand).unwrap();
    assert_eq!((listed.per_hour, listed.provider), (UsdPerHour(on_demand), PriceProvider::Catalogue));
    assert_eq!((listed.reported_at, listed.interruption.as_deref()), (None, None));

    let said = price(&prices, region, "m5.xlarge", CapacityType::Spot).unwrap();
    assert!((said.per_hour.0 - spot).abs() < 1e-12, "{said:?}");
    assert!((said.precision.0 - precision).abs() < 1e-12, "{said:?}");
    assert_eq!(said.provider, PriceProvider::AwsSpotAdvisor);
    assert_eq!(said.reported_at, Some("2026-06-18T10:24:51Z".parse().unwrap()));
    assert_eq!(said.interruption.as_deref(), Some(">20 %"));
}

/// The catalogue's own savings are of 2025: where the feed says nothing of a machine, they do not speak for it.
#[tokio::test]
async fn what_the_feed_does_not_say_is_not_made_up() {
    let feed = Feed::saying([Reply::ok(BODY)]).await;
    let names = ["eu-north-1", "ap-south-1", "eu-west-1", "swedencentral", "us-central1"];
    let prices = asked(&feed, &names).await.unwrap();
    for (region, machine) in [
        ("ap-south-1", "m5.xlarge"),
        ("eu-west-1", "m5.xlarge"),
        ("swedencentral", "Standard_D4s_v5"),
        ("us-central1", "n2-standard-4"),
    ] {
        let listed = price(&prices, region, machine, CapacityType::OnDemand).unwrap();
        assert_eq!(listed.provider, PriceProvider::Catalogue);
        let spot = prices[&region.into()].iter().find(|price| price.capacity_type == CapacityType::Spot);
        assert_eq!(spot, None, "{region}");
    }
    assert!(price(&prices, "eu-north-1", "m5.xlarge", CapacityType::Spot).is_some());
}

#[rstest]
#[case::earlier("Wed, 17 Jun 2026 03:00:00 GMT", "2026-06-17T03:00:00Z")]
#[case::long_ago("Tue, 01 Jul 2025 00:00:00 GMT", "2025-07-01T00:00:00Z")]
#[case::ahead_of_our_clock("Thu, 18 Jun 2026 12:05:00 GMT", "2026-06-18T12:00:00Z")]
#[case::no_date("yesterday", "2026-06-18T12:00:00Z")]
#[tokio::test]
async fn the_feed_is_as_old_as_it_says(#[case] said: &str, #[case] reported_at: &str) {
    let feed = Feed::saying([Reply::ok(BODY).with("Last-Modified", said)]).await;
    let prices = asked(&feed, &["eu-north-1"]).await.unwrap();
    let spot = price(&prices, "eu-north-1", "m5.xlarge", CapacityType::Spot).unwrap();
    assert_eq!(spot.reported_at, Some(reported_at.parse::<Timestamp>().unwrap()));
}

#[tokio::test]
async fn a_feed_without_a_date_is_of_when_it_was_asked() {
    let feed = Feed::saying([Reply::ok(BODY)]).await;
    let prices = asked(&feed, &["eu-north-1"]).await.unwrap();
    let spot = price(&prices, "eu-north-1", "m5.xlarge", CapacityType::Spot).unwrap();
    assert_eq!(spot.reported_at, Some(now()));
}

#[tokio::test]
async fn without_a_region_of_amazons_nobody_is_asked() {
    let feed = Feed::saying([Reply::status(500)]).await;
    let names = ["swedencentral", "us-central1"];
    let prices = asked(&feed, &names).await.unwrap();
    assert_eq!(prices, ask(&CataloguePrices::new(catalogue()), &names).await.unwrap());
    assert_eq!(feed.asked(), [""; 0]);
}

#[rstest]
#[case::throttled(Reply::status(429).with("Retry-After", "90"), Failure::Throttled, Some(90))]
#[case::out_of_order(Reply::status(503).with("Retry-After", "30"), Failure::Outage, Some(30))]
#[case::broken(Reply::status(500), Failure::Outage, None)]
#[case::forbidden(Reply::status(403), Failure::BadRequest, None)]
#[case::gone(Reply::status(404), Failure::BadRequest, None)]
#[case::moved(Reply::status(302).with("Location", "http://127.0.0.1:1/"), Failure::Unreadable, None)]
#[case::a_web_page(Reply::ok("<html>Sign in</html>"), Failure::Unreadable, None)]
#[case::nothing(Reply::ok(""), Failure::Unreadable, None)]
#[case::cut_off(Reply::ok(&BODY[..400]), Failure::Unreadable, None)]
#[case::no_end(Reply::ok(" ".repeat(9 * 1024 * 1024)), Failure::Unreadable, None)]
#[case::no_region_of_ours(Reply::ok(r#"{"spot_advisor": {"cn-north-1": {}}}"#), Failure::NoData, None)]
#[tokio::test]
async fn a_bad_answer_is_told_apart_and_gives_no_price(
    #[case] reply: Reply,
    #[case] failure: Failure,
    #[case] retry_after_seconds: Option<u64>,
) {
    let feed = Feed::saying([reply]).await;
    let error = asked(&feed, &["eu-north-1"]).await.unwrap_err();
    assert_eq!(error.failure, failure, "{error}");
    assert_eq!(error.retry_after.map(|after| after.as_secs()), retry_after_seconds);
    assert_eq!(feed.asked().len(), 1, "it is not asked twice");
}

#[test]
fn an_address_with_a_password_is_refused_unrepeated() {
    let error =
        AwsSpotAdvisor::new(web(), "https://me:hunter2@feed.example/x.json", catalogue()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("`prices.awsSpotAdvisor.url` holds a user or password"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}
