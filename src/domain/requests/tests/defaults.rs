//! Templates, which no API server has completed yet.

use super::{asks_for, container, limited, list, pod, pod_with_init};
use crate::domain::requests::PodResources;

fn completed(mut pod: PodResources<'static>) -> PodResources<'static> {
    pod.fill_in_defaults();
    pod
}

#[test]
fn a_limit_stands_in_for_an_absent_request() {
    let pod = pod_with_init(
        &[limited("{}", "{memory: 8Gi}")],
        &[limited("{cpu: 100m}", "{cpu: 2, memory: 1Gi}"), limited("{}", "{nvidia.com/gpu: 1}")],
    );
    asks_for(&completed(pod), "{cpu: 100m, memory: 8Gi, nvidia.com/gpu: 1}");
}

#[test]
fn a_request_of_zero_is_not_absent() {
    asks_for(&completed(pod(&[limited("{cpu: 0}", "{cpu: 2}")])), "{cpu: 0}");
}

#[test]
fn amounts_round_up_to_what_the_api_server_stores() {
    let mut pod = pod(&[container("{cpu: 100u}"), limited("{}", "{cpu: 1.5m}"), container("{memory: 0.5}")]);
    pod.overhead = list("{cpu: 1n}");
    // 1m + 2m + 1m of overhead; half a byte is 500m and stays
    asks_for(&completed(pod), "{cpu: 4m, memory: 500m}");
}

#[test]
fn a_pod_level_limit_stands_in_where_no_container_asks() {
    let mut pod = pod(&[container("{cpu: 1}"), container("{cpu: 500m}")]);
    pod.pod_level.limits = list("{cpu: 4, memory: 2Gi, example.com/slot: 3}");
    asks_for(&completed(pod), "{cpu: 1500m, memory: 2Gi}");
}

#[test]
fn pod_level_huge_pages_are_always_the_limit() {
    let mut pod = pod(&[limited("{}", "{cpu: 1, hugepages-2Mi: 4Mi}")]);
    pod.pod_level.limits = list("{hugepages-2Mi: 16Mi}");
    asks_for(&completed(pod), "{cpu: 1, hugepages-2Mi: 16Mi}");
}

#[test]
fn pod_level_requests_are_kept_and_do_nothing_without_pod_level_limits() {
    let mut stated = pod(&[container("{cpu: 1, memory: 1Gi}")]);
    stated.pod_level.requests = list("{cpu: 3}");
    stated.pod_level.limits = list("{cpu: 4, memory: 2Gi}");
    asks_for(&completed(stated), "{cpu: 3, memory: 1Gi}");

    let mut unlimited = pod(&[container("{cpu: 100u}"), container("{cpu: 100u}")]);
    unlimited.pod_level.requests = list("{memory: 1Gi}");
    // Had the sum been taken over to the pod, it would be 200u, rounded up to 1m.
    asks_for(&completed(unlimited), "{cpu: 2m, memory: 1Gi}");
}

#[test]
fn a_completed_pod_is_not_changed_again() {
    let mut pod = pod_with_init(&[limited("{}", "{cpu: 3}")], &[limited("{cpu: 100u}", "{memory: 1Gi}")]);
    pod.pod_level.limits = list("{memory: 2Gi}");
    let once = completed(pod);
    assert_eq!(completed(once.clone()), once);
}
