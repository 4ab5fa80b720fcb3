//! Once a minute, a pod that is only rehearsed goes through the real API server, and tells whether Eco-Pulse was asked
//! about it: a wrong `caBundle`, a selector that leaves everything out or a cut network never reach us, and so show
//! nowhere else.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, ResourceRequirements, SecurityContext};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::api::{Api, ObjectMeta, PostParams};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::kubernetes::annotations::{CANARY, CANARY_ANSWERED, CANARY_ASKS, DECISION};
use crate::metrics::Metrics;

const EVERY: Duration = Duration::from_mins(1);
/// The API server's own patience with webhooks, and some more.
const PATIENCE: Duration = Duration::from_secs(20);
const NAME: &str = "eco-pulse-canary";

/// How a rehearsed pod came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// With a decision on it.
    Decided,
    /// Seen, and left alone: nothing is known yet, or the mode changes no pod.
    Seen,
    /// As it was sent: nobody asked us.
    Unanswered,
    /// Not at all: the API server refused it or did not answer.
    Refused,
}

impl Answered {
    /// Every way.
    pub const ALL: [Self; 4] = [Self::Decided, Self::Seen, Self::Unanswered, Self::Refused];

    /// The result as it stands in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Seen => "seen",
            Self::Unanswered => "unanswered",
            Self::Refused => "refused",
        }
    }

    /// How a pod came back.
    #[must_use]
    pub fn of(pod: &Pod) -> Self {
        let annotation = pod.metadata.annotations.as_ref().and_then(|all| all.get(CANARY));
        let decided = pod.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(DECISION));
        match annotation.map(String::as_str) {
            Some(CANARY_ANSWERED) if decided => Self::Decided,
            Some(CANARY_ANSWERED) => Self::Seen,
            _ => Self::Unanswered,
        }
    }
}

/// Sends pods into a namespace until `stop`.
pub async fn run(
    client: kube::Client,
    namespace: String,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) -> &'static str {
    let pods: Api<Pod> = Api::namespaced(client, &namespace);
    let mut pauses = tokio::time::interval(EVERY);
    pauses.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = None;
    metrics.cluster().rehearsing(Answered::ALL.map(Answered::as_str));
    let work = async {
        loop {
            pauses.tick().await;
            let (answered, problem) = send(&pods).await;
            metrics.cluster().canary(answered.as_str());
            if last.replace(answered) != Some(answered) {
                tell(answered, &problem, &namespace);
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
    "canary"
}

/// Sends one pod.
pub async fn send(pods: &Api<Pod>) -> (Answered, String) {
    let rehearsal = PostParams { dry_run: true, ..PostParams::default() };
    match tokio::time::timeout(PATIENCE, pods.create(&rehearsal, &pod())).await {
        Ok(Ok(pod)) => (Answered::of(&pod), String::new()),
        Ok(Err(error)) => (Answered::Refused, error.to_string()),
        Err(_) => (Answered::Refused, format!("no answer within {PATIENCE:?}")),
    }
}

/// Once, when it changes.
fn tell(answered: Answered, problem: &str, namespace: &str) {
    match answered {
        Answered::Decided | Answered::Seen => {
            tracing::info!(answered = answered.as_str(), "the API server asks Eco-Pulse about pods");
        }
        Answered::Unanswered => tracing::warn!(
            namespace,
            "the API server does not ask Eco-Pulse about pods: see the webhook configuration's caBundle, service and \
             selectors, and the way from the API server to the webhook's port"
        ),
        Answered::Refused => tracing::warn!(
            namespace,
            problem,
            "a rehearsed pod was refused: the namespace has to exist, and the service account may create pods there"
        ),
    }
}

/// A pod as restricted namespaces let it in. It never runs.
fn pod() -> Pod {
    let amounts = [("cpu", "100m"), ("memory", "64Mi")];
    let requests = amounts.map(|(name, amount)| (name.to_owned(), Quantity(amount.to_owned()))).into();
    let security: SecurityContext = SecurityContext {
        allow_privilege_escalation: Some(false),
        capabilities: Some(k8s_openapi::api::core::v1::Capabilities {
            drop: Some(vec!["ALL".to_owned()]),
            ..Default::default()
        }),
        run_as_non_root: Some(true),
        seccomp_profile: Some(k8s_openapi::api::core::v1::SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            ..Default::default()
        }),
        ..SecurityContext::default()
    };
    Pod {
        metadata: ObjectMeta {
            generate_name: Some(format!("{NAME}-")),
            annotations: Some([(CANARY.to_owned(), CANARY_ASKS.to_owned())].into()),
            ..ObjectMeta::default()
        },
        spec: Some(PodSpec {
            containers: vec![Container {
                name: "canary".to_owned(),
                image: Some("registry.k8s.io/pause:3.10".to_owned()),
                resources: Some(ResourceRequirements {
                    requests: Some(requests),
                    ..ResourceRequirements::default()
                }),
                security_context: Some(security),
                ..Container::default()
            }],
            automount_service_account_token: Some(false),
            ..PodSpec::default()
        }),
        status: None,
    }
}
