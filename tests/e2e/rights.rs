//! Both processes with the rights that the manifest gives them, and no other: everything they do, they may do.

use std::path::Path;
use std::sync::Arc;

use eco_pulse::app::{App, Kubernetes, Options, Role};
use eco_pulse::catalogue::Catalogue;
use eco_pulse::config::Config;
use eco_pulse::kubernetes::cluster::ClusterView;
use eco_pulse::kubernetes::policies::PlacementPolicy;
use k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Event, Secret, ServiceAccount};
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::GroupVersionKind;
use kube::discovery::pinned_kind;
use serde_json::{Value, json};

use crate::cluster::{Cluster, deployment, eventually};
use crate::eco_pulse::{CONFIG, configuration, in_force};
use crate::policies::install;
use crate::redis::RedisServer;

const OWN: &str = "eco-pulse";
/// What says who may do what, and what that needs.
const KINDS: [&str; 6] =
    ["Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];

/// Installs the rights as they are shipped.
async fn install_rights(cluster: &Cluster) {
    for document in include_str!("../../deploy/eco-pulse.yaml").split("\n---") {
        let document = document.strip_prefix("---").unwrap_or(document);
        let object: Value = serde_saphyr::from_str(document).unwrap();
        let Some(kind) = object["kind"].as_str().filter(|kind| KINDS.contains(kind)) else { continue };
        let of = object["apiVersion"].as_str().unwrap();
        let (group, version) = of.split_once('/').unwrap_or(("", of));
        let (resource, _) =
            pinned_kind(&cluster.client, &GroupVersionKind::gvk(group, version, kind)).await.unwrap();
        let api: Api<DynamicObject> = match object["metadata"]["namespace"].as_str() {
            Some(namespace) => Api::namespaced_with(cluster.client.clone(), namespace, &resource),
            None => Api::all_with(cluster.client.clone(), &resource),
        };
        let name = object["metadata"]["name"].as_str().unwrap();
        api.patch(name, &PatchParams::apply("e2e").force(), &Patch::Apply(&object)).await.unwrap();
    }
}

/// A client with the rights of a service account alone.
async fn client_of(cluster: &Cluster, account: &str) -> kube::Client {
    let accounts: Api<ServiceAccount> = cluster.api(OWN);
    let request = TokenRequest { spec: Some(TokenRequestSpec::default()), ..TokenRequest::default() };
    let granted = accounts.create_token_request(account, &PostParams::default(), &request).await.unwrap();
    let mut file = Kubeconfig::read_from(&cluster.plane.kubeconfig).unwrap();
    let user = file.auth_infos[0].auth_info.as_mut().unwrap();
    user.token = Some(granted.status.unwrap().token.unwrap().into());
    let config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
    kube::Client::try_from(config).unwrap()
}

fn start(role: Role, client: kube::Client, config: &str, cert_dir: Option<&Path>) -> App {
    let catalogue = Arc::new(Catalogue::built_in().unwrap());
    let kubernetes =
        Kubernetes { canary_namespace: Some("eco-pulse-canary".to_owned()), ..Kubernetes::new(client, OWN) };
    App::start(Options {
        cert_dir: cert_dir.map(Path::to_owned),
        cluster: ClusterView::pending(OWN),
        kubernetes: Some(kubernetes),
        replica: format!("{role:?}"),
        role,
        ..Options::new(Config::parse(config, &*catalogue).unwrap(), catalogue)
    })
    .unwrap()
}

async fn ready(app: &App) {
    eventually("readiness", async || {
        let report = app.readiness().report();
        (report.ready && report.degraded.is_empty()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn controller_and_webhook_do_all_they_do_with_the_rights_that_are_shipped() {
    let Some(cluster) = Cluster::get().await else { return };
    let Some(redis) = RedisServer::start() else { return };
    install(&cluster).await;
    install_rights(&cluster).await;
    cluster.namespace("least", json!({})).await;
    let config = format!(
        "{CONFIG}store: {{redis: {{url: 'redis://127.0.0.1:{}'}}}}\ntls: {{mode: managed, hosts: [127.0.0.1]}}\n",
        redis.port
    );
    let mounted = tempfile::tempdir().unwrap();
    let webhook =
        start(Role::Webhook, client_of(&cluster, "eco-pulse-webhook").await, &config, Some(mounted.path()));
    // Named as shipped, for one namespace and by URL.
    let url = format!("https://{}/mutate", webhook.webhook_addr().unwrap());
    let mut shipped = configuration("least", &json!({ "url": url }));
    shipped["metadata"]["name"] = json!("eco-pulse");
    let configurations: Api<MutatingWebhookConfiguration> = Api::all(cluster.client.clone());
    configurations.create(&PostParams::default(), &serde_json::from_value(shipped).unwrap()).await.unwrap();
    let controller =
        start(Role::Controller, client_of(&cluster, "eco-pulse-controller").await, &config, None);

    // As kubelet does: the pair, and nothing else of the Secret.
    let secrets: Api<Secret> = cluster.api(OWN);
    let pair = eventually("the certificate", async || {
        let data = secrets.get_opt("eco-pulse-tls").await.unwrap()?.data?;
        data.get("tls.crt").is_some_and(|leaf| !leaf.0.is_empty()).then_some(data)
    })
    .await;
    for part in ["tls.crt", "tls.key"] {
        std::fs::write(mounted.path().join(part), &pair[part].0).unwrap();
    }
    ready(&controller).await;
    ready(&webhook).await;
    in_force(&cluster, "least").await;

    let policies: Api<PlacementPolicy> = cluster.api("least");
    let policy = json!({ "metadata": { "name": "fine" }, "spec": { "forbiddenRegions": ["us-east-1"] } });
    policies.create(&PostParams::default(), &serde_json::from_value(policy).unwrap()).await.unwrap();
    cluster.create::<Deployment>("least", deployment("web", 2)).await;
    cluster.bound("least", "web", 2).await;
    let events: Api<Event> = cluster.api("least");
    let told = ListParams::default().fields("reason=Steered");
    let event = eventually("an Event", async || events.list(&told).await.ok()?.items.pop()).await;
    assert_eq!(event.involved_object.kind.as_deref(), Some("Deployment"), "it may look up a ReplicaSet");
    eventually("a status", async || {
        policies.get("fine").await.unwrap().status.filter(|s| s.pods_matched == 2)
    })
    .await;
    let scrape = async |what: &str| {
        let addr = controller.admin_addr();
        let text = reqwest::get(format!("http://{addr}/metrics")).await.unwrap().text().await.unwrap();
        text.lines().any(|line| line.starts_with(what) && !line.ends_with(" 0"))
    };
    eventually("a canary that may be sent", async || {
        (scrape("eco_pulse_canary_total{result=\"unanswered\"}").await
            || scrape("eco_pulse_canary_total{result=\"decided\"}").await)
            .then_some(())
    })
    .await;
    for refused in [
        "eco_pulse_canary_total{result=\"refused\"}",
        "eco_pulse_events_total{result=\"failed\"}",
        "eco_pulse_certificate_steps_total{result=\"failed\"}",
    ] {
        assert!(!scrape(refused).await, "{refused}");
    }
}
