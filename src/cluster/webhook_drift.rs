//! Looks whether somebody changed the webhook configuration so that it could put Eco-Pulse in the way. It tells, and
//! changes nothing: an operator may have had a reason.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use kube::api::Api;
use tokio_util::sync::CancellationToken;

use crate::kubernetes::webhook_configuration::{Drift, drift};
use crate::metrics::Metrics;

const EVERY: Duration = Duration::from_secs(30);

/// Looks until `stop`.
pub async fn run(
    client: kube::Client,
    name: String,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) -> &'static str {
    let configurations: Api<MutatingWebhookConfiguration> = Api::all(client);
    let mut told: Vec<Drift> = Vec::new();
    let mut looks = tokio::time::interval(EVERY);
    let work = async {
        loop {
            looks.tick().await;
            // What cannot be read is not known to have changed; whoever keeps the certificate tells of it.
            let Ok(configuration) = configurations.get_opt(&name).await else { continue };
            let found = drift(configuration.as_ref());
            for kind in Drift::ALL {
                metrics.cluster().webhook_drift(kind.as_str(), found.contains(&kind));
            }
            for kind in found.iter().filter(|kind| !told.contains(kind)) {
                let (field, cure) = (kind.as_str(), kind.cure());
                tracing::warn!(configuration = name, field, cure, "the webhook configuration was changed");
            }
            told = found;
        }
    };
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
    "webhook configuration watch"
}
