//! Great Britain's grid operator as provider: no key, one zone, and burning fuel only.

use eco_pulse::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::check::config;
use crate::command::{Ended, run};
use crate::upstream::{Answer, Upstream};

const HALF_HOUR: i64 = 1800;

fn check(upstream: &Upstream, regions: &str) -> Ended {
    let base_url = upstream.url("");
    let grid =
        format!("grid: {{provider: gb-carbon-intensity, gbCarbonIntensity: {{baseUrl: '{base_url}'}}}}\n");
    let (_dir, config) = config(&format!("baseline: {{region: eu-west-2}}\nregions: [{regions}]\n{grid}"));
    run(&["check", "--config", &config])
}

/// The current half-hour, metered: times come without seconds.
fn current() -> Answer {
    let now = Clock::system().now().as_second();
    let from = Timestamp::from_second(now - now.rem_euclid(HALF_HOUR)).unwrap();
    let text = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%MZ").to_string();
    let to = from + SignedDuration::from_secs(HALF_HOUR);
    let intensity = json!({ "forecast": 120, "actual": 133, "index": "moderate" });
    let row = json!({ "from": text(from), "to": text(to), "intensity": intensity });
    Answer::json(json!({ "data": [row] }).to_string())
}

#[test]
fn the_half_hour_stands_for_every_region_in_great_britain() {
    let upstream = Upstream::start();
    upstream.on("/intensity", |_| current());
    let ended = check(&upstream, "{name: eu-west-2}, {name: europe-west2, priceUsdPerVcpuHour: 0.05}");
    ended.assert_ok();
    for name in ["eu-west-2*", "europe-west2"] {
        let line = ended.stdout.lines().find(|line| line.starts_with(name)).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[1..], ["GB", "133", "direct", "0", "s", "fresh", "gb-carbon-intensity"], "{line}");
    }
    let [asked] = upstream.requests().try_into().unwrap();
    assert_eq!((asked.path.as_str(), asked.header("auth-token")), ("/intensity", ""));
}

#[test]
fn a_region_elsewhere_is_named_and_not_made_british() {
    let upstream = Upstream::start();
    upstream.on("/intensity", |_| current());
    let ended = check(&upstream, "{name: eu-west-2}, {name: eu-north-1}");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("no pod would be sent to eu-north-1 (grid data missing)"), "{ended:?}");
    assert!(ended.stdout.contains("failed: gb-carbon-intensity for SE-SE3 ("), "{}", ended.stdout);
}

#[test]
fn an_answer_that_is_none_is_told_with_the_cure() {
    let upstream = Upstream::start();
    upstream.on("/intensity", |_| Answer::new(500, "<html>Internal Server Error</html>"));
    let ended = check(&upstream, "{name: eu-west-2}, {name: europe-west2, priceUsdPerVcpuHour: 0.05}");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stdout.contains("failed: gb-carbon-intensity for GB (outage)\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("\n    cure: wait: it is asked again"), "{}", ended.stdout);
}
