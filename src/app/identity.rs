//! The certificate that the TLS listener shows.

use std::path::PathBuf;

use anyhow::Context as _;

use crate::clock::Clock;
use crate::config::{Config, TlsMode};
use crate::tls::{Certificate, Host, Issued, issue};

/// Where a development certificate is valid beside `tls.hosts`.
const LOCAL_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The certificate, and the authority it was made with.
pub(super) struct Identity {
    pub(super) certificate: Certificate,
    pub(super) authority_pem: Option<String>,
}

impl Identity {
    pub(super) fn load(config: &Config, cert_dir: Option<PathBuf>, clock: &Clock) -> anyhow::Result<Self> {
        let identity = match (config.tls.mode, cert_dir) {
            (Some(TlsMode::SelfSigned), _) | (None, None) => Self::make(&config.tls.hosts, clock)?,
            (Some(TlsMode::Files) | None, Some(dir)) => {
                Self { certificate: Certificate::load(&dir)?, authority_pem: None }
            }
            (Some(TlsMode::Files), None) => anyhow::bail!(
                "tls.mode is files, and no directory was given: add --cert-dir DIR, or set tls.mode to self-signed"
            ),
        };
        if let Some(warning) = identity.certificate.warning(clock.now()) {
            tracing::warn!(warning, "certificate");
        }
        Ok(identity)
    }

    fn make(hosts: &[String], clock: &Clock) -> anyhow::Result<Self> {
        let local = LOCAL_HOSTS.iter().map(|host| (*host).to_owned());
        let hosts = hosts.iter().cloned().chain(local).map(|host| host.parse());
        let hosts: Vec<Host> = hosts.collect::<Result<_, _>>().context("tls.hosts")?;
        let issued: Issued = issue(&hosts, clock.now())?;
        Ok(Self {
            certificate: issued.certificate()?,
            authority_pem: Some(issued.authority_pem().to_owned()),
        })
    }
}
