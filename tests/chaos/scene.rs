//! What a fault happens to: the built program, on a real Redis where it has one, with a grid API, a token file, certificates
//! and a Kubernetes API server that a fault can take away.

use std::process::{ChildStdout, Command};

use serde_json::json;
use tempfile::TempDir;

use crate::api_server::ApiServer;
use crate::callers::Address;
use crate::command::eco_pulse;
use crate::grid::{Grid, Hands, REGIONS, VALUES};
use crate::pods;
use crate::redis::RedisServer;
use crate::server::Server;

const NODES: &str = "/api/v1/nodes";
const NAMESPACES: &str = "/api/v1/namespaces";
const COLLECTIONS: [&str; 7] = [
    NODES,
    NAMESPACES,
    "/api/v1/persistentvolumeclaims",
    "/api/v1/persistentvolumes",
    "/api/v1/pods",
    "/apis/eco-pulse.io/v1alpha1/placementpolicies",
    "/apis/eco-pulse.io/v1alpha1/clusterplacementpolicies",
];
/// One region takes as many pods as there are.
const NO_HERD: &str = "herd: {maxPodsPerMinute: 1000000}\n";
/// Where time is not judged, a debug build on a busy machine is given its time.
const NO_HURRY: &str = "decision: {deadline: 900ms}\n";

/// What a scene is set with.
#[derive(Default)]
pub struct Props {
    pub redis: Option<RedisServer>,
    /// Where Redis is reached, if not directly.
    pub redis_url: Option<String>,
    /// More of the configuration.
    pub config: String,
    /// Runs the program: by itself, unless something else does.
    pub command: Option<Command>,
}

/// Everything there is before something is broken.
pub struct Scene {
    pub server: Server,
    pub records: Option<ChildStdout>,
    pub grid: Grid,
    pub cluster: ApiServer,
    pub redis: Option<RedisServer>,
    config: String,
    dir: TempDir,
}

impl Scene {
    pub fn set(props: Props, timed: bool) -> Self {
        Self::set_with(props, timed, Grid::start(VALUES, &Hands::default()), cluster())
    }

    /// On a grid API and a Kubernetes API server that may be broken from the beginning.
    pub fn set_with(props: Props, timed: bool, grid: Grid, cluster: ApiServer) -> Self {
        let Props { redis, redis_url, config: more, command } = props;
        let url = redis_url.or_else(|| redis.as_ref().map(RedisServer::url));
        let store = url.map_or_else(String::new, |url| format!("store: {{redis: {{url: '{url}'}}}}\n"));
        let hurry = if timed { "" } else { NO_HURRY };
        let config = format!("{REGIONS}{}{NO_HERD}{hurry}{store}{more}", grid.section("200ms"));
        let dir = tempfile::tempdir().unwrap();
        let kubeconfig = dir.path().join("kubeconfig");
        std::fs::write(&kubeconfig, kubeconfig_of(&cluster)).unwrap();
        let (server, records) =
            Server::launch_with(command.unwrap_or_else(eco_pulse), &config, kubeconfig.to_str().unwrap());
        Self { server, records: Some(records), grid, cluster, redis, config, dir }
    }

    /// Starts the program again, as whoever watches over it does.
    pub fn start_again(&mut self) {
        let kubeconfig = self.dir.path().join("kubeconfig");
        let (server, records) = Server::launch_with(eco_pulse(), &self.config, kubeconfig.to_str().unwrap());
        (self.server, self.records) = (server, Some(records));
    }

    pub fn config(&self) -> &str {
        &self.config
    }

    pub fn address(&self) -> Address {
        Address {
            webhook: self.server.webhook_addr,
            admin: self.server.admin_addr,
            authority_pem: self.server.authority_pem.clone(),
        }
    }

    /// What is on standard output is read by nobody in particular.
    pub fn drain_records(&mut self) {
        if let Some(mut records) = self.records.take() {
            drop(std::thread::spawn(move || std::io::copy(&mut records, &mut std::io::sink())));
        }
    }

    /// Memory that the program holds at present.
    pub fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }
}

/// Nodes in three regions, and the pod's namespace.
pub fn cluster() -> ApiServer {
    let server = ApiServer::start(&COLLECTIONS);
    server.put_all(NODES, pods::nodes().map(|(name, region)| {
        json!({
            "metadata": { "name": name, "labels": {
                "topology.kubernetes.io/region": region, "node.kubernetes.io/instance-type": "m5.4xlarge" } },
            "spec": {},
            "status": {
                "allocatable": { "cpu": "64", "memory": "256Gi", "pods": "110" },
                "conditions": [{
                    "type": "Ready", "status": "True", "lastHeartbeatTime": null, "lastTransitionTime": null }],
            },
        })
    }));
    server.put(NAMESPACES, json!({ "metadata": { "name": pods::NAMESPACE } }));
    server
}

fn kubeconfig_of(cluster: &ApiServer) -> String {
    format!(
        "apiVersion: v1
kind: Config
clusters: [{{name: stand-in, cluster: {{server: '{}'}}}}]
users: [{{name: nobody, user: {{}}}}]
contexts: [{{name: stand-in, context: {{cluster: stand-in, user: nobody}}}}]
current-context: stand-in
",
        cluster.url()
    )
}
