//! The plain listener: health, metrics, what is known and what was decided; the mock grid's handle while there is one.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;

use super::router::{Endpoints, extender};
use crate::audit::ledger::Ledger;
use crate::clock::Clock;
use crate::config::parse_mock;
use crate::decider::Decider;
use crate::domain::snapshot::{CapacityType, GridReading};
use crate::domain::{Region, Regions, Snapshot};
use crate::metrics::Metrics;
use crate::providers::grid::MockGrid;
use crate::providers::refresh::CollectNow;
use crate::readiness::Readiness;

/// How long a changed mock value may take until every decision sees it.
const MOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// What the admin routes look at.
#[derive(Clone, Debug)]
pub struct Admin {
    /// For the snapshot and the settings.
    pub decider: Arc<Decider>,
    /// For `/metrics`.
    pub metrics: Arc<Metrics>,
    /// For `/decisions`.
    pub ledger: Ledger,
    /// For ages.
    pub clock: Clock,
    /// For `/readyz`.
    pub readiness: Readiness,
    /// For `PUT /mock/REGION`; `None` unless the mock grid is configured.
    pub mock: Option<MockControl>,
}

/// Changes the mock grid and waits until decisions see it.
#[derive(Clone, Debug)]
pub struct MockControl {
    /// The grid.
    pub grid: Arc<MockGrid>,
    /// Its regions.
    pub regions: Arc<Regions>,
    /// Publishes the change.
    pub collect: CollectNow,
    /// The version decisions see.
    pub seen: watch::Receiver<u64>,
}

/// The plain listener's routes.
pub fn admin(endpoints: &Endpoints, admin: Admin) -> Router {
    Router::new()
        .route("/health", get(async || "ok\n"))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/snapshot", get(snapshot))
        .route("/decisions", get(decisions))
        .route("/mock/{region}", put(set_mock))
        .with_state(admin)
        .merge(extender(endpoints))
}

async fn readyz(State(admin): State<Admin>) -> Response {
    let report = admin.readiness.report();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report)).into_response()
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let snapshot = admin.decider.snapshot();
    match admin.metrics.render(snapshot.as_deref(), admin.clock.now()) {
        Ok(text) => ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn decisions(State(admin): State<Admin>) -> Response {
    ([(CONTENT_TYPE, "application/json")], admin.ledger.recent_json()).into_response()
}

async fn snapshot(State(admin): State<Admin>) -> Response {
    match admin.decider.snapshot() {
        Some(snapshot) => {
            let max_age = admin.decider.settings().policy.grid_max_age;
            Json(SnapshotView::new(&snapshot, max_age, admin.clock.now())).into_response()
        }
        None => {
            (StatusCode::SERVICE_UNAVAILABLE, "no grid data have been read since the start\n").into_response()
        }
    }
}

/// The snapshot for people and scripts.
#[derive(Debug, Serialize)]
pub struct SnapshotView<'a> {
    version: u64,
    captured_at: Timestamp,
    regions: Vec<RegionView<'a>>,
}

#[derive(Debug, Serialize)]
struct RegionView<'a> {
    name: &'a str,
    label: &'a str,
    provider: &'static str,
    zone: Option<&'a str>,
    pue: f64,
    state: &'static str,
    age_seconds: Option<f64>,
    grid: &'a GridReading,
    prices: Vec<PriceView<'a>>,
}

#[derive(Debug, Serialize)]
struct PriceView<'a> {
    instance_type: &'a str,
    capacity_type: CapacityType,
    usd_per_hour: f64,
    precision_usd_per_hour: f64,
    provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    interruption: Option<&'a str>,
}

impl<'a> SnapshotView<'a> {
    /// As of `now`.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot, max_age: jiff::SignedDuration, now: Timestamp) -> Self {
        let view = |(_, region, data): (_, &'a Region, &'a crate::domain::snapshot::RegionData)| RegionView {
            name: region.name.as_str(),
            label: &region.label,
            provider: region.provider.as_str(),
            zone: region.zone.as_ref().map(super::super::domain::region::GridZone::as_str),
            pue: region.pue.0,
            state: data.grid.state(now, max_age).as_str(),
            age_seconds: data.grid.known().map(|reading| reading.age(now).as_secs_f64()),
            grid: &data.grid,
            prices: data
                .prices
                .iter()
                .map(|price| PriceView {
                    instance_type: &price.instance_type,
                    capacity_type: price.capacity_type,
                    usd_per_hour: price.per_hour.0,
                    precision_usd_per_hour: price.precision.0,
                    provider: price.provider.as_str(),
                    interruption: price.interruption.as_deref(),
                })
                .collect(),
        };
        Self {
            version: snapshot.version,
            captured_at: snapshot.captured_at,
            regions: snapshot.iter().map(view).collect(),
        }
    }
}

/// Sets a region's mock value; answers once decisions see it.
async fn set_mock(State(admin): State<Admin>, Path(region): Path<String>, body: Bytes) -> Response {
    // What is no text is no value either, and is shown as far as it goes.
    let body = String::from_utf8_lossy(&body);
    let Some(mut mock) = admin.mock else {
        return (StatusCode::NOT_FOUND, "the mock grid is not configured: set grid.provider to mock\n")
            .into_response();
    };
    let Some(id) = mock.regions.by_name(&region) else {
        let problem = format!("region \"{region}\" is not configured: name one that GET /snapshot lists\n");
        return (StatusCode::NOT_FOUND, problem).into_response();
    };
    let name = mock.regions.get(id).name.clone();
    let value = match parse_mock(body.trim()) {
        Ok(value) => value,
        Err(error) => {
            let problem = format!("mock value \"{}\" of {name}: {error}\n", body.trim());
            return (StatusCode::BAD_REQUEST, problem).into_response();
        }
    };
    mock.grid.set(name.clone(), value);
    let seen = tokio::time::timeout(MOCK_TIMEOUT, async {
        let version = mock.collect.collect().await?;
        mock.seen.wait_for(|seen| *seen >= version).await.ok().map(|_| version)
    });
    match seen.await {
        Ok(Some(version)) => {
            format!("{name} = {} g/kWh from snapshot {version} on\n", value.0).into_response()
        }
        _ => (StatusCode::SERVICE_UNAVAILABLE, "the value is set, but could not be published yet\n")
            .into_response(),
    }
}
