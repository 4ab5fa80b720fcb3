//! TLS for the webhook listener: certificates in, a rustls configuration out.
//!
//! The API server talks to a webhook over TLS only, so this module is on the path of every pod. It does three things:
//!
//! - [`Certificate`] reads and checks a certificate and its key (`tls.crt`, `tls.key`), or takes them from memory;
//! - [`issue`] makes a development authority and a leaf, for `certs generate` and for `tls.mode: self-signed`;
//! - [`CertificateResolver`] holds the certificate in use and lets a new one take its place while connections stay open;
//! - [`CertificateFiles`] tells when there is a new one in a directory, [`managed`] when one is to be made in a Secret,
//!   and [`Reminder`] when somebody has to be told that it ends.
//!
//! There is one crypto provider, [`provider`], and it is passed to rustls each time. A process-wide default would make
//! the result depend on which library ran first.
//!
//! What this module must not do: open sockets, read the clock (callers pass `now`), or print or log key material.

mod authority;
mod certificate;
mod client;
mod error;
mod files;
mod host;
mod load;
pub mod managed;
mod reminder;
mod resolver;
mod self_signed;
mod write;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

pub use certificate::{Certificate, Validity, ValidityState};
pub use client::{client_config, system_client_config};
pub use error::TlsError;
pub use files::{CertificateFiles, Look};
pub use host::{Host, HostError};
pub use load::{CERTIFICATE_FILE, KEY_FILE};
pub use reminder::Reminder;
pub use resolver::{CertificateResolver, server_config};
pub use self_signed::{AUTHORITY_DAYS, Issued, LEAF_DAYS, issue};
pub use write::{AUTHORITY_FILE, Written, write_issued};

/// The crypto provider of every TLS configuration in the process: ring.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
