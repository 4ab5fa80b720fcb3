//! Expected requests are worked out by hand in the comments, in cores and Mi.

mod defaults;
mod devices;
mod one_pass;

use std::borrow::Cow;

use super::{ContainerRequests, PodResources, ResourceList, ResourceRequirements, effective_requests};
use crate::domain::quantity::Quantity;

/// Written as in a manifest: `{cpu: 100m, memory: 64Mi}`.
fn list(yaml: &str) -> ResourceList<'static> {
    let list: ResourceList<'_> = serde_saphyr::from_str(yaml).unwrap();
    list.into_iter().map(|(name, amount)| (name.into_owned(), amount)).collect()
}

fn container(requests: &str) -> ContainerRequests<'static> {
    limited(requests, "{}")
}

fn limited(requests: &str, limits: &str) -> ContainerRequests<'static> {
    ContainerRequests {
        resources: ResourceRequirements { requests: list(requests), limits: list(limits) },
        sidecar: false,
    }
}

fn sidecar(requests: &str) -> ContainerRequests<'static> {
    ContainerRequests { sidecar: true, ..container(requests) }
}

fn pod(containers: &[ContainerRequests<'static>]) -> PodResources<'static> {
    PodResources { containers: containers.to_vec(), ..PodResources::default() }
}

fn pod_with_init(
    init_containers: &[ContainerRequests<'static>],
    containers: &[ContainerRequests<'static>],
) -> PodResources<'static> {
    PodResources { init_containers: init_containers.to_vec(), ..pod(containers) }
}

#[track_caller]
fn asks_for(pod: &PodResources<'_>, expected: &str) {
    assert_eq!(effective_requests(pod), list(expected));
}

#[test]
fn containers_add_up() {
    let pod = pod(&[container("{cpu: 500m, memory: 128Mi}"), container("{cpu: 1500m, nvidia.com/gpu: 1}")]);
    asks_for(&pod, "{cpu: 2, memory: 128Mi, nvidia.com/gpu: 1}");
}

#[test]
fn a_pod_without_requests_asks_for_nothing() {
    assert!(effective_requests(&pod(&[container("{}")])).is_empty());
    assert!(effective_requests(&PodResources::default()).is_empty());
}

#[test]
fn a_resource_listed_at_zero_stays_listed() {
    asks_for(&pod(&[container("{cpu: 0}")]), "{cpu: 0}");
    assert_ne!(list("{cpu: 0}"), list("{}"));
}

#[test]
fn limits_do_not_count() {
    asks_for(&pod(&[limited("{cpu: 1}", "{cpu: 2, memory: 1Gi}")]), "{cpu: 1}");
}

#[test]
fn an_init_container_counts_only_where_it_needs_more_than_all_containers() {
    // cpu: max(2 x 500m, 700m) = 1; memory: max(2 x 100Mi, 1Gi) = 1Gi
    let containers = [container("{cpu: 500m, memory: 100Mi}"), container("{cpu: 500m, memory: 100Mi}")];
    let pod = pod_with_init(&[container("{cpu: 700m, memory: 1Gi}")], &containers);
    asks_for(&pod, "{cpu: 1, memory: 1Gi}");
}

#[test]
fn init_containers_do_not_add_up() {
    let init = [container("{cpu: 2}"), container("{cpu: 3}"), container("{cpu: 1, memory: 1Gi}")];
    asks_for(&pod_with_init(&init, &[container("{cpu: 1}")]), "{cpu: 3, memory: 1Gi}");
}

/// The pod that Kubernetes 1.36.2 sent as `sidecars`:
///
/// | | cpu | memory |
/// |---|---|---|
/// | app + helper + sidecar mesh, running together | 1 + 300m + 100m = 1400m | 2048 + 512 + 64 = 2624Mi |
/// | init `fetch`, before the sidecar | 4 | 256Mi |
/// | init `mesh`, the sidecar | 100m | 64Mi |
/// | init `warm`, beside the sidecar | 500m + 100m = 600m | 6144 + 64 = 6208Mi |
/// | largest | **4** | **6208Mi** |
fn sidecars(init_containers: &[ContainerRequests<'static>]) -> PodResources<'static> {
    let app = limited("{cpu: 1, memory: 2Gi}", "{cpu: 2, memory: 2Gi}");
    let helper = limited("{cpu: 300m, memory: 512Mi}", "{cpu: 300m, memory: 512Mi}");
    pod_with_init(init_containers, &[app, helper])
}

#[test]
fn the_recorded_pod_with_sidecars_asks_for_what_kubernetes_reserves() {
    let [fetch, mesh, warm] = sidecars_init();
    asks_for(&sidecars(&[fetch, mesh, warm]), "{cpu: 4, memory: 6208Mi}");
}

#[test]
fn a_sidecar_counts_beside_the_init_containers_after_it_only() {
    let [fetch, mesh, warm] = sidecars_init();
    // First: fetch runs beside it too, 4 + 100m.
    asks_for(&sidecars(&[mesh.clone(), fetch.clone(), warm.clone()]), "{cpu: 4100m, memory: 6208Mi}");
    // Last: warm is alone, 6144Mi.
    asks_for(&sidecars(&[fetch, warm, mesh]), "{cpu: 4, memory: 6Gi}");
}

fn sidecars_init() -> [ContainerRequests<'static>; 3] {
    [
        container("{cpu: 4, memory: 256Mi}"),
        sidecar("{cpu: 100m, memory: 64Mi}"),
        container("{cpu: 500m, memory: 6Gi}"),
    ]
}

#[test]
fn sidecars_add_up_among_themselves_and_with_the_containers() {
    // together: 1 + 2 x 600m = 2200m; at the init container's turn: 2 x 600m + 1500m = 2700m
    let init = [sidecar("{cpu: 600m}"), sidecar("{cpu: 600m}"), container("{cpu: 1500m}")];
    asks_for(&pod_with_init(&init, &[container("{cpu: 1}")]), "{cpu: 2700m}");
}

#[test]
fn a_container_is_no_sidecar_whatever_its_restart_policy() {
    asks_for(&pod(&[sidecar("{cpu: 1}"), sidecar("{cpu: 1}")]), "{cpu: 2}");
}

/// The pod that Kubernetes 1.36.2 sent as `ai-training`: one container, whose memory limit of 64Gi does not
/// count.
#[test]
fn the_recorded_training_pod_asks_for_what_kubernetes_reserves() {
    let train = limited("{cpu: 8, memory: 32Gi, nvidia.com/gpu: 1}", "{memory: 64Gi, nvidia.com/gpu: 1}");
    let pod = pod(&[train]);
    asks_for(&pod, "{cpu: 8, memory: 32Gi, nvidia.com/gpu: 1}");
    let requests = effective_requests(&pod);
    assert_eq!(requests.cpu().milli_value(), 8000);
    // 32 * 2^30
    assert_eq!(requests.memory().value(), 34_359_738_368);
}

#[test]
fn pod_level_requests_replace_those_of_the_containers() {
    let mut pod = pod_with_init(
        &[container("{cpu: 9}")],
        &[container("{cpu: 3, memory: 1Gi, hugepages-2Mi: 4Mi, nvidia.com/gpu: 2, ephemeral-storage: 1Gi}")],
    );
    // Less than the containers ask for is still what is reserved; other resources cannot be asked for by the
    // pod.
    pod.pod_level.requests = list("{cpu: 2, hugepages-2Mi: 8Mi, nvidia.com/gpu: 7, ephemeral-storage: 5Gi}");
    asks_for(&pod, "{cpu: 2, memory: 1Gi, hugepages-2Mi: 8Mi, nvidia.com/gpu: 2, ephemeral-storage: 1Gi}");
}

#[test]
fn overhead_is_added_last() {
    let mut pod = pod(&[container("{cpu: 1, memory: 1Gi}")]);
    pod.overhead = list("{cpu: 250m, memory: 120Mi, example.com/slot: 1}");
    asks_for(&pod, "{cpu: 1250m, memory: 1144Mi, example.com/slot: 1}");
    pod.pod_level.requests = list("{cpu: 4}");
    asks_for(&pod, "{cpu: 4250m, memory: 1144Mi, example.com/slot: 1}");
}

#[test]
fn absurd_requests_add_up_to_the_most_there_is() {
    let absurd = container("{cpu: '1e999999'}");
    let pod = pod(&[absurd.clone(), absurd]);
    assert_eq!(effective_requests(&pod).cpu(), Quantity::MAX);
}

#[test]
fn resource_lists_read_as_kubernetes_reads_json() {
    let read = |json: &'static str| serde_json::from_str::<ResourceList<'_>>(json);
    assert_eq!(read(r#"{"cpu": 0.1, "memory": " 1Gi "}"#).unwrap(), list("{cpu: 100m, memory: 1Gi}"));
    assert_eq!(read(r#"{"cpu": "1", "cpu": "2"}"#).unwrap(), list("{cpu: 2}"), "the last one counts");
    assert_eq!(read(r#"{"cpu": null}"#).unwrap(), list("{cpu: 0}"));
    assert_eq!(read(r#"{"\u0063pu": 1}"#).unwrap(), list("{cpu: 1}"));
    assert!(read("null").unwrap().is_empty());
    let borrowed = read(r#"{"nvidia.com/gpu": 1}"#)
        .unwrap()
        .into_iter()
        .all(|(name, _)| matches!(name, Cow::Borrowed(_)));
    assert!(borrowed, "a name without escapes need not be copied");
    assert!(read(r#"{"cpu": "1 core"}"#).unwrap_err().to_string().contains("1 core"));
    assert!(read(r#"["cpu"]"#).unwrap_err().to_string().contains("a map from resource names"));

    let resources: ResourceRequirements<'_> =
        serde_json::from_str(r#"{"claims": [{"name": "x"}], "limits": null, "requests": {"cpu": "1"}}"#)
            .unwrap();
    assert_eq!(resources, ResourceRequirements { requests: list("{cpu: 1}"), limits: list("{}") });
}
