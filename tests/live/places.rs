//! Regions and zones are not the same: several regions share one, and a region of one's own is told its zone.

use crate::pods::{job, region};
use crate::running::Running;
use crate::stand_in::{Hands, LATEST, StandIn, no_data};

/// Two regions of one zone and, beside a cloud's region, one's own cellar on the same grid.
const REGIONS: &str = "
baseline: {region: us-east-1}
regions:
- {name: us-east-1}
- {name: us-east4}
- {name: eu-north-1}
- {name: cellar, provider: on-prem, gridZone: SE-SE3, pue: 1.2, priceUsdPerVcpuHour: 0.03}
";
/// Nothing is asked twice while a test lasts.
const ONCE: &str = "refresh: 1h";

#[tokio::test]
async fn regions_of_one_zone_share_a_request_and_a_reading() {
    let hands = Hands::new();
    let now = hands.now();
    let stand_in = StandIn::start(&[("US-MIDA-PJM", 400.0), ("SE-SE3", 20.0)], move || now);
    let mut running = Running::start(&hands, &stand_in, REGIONS, ONCE).await;
    let asked: Vec<String> = stand_in.upstream.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, ["/v4/zones", LATEST, LATEST]);

    let snapshot = running.snapshot().await;
    for (one, other) in [("us-east-1", "us-east4"), ("eu-north-1", "cellar")] {
        let (one, other) = (region(&snapshot, one), region(&snapshot, other));
        assert_eq!((&one["state"], &one["zone"]), (&"fresh".into(), &other["zone"]), "{one}");
        assert_eq!(one["grid"], other["grid"]);
    }
    let (_, record) = running.decide(&job(&[])).await;
    for (name, provider) in [("us-east4", "gcp"), ("cellar", "on-prem")] {
        assert_eq!(region(&snapshot, name)["provider"], provider);
    }
    let cellar = region(&record, "cellar");
    assert_eq!(cellar["price_usd_per_hour"], 0.03, "{cellar}");
    assert_eq!(cellar["intensity_g_per_kwh"], region(&record, "eu-north-1")["intensity_g_per_kwh"]);
    running.stop().await;
}

#[tokio::test]
async fn a_zone_without_data_is_missing_in_all_its_regions() {
    let hands = Hands::new();
    let now = hands.now();
    let stand_in = StandIn::start(&[("US-MIDA-PJM", 400.0), ("SE-SE3", 20.0)], move || now);
    stand_in.script("SE-SE3", |_| no_data("SE-SE3"));
    let mut running = Running::start(&hands, &stand_in, REGIONS, ONCE).await;
    let snapshot = running.snapshot().await;
    for (name, state) in [("us-east-1", "fresh"), ("us-east4", "fresh"), ("cellar", "missing")] {
        assert_eq!(region(&snapshot, name)["state"], state);
    }
    assert_eq!(region(&snapshot, "cellar")["trouble"], region(&snapshot, "eu-north-1")["trouble"]);
    assert_eq!(stand_in.asked_about("SE-SE3"), 1);
    running.stop().await;
}
