//! What the token may read is asked first: zones outside of it are never asked about, and say so with the cure.

use rstest::rstest;

use crate::pods::{assert_placed, job, region};
use crate::running::{OFTEN, Running, in_time};
use crate::stand_in::{Hands, StandIn, ZONES, access};
use crate::upstream::Answer;

const REGIONS: &str = "baseline: {region: eu-west-1}\nregions: [{name: eu-west-1}, {name: eu-north-1}]\n";

#[tokio::test]
async fn a_zone_outside_the_plan_is_never_asked_about_and_says_so() {
    let hands = Hands::new();
    let now = hands.now();
    let stand_in = StandIn::start(&[("IE", 300.0), ("SE-SE3", 20.0)], move || now);
    stand_in.upstream.on(ZONES, access(["IE"], &["carbon-intensity/latest"]));
    let mut running = Running::start(&hands, &stand_in, REGIONS, OFTEN).await;
    let several_polls = async {
        while stand_in.asked_about("IE") < 4 {
            running.snapshot().await;
        }
    };
    in_time("several polls", several_polls).await;
    assert_eq!(stand_in.asked_about("SE-SE3"), 0);

    let snapshot = running.snapshot().await;
    let here = region(&snapshot, "eu-north-1");
    assert_eq!((&here["state"], &here["asked_at"]), (&"missing".into(), &serde_json::Value::Null), "{here}");
    let trouble = &here["trouble"][0];
    assert_eq!(trouble["failure"], "not_in_plan", "{trouble}");
    assert!(trouble["detail"].as_str().unwrap().contains("SE-SE3"), "{trouble}");
    assert!(trouble["cure"].as_str().unwrap().contains("provider's plan"), "{trouble}");
    let (answer, record) = running.decide(&job(&[])).await;
    assert_placed(&answer, "eu-west-1");
    assert_eq!(region(&record, "eu-north-1")["excluded"], "missing");
    running.stop().await;
}

#[tokio::test]
async fn a_zone_outside_the_plan_falls_back() {
    let hands = Hands::new();
    let now = hands.now();
    let stand_in = StandIn::start(&[("IE", 300.0), ("SE-SE3", 20.0)], move || now);
    stand_in.upstream.on(ZONES, access(["IE"], &["carbon-intensity/latest"]));
    let grid = "refresh: 100ms, fallback: [catalogue]";
    let mut running = Running::start(&hands, &stand_in, REGIONS, grid).await;
    let here = running.wait_for_state("eu-north-1", "estimated").await;
    assert_eq!(here["grid"]["known"]["provider"], "catalogue");
    assert_eq!(here["trouble"][0]["failure"], "not_in_plan");
    assert_eq!(stand_in.asked_about("SE-SE3"), 0);
    running.stop().await;
}

/// Then the answers tell.
#[rstest]
#[case::failing(Answer::new(500, ""))]
#[case::of_zones_only(Answer::json(r#"{"IE":{"zoneName":"Ireland"}}"#))]
#[case::no_list(Answer::json("[]"))]
#[case::refused(Answer::new(401, r#"{"error":"Endpoint not available"}"#))]
#[tokio::test]
async fn with_a_list_that_says_nothing_each_zone_is_asked_about(#[case] list: Answer) {
    let hands = Hands::new();
    let now = hands.now();
    let stand_in = StandIn::start(&[("IE", 300.0), ("SE-SE3", 20.0)], move || now);
    stand_in.upstream.on(ZONES, move |_| list.clone());
    let mut running = Running::start(&hands, &stand_in, REGIONS, OFTEN).await;
    running.wait_for_state("eu-west-1", "fresh").await;
    running.wait_for_state("eu-north-1", "fresh").await;
    assert_placed(&running.mutate(&job(&[])).await, "eu-north-1");
    running.stop().await;
}
