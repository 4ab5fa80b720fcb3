//! The certificate in use, replaceable while connections are open, and the server configuration around it.

use std::{fs, path::Path, sync::Arc};

use arc_swap::ArcSwapOption;
use rustls::{
    RootCertStore, ServerConfig,
    server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};

use super::{Certificate, TlsError, load, provider};

/// Answers each TLS handshake with the certificate in use at that moment.
///
/// A handshake reads one pointer, never a file. [`CertificateResolver::swap`] affects handshakes that start after it;
/// connections that are open keep the session they have.
#[derive(Debug)]
pub struct CertificateResolver {
    current: ArcSwapOption<Certificate>,
}

impl CertificateResolver {
    /// Starts with this certificate.
    #[must_use]
    pub fn new(certificate: Certificate) -> Arc<Self> {
        Arc::new(Self { current: ArcSwapOption::from_pointee(certificate) })
    }

    /// Starts without one: handshakes fail until there is one.
    #[must_use]
    pub fn empty() -> Arc<Self> {
        Arc::new(Self { current: ArcSwapOption::empty() })
    }

    /// Puts a new certificate to use. It has been checked, or it would not be a [`Certificate`].
    pub fn swap(&self, certificate: Certificate) {
        self.current.store(Some(Arc::new(certificate)));
    }

    /// The certificate in use, if there is one yet.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Certificate>> {
        self.current.load_full()
    }
}

impl ResolvesServerCert for CertificateResolver {
    // The name that the client asks for is not looked at: the API server and the tests reach one server by several
    // names, and the client is the one to judge whether the certificate fits.
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current.load().as_ref().map(|certificate| Arc::clone(certificate.certified_key()))
    }
}

/// The rustls configuration of the webhook listener: TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1 by ALPN.
///
/// With `client_ca` (`server.clientCaFile`) a client must show a certificate that one of the authorities in that PEM
/// file has signed; without it clients are not asked for one.
///
/// # Errors
/// The client authority's file is missing, unreadable or holds no usable authority.
pub fn server_config(
    resolver: Arc<CertificateResolver>,
    client_ca: Option<&Path>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let builder =
        ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13, &TLS12])?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => builder.with_client_cert_verifier(client_verifier(path)?),
    };
    let mut config = builder.with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn client_verifier(path: &Path) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let refused = |reason: String| TlsError::ClientAuthority { path: path.to_owned(), reason };
    let bytes = fs::read(path).map_err(|error| refused(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in load::certificates(path, &bytes).map_err(|error| refused(error.to_string()))? {
        roots.add(certificate).map_err(|error| refused(error.to_string()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|error| refused(error.to_string()))
}
