//! The committed manifest on a real API server: every object is taken as it stands.

use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use kube::discovery::pinned_kind;
use serde_json::Value;

use crate::cluster::Cluster;

/// Objects as `kubectl apply` would send them, but for namespaces, which the others need, as a rehearsal: installed, the
/// webhook would be asked about the pods of all other tests.
#[tokio::test(flavor = "multi_thread")]
async fn every_object_of_the_manifest_is_accepted() {
    let Some(cluster) = Cluster::get().await else { return };
    let text = include_str!("../../deploy/eco-pulse.yaml");
    let mut taken = 0;
    for document in text.split("\n---") {
        let document = document.strip_prefix("---").unwrap_or(document);
        let object: Value = serde_saphyr::from_str(document).unwrap();
        if object.is_null() {
            continue;
        }
        let (group, version) = {
            let of = object["apiVersion"].as_str().unwrap();
            of.split_once('/').unwrap_or(("", of))
        };
        let kind = object["kind"].as_str().unwrap();
        let (resource, capabilities) =
            pinned_kind(&cluster.client, &GroupVersionKind::gvk(group, version, kind)).await.unwrap();
        let api: Api<DynamicObject> = match object["metadata"]["namespace"].as_str() {
            Some(namespace) => Api::namespaced_with(cluster.client.clone(), namespace, &resource),
            None => Api::all_with(cluster.client.clone(), &resource),
        };
        let namespaced = capabilities.scope == kube::discovery::Scope::Namespaced;
        assert_eq!(namespaced, object["metadata"]["namespace"].is_string(), "{kind}");
        let name = object["metadata"]["name"].as_str().unwrap();
        let parameters = PatchParams {
            dry_run: kind != "Namespace",
            field_validation: Some(kube::api::ValidationDirective::Strict),
            ..PatchParams::apply("kubectl").force()
        };
        let applied = api.patch(name, &parameters, &Patch::Apply(&object)).await;
        applied.unwrap_or_else(|error| panic!("{kind} {name}: {error}"));
        taken += 1;
    }
    assert!(taken > 20, "{taken}");
}
