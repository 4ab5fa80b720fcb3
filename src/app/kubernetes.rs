//! The cluster that a process works in, and what things of its own are called there.

use std::fmt;

/// The webhook's Service.
const SERVICE: &str = "eco-pulse-webhook";
/// The Secret of its certificate.
const TLS_SECRET: &str = "eco-pulse-tls";
/// The webhook configuration.
const WEBHOOK_CONFIGURATION: &str = "eco-pulse";

/// A cluster, and names in it.
#[derive(Clone)]
pub struct Kubernetes {
    /// Reaches its API server.
    pub client: kube::Client,
    /// The namespace that Eco-Pulse runs in.
    pub namespace: String,
    /// The Service of the webhook, whose names its certificate is for.
    pub service: String,
    /// The Secret that a managed certificate is kept in.
    pub tls_secret: String,
    /// The MutatingWebhookConfiguration.
    pub webhook_configuration: String,
    /// Where rehearsed pods are sent, which tell whether the API server asks us; `None`: none are.
    pub canary_namespace: Option<String>,
}

impl Kubernetes {
    /// A cluster in which everything is called as usual.
    #[must_use]
    pub fn new(client: kube::Client, namespace: &str) -> Self {
        Self {
            client,
            namespace: namespace.to_owned(),
            service: SERVICE.to_owned(),
            tls_secret: TLS_SECRET.to_owned(),
            webhook_configuration: WEBHOOK_CONFIGURATION.to_owned(),
            canary_namespace: None,
        }
    }
}

impl fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubernetes").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
