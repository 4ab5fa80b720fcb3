//! What people and operators are told: Events on workloads, and whether the API server asks Eco-Pulse at all.

use eco_pulse::cluster::canary::{Answered, send};
use eco_pulse::tls::issue;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::json;

use crate::cluster::{Cluster, deployment, eventually};
use crate::eco_pulse::{CONFIG, EcoPulse, in_force};

#[tokio::test(flavor = "multi_thread")]
async fn the_deployment_of_steered_pods_has_one_event_that_says_where_and_what_for() {
    let Some(cluster) = Cluster::get().await else { return };
    cluster.namespace("told", json!({})).await;
    let eco_pulse = EcoPulse::start(&cluster, CONFIG).await;
    eco_pulse.knows("told").await;
    eco_pulse.serve_namespace(&cluster, "told").await;
    in_force(&cluster, "told").await;
    cluster.create::<Deployment>("told", deployment("web", 5)).await;
    cluster.bound("told", "web", 5).await;
    let events: Api<Event> = cluster.api("told");
    let ours = ListParams::default().fields("reason=Steered");
    let event = eventually("an Event", async || events.list(&ours).await.ok()?.items.pop()).await;
    let about = event.involved_object;
    assert_eq!((about.kind.as_deref(), about.name.as_deref()), (Some("Deployment"), Some("web")));
    let deployed = cluster.api::<Deployment>("told").get("web").await.unwrap();
    assert_eq!(about.uid, deployed.metadata.uid, "kubectl describe looks by it");
    let message = event.message.unwrap();
    assert!(message.starts_with("Pods prefer region eu-north-1 over us-east-1; projected "), "{message}");
    assert!(message.contains("kg CO2e avoided a pod"), "{message}");
    assert_eq!(
        events.list(&ours).await.unwrap().items.len(),
        1,
        "one for five pods; none for the rehearsed probe"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsed_pod_tells_whether_it_was_seen_in_every_mode() {
    let Some(cluster) = Cluster::get().await else { return };
    for (namespace, mode, expected) in [
        ("canary-steer", "steer", Answered::Decided),
        ("canary-shadow", "shadow", Answered::Seen),
        ("canary-off", "off", Answered::Seen),
    ] {
        cluster.namespace(namespace, json!({})).await;
        let eco_pulse = EcoPulse::start(&cluster, &format!("mode: {mode}\n{CONFIG}")).await;
        eco_pulse.knows(namespace).await;
        let pods: Api<Pod> = cluster.api(namespace);
        assert_eq!(send(&pods).await.0, Answered::Unanswered, "nobody has told the API server of us yet");
        eco_pulse.serve_namespace(&cluster, namespace).await;
        eventually("an answer", async || (send(&pods).await.0 == expected).then_some(())).await;
        // It was a rehearsal.
        assert!(pods.list(&ListParams::default()).await.unwrap().items.is_empty());
    }
}

/// The API server cannot trust us any more, lets the pod through, and tells nobody but the pod.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_ca_bundle_shows_in_the_canary_alone() {
    let Some(cluster) = Cluster::get().await else { return };
    cluster.namespace("wrong-bundle", json!({})).await;
    let eco_pulse = EcoPulse::start(&cluster, CONFIG).await;
    eco_pulse.knows("wrong-bundle").await;
    eco_pulse.serve_namespace(&cluster, "wrong-bundle").await;
    let pods: Api<Pod> = cluster.api("wrong-bundle");
    eventually("an answer", async || (send(&pods).await.0 == Answered::Decided).then_some(())).await;

    let others = issue(&["127.0.0.1".parse().unwrap()], eco_pulse::clock::Clock::system().now()).unwrap();
    let configurations: Api<MutatingWebhookConfiguration> = Api::all(cluster.client.clone());
    let bundle = ByteString(others.authority_pem().as_bytes().to_vec());
    let wrong = json!([{ "op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": bundle }]);
    let wrong: Patch<()> = Patch::Json(serde_json::from_value(wrong).unwrap());
    configurations.patch("eco-pulse-wrong-bundle", &PatchParams::default(), &wrong).await.unwrap();
    eventually("no answer any more", async || (send(&pods).await.0 == Answered::Unanswered).then_some(()))
        .await;

    let missing: Api<Pod> = cluster.api("not-there");
    assert_eq!(send(&missing).await.0, Answered::Refused);
}
