//! A real control plane on loopback: etcd, kube-apiserver, kube-controller-manager and kube-scheduler, found where
//! `$KUBEBUILDER_ASSETS` says. There is no kubelet: pods are bound, and run nowhere.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tempfile::TempDir;

/// What has not come by then never will.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at a program that takes its time.
const LULL: Duration = Duration::from_millis(50);
const PROGRAMS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
/// Only this test's programs hear of it.
const TOKEN: &str = "e2e-admin";

/// The programs' folder; `None`, and a word of explanation, where they are not.
pub fn assets() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from) else {
        println!("skipped: KUBEBUILDER_ASSETS names no folder with {}", PROGRAMS.join(", "));
        return None;
    };
    let missing: Vec<&str> = PROGRAMS.into_iter().filter(|program| !folder.join(program).is_file()).collect();
    assert!(missing.is_empty(), "KUBEBUILDER_ASSETS is {}, without {}", folder.display(), missing.join(", "));
    Some(folder)
}

/// A running control plane; its programs are killed when it is dropped.
pub struct ControlPlane {
    /// Last started, first killed.
    programs: Vec<Program>,
    pub kubeconfig: PathBuf,
    assets: PathBuf,
    dir: TempDir,
}

/// Tests that run at the same time share one.
static SHARED: Mutex<Weak<ControlPlane>> = Mutex::new(Weak::new());

impl ControlPlane {
    /// The one that other tests are using, or a new one; `None` where there are no programs.
    pub fn get() -> Option<Arc<Self>> {
        let assets = assets()?;
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let plane = shared.upgrade().unwrap_or_else(|| Arc::new(Self::start(assets)));
        *shared = Arc::downgrade(&plane);
        Some(plane)
    }

    fn start(assets: PathBuf) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        let at = |name: &str| path.join(name).to_str().unwrap().to_owned();
        let key = rcgen::KeyPair::generate().unwrap();
        std::fs::write(at("sa.key"), key.serialize_pem()).unwrap();
        std::fs::write(at("sa.pub"), key.public_key_pem()).unwrap();
        std::fs::write(at("tokens.csv"), format!("{TOKEN},admin,admin,\"system:masters\"\n")).unwrap();
        let (clients, peers, api) = (free_port(), free_port(), free_port());
        let kubeconfig = PathBuf::from(at("kubeconfig"));
        std::fs::write(&kubeconfig, kubeconfig_text(api, &at("certs/apiserver.crt"))).unwrap();
        let mut plane = Self { programs: Vec::new(), kubeconfig, assets, dir };

        plane.spawn(
            "etcd",
            "etcd",
            &[
                format!("--data-dir={}", at("etcd")),
                format!("--listen-client-urls=http://127.0.0.1:{clients}"),
                format!("--advertise-client-urls=http://127.0.0.1:{clients}"),
                format!("--listen-peer-urls=http://127.0.0.1:{peers}"),
                format!("--initial-advertise-peer-urls=http://127.0.0.1:{peers}"),
                format!("--initial-cluster=default=http://127.0.0.1:{peers}"),
                "--unsafe-no-fsync=true".to_owned(),
            ],
        );
        plane.spawn(
            "kube-apiserver",
            "kube-apiserver",
            &[
                "--bind-address=127.0.0.1".to_owned(),
                "--advertise-address=127.0.0.1".to_owned(),
                format!("--secure-port={api}"),
                format!("--cert-dir={}", at("certs")),
                format!("--etcd-servers=http://127.0.0.1:{clients}"),
                "--service-cluster-ip-range=10.0.0.0/24".to_owned(),
                "--authorization-mode=RBAC".to_owned(),
                format!("--token-auth-file={}", at("tokens.csv")),
                "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
                format!("--service-account-key-file={}", at("sa.pub")),
                format!("--service-account-signing-key-file={}", at("sa.key")),
                "--disable-admission-plugins=ServiceAccount".to_owned(),
                "--endpoint-reconciler-type=none".to_owned(),
            ],
        );
        // The others end at once where the API server's certificate, which it makes itself, is not there yet.
        wait_for("the API server", || {
            path.join("certs/apiserver.crt").is_file()
                && TcpStream::connect((Ipv4Addr::LOCALHOST, api)).is_ok()
        });
        let with_kubeconfig = plane.with_kubeconfig("cm");
        plane.spawn(
            "kube-controller-manager",
            "kube-controller-manager",
            &[
                with_kubeconfig,
                vec![
                    format!("--service-account-private-key-file={}", at("sa.key")),
                    "--use-service-account-credentials=false".to_owned(),
                    // Nobody reports on nodes here, and they must not be found dead for it.
                    "--controllers=*,-node-lifecycle-controller".to_owned(),
                ],
            ]
            .concat(),
        );
        plane.start_scheduler("scheduler", &[]);
        plane
    }

    /// Starts a scheduler, beside any that run.
    pub fn start_scheduler(&mut self, name: &str, flags: &[String]) {
        let arguments = [self.with_kubeconfig(name), flags.to_vec()].concat();
        self.spawn(name, "kube-scheduler", &arguments);
    }

    fn with_kubeconfig(&self, name: &str) -> Vec<String> {
        let file = self.kubeconfig.display();
        vec![
            format!("--kubeconfig={file}"),
            format!("--authentication-kubeconfig={file}"),
            format!("--authorization-kubeconfig={file}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", free_port()),
            format!("--cert-dir={}", self.dir.path().join(format!("certs-{name}")).display()),
            "--leader-elect=false".to_owned(),
        ]
    }

    fn spawn(&mut self, name: &str, program: &str, arguments: &[String]) {
        self.programs.insert(0, Program::start(&self.assets, self.dir.path(), name, program, arguments));
    }

    /// A scheduler of a test's own; killed when dropped.
    pub fn own_scheduler(&self, name: &str, configuration: &str) -> Program {
        let file = self.dir.path().join(format!("{name}.yaml"));
        std::fs::write(&file, configuration).unwrap();
        let arguments = [
            format!("--config={}", file.display()),
            format!("--authentication-kubeconfig={}", self.kubeconfig.display()),
            format!("--authorization-kubeconfig={}", self.kubeconfig.display()),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={}", free_port()),
            format!("--cert-dir={}", self.dir.path().join(format!("certs-{name}")).display()),
        ];
        Program::start(&self.assets, self.dir.path(), name, "kube-scheduler", &arguments)
    }
}

/// One program; killed when dropped, and its last words shown when a test fails.
pub struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    fn start(assets: &Path, dir: &Path, name: &str, program: &str, arguments: &[String]) -> Self {
        let log = dir.join(format!("{name}.log"));
        let output = File::create(&log).unwrap();
        let child = Command::new(assets.join(program))
            .args(arguments)
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        Self { child, log }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            println!("{}:", self.log.display());
            for line in &lines[lines.len().saturating_sub(10)..] {
                println!("    {line:.200}");
            }
        }
    }
}

fn kubeconfig_text(port: u16, authority: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
clusters: [{{name: e2e, cluster: {{server: 'https://127.0.0.1:{port}', certificate-authority: '{authority}'}}}}]
users: [{{name: admin, user: {{token: {TOKEN}}}}}]
contexts: [{{name: e2e, context: {{cluster: e2e, user: admin}}}}]
current-context: e2e
"
    )
}

fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let looks = PATIENCE.as_millis() / LULL.as_millis();
    let seen = (0..looks).any(|_| {
        let seen = is_so();
        if !seen {
            std::thread::sleep(LULL);
        }
        seen
    });
    assert!(seen, "{what}: never seen");
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
