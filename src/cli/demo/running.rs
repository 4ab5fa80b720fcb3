//! The real server, started for the demo on loopback ports of the system's choice, with connections to both of its
//! listeners.
//!
//! What a scene shows of a decision comes back over these connections: the answer from `/mutate`, the record from
//! `/decisions`. Only the table of what is known at the start is read from the server's memory.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::client::{Connection, in_time};
use super::cluster;
use super::reviews::Review;
use crate::app::{App, Options};
use crate::catalogue::Catalogue;
use crate::cli::show::patch::{Operation, operations};
use crate::cli::show::record::Record;
use crate::clock::Clock;
use crate::config::Config;
use crate::decider::Decider;
use crate::providers::grid::MockGrid;

/// Between two looks at something that is about to change.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A server with connections to it.
#[derive(Debug)]
pub(super) struct Running {
    pub webhook_addr: SocketAddr,
    pub admin_addr: SocketAddr,
    /// The protocol and cipher suite agreed upon with the webhook listener.
    pub tls: String,
    pub decider: Arc<Decider>,
    mock: Arc<MockGrid>,
    webhook: Connection,
    admin: Connection,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<()>>,
}

/// What became of a pod: the answer to the API server, and the record of the decision.
#[derive(Debug)]
pub(super) struct Admission {
    pub record: Record,
    /// Empty when the pod is left as it came.
    pub patch: Vec<Operation>,
    pub warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Reply {
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    uid: String,
    allowed: bool,
    patch_type: Option<String>,
    patch: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
    audit_annotations: AuditAnnotations,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct AuditAnnotations {
    outcome: String,
    reason: String,
    decision_id: Option<String>,
}

#[derive(Deserialize)]
struct SnapshotStates {
    regions: Vec<RegionState>,
}

#[derive(Deserialize)]
struct RegionState {
    state: String,
}

impl Running {
    /// Starts a server and waits until it says that it is ready.
    pub(super) async fn start(
        config: Config,
        catalogue: Arc<Catalogue>,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let cluster = cluster::view(&config);
        let options =
            Options { cluster, clock, replica: "demo".to_owned(), ..Options::new(config, catalogue) };
        let app = App::start(options)?;
        let webhook_addr = app.webhook_addr().context("the demo's server has no TLS listener")?;
        let admin_addr = app.admin_addr();
        let authority = app.authority_pem().context("the server made no certificate")?.to_owned();
        let mock = app.mock().context("grid.provider is not mock")?;
        let decider = app.decider();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(app.run_until(async {
            // A sender that is gone is a demo that is over.
            let _ = stopped.await;
        }));
        let (webhook, tls) = Connection::tls(webhook_addr, &authority).await?;
        let admin = Connection::plain(admin_addr).await?;
        let mut running =
            Self { webhook_addr, admin_addr, tls, decider, mock, webhook, admin, stop, serving };
        running.until("GET /readyz to be 200", async |admin| Ok(admin.get("/readyz").await.ok())).await?;
        Ok(running)
    }

    /// Sends a review as the API server does, and fetches the record of what was decided.
    pub(super) async fn admit(&mut self, review: Review) -> anyhow::Result<Admission> {
        let (uid, body) = review.into_request()?;
        let answer = self.webhook.admit(body).await?;
        let Reply { response } = serde_json::from_slice(&answer).context("answer is no AdmissionReview")?;
        ensure!(response.uid == uid, "answer is for uid {}, asked was {uid}", response.uid);
        ensure!(response.allowed, "the pod was refused, which must never happen");
        ensure!(
            response.patch.is_some() == (response.patch_type.as_deref() == Some("JSONPatch")),
            "patch and patchType do not go together: the API server would refuse the pod"
        );
        let patch = match response.patch {
            Some(encoded) => operations(&BASE64.decode(encoded).context("patch is not base64")?)?,
            None => Vec::new(),
        };
        let id = response
            .audit_annotations
            .decision_id
            .with_context(|| format!("no decision was made: {}", response.audit_annotations.reason))?;
        let record = self.record(&id).await?;
        ensure!(
            (record.outcome.as_str(), record.reason.as_str())
                == (&*response.audit_annotations.outcome, &*response.audit_annotations.reason),
            "answer and record of decision {id} differ"
        );
        Ok(Admission { record, patch, warnings: response.warnings })
    }

    /// The record of a decision, which is written a moment after its answer.
    async fn record(&mut self, id: &str) -> anyhow::Result<Record> {
        self.until("the record of a decision in GET /decisions", async |admin| {
            let records: Vec<Record> = serde_json::from_slice(&admin.get("/decisions").await?)?;
            Ok(records.into_iter().find(|record| record.decision_id == id))
        })
        .await
    }

    /// Sets a region's mock value; gives the server's own words for what it did.
    pub(super) async fn set_mock(&mut self, region: &str, value: &str) -> anyhow::Result<String> {
        let answer = self.admin.put(&format!("/mock/{region}"), value).await?;
        Ok(String::from_utf8_lossy(&answer).trim().to_owned())
    }

    /// From now on the grid does not answer.
    pub(super) fn unplug_grid(&self) {
        self.mock.unplug();
    }

    /// Waits until the server says of every region's grid data that they are in this state.
    pub(super) async fn until_grid_is(&mut self, state: &str) -> anyhow::Result<()> {
        self.until(&format!("every region's grid data in GET /snapshot to be {state}"), async |admin| {
            let states: SnapshotStates = serde_json::from_slice(&admin.get("/snapshot").await?)?;
            Ok(states.regions.iter().all(|region| region.state == state).then_some(()))
        })
        .await
    }

    /// A line of `/metrics`: the series, which has to be there, and its value.
    pub(super) async fn metric(&mut self, series: &str) -> anyhow::Result<f64> {
        let text = self.admin.get("/metrics").await?;
        let text = String::from_utf8_lossy(&text);
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        let value = value.with_context(|| format!("GET /metrics has no {series}"))?;
        value.parse().with_context(|| format!("{series} is \"{value}\""))
    }

    async fn until<T>(
        &mut self,
        what: &str,
        look: impl AsyncFn(&mut Connection) -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        let looking = async {
            loop {
                if let Some(seen) = look(&mut self.admin).await? {
                    return Ok(seen);
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        in_time(looking).await.with_context(|| format!("waited for {what}"))?
    }

    /// Ends the server in order; an error where it had ended by itself.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        let Self { webhook, admin, stop, serving, .. } = self;
        drop((webhook, admin));
        // A server that is gone says why below.
        let _ = stop.send(());
        in_time(serving).await??
    }

    /// Serves until `told_to_end`, or as long as it can.
    pub(super) async fn hold(mut self, told_to_end: impl Future<Output = ()>) -> anyhow::Result<()> {
        tokio::select! {
            () = told_to_end => self.stop().await,
            ended = &mut self.serving => ended?,
        }
    }
}
