//! A certificate that the controller keeps in a Secret and renews: no call fails while everything about it changes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;

use crate::cluster::{Cluster, eventually, pod_template};
use crate::eco_pulse::{CONFIG, EcoPulse, configuration, in_force};

const SECRET: &str = "eco-pulse-tls";

/// The certificates and keys in the Secret, by name.
async fn parts(secrets: &Api<Secret>) -> Option<std::collections::BTreeMap<String, ByteString>> {
    let data = secrets.get_opt(SECRET).await.unwrap()?.data?;
    data.get("tls.crt").is_some_and(|leaf| !leaf.0.is_empty()).then_some(data)
}

/// What a test of certificates works on.
struct Managed {
    cluster: Cluster,
    eco_pulse: EcoPulse,
    secrets: Api<Secret>,
    configurations: Api<MutatingWebhookConfiguration>,
    /// The webhook configuration's name.
    name: String,
}

/// An Eco-Pulse that keeps its certificate in namespace `own` and serves another one, as installed: no caBundle, and no
/// Secret. The API server reaches the webhook by an address here.
async fn managed(own: &str, namespace: &str) -> Option<Managed> {
    let cluster = Cluster::get().await?;
    cluster.namespace(own, json!({})).await;
    cluster.namespace(namespace, json!({})).await;
    let configurations: Api<MutatingWebhookConfiguration> = Api::all(cluster.client.clone());
    let name = format!("eco-pulse-{namespace}");
    let config = format!("{CONFIG}tls: {{mode: managed, hosts: [127.0.0.1]}}\n");
    let eco_pulse = EcoPulse::start_managed(&cluster, own, &name, &config, async |addr| {
        let shipped = configuration(namespace, &json!({ "url": format!("https://{addr}/mutate") }));
        configurations
            .create(&PostParams::default(), &serde_json::from_value(shipped).unwrap())
            .await
            .unwrap();
    })
    .await;
    eco_pulse.knows(namespace).await;
    in_force(&cluster, namespace).await;
    let secrets = cluster.api(own);
    Some(Managed { cluster, eco_pulse, secrets, configurations, name })
}

#[tokio::test(flavor = "multi_thread")]
async fn leaf_and_authority_are_changed_under_load_with_no_failed_call() {
    let namespace = "rotating";
    let Some(managed) = managed("keeps-certificate", namespace).await else { return };
    let Managed { cluster, eco_pulse: _running, secrets, configurations, name } = managed;

    // Calls without end, each of which has to come back marked: an unmarked one is a call that failed.
    let stop = Arc::new(AtomicBool::new(false));
    let (calls, unmarked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let load: Vec<_> = (0..2)
        .map(|_| {
            let (stop, calls, unmarked) = (stop.clone(), calls.clone(), unmarked.clone());
            let pods: Api<Pod> = cluster.api(namespace);
            tokio::spawn(async move {
                let mut probe = pod_template("probe");
                probe["metadata"]["generateName"] = json!("probe-");
                let rehearsal = PostParams { dry_run: true, ..PostParams::default() };
                let probe: Pod = serde_json::from_value(probe).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let pod = pods.create(&rehearsal, &probe).await.unwrap();
                    let marked = pod.metadata.labels.unwrap().contains_key("eco-pulse.io/decision");
                    calls.fetch_add(1, Ordering::Relaxed);
                    unmarked.fetch_add(usize::from(!marked), Ordering::Relaxed);
                }
            })
        })
        .collect();

    let mut leaves = BTreeSet::new();
    let first = eventually("a leaf", async || parts(&secrets).await).await;
    leaves.insert(first["tls.crt"].0.clone());
    for what in ["leaf", "authority"] {
        let before = parts(&secrets).await.unwrap();
        let ask = json!({ "metadata": { "annotations": { "eco-pulse.io/renew": what } } });
        secrets.patch(SECRET, &PatchParams::default(), &Patch::Merge(&ask)).await.unwrap();
        let after = eventually("another leaf", async || {
            let now = parts(&secrets).await?;
            (now["tls.crt"] != before["tls.crt"]).then_some(now)
        })
        .await;
        assert_eq!(after["ca.crt"] != before["ca.crt"], what == "authority");
        leaves.insert(after["tls.crt"].0.clone());
        let asked = secrets.get_metadata(SECRET).await.unwrap().metadata.annotations.unwrap_or_default();
        assert!(!asked.contains_key("eco-pulse.io/renew"), "done once");
        let published = configurations.get(&name).await.unwrap().webhooks.unwrap().remove(0);
        let bundle = published.client_config.ca_bundle.unwrap();
        assert!(
            bundle.0.starts_with(&after["ca.crt"].0[..64.min(after["ca.crt"].0.len())]),
            "{what}: the newest first"
        );
        // Some more calls on what is in use now, on new connections as on old ones.
        let so_far = calls.load(Ordering::Relaxed);
        eventually("calls", async || (calls.load(Ordering::Relaxed) > so_far + 20).then_some(())).await;
    }
    stop.store(true, Ordering::Relaxed);
    for task in load {
        task.await.unwrap();
    }
    println!("{} calls over {} leaves", calls.load(Ordering::Relaxed), leaves.len());
    assert_eq!(leaves.len(), 3);
    assert_eq!(unmarked.load(Ordering::Relaxed), 0, "of {}", calls.load(Ordering::Relaxed));
}

/// What people do to Secrets and webhook configurations is put right, or told of.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_pair_and_an_edited_bundle_are_put_right_and_other_edits_are_told_of() {
    let namespace = "mending";
    let Some(managed) = managed("mends-certificate", namespace).await else { return };
    let Managed { cluster, eco_pulse, secrets, configurations, name } = managed;

    let before = parts(&secrets).await.unwrap();
    let half = json!({ "data": { "tls.key": ByteString(b"half a key".to_vec()) } });
    secrets.patch(SECRET, &PatchParams::default(), &Patch::Merge(&half)).await.unwrap();
    eventually("a whole pair", async || {
        let now = parts(&secrets).await?;
        (now["tls.crt"] != before["tls.crt"] && now["tls.key"].0.starts_with(b"-----BEGIN")).then_some(())
    })
    .await;
    in_force(&cluster, namespace).await;

    let edited = json!([
        { "op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": before["tls.crt"] },
        { "op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Fail" },
    ]);
    let edited: Patch<()> = Patch::Json(serde_json::from_value(edited).unwrap());
    configurations.patch(&name, &PatchParams::default(), &edited).await.unwrap();
    eventually("the bundle", async || {
        let webhook = configurations.get(&name).await.unwrap().webhooks.unwrap().remove(0);
        (webhook.client_config.ca_bundle.unwrap() != before["tls.crt"]).then_some(())
    })
    .await;
    eventually("the edit in the metrics", async || {
        let url = format!("http://{}/metrics", eco_pulse.app.admin_addr());
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        text.contains("eco_pulse_webhook_configuration_drift{field=\"failure_policy\"} 1").then_some(())
    })
    .await;
    let webhook = configurations.get(&name).await.unwrap().webhooks.unwrap().remove(0);
    assert_eq!(webhook.failure_policy.as_deref(), Some("Fail"), "an operator may have had a reason");
}
