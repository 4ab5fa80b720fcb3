//! The plain listener: health, metrics, what is known and what was decided; the mock grid's handle while there is one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use super::live::LiveView;
use super::report::reports;
use super::router::extender;
use super::snapshot_view::SnapshotView;
use crate::audit::ledger::Ledger;
use crate::clock::Clock;
use crate::config::parse_mock;
use crate::decider::Decider;
use crate::domain::RegionName;
use crate::liveness::Liveness;
use crate::metrics::Metrics;
use crate::readiness::{Readiness, Report};

/// How long a changed mock value may take until every decision sees it.
const MOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// Each process has a mock grid of its own, and of all processes on a store one collects.
const NOT_PUBLISHED: &str = "the value is set in this process, and not published: it does not collect at present, or \
     the store does not answer; send it to the process whose metric eco_pulse_collector is 1\n";

/// What the admin routes look at.
#[derive(Clone, Debug)]
pub struct Admin {
    /// For what follows from the configuration.
    pub live: LiveView,
    /// For `/metrics`.
    pub metrics: Arc<Metrics>,
    /// For `/decisions`.
    pub ledger: Ledger,
    /// For ages.
    pub clock: Clock,
    /// For `/readyz`.
    pub readiness: Readiness,
    /// For `/livez`.
    pub liveness: Liveness,
}

impl Admin {
    fn decider(&self) -> Arc<Decider> {
        self.live.load().decider.clone()
    }
}

/// The plain listener's routes.
pub fn admin(admin: Admin) -> Router {
    let extender = extender(&admin.live);
    let live = admin.live.clone();
    let reports = reports(move || live.load().reports.clone(), &admin.clock);
    Router::new()
        .route("/health", get(async || "ok\n"))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/snapshot", get(snapshot))
        .route("/decisions", get(decisions))
        .route("/mock/{region}", put(set_mock))
        .with_state(admin)
        .merge(extender)
        .merge(reports)
}

/// What `/readyz` says: the process's own state, and the regions that decisions have to do without.
#[derive(Debug, Serialize)]
struct Ready {
    #[serde(flatten)]
    report: Report,
    /// Regions without grid data that can be used, each with the state of them. They never make a replica unready.
    without_grid_data: BTreeMap<RegionName, &'static str>,
}

async fn livez(State(admin): State<Admin>) -> (StatusCode, String) {
    match admin.liveness.stuck() {
        None => (StatusCode::OK, "ok\n".to_owned()),
        Some(stuck) => (StatusCode::SERVICE_UNAVAILABLE, format!("{stuck}\n")),
    }
}

async fn readyz(State(admin): State<Admin>) -> Response {
    let report = admin.readiness.report();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let decider = admin.decider();
    let (max_age, now) = (decider.settings().policy.grid_max_age, admin.clock.now());
    let without_grid_data = decider.snapshot().map_or_else(BTreeMap::new, |snapshot| {
        let states = snapshot.iter().map(|(_, region, data)| (region, data.grid.state(now, max_age)));
        let unusable = states.filter(|(_, state)| !state.is_usable());
        unusable.map(|(region, state)| (region.name.clone(), state.as_str())).collect()
    });
    (status, Json(Ready { report, without_grid_data })).into_response()
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let decider = admin.decider();
    let snapshot = decider.snapshot();
    let max_age = decider.settings().policy.grid_max_age;
    match admin.metrics.render(snapshot.as_deref(), max_age, admin.clock.now()) {
        Ok(text) => ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

async fn decisions(State(admin): State<Admin>) -> Response {
    ([(CONTENT_TYPE, "application/json")], admin.ledger.recent_json()).into_response()
}

async fn snapshot(State(admin): State<Admin>) -> Response {
    let decider = admin.decider();
    match decider.snapshot() {
        Some(snapshot) => {
            let max_age = decider.settings().policy.grid_max_age;
            Json(SnapshotView::new(&snapshot, max_age, admin.clock.now())).into_response()
        }
        None => {
            (StatusCode::SERVICE_UNAVAILABLE, "no grid data have been read since the start\n").into_response()
        }
    }
}

/// Sets a region's mock value; answers once decisions see it.
async fn set_mock(State(admin): State<Admin>, Path(region): Path<String>, body: Bytes) -> Response {
    // What is no text is no value either, and is shown as far as it goes.
    let body = String::from_utf8_lossy(&body);
    let Some(mut mock) = admin.live.load().mock.clone() else {
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
        _ => (StatusCode::SERVICE_UNAVAILABLE, NOT_PUBLISHED).into_response(),
    }
}
