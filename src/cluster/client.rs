//! How to reach the API server: from inside a pod, or by a kubeconfig file that somebody names.
//!
//! A kubeconfig that merely lies around (`~/.kube/config`) is never used: who tries `serve` on a laptop does not mean the
//! cluster that kubectl talked to last.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};

/// An API server that does not take a connection within this time is away; the next try comes soon.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Kubernetes sets it in every pod.
const IN_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";

/// The API server cannot be addressed at all: nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The pod's service account is not as Kubernetes mounts it.
    #[error(
        "in a pod, but its service account cannot be used: {0}; let the pod mount its token, or say --kube off"
    )]
    InCluster(#[source] kube::config::InClusterError),
    /// The named file is no kubeconfig that can be used.
    #[error("kubeconfig {path}: {source}; give --kube a readable kubeconfig file")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<kube::config::KubeconfigError>,
    },
    /// Certificates or keys of the configuration make no client.
    #[error("no client for the API server: {0}; see the certificates that its configuration names")]
    Build(#[source] Box<kube::Error>),
}

/// A client for the cluster that this process runs in; `None` outside of one.
///
/// # Errors
/// In a pod whose service account cannot be used.
pub fn in_cluster() -> Result<Option<kube::Client>, ClientError> {
    if std::env::var_os(IN_CLUSTER).is_none() {
        return Ok(None);
    }
    client(kube::Config::incluster().map_err(ClientError::InCluster)?).map(Some)
}

/// A client by the current context of a kubeconfig file.
///
/// # Errors
/// The file cannot be read or used.
pub async fn from_file(path: &Path) -> Result<kube::Client, ClientError> {
    let wrong = |source| ClientError::File { path: path.to_owned(), source: Box::new(source) };
    let file = Kubeconfig::read_from(path).map_err(wrong)?;
    let config =
        kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.map_err(wrong)?;
    client(config)
}

fn client(mut config: kube::Config) -> Result<kube::Client, ClientError> {
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    kube::Client::try_from(config).map_err(|error| ClientError::Build(Box::new(error)))
}
