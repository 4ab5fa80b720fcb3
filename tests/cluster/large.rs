//! A large cluster: what it takes to know it, and to look something up in it.

use std::hint::black_box;

use eco_pulse::clock::monotonic_now;
use eco_pulse::domain::Regions;
use eco_pulse::domain::requests::effective_requests;
use eco_pulse::kubernetes::decode::decode_pod;
use eco_pulse::kubernetes::labels::Labels;
use eco_pulse::kubernetes::nodes::Needs;
use serde_json::{Value, json};

use crate::rig::{NODES, POLICIES, Rig, node, server};

const NODE_COUNT: usize = 5000;
const POLICY_COUNT: usize = 200;
const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "eu-north-1"];
/// Beyond what the process takes without a cluster.
const MOST_MEBIBYTES: u64 = 64;
const LOOKUPS: u32 = 10_000;

/// A node of about 12 KB, as kubelet reports it: most of it images.
fn large(number: usize) -> Value {
    let mut node = node(&format!("node-{number}"), REGIONS[number % 3]);
    for pool in 0..20 {
        node["metadata"]["labels"][format!("example.com/label-{pool}")] =
            json!(format!("pool-{}", number % 10));
    }
    let images: Vec<Value> = (0..45)
        .map(|image| {
            let name = format!("registry.example/team/image-{image}");
            json!({ "names": [format!("{name}@sha256:{:064x}", image * 7919), format!("{name}:v1")], "sizeBytes": 123_456_789 })
        })
        .collect();
    node["status"]["images"] = json!(images);
    node
}

/// Ten policies in each of twenty namespaces.
fn policy(number: usize) -> Value {
    json!({
        "metadata": { "namespace": format!("team-{}", number % 20), "name": format!("policy-{number}") },
        "spec": {
            "podSelector": { "matchLabels": { "app": format!("app-{number}") } },
            "forbiddenRegions": ["us-east-1"], "maxLatencyMs": 100, "expectedDuration": "6h",
        },
    })
}

fn resident_mebibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_nodes_are_known_in_little_memory_and_grouped_into_few_kinds() {
    let server = server();
    server.put_all(NODES, (0..NODE_COUNT).map(large));
    server.put_all(POLICIES, (0..POLICY_COUNT).map(policy));
    // The server's own copy is not what is measured; neither is the log of what was put.
    server.compact();
    let before = resident_mebibytes();
    let started = monotonic_now();
    let rig = Rig::watch(server);
    rig.complete().await;
    let listed = started.elapsed();
    let view = rig.view();
    let nodes = view.nodes.known().unwrap();
    assert_eq!(nodes.len(), NODE_COUNT);
    let taken = resident_mebibytes().saturating_sub(before);
    assert!(taken < MOST_MEBIBYTES, "{taken} MiB");
    assert_eq!(nodes.kinds(), 30, "three regions of ten pools");

    let pod = json!({ "metadata": {}, "spec": {
        "nodeSelector": { "example.com/label-3": "pool-7" },
        "containers": [{ "resources": { "requests": { "cpu": "2", "memory": "4Gi" } } }],
    } })
    .to_string();
    let pod = decode_pod(&pod).unwrap();
    let resources = pod.resources();
    let requests = effective_requests(&resources);
    let needs = Needs::new(&pod, &requests, &[]);
    let looking = monotonic_now();
    for _ in 0..LOOKUPS {
        for region in REGIONS {
            assert!(black_box(nodes.eligible(region, &needs, false)).is_some());
        }
    }
    let looked = looking.elapsed() / LOOKUPS;
    let book = view.policies.known().unwrap();
    assert_eq!(book.len(), POLICY_COUNT);
    let (labels, regions) = (Labels::default(), Regions::default());
    let applying = monotonic_now();
    for _ in 0..LOOKUPS {
        black_box(book.apply(&pod, "team-7", &labels, &regions).unwrap());
    }
    println!(
        "{NODE_COUNT} nodes and {POLICY_COUNT} policies: first list in {listed:?}, {taken} MiB with what the API server takes to answer, {} kinds; \
         a pod's regions in {looked:?}, its policies in {:?}",
        nodes.kinds(),
        applying.elapsed() / LOOKUPS
    );
    rig.stop().await;
}
