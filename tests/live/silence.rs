//! A provider that never answers keeps nobody waiting: not the start, and no pod.

use jiff::Timestamp;
use rstest::rstest;

use crate::pods::{assert_bypassed, assert_placed, job, region};
use crate::prometheus_text::Sample;
use crate::running::{OFTEN, Running};
use crate::stand_in::{Hands, StandIn};
use crate::upstream::Answer;

const REGIONS: &str = "baseline: {region: eu-west-1}\nregions: [{name: eu-west-1}, {name: eu-north-1}]\n";

#[rstest]
#[case::left_out(OFTEN, None)]
#[case::falls_back("refresh: 100ms, fallback: [catalogue]", Some("eu-north-1"))]
#[tokio::test]
async fn pods_are_answered_and_the_start_goes_on_while_nothing_comes(
    #[case] grid: &str,
    #[case] target: Option<&str>,
) {
    let hands = Hands::new();
    let stand_in = StandIn::start(&[], Timestamp::default);
    for path in ["/v4/zones", "/v4/carbon-intensity/latest"] {
        stand_in.upstream.on(path, |_| Answer::never());
    }
    let mut running = Running::launch(&hands, &stand_in, REGIONS, grid).await;
    assert_bypassed(&running.mutate(&job(&[])).await, "no_snapshot");

    running.wait_until_ready().await;
    let scrape = running.metrics().await;
    let of_provider = |sample: &&Sample| sample.labels["provider"] == "grid/electricity-maps";
    let came_back: Vec<&Sample> =
        scrape.0["eco_pulse_provider_requests_total"].samples.iter().filter(of_provider).collect();
    assert!(came_back.is_empty(), "ready before a request came back or was given up: {came_back:?}");
    assert!(stand_in.asked_about("IE") + stand_in.asked_about("SE-SE3") > 0);
    let answer = running.mutate(&job(&[])).await;
    match target {
        None => assert_bypassed(&answer, "baseline_unknown"),
        Some(target) => assert_placed(&answer, target),
    }
    let snapshot = running.snapshot().await;
    let provider = &region(&snapshot, "eu-west-1")["grid"]["known"]["provider"];
    assert_eq!(provider.as_str(), target.map(|_| "catalogue"));
    running.stop().await;
}
