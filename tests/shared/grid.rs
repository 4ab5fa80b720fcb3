//! Electricity Maps, stood in for: a value for each zone, and a note of when which zone was asked about.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use eco_pulse::clock::{Clock, monotonic_now};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::upstream::{Answer, Request, Upstream};

const ZONES: &str = "/v4/zones";
/// All that may be asked about a zone costs one of its requests.
const ABOUT_A_ZONE: &str = "/v4/carbon-intensity/*";
/// The token of every test that does not change it.
pub const TOKEN: &str = "hunter2-token";
/// The zones of the regions in `REGIONS`, with values that make eu-north-1 the best by far.
pub const VALUES: &[(&str, f64)] = &[("US-MIDA-PJM", 700.0), ("IE", 500.0), ("SE-SE3", 20.0)];
/// Regions that those zones feed.
pub const REGIONS: &str = "
baseline: {region: eu-west-1}
regions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1}]
";

/// The machine's clock, moved on by what a test says.
#[derive(Clone, Default)]
pub struct Hands(Arc<AtomicI64>);

impl Hands {
    pub fn now(&self) -> Timestamp {
        Clock::system().now() + SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }

    pub fn move_on(&self, by: SignedDuration) {
        self.0.fetch_add(by.as_secs(), Ordering::SeqCst);
    }

    pub fn clock(&self) -> Clock {
        let hands = self.clone();
        Clock::new(move || hands.now())
    }
}

/// The stand-in, and the file with the token that it knows.
pub struct Grid {
    pub upstream: Upstream,
    asked: Arc<Mutex<Vec<(String, Instant)>>>,
    dir: TempDir,
}

impl Grid {
    /// Gives these values for the current hour. It knows [`TOKEN`] alone, which is in the file.
    pub fn start(values: &[(&str, f64)], hands: &Hands) -> Self {
        let values: Vec<(String, f64)> =
            values.iter().map(|(zone, value)| ((*zone).to_owned(), *value)).collect();
        let upstream = Upstream::start();
        let access: serde_json::Map<String, Value> = values
            .iter()
            .map(|(zone, _)| {
                (zone.clone(), json!({ "zoneName": zone, "access": ["carbon-intensity/latest"] }))
            })
            .collect();
        let access = Value::Object(access).to_string();
        upstream.on(ZONES, known_token(move |_| Answer::json(access.clone())));
        let asked = Arc::<Mutex<Vec<(String, Instant)>>>::default();
        let (noted, hands) = (asked.clone(), hands.clone());
        let latest = known_token(move |request| {
            let zone = &request.query["zone"];
            match values.iter().find(|(known, _)| known == zone) {
                Some((_, value)) => Answer::json(latest(zone, *value, hands.now())),
                None => Answer::new(404, json!({ "error": "No recent data" }).to_string()),
            }
        });
        upstream.on(ABOUT_A_ZONE, move |request| {
            noted.lock().unwrap().push((request.query["zone"].clone(), monotonic_now()));
            latest(request)
        });
        let grid = Self { upstream, asked, dir: tempfile::tempdir().unwrap() };
        grid.write_token(TOKEN);
        grid
    }

    /// Puts another token into the file, as a changed Secret does: a new file in place of the old one.
    pub fn write_token(&self, token: &str) {
        let new = self.dir.path().join("new");
        std::fs::write(&new, format!("{token}\n")).unwrap();
        std::fs::rename(new, self.dir.path().join("token")).unwrap();
    }

    /// The section `grid` of a configuration that asks it so often.
    pub fn section(&self, refresh: &str) -> String {
        let base_url = self.upstream.url("/v4");
        let token_file = self.dir.path().join("token");
        format!(
            "grid: {{provider: electricity-maps, refresh: {refresh}, maxAge: 2h, electricityMaps: \
             {{baseUrl: '{base_url}', tokenFile: '{}'}}}}\n",
            token_file.display()
        )
    }

    /// How often it was asked about a zone.
    pub fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// How often it was asked what the token may read: once by each collector that takes office.
    pub fn probes(&self) -> usize {
        self.upstream.requests().iter().filter(|request| request.path == ZONES).count()
    }

    /// In no span of this length were there more requests than `most`, nor two for one zone.
    pub fn assert_asked_within(&self, span: Duration, most: usize) {
        let asked = self.asked.lock().unwrap().clone();
        for (index, (zone, at)) in asked.iter().enumerate() {
            let later: Vec<_> =
                asked[index..].iter().take_while(|(_, later)| later.duration_since(*at) < span).collect();
            assert!(later.len() <= most, "{} requests in {span:?}, the first about {zone}", later.len());
            let same = later.iter().filter(|(other, _)| other == zone).count();
            assert_eq!(same, 1, "{zone} was asked about {same} times in {span:?}");
        }
    }
}

/// As the API refuses a token that it does not know.
fn known_token(
    answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
) -> impl Fn(&Request) -> Answer + Send + Sync + 'static {
    move |request| match request.header("auth-token") {
        TOKEN => answer(request),
        _ => Answer::new(401, r#"{"error":"Invalid authentication token"}"#),
    }
}

/// The body for the hour that `now` is in.
fn latest(zone: &str, value: f64, now: Timestamp) -> String {
    let hour = Timestamp::from_second(now.as_second() - now.as_second().rem_euclid(3600)).unwrap();
    json!({
        "zone": zone,
        "carbonIntensity": value,
        "datetime": hour,
        "updatedAt": hour,
        "emissionFactorType": "lifecycle",
        "isEstimated": false,
        "estimationMethod": null,
        "temporalGranularity": "hourly",
    })
    .to_string()
}
