//! A real Prometheus on a free loopback port, that scrapes every second.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::files::text;
use crate::waiting::until;

/// Another process may take a port between our looking and the server's binding.
const ATTEMPTS: usize = 10;

/// The program, if this machine has it; a word of explanation if not.
pub fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file());
    if found.is_none() {
        println!("skipped: {name} is not installed (apt-get install prometheus)");
    }
    found
}

/// A running server; killed when dropped.
pub struct Prometheus {
    child: Child,
    client: Client,
    _dir: TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Rules are evaluated every second too, and look at every second: nobody waits a minute for what is the same then.
fn impatient_rules() -> String {
    let rules = text("dashboards/rules.yaml");
    let lines =
        rules.lines().map(|line| if line.starts_with("  interval: ") { "  interval: 1s" } else { line });
    lines.collect::<Vec<_>>().join("\n").replace("[1h:1m]", "[1h:1s]")
}

impl Prometheus {
    /// Starts one that scrapes these addresses, each as a pod of that name; `None` where it is not installed.
    pub async fn start(targets: &[(&str, SocketAddr)]) -> Option<Self> {
        let program = installed("prometheus")?;
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("rules.yaml"), impatient_rules()).unwrap();
        let targets: Vec<Value> = targets
            .iter()
            .map(|(pod, addr)| serde_json::json!({"targets": [addr.to_string()], "labels": {"pod": pod}}))
            .collect();
        // JSON is YAML.
        let config = serde_json::json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [{"job_name": "eco-pulse", "static_configs": targets}],
        });
        std::fs::write(at("prometheus.yml"), config.to_string()).unwrap();
        for _ in 0..ATTEMPTS {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
            let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let mut child = Command::new(&program)
                .arg(format!("--config.file={}", at("prometheus.yml").display()))
                .arg(format!("--storage.tsdb.path={}", at("data").display()))
                .arg(format!("--web.listen-address={addr}"))
                .arg("--log.level=error")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            if ready(&mut child, addr).await {
                return Some(Self { child, client: Client::plain(addr).await, _dir: dir });
            }
        }
        panic!("prometheus does not start")
    }

    /// The series that an expression gives now, each with its labels.
    ///
    /// # Panics
    /// When it does not parse.
    pub async fn series(&mut self, expression: &str) -> Vec<Value> {
        let encoded = expression.bytes().fold(String::new(), |mut text, byte| {
            write!(text, "%{byte:02X}").unwrap();
            text
        });
        let answer = self.client.get(&format!("/api/v1/query?query={encoded}")).await.json();
        assert_eq!(answer["status"], "success", "{expression}\n{answer}");
        answer["data"]["result"].as_array().unwrap().clone()
    }

    /// What Prometheus says of each rule.
    pub async fn rules(&mut self) -> Vec<Value> {
        let answer = self.client.get("/api/v1/rules").await.json();
        let groups = answer["data"]["groups"].as_array().unwrap();
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
    }
}

/// Waits until it answers; false when it has ended instead.
async fn ready(child: &mut Child, addr: SocketAddr) -> bool {
    let mut is_ready = false;
    until("Prometheus is ready or has ended", async || {
        is_ready = TcpStream::connect(addr).await.is_ok()
            && Client::plain(addr).await.get("/-/ready").await.status == 200;
        is_ready || child.try_wait().unwrap().is_some()
    })
    .await;
    is_ready
}
