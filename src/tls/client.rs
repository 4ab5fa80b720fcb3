//! The client's side, for commands that talk to our own server (`demo`) as the API server does.

use std::{path::Path, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    version::{TLS12, TLS13},
};

use super::{AUTHORITY_FILE, TlsError, load, provider};

/// A client configuration that trusts the given authority alone, as a webhook configuration's `caBundle` does.
///
/// ALPN is left empty: the caller that wants HTTP/2 sets it.
///
/// # Errors
/// The bundle is not PEM, or holds no certificate that can be an authority.
pub fn client_config(authority_pem: &[u8]) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in load::certificates(Path::new(AUTHORITY_FILE), authority_pem)? {
        roots.add(certificate)?;
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A client configuration that trusts what the machine trusts: the system's authorities, or those that `SSL_CERT_FILE`
/// and `SSL_CERT_DIR` name. Where there are none, every connection fails as untrusted.
///
/// # Errors
/// The crypto provider lacks a protocol version: a defect.
pub fn system_client_config() -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Ok(ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
