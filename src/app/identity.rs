//! The certificate that the TLS listener shows, and where it comes from.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{Kubernetes, Role};
use crate::clock::Clock;
use crate::cluster::certificates::CertificateKeeper;
use crate::config::{Config, TlsMode};
use crate::metrics::Metrics;
use crate::readiness::Readiness;
use crate::tls::managed::Wanted;
use crate::tls::{Certificate, CertificateFiles, CertificateResolver, Host, Issued, Look, Reminder, issue};

/// What `/readyz` calls it.
pub(super) const CERTIFICATE: &str = "certificate";
/// Where a development certificate is valid beside `tls.hosts`.
const LOCAL_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Between two looks at the files.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long authorities are published before a leaf of a new one is made: the API server keeps a copy of webhook
/// configurations, and reads changes within a second or so.
const SETTLE: Duration = Duration::from_secs(10);

/// The certificate in use, and what brings the next one.
pub(super) struct Identity {
    pub(super) resolver: Arc<CertificateResolver>,
    pub(super) authority_pem: Option<String>,
    source: Source,
}

/// What brings the next one.
enum Source {
    /// Nothing: it was made at the start.
    Made,
    /// Files, which somebody else writes.
    Files(CertificateFiles),
    /// This process, in a Secret.
    Kept(Box<CertificateKeeper>),
    /// This process serves none.
    None,
}

impl Identity {
    /// Finds the certificate, or what will bring it.
    ///
    /// # Errors
    /// Files that have to be there are missing or wrong, or the mode asks for what is not there.
    pub(super) fn load(
        config: &Config,
        cert_dir: Option<PathBuf>,
        kubernetes: Option<&Kubernetes>,
        role: Role,
        (metrics, clock): (&Arc<Metrics>, &Clock),
    ) -> anyhow::Result<Self> {
        match (config.tls.mode, cert_dir) {
            (Some(TlsMode::SelfSigned), _) | (None, None) => Self::make(&config.tls.hosts, metrics, clock),
            (Some(TlsMode::Files) | None, Some(dir)) => Self::from_files(dir, metrics, clock),
            (Some(TlsMode::Files), None) if !role.decides() => Ok(Self::none(Source::None)),
            (Some(TlsMode::Files), None) => anyhow::bail!(
                "tls.mode is files, and no directory was given: add --cert-dir DIR, or set tls.mode to self-signed"
            ),
            (Some(TlsMode::Managed), dir) if role == Role::Webhook => {
                let dir = dir.context(
                    "tls.mode is managed, and no directory was given: add --cert-dir DIR, where the Secret's tls.crt and \
                     tls.key are mounted",
                )?;
                // They come with the Secret, which the controller may not have written yet.
                Ok(Self::none(Source::Files(CertificateFiles::new(dir))))
            }
            (Some(TlsMode::Managed), _) => {
                let kubernetes = kubernetes.context(
                    "tls.mode is managed, and no cluster is watched: run in one, name a kubeconfig with --kube FILE, or \
                     set tls.mode to self-signed",
                )?;
                let mut identity = Self::none(Source::None);
                let serves = role.decides().then(|| identity.resolver.clone());
                let keeper = kubernetes.keeper(&config.tls.hosts, serves, (metrics, clock))?;
                identity.source = Source::Kept(Box::new(keeper));
                Ok(identity)
            }
        }
    }

    fn none(source: Source) -> Self {
        Self { resolver: CertificateResolver::empty(), authority_pem: None, source }
    }

    fn from_files(dir: PathBuf, metrics: &Metrics, clock: &Clock) -> anyhow::Result<Self> {
        let mut files = CertificateFiles::new(dir);
        let certificate = match files.look() {
            Look::New(certificate) => certificate,
            // In words for a start: a file that is half written then is no excuse.
            Look::Same | Look::Refused(_) => Certificate::load(files.dir())?,
        };
        let identity = Self::none(Source::Files(files));
        show(&certificate, metrics, clock);
        identity.resolver.swap(certificate);
        Ok(identity)
    }

    fn make(hosts: &[String], metrics: &Metrics, clock: &Clock) -> anyhow::Result<Self> {
        let hosts = parsed(hosts.iter().map(String::as_str).chain(LOCAL_HOSTS))?;
        let issued: Issued = issue(&hosts, clock.now())?;
        let certificate = issued.certificate()?;
        show(&certificate, metrics, clock);
        let resolver = CertificateResolver::new(certificate);
        let authority_pem = Some(issued.authority_pem().to_owned());
        Ok(Self { resolver, authority_pem, source: Source::Made })
    }

    /// Whether requests should not come before there is one.
    pub(super) fn is_awaited(&self, role: Role) -> bool {
        role.decides() && self.resolver.current().is_none()
    }

    /// Starts what brings the next one.
    pub(super) fn start(
        self,
        (metrics, readiness, clock): (&Arc<Metrics>, &Readiness, &Clock),
        stop: &CancellationToken,
        tasks: &mut JoinSet<&'static str>,
    ) {
        match self.source {
            Source::Made | Source::None => {}
            Source::Files(files) => {
                let watch = FileWatch {
                    files,
                    resolver: self.resolver,
                    metrics: metrics.clone(),
                    readiness: readiness.clone(),
                    clock: clock.clone(),
                    reminder: Reminder::default(),
                };
                let stop = stop.clone();
                tasks.spawn(async move {
                    stop.run_until_cancelled(watch.run()).await;
                    "certificate watch"
                });
            }
            Source::Kept(keeper) => {
                let readiness = readiness.clone();
                tasks.spawn(keeper.run(move || readiness.has(CERTIFICATE), stop.clone()));
            }
        }
    }
}

impl Kubernetes {
    fn keeper(
        &self,
        hosts: &[String],
        serves: Option<Arc<CertificateResolver>>,
        (metrics, clock): (&Arc<Metrics>, &Clock),
    ) -> anyhow::Result<CertificateKeeper> {
        let (service, namespace) = (&self.service, &self.namespace);
        let of_service = [
            format!("{service}.{namespace}.svc"),
            format!("{service}.{namespace}.svc.cluster.local"),
            format!("{service}.{namespace}"),
        ];
        let names = of_service.iter().chain(hosts).map(String::as_str);
        Ok(CertificateKeeper {
            client: self.client.clone(),
            namespace: namespace.clone(),
            secret: self.tls_secret.clone(),
            configuration: self.webhook_configuration.clone(),
            wanted: Wanted { hosts: parsed(names)?, settle: SETTLE },
            clock: clock.clone(),
            metrics: metrics.clone(),
            serves,
        })
    }
}

fn parsed<'h>(hosts: impl Iterator<Item = &'h str>) -> anyhow::Result<Vec<Host>> {
    hosts.map(str::parse).collect::<Result<_, _>>().context("tls.hosts")
}

fn show(certificate: &Certificate, metrics: &Metrics, clock: &Clock) {
    metrics.certificate_expires(certificate.validity().not_after);
    if let Some(warning) = certificate.warning(clock.now()) {
        tracing::warn!(warning, "certificate");
    }
}

/// Puts to use what comes into a directory.
struct FileWatch {
    files: CertificateFiles,
    resolver: Arc<CertificateResolver>,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    clock: Clock,
    reminder: Reminder,
}

impl FileWatch {
    async fn run(mut self) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            // Files are read on a thread of their own: requests do not wait for a disk.
            let look = tokio::task::spawn_blocking(move || {
                let look = self.files.look();
                (self, look)
            });
            let look = match look.await {
                Ok((watch, look)) => {
                    self = watch;
                    look
                }
                Err(ended) => match ended.try_into_panic() {
                    Ok(defect) => std::panic::resume_unwind(defect),
                    // The process ends: nobody looks any more.
                    Err(_) => return,
                },
            };
            self.take(look);
        }
    }

    fn take(&mut self, look: Look) {
        match look {
            Look::Same => {}
            Look::New(certificate) => {
                tracing::info!(ends = %certificate.validity().not_after, "a new certificate is in use");
                show(&certificate, &self.metrics, &self.clock);
                self.resolver.swap(certificate);
                self.metrics.certificate_reload(true);
                self.readiness.has(CERTIFICATE);
            }
            Look::Refused(error) => {
                // A first one that is on its way is no change that was refused.
                if self.resolver.current().is_some() {
                    self.metrics.certificate_reload(false);
                }
                tracing::warn!(%error, "the certificate's files cannot be used; the one before stays in use");
            }
        }
        if let Some(current) = self.resolver.current()
            && let Some(due) = self.reminder.due(&current, self.clock.now())
        {
            tracing::warn!(warning = due, "certificate");
        }
    }
}
