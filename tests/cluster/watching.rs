//! What comes and goes in the cluster is known a moment later; what cannot be read, or reached, takes nothing else away.

use eco_pulse::kubernetes::affinity::REGION;
use eco_pulse::kubernetes::cluster::{ClusterView, NamespaceView};
use http::StatusCode;
use serde_json::json;

use crate::rig::{
    CLAIMS, CLUSTER_POLICIES, NAMESPACES, NODES, POLICIES, Rig, VOLUMES, namespace, node, server,
};

fn region_of(view: &ClusterView, name: &str) -> Option<String> {
    view.nodes.known()?.region_of(name).map(ToString::to_string)
}

fn node_count(view: &ClusterView) -> usize {
    view.nodes.known().map_or(0, |nodes| nodes.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_come_change_and_go() {
    let rig = Rig::watch(server());
    rig.complete().await;
    assert_eq!(node_count(&rig.view()), 0);
    rig.server.put(NODES, node("a", "us-east-1"));
    rig.wait_for("a is known", |view| region_of(view, "a").as_deref() == Some("us-east-1")).await;
    rig.server.put(NODES, node("a", "eu-north-1"));
    rig.wait_for("a has moved", |view| region_of(view, "a").as_deref() == Some("eu-north-1")).await;
    rig.server.remove(NODES, "a");
    rig.wait_for("a is gone", |view| region_of(view, "a").is_none()).await;
    assert!(rig.readiness.report().ready);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaces_say_who_opted_out_and_where_data_may_be() {
    let rig = Rig::watch(server());
    rig.server.put(NAMESPACES, namespace("out", &json!({ "eco-pulse.io/inject": "disabled" }), &json!({})));
    rig.server.put(
        NAMESPACES,
        namespace("eu", &json!({}), &json!({ "eco-pulse.io/allowed-regions": "eu-west-1" })),
    );
    rig.wait_for("both are known", |view| view.namespaces.known().is_some_and(|known| known.len() == 2))
        .await;
    let view = rig.view();
    assert!(matches!(view.namespace("out"), NamespaceView::Known(facts) if facts.opted_out));
    let NamespaceView::Known(facts) = view.namespace("eu") else { panic!("eu is not known") };
    assert_eq!((facts.opted_out, facts.allowed_regions.as_deref()), (false, Some("eu-west-1")));
    assert!(matches!(view.namespace("other"), NamespaceView::Unknown));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_lead_to_volumes_once_they_are_bound() {
    let rig = Rig::watch(server());
    rig.server.put(CLAIMS, json!({ "metadata": { "namespace": "n", "name": "c" }, "spec": {} }));
    rig.server.put(VOLUMES, json!({ "metadata": { "name": "v" }, "spec": {} }));
    let volume_of_claim = |view: &ClusterView| -> Option<Option<String>> {
        Some(view.claims.known()?.get("n/c")?.as_ref().map(ToString::to_string))
    };
    rig.wait_for("the claim is known", |view| volume_of_claim(view) == Some(None)).await;
    rig.server
        .put(CLAIMS, json!({ "metadata": { "namespace": "n", "name": "c" }, "spec": { "volumeName": "v" } }));
    rig.wait_for("the claim is bound", |view| volume_of_claim(view) == Some(Some("v".to_owned()))).await;
    rig.wait_for("the volume is known", |view| view.volumes.known().is_some_and(|all| all.contains_key("v")))
        .await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_skipped_and_counted_in_a_list_and_in_a_watch() {
    let server = server();
    server.put(NODES, json!({ "metadata": { "name": "broken" }, "spec": 5 }));
    server.put(NODES, node("good", "us-east-1"));
    let rig = Rig::watch(server);
    rig.wait_for("the good one is known", |view| region_of(view, "good").is_some()).await;
    assert_eq!(rig.metric("eco_pulse_cluster_objects_skipped_total", "nodes"), 1.0);
    assert_eq!(rig.metric("eco_pulse_cluster_objects", "nodes"), 1.0);
    let mut no_amount = node("good", "us-east-1");
    no_amount["status"]["allocatable"]["cpu"] = json!("lots");
    rig.server.put(NODES, no_amount);
    rig.wait_for("it is not known any more", |view| region_of(view, "good").is_none()).await;
    assert_eq!(rig.metric("eco_pulse_cluster_objects_skipped_total", "nodes"), 2.0);
    rig.server.put(NODES, node("good", "us-east-1"));
    rig.wait_for("it is known again", |view| region_of(view, "good").is_some()).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_with_old_labels_or_none_or_very_many_are_all_taken() {
    let server = server();
    let mut old = node("old", "x");
    old["metadata"]["labels"] = json!({ "failure-domain.beta.kubernetes.io/region": "us-east-1" });
    let mut none = node("none", "x");
    none["metadata"]["labels"] = json!(null);
    let mut many = node("many", "eu-west-1");
    for number in 0..300 {
        many["metadata"]["labels"][format!("key-{number}")] = json!(format!("value-{number}"));
    }
    server.put_all(NODES, [old, none, many]);
    let rig = Rig::watch(server);
    rig.complete().await;
    let view = rig.view();
    assert_eq!(region_of(&view, "old").as_deref(), Some("us-east-1"));
    assert_eq!(region_of(&view, "many").as_deref(), Some("eu-west-1"));
    assert_eq!(region_of(&view, "none"), None);
    assert_eq!(rig.metric("eco_pulse_cluster_objects", "nodes"), 3.0);
    assert_eq!(rig.metric("eco_pulse_cluster_objects_skipped_total", "nodes"), 0.0);
    rig.stop().await;
}

/// An API server that is not there at the start, comes, goes and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_is_away_takes_nothing_away_and_is_found_again() {
    let mut server = server();
    server.put(NODES, node("a", "us-east-1"));
    server.stop();
    let mut rig = Rig::watch(server);
    while rig.metric("eco_pulse_cluster_watch_errors_total", "nodes") < 1.0 {
        tokio::task::yield_now().await;
    }
    assert!(rig.view().nodes.is_pending());
    assert!(!rig.readiness.report().ready);
    rig.server.start_again();
    rig.complete().await;
    rig.wait_for("a is known", |view| region_of(view, "a").is_some()).await;
    assert!(rig.readiness.report().ready);

    let errors = rig.metric("eco_pulse_cluster_watch_errors_total", "nodes");
    rig.server.stop();
    while rig.metric("eco_pulse_cluster_watch_errors_total", "nodes") <= errors {
        tokio::task::yield_now().await;
    }
    assert_eq!(region_of(&rig.view(), "a").as_deref(), Some("us-east-1"), "what was known stays known");
    // What happened meanwhile is not in its log any more: it has to be listed.
    rig.server.put(NODES, node("b", "eu-north-1"));
    rig.server.remove(NODES, "a");
    rig.server.compact();
    rig.server.start_again();
    rig.wait_for("b is known and a is gone", |view| {
        region_of(view, "b").is_some() && region_of(view, "a").is_none()
    })
    .await;
    rig.stop().await;
}

/// One kind that may not be read keeps no other from being known.
#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_may_not_be_read_is_missing_alone() {
    let server = server();
    server.refuse(VOLUMES, StatusCode::FORBIDDEN);
    let rig = Rig::watch(server);
    rig.wait_for("the others are known", |view| {
        view.nodes.known().is_some() && view.namespaces.known().is_some() && view.claims.known().is_some()
    })
    .await;
    assert!(rig.view().volumes.is_pending());
    rig.waits_for(&["persistentvolumes"]).await;
    assert_eq!(rig.metric("eco_pulse_cluster_synced", "persistentvolumes"), 0.0);
    rig.stop().await;
}

fn policy(namespace: &str, name: &str, spec: &serde_json::Value) -> serde_json::Value {
    json!({ "metadata": { "namespace": namespace, "name": name }, "spec": spec })
}

fn policy_count(view: &ClusterView) -> Option<usize> {
    view.policies.known().map(|book| book.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_of_both_kinds_are_one_book() {
    let rig = Rig::watch(server());
    rig.complete().await;
    assert_eq!(policy_count(&rig.view()), Some(0));
    rig.server.put(POLICIES, policy("n", "a", &json!({ "mode": "shadow" })));
    rig.server.put(CLUSTER_POLICIES, json!({ "metadata": { "name": "c" }, "spec": { "mode": "off" } }));
    rig.wait_for("both are in it", |view| policy_count(view) == Some(2)).await;
    // One that cannot be read is counted, and known to be there.
    rig.server.put(POLICIES, policy("n", "b", &json!({ "mode": "faster" })));
    rig.wait_for("it is known to be unreadable", |view| {
        let book = view.policies.known().unwrap();
        book.has_unreadable("n") && !book.has_unreadable("m")
    })
    .await;
    assert_eq!(rig.metric("eco_pulse_cluster_objects_skipped_total", "placementpolicies"), 1.0);
    rig.server.remove(CLUSTER_POLICIES, "c");
    rig.wait_for("it is out of it", |view| policy_count(view) == Some(1)).await;
    rig.stop().await;
}

/// A cluster without the definitions has no policies; it is not one whose policies are not known yet.
#[tokio::test(flavor = "multi_thread")]
async fn without_their_definitions_there_are_no_policies() {
    let rig = Rig::watch(crate::api_server::ApiServer::start(&[NODES, NAMESPACES, CLAIMS, VOLUMES]));
    rig.complete().await;
    assert_eq!(policy_count(&rig.view()), Some(0));
    assert!(rig.readiness.report().ready);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_topology_key_groups_the_nodes_anew() {
    let server = server();
    let mut both = node("a", "us-east-1");
    both["metadata"]["labels"]["site"] = json!("cellar");
    server.put(NODES, both);
    let rig = Rig::watch(server);
    rig.wait_for("by region", |view| region_of(view, "a").as_deref() == Some("us-east-1")).await;
    rig.topology_key.send_replace("site".into());
    rig.wait_for("by site", |view| region_of(view, "a").as_deref() == Some("cellar")).await;
    rig.topology_key.send_replace(REGION.into());
    rig.wait_for("by region again", |view| region_of(view, "a").as_deref() == Some("us-east-1")).await;
    rig.stop().await;
}
