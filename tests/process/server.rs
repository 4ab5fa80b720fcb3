//! `eco-pulse serve` as a process, from its first log line to its end.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::command::{eco_pulse, generate_certificates};
use crate::mount::Mount;

/// What has not happened by then never will.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A configuration whose deadline leaves a debug build on a busy machine its time.
pub const CONFIG: &str = "
baseline: {region: eu-west-1}
regions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1}]
grid: {provider: mock, mock: {us-east-1: 300, eu-west-1: high, eu-north-1: low}}
decision: {deadline: 900ms}
";

/// A running process; killed when dropped.
pub struct Server {
    child: Child,
    /// What was said before it served.
    early_log: Vec<Value>,
    log: Receiver<Value>,
    dir: TempDir,
    pub authority_pem: String,
    /// Its configuration, mounted as in a pod.
    pub config: Mount,
    pub webhook_addr: SocketAddr,
    pub admin_addr: SocketAddr,
}

impl Server {
    /// Starts and waits until it is ready. Its standard output is the caller's to read.
    pub async fn start(config: &str) -> (Self, ChildStdout) {
        let (server, stdout) = Self::launch(config);
        let mut admin = server.admin().await;
        while admin.get("/readyz").await.status != StatusCode::OK {}
        (server, stdout)
    }

    /// Starts and waits until it answers, ready or not.
    pub fn launch(config: &str) -> (Self, ChildStdout) {
        Self::launch_by(eco_pulse(), config)
    }

    /// The same, by a command that ends in the program's name.
    pub fn launch_by(command: Command, config: &str) -> (Self, ChildStdout) {
        Self::launch_with(command, config, "off")
    }

    /// The same, in a cluster: the file of its address, or `off`.
    pub fn launch_with(mut command: Command, config: &str, kube: &str) -> (Self, ChildStdout) {
        let dir = tempfile::tempdir().unwrap();
        let (mounted, certificates, working_dir) = paths(&dir);
        let config = Mount::new(&mounted, config);
        fs::create_dir(&working_dir).unwrap();
        generate_certificates(&certificates);
        let authority_pem = fs::read_to_string(certificates.join("ca.crt")).unwrap();

        command.args(["serve", "--kube", kube]);
        command.args(["--webhook-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"]);
        command.arg("--config").arg(config.file()).arg("--cert-dir").arg(certificates);
        command.current_dir(working_dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let log = lines(child.stderr.take().unwrap(), |line| {
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: no JSON in the log: {line}"))
        });
        let (early_log, serving) = wait_for(&log, "serving");
        let addr = |field: &str| serving[field].as_str().unwrap().parse().unwrap();
        let (webhook_addr, admin_addr) = (addr("webhook_addr"), addr("admin_addr"));
        (Self { child, early_log, log, dir, authority_pem, config, webhook_addr, admin_addr }, stdout)
    }

    /// Starts, and gives the lines of its standard output.
    pub async fn start_with_records(config: &str) -> (Self, Receiver<String>) {
        let (server, stdout) = Self::start(config).await;
        (server, lines(stdout, |line| line))
    }

    pub async fn webhook(&self) -> Client {
        Client::tls(self.webhook_addr, &self.authority_pem).await
    }

    pub async fn admin(&self) -> Client {
        Client::plain(self.admin_addr).await
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let status = Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "sh", signal, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for a line of the log.
    pub fn wait_for_log(&self, message: &str) -> Value {
        wait_for(&self.log, message).1
    }

    /// Waits until the process has ended; its log without what was waited for.
    pub fn wait_for_end(&mut self) -> (ExitStatus, Vec<Value>) {
        let mut rest = std::mem::take(&mut self.early_log);
        // The log ends with the process.
        while let Some(line) = next(&self.log) {
            rest.push(line);
        }
        (self.child.wait().unwrap(), rest)
    }

    /// Where the process was started: what it leaves behind would be here.
    pub fn working_dir(&self) -> PathBuf {
        paths(&self.dir).2
    }

    pub fn certificates(&self) -> PathBuf {
        paths(&self.dir).1
    }
}

fn paths(dir: &TempDir) -> (PathBuf, PathBuf, PathBuf) {
    (dir.path().join("config"), dir.path().join("certs"), dir.path().join("work"))
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end on a thread of its own, so that the process never waits for its reader.
pub fn lines<T: Send + 'static>(
    stream: impl Read + Send + 'static,
    read: impl Fn(String) -> T + Send + 'static,
) -> Receiver<T> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            // Whoever listened may have gone: then the rest is read for nobody.
            let _ = sender.send(read(line.unwrap()));
        }
    });
    receiver
}

/// The next item, or `None` at the end of the stream.
pub fn next<T>(receiver: &Receiver<T>) -> Option<T> {
    match receiver.recv_timeout(PATIENCE) {
        Ok(item) => Some(item),
        Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => None,
        Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("nothing came, and no end"),
    }
}

/// The line with this message, and those before it.
fn wait_for(log: &Receiver<Value>, message: &str) -> (Vec<Value>, Value) {
    let mut seen = Vec::new();
    while let Some(line) = next(log) {
        if line["message"] == message {
            return (seen, line);
        }
        seen.push(line);
    }
    panic!("the process ended without saying {message:?}, but {seen:?}")
}
