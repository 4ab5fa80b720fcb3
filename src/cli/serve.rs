//! `eco-pulse serve`.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use super::{ConfigArg, UsageError, load, runtime};
use crate::app::{App, Kubernetes, Options, Role};
use crate::clock::Clock;
use crate::cluster::client::{self, ClientError};
use crate::kubernetes::cluster::ClusterView;
use crate::liveness::Stuck;
use crate::telemetry;

const EXAMPLE: &str = "\
Examples:
  eco-pulse serve
  eco-pulse serve --config eco-pulse.yaml --cert-dir certs
  curl -s localhost:8080/snapshot";

/// Kubernetes needs a moment to take a pod out of its Services after it became unready.
const LEAVE_DELAY: Duration = Duration::from_secs(5);
/// How long the log may take to write its last line.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// Where Kubernetes tells a pod its namespace.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";
/// Name the webhook's Service, its certificate's Secret, and its webhook configuration.
const SERVICE: &str = "ECO_PULSE_SERVICE";
const TLS_SECRET: &str = "ECO_PULSE_TLS_SECRET";
const WEBHOOK_CONFIGURATION: &str = "ECO_PULSE_WEBHOOK_CONFIGURATION";
/// Names the namespace that the controller sends rehearsed pods into, once a minute.
const CANARY_NAMESPACE: &str = "ECO_PULSE_CANARY_NAMESPACE";
/// The namespace that the chart installs into.
const DEFAULT_NAMESPACE: &str = "eco-pulse";

/// Arguments of `eco-pulse serve`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLE)]
pub struct ServeArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Address of the TLS listener: /mutate, /filter, /prioritize, /health
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8443", env = "ECO_PULSE_WEBHOOK_ADDR")]
    webhook_addr: SocketAddr,
    /// Address of the plain listener: /metrics, /readyz, /snapshot, /decisions, ...
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8080", env = "ECO_PULSE_ADMIN_ADDR")]
    admin_addr: SocketAddr,
    /// Directory of tls.crt and tls.key; without one a certificate is made at the start
    #[arg(long, value_name = "DIR", env = "ECO_PULSE_CERT_DIR")]
    cert_dir: Option<PathBuf>,
    /// Which cluster to watch: the one the process runs in, if any (auto), none (off), or that of a kubeconfig file
    #[arg(long, value_name = "auto|off|FILE", default_value = "auto", env = "ECO_PULSE_KUBE")]
    kube: Kube,
    /// What this process does
    #[arg(long, value_name = "ROLE", default_value = "all", env = "ECO_PULSE_ROLE")]
    role: RoleArg,
}

/// The cluster to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kube {
    /// The one the process runs in, if any.
    Auto,
    /// None.
    Off,
    /// That of a kubeconfig file's current context.
    File(PathBuf),
}

impl std::str::FromStr for Kube {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "auto" => Self::Auto,
            "off" => Self::Off,
            file => Self::File(file.into()),
        })
    }
}

impl Kube {
    async fn client(&self) -> Result<Option<kube::Client>, ClientError> {
        match self {
            Self::Auto => client::in_cluster(),
            Self::Off => Ok(None),
            Self::File(path) => client::from_file(path).await.map(Some),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RoleArg {
    /// Everything
    All,
    /// Answer for pods
    Webhook,
    /// Collect, account, rotate certificates
    Controller,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::All => Self::All,
            RoleArg::Webhook => Self::Webhook,
            RoleArg::Controller => Self::Controller,
        }
    }
}

impl ServeArgs {
    /// Runs until the process is told to end.
    ///
    /// # Errors
    /// Invalid configuration, a port that is taken, a bad certificate, or a task that ended by itself.
    pub fn run(self, clock: &Clock) -> anyhow::Result<()> {
        let (config, catalogue) = load(self.config.config.as_deref())?;
        if self.role != RoleArg::All && config.store.redis.is_none() {
            let role =
                self.role.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
            return Err(UsageError(format!(
                "--role {role}: processes with a part each share grid data through store.redis; configure it, or use --role all"
            ))
            .into());
        }
        let log = telemetry::start(config.log.level);
        for warning in &config.warnings {
            tracing::warn!(warning, "configuration");
        }
        let decision_log: Option<Box<dyn Write + Send>> =
            if config.log.decisions { Some(Box::new(std::io::stdout())) } else { None };
        let runtime = runtime()?;
        let namespace = own_namespace();
        let client = runtime.block_on(self.kube.client())?;
        let kubernetes = client.map(|client| named(Kubernetes::new(client, &namespace)));
        let cluster = match kubernetes {
            Some(_) => ClusterView::pending(&namespace),
            None => ClusterView::unwatched(&namespace),
        };
        if kubernetes.is_none() {
            tracing::info!("no cluster is watched: regions come from configuration alone");
        }
        let options = Options {
            config,
            catalogue,
            webhook_addr: self.webhook_addr,
            admin_addr: self.admin_addr,
            cert_dir: self.cert_dir,
            cluster,
            kubernetes,
            config_file: self.config.config,
            log: log.level.clone(),
            clock: clock.clone(),
            decision_log,
            replica: replica(),
            role: self.role.into(),
            on_stuck: Box::new(end),
            leave_delay: LEAVE_DELAY,
        };
        let ended = runtime.block_on(async {
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            let told_to_end = async move {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                // A second signal does not wait for anything.
                tokio::spawn(async move {
                    tokio::select! {
                        _ = terminate.recv() => {}
                        _ = interrupt.recv() => {}
                    }
                    std::process::exit(1);
                });
            };
            App::start(options)?.run_until(told_to_end).await
        });
        // All that could still run is a write to a standard output that nobody reads, and that may last for ever.
        runtime.shutdown_background();
        ended
    }
}

/// Whoever watches over this process can start another one; this one cannot even be told to end.
fn end(stuck: Stuck) {
    tracing::error!("ending this process: {stuck}");
    std::thread::sleep(LAST_WORDS);
    std::process::abort();
}

fn own_namespace() -> String {
    let mounted = || std::fs::read_to_string(NAMESPACE_FILE).ok().map(|text| text.trim().to_owned());
    std::env::var("POD_NAMESPACE")
        .ok()
        .or_else(mounted)
        .filter(|namespace| !namespace.is_empty())
        .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned())
}

/// What the environment calls things in the cluster.
fn named(usual: Kubernetes) -> Kubernetes {
    Kubernetes {
        service: variable(SERVICE).unwrap_or(usual.service),
        tls_secret: variable(TLS_SECRET).unwrap_or(usual.tls_secret),
        webhook_configuration: variable(WEBHOOK_CONFIGURATION).unwrap_or(usual.webhook_configuration),
        canary_namespace: variable(CANARY_NAMESPACE),
        ..usual
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn replica() -> String {
    variable("POD_NAME").or_else(|| variable("HOSTNAME")).unwrap_or_else(|| "eco-pulse".to_owned())
}
