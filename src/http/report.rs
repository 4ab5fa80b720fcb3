//! `GET /report?from&to&namespace&output`: a report for those without a shell. The same arguments, forms and messages as
//! the command; without a period, the last whole days; without a form, a PDF for browsers and a table for everybody else.

mod query;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode, Uri};
use tokio::sync::Semaphore;

use self::query::{QueryError, Request};
use crate::clock::Clock;
use crate::report::{Form, FormError, Inputs, ReportError, Scope, build, render};

/// What comes of gathering.
pub type Gathering = Pin<Box<dyn Future<Output = anyhow::Result<Inputs>> + Send>>;

/// Gathers what a report is made from.
pub trait Gather: fmt::Debug + Send + Sync {
    /// Begins to gather.
    fn gather(&self, scope: Scope) -> Gathering;
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
enum NoReport {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Asked(#[from] ReportError),
    #[error("another report is being made: ask again when it is done")]
    Busy,
    // With its causes, which nobody else tells.
    #[error("the report's figures cannot be gathered: {0:#}")]
    Gathering(anyhow::Error),
    #[error(transparent)]
    Form(#[from] FormError),
    #[error("the report was given up: {0}")]
    Ended(#[from] tokio::task::JoinError),
}

impl IntoResponse for NoReport {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Query(_) | Self::Asked(_) => StatusCode::BAD_REQUEST,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Gathering(_) | Self::Form(_) | Self::Ended(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, format!("{self}\n")).into_response()
    }
}

/// Who gathers at the moment.
type Gatherer = Arc<dyn Fn() -> Arc<dyn Gather> + Send + Sync>;

#[derive(Clone)]
struct Reports {
    gatherer: Gatherer,
    clock: Clock,
    /// A report may take a lot of memory: one at a time.
    one: Arc<Semaphore>,
}

/// The route. `gatherer` is asked once a report.
pub fn reports(gatherer: impl Fn() -> Arc<dyn Gather> + Send + Sync + 'static, clock: &Clock) -> Router {
    let one = Arc::new(Semaphore::new(1));
    let state = Reports { gatherer: Arc::new(gatherer), clock: clock.clone(), one };
    Router::new().route("/report", get(report)).with_state(state)
}

async fn report(State(reports): State<Reports>, uri: Uri, headers: HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    match made(&reports, uri.query().unwrap_or_default(), accept).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn made(reports: &Reports, query: &str, accept: &str) -> Result<Response, NoReport> {
    let now = reports.clock.now();
    let Request { scope, form } = Request::read(query, accept, now)?;
    let name = scope.file_name(form);
    let permit = reports.one.clone().try_acquire_owned().map_err(|_| NoReport::Busy)?;
    let gathering = (reports.gatherer)().gather(scope);
    // A task of its own, which counts until it is done: whoever asked may go away, and the reading of a ledger goes on.
    let making = tokio::spawn(async move {
        let _permit = permit;
        let inputs = gathering.await.map_err(NoReport::Gathering)?;
        // Off the threads that answer for pods.
        tokio::task::spawn_blocking(move || write(inputs, now, form)).await?
    });
    let written = making.await??;
    // A browser shows what it can, and saves the rest under its name.
    let disposition = if form == Form::Csv { "attachment" } else { "inline" };
    let headers = [
        (CONTENT_TYPE, form.content_type().to_owned()),
        (CONTENT_DISPOSITION, format!("{disposition}; filename=\"{name}\"")),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, written).into_response())
}

fn write(inputs: Inputs, now: jiff::Timestamp, form: Form) -> Result<Vec<u8>, NoReport> {
    Ok(render(&build(inputs, now)?, form)?)
}
