//! Keeps the webhook's certificate in a Secret, and what the API server is to trust in the webhook configuration.
//!
//! What is to be done is [`crate::tls::managed`]'s to say; here it is done, each write bound to the version that was read. So
//! several controllers may do it at once: who comes second is refused, and looks again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, timer_now};
use crate::metrics::Metrics;
use crate::tls::managed::{Action, Published, Stored, Wanted, is_published, next};
use crate::tls::{Certificate, CertificateResolver, Reminder, TlsError};

/// Between two looks when there is nothing to do.
const EVERY: Duration = Duration::from_secs(30);
/// Between two steps of a change.
const STEP: Duration = Duration::from_secs(1);
/// On a Secret: asks for a new `leaf` or `authority`, now.
pub const RENEW: &str = "eco-pulse.io/renew";

const AUTHORITIES: &str = "ca.crt";
const AUTHORITY_KEY: &str = "ca.key";
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

/// Somebody else was quicker: the next look sees what they did.
const REFUSED_FOR_ITS_VERSION: [u16; 2] = [409, 422];
const NOT_FOUND: u16 = 404;
/// What comes of a step.
const CHANGED: &str = "changed";
const FAILED: &str = "failed";

/// A round that could not be ended.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The API server refused, or did not answer.
    #[error("{what}: {source}; the service account needs {rights}")]
    Api {
        /// What was tried.
        what: &'static str,
        /// The rights that it takes.
        rights: &'static str,
        /// What came of it.
        source: Box<kube::Error>,
    },
    /// A certificate cannot be made.
    #[error("a certificate cannot be made: {0}")]
    Make(#[from] TlsError),
}

/// Keeps a certificate.
pub struct CertificateKeeper {
    /// Reaches the API server.
    pub client: kube::Client,
    /// Where the Secret is.
    pub namespace: String,
    /// Its name.
    pub secret: String,
    /// The name of the webhook configuration.
    pub configuration: String,
    /// What is wanted of the leaf.
    pub wanted: Wanted,
    /// What time it is.
    pub clock: Clock,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Serves the leaf, where this process does; the others read it from files.
    pub serves: Option<Arc<CertificateResolver>>,
}

impl fmt::Debug for CertificateKeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateKeeper").field("secret", &self.secret).finish_non_exhaustive()
    }
}

/// What is remembered from one look to the next.
#[derive(Default)]
struct Memory {
    /// The authorities that are published, and since when that has been seen without a break.
    settling: Option<(Vec<u8>, Instant)>,
    /// The leaf that was last put to use.
    leaf: Vec<u8>,
    reminder: Reminder,
    trouble: String,
}

impl CertificateKeeper {
    /// Keeps until `stop`; `has_leaf` is called whenever there is one to serve.
    pub async fn run(self, has_leaf: impl Fn() + Send, stop: CancellationToken) -> &'static str {
        let mut memory = Memory::default();
        self.metrics.cluster().keeping_certificate([CHANGED, FAILED]);
        let work = async {
            loop {
                let (changed, pause) = match self.round(&mut memory, &has_leaf).await {
                    Ok(Action::Nothing) => ("", EVERY),
                    Ok(Action::Wait) => ("", STEP),
                    Ok(Action::Write(_) | Action::Publish(_)) => (CHANGED, STEP),
                    Err(error) => {
                        self.metrics.cluster().certificate_step(FAILED);
                        let text = error.to_string();
                        // Once, however long it lasts.
                        if text != memory.trouble {
                            tracing::warn!(error = text, "the certificate cannot be kept");
                        }
                        memory.trouble = text;
                        tokio::time::sleep(EVERY / 6).await;
                        continue;
                    }
                };
                memory.trouble.clear();
                if !changed.is_empty() {
                    self.metrics.cluster().certificate_step(changed);
                }
                tokio::time::sleep(pause).await;
            }
        };
        tokio::select! {
            () = work => {}
            () = stop.cancelled() => {}
        }
        "certificate keeper"
    }

    /// Looks, and does one thing.
    async fn round(&self, memory: &mut Memory, has_leaf: &impl Fn()) -> Result<Action, KeepError> {
        // Before the Secret: so an old bundle is never written over a newer one.
        let (published, version) = self.published().await?;
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let secret =
            secrets.get_opt(&self.secret).await.map_err(api("reading the Secret", "get on its Secret"))?;
        let stored = secret.as_ref().map(stored);
        let now = self.clock.now();
        let published_for = settled_for(&mut memory.settling, stored.as_ref(), &published);
        if let Some(stored) = &stored {
            self.put_to_use(stored, memory, has_leaf);
        }
        let action = next(stored.as_ref(), &published, published_for, &self.wanted, now);
        match &action {
            Action::Nothing | Action::Wait => {}
            Action::Write(change) => {
                let made = change.apply(&stored.unwrap_or_default(), &self.wanted.hosts, now)?;
                tracing::info!(?change, secret = self.secret, "the certificate's Secret is changed");
                let written = self.write(&secrets, secret, &made).await;
                unless_outrun(written)
                    .map_err(api("writing the Secret", "create, and get and update on its Secret"))?;
            }
            Action::Publish(bundle) => {
                tracing::info!(configuration = self.configuration, "the authorities are published");
                let written = self.publish(bundle, version).await;
                unless_outrun(written)
                    .map_err(api("writing caBundle", "get and patch on its MutatingWebhookConfiguration"))?;
            }
        }
        Ok(action)
    }

    /// What the API server trusts, and the version and number of webhooks it was read at.
    async fn published(&self) -> Result<(Published, Option<(String, usize)>), KeepError> {
        let configurations: Api<MutatingWebhookConfiguration> = Api::all(self.client.clone());
        let rights = "get and patch on its MutatingWebhookConfiguration";
        let read = configurations.get_opt(&self.configuration).await;
        let Some(configuration) = read.map_err(api("reading the webhook configuration", rights))? else {
            return Ok((Published::Absent, None));
        };
        let version = configuration.metadata.resource_version.unwrap_or_default();
        let webhooks = configuration.webhooks.unwrap_or_default();
        let count = webhooks.len();
        let bundles =
            webhooks.into_iter().map(|webhook| webhook.client_config.ca_bundle.unwrap_or_default().0);
        Ok((Published::Bundles(bundles.collect()), Some((version, count))))
    }

    /// Only `caBundle`: the rest of the configuration is not ours.
    async fn publish(&self, bundle: &[u8], version: Option<(String, usize)>) -> Result<(), kube::Error> {
        let Some((version, webhooks)) = version else { return Ok(()) };
        let mut operations =
            vec![json!({ "op": "test", "path": "/metadata/resourceVersion", "value": version })];
        let bundle = ByteString(bundle.to_vec());
        operations.extend((0..webhooks).map(|index| {
            json!({ "op": "add", "path": format!("/webhooks/{index}/clientConfig/caBundle"), "value": bundle })
        }));
        let patch = serde_json::from_value(operations.into()).map_err(kube::Error::SerdeError)?;
        let configurations: Api<MutatingWebhookConfiguration> = Api::all(self.client.clone());
        let patch: Patch<()> = Patch::Json(patch);
        configurations.patch(&self.configuration, &PatchParams::default(), &patch).await.map(drop)
    }

    async fn write(
        &self,
        secrets: &Api<Secret>,
        before: Option<Secret>,
        made: &Stored,
    ) -> Result<(), kube::Error> {
        let parameters = PostParams::default();
        let existed = before.is_some();
        let mut secret = before.unwrap_or_default();
        secret.metadata.name = Some(self.secret.clone());
        secret.metadata.namespace = Some(self.namespace.clone());
        if let Some(annotations) = secret.metadata.annotations.as_mut().filter(|_| made.renew.is_none()) {
            annotations.remove(RENEW);
        }
        let parts = [
            (AUTHORITIES, &made.authorities_pem),
            (AUTHORITY_KEY, &made.authority_key_pem),
            (CERTIFICATE, &made.certificate_pem),
            (KEY, &made.key_pem),
        ];
        let data = secret.data.get_or_insert_with(BTreeMap::new);
        for (name, bytes) in parts {
            data.insert(name.to_owned(), ByteString(bytes.clone()));
        }
        if existed {
            secrets.replace(&self.secret, &parameters, &secret).await.map(drop)
        } else {
            secrets.create(&parameters, &secret).await.map(drop)
        }
    }

    /// Serves the Secret's leaf, where this process does, and says when it ends.
    fn put_to_use(&self, stored: &Stored, memory: &mut Memory, has_leaf: &impl Fn()) {
        let Ok(leaf) = stored.leaf() else { return };
        self.metrics.certificate_expires(leaf.validity().not_after);
        if let Some(due) = memory.reminder.due(&leaf, self.clock.now()) {
            tracing::warn!(warning = due, "certificate");
        }
        if memory.leaf != stored.certificate_pem {
            memory.leaf.clone_from(&stored.certificate_pem);
            self.serve(leaf);
            has_leaf();
        }
    }

    fn serve(&self, leaf: Certificate) {
        if let Some(resolver) = &self.serves {
            resolver.swap(leaf);
            self.metrics.certificate_reload(true);
        }
    }
}

fn stored(secret: &Secret) -> Stored {
    let part = |name: &str| secret.data.as_ref().and_then(|data| data.get(name)).map(|bytes| bytes.0.clone());
    let renew = secret.metadata.annotations.as_ref().and_then(|annotations| annotations.get(RENEW));
    Stored {
        authorities_pem: part(AUTHORITIES).unwrap_or_default(),
        authority_key_pem: part(AUTHORITY_KEY).unwrap_or_default(),
        certificate_pem: part(CERTIFICATE).unwrap_or_default(),
        key_pem: part(KEY).unwrap_or_default(),
        renew: renew.and_then(|text| text.parse().ok()),
    }
}

/// For how long the Secret's authorities have been seen published, this look included.
fn settled_for(
    settling: &mut Option<(Vec<u8>, Instant)>,
    stored: Option<&Stored>,
    published: &Published,
) -> Duration {
    let now = timer_now();
    let seen = stored.filter(|stored| is_published(stored, published)).map(|stored| &stored.authorities_pem);
    *settling = match (settling.take(), seen) {
        (Some((of, since)), Some(seen)) if of == *seen => Some((of, since)),
        (_, seen) => seen.map(|seen| (seen.clone(), now)),
    };
    settling.as_ref().map_or(Duration::ZERO, |(_, since)| now.duration_since(*since))
}

fn api(what: &'static str, rights: &'static str) -> impl FnOnce(kube::Error) -> KeepError {
    move |source| KeepError::Api { what, rights, source: Box::new(source) }
}

/// A write that came too late is none; the next look sees what was written instead.
fn unless_outrun(written: Result<(), kube::Error>) -> Result<(), kube::Error> {
    match written {
        Err(kube::Error::Api(status))
            if REFUSED_FOR_ITS_VERSION.contains(&status.code) || status.code == NOT_FOUND =>
        {
            Ok(())
        }
        other => other,
    }
}
