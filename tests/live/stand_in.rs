//! Electricity Maps, stood in for: a value for each zone, and another answer where a test wants one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use eco_pulse::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::upstream::{Answer, Request, Upstream};

pub const LATEST: &str = "/v4/carbon-intensity/latest";
pub const ZONES: &str = "/v4/zones";
/// What the token file of every test holds.
pub const TOKEN: &str = "hunter2-token";

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A clock that stands until it is moved. It starts at the real time, which certificates are made for.
#[derive(Clone)]
pub struct Hands(Arc<AtomicI64>);

impl Hands {
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(Clock::system().now().as_second())))
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }

    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_second(), Ordering::SeqCst);
    }

    pub fn clock(&self) -> Clock {
        let hands = self.clone();
        Clock::new(move || hands.now())
    }
}

type Script = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

/// The stand-in. What a test does not script it answers as the API does.
pub struct StandIn {
    pub upstream: Upstream,
    scripts: Arc<Mutex<BTreeMap<String, Script>>>,
}

impl StandIn {
    /// With these values, measured, for the current hour of `now`; any other zone has no data. The token may ask for
    /// the latest value of these zones and nothing else.
    pub fn start(values: &[(&str, f64)], now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let upstream = Upstream::start();
        let values: BTreeMap<String, f64> =
            values.iter().map(|(zone, value)| ((*zone).to_owned(), *value)).collect();
        upstream.on(ZONES, access(values.keys().map(String::as_str), &["carbon-intensity/latest"]));
        let scripts = Arc::<Mutex<BTreeMap<String, Script>>>::default();
        let scripted = scripts.clone();
        upstream.on(LATEST, move |request| {
            let zone = request.query["zone"].as_str();
            let script = scripted.lock().unwrap().get(zone).cloned();
            match (script, values.get(zone)) {
                (Some(script), _) => script(request),
                (None, Some(value)) => Answer::json(latest(zone, &json!(value), hour_of(now()))),
                (None, None) => no_data(zone),
            }
        });
        Self { upstream, scripts }
    }

    /// Answers so for the latest value of this zone, from now on.
    pub fn script(&self, zone: &str, answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
        self.scripts.lock().unwrap().insert(zone.to_owned(), Arc::new(answer));
    }

    /// Answers as the API does again.
    pub fn unscript(&self, zone: &str) {
        self.scripts.lock().unwrap().remove(zone);
    }

    /// How often it was asked about this zone, whatever was asked.
    pub fn asked_about(&self, zone: &str) -> usize {
        self.upstream.requests().iter().filter(|request| is_about(request, zone)).count()
    }
}

/// Whether a request is about a zone.
pub fn is_about(request: &Request, zone: &str) -> bool {
    request.query.get("zone").is_some_and(|asked| asked == zone)
}

/// The list of zones, each with what the token may ask.
pub fn access<'z>(
    zones: impl IntoIterator<Item = &'z str>,
    routes: &[&str],
) -> impl Fn(&Request) -> Answer + Send + Sync + 'static {
    let zones: serde_json::Map<String, Value> = zones
        .into_iter()
        .map(|zone| (zone.to_owned(), json!({ "zoneName": zone, "access": routes })))
        .collect();
    let body = Value::Object(zones).to_string();
    move |_| Answer::json(body.clone())
}

/// The body of a value for the hour from `datetime`.
pub fn latest(zone: &str, value: &Value, datetime: Timestamp) -> String {
    json!({
        "zone": zone,
        "carbonIntensity": value,
        "datetime": datetime,
        "updatedAt": datetime,
        "emissionFactorType": "lifecycle",
        "isEstimated": false,
        "estimationMethod": null,
        "temporalGranularity": "hourly",
    })
    .to_string()
}

pub fn no_data(zone: &str) -> Answer {
    Answer::new(404, json!({ "error": format!("No recent data for zone \"{zone}\"") }).to_string())
}

pub fn hour_of(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second() - now.as_second().rem_euclid(3600)).unwrap()
}

/// The end of the hour that `now` is in.
pub fn end_of_hour(now: Timestamp) -> Timestamp {
    hour_of(now) + HOUR
}
