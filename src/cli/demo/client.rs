//! The other side of the wire: requests as the API server makes them, over one connection that is kept alive, and plain
//! ones to the admin listener.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use crate::tls::client_config;

/// Far more than any answer takes; a demo that hangs shows nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// One connection, kept alive.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    addr: SocketAddr,
    _driver: AbortOnDropHandle<()>,
}

impl Connection {
    /// Connects over TLS and checks the server's certificate against `authority_pem`, as the API server does with a
    /// webhook's `caBundle`; gives the protocol and cipher suite that were agreed upon.
    pub(super) async fn tls(addr: SocketAddr, authority_pem: &str) -> anyhow::Result<(Self, String)> {
        let connector = TlsConnector::from(client_config(authority_pem.as_bytes())?);
        let connect = async {
            let tcp = TcpStream::connect(addr).await?;
            tcp.set_nodelay(true)?;
            connector.connect(ServerName::IpAddress(addr.ip().into()), tcp).await
        };
        let stream = in_time(connect).await?.with_context(|| format!("TLS to {addr}"))?;
        let (_, session) = stream.get_ref();
        let agreed =
            session.protocol_version().zip(session.negotiated_cipher_suite()).map(|(version, suite)| {
                let name = |debug: String| debug.replace("TLSv1_", "TLS 1.");
                format!("{} ({:?})", name(format!("{version:?}")), suite.suite())
            });
        Ok((Self::over(stream, addr).await?, agreed.unwrap_or_default()))
    }

    /// Connects without TLS.
    pub(super) async fn plain(addr: SocketAddr) -> anyhow::Result<Self> {
        let tcp =
            in_time(TcpStream::connect(addr)).await?.with_context(|| format!("connection to {addr}"))?;
        Self::over(tcp, addr).await
    }

    async fn over<S>(stream: S, addr: SocketAddr) -> anyhow::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = in_time(handshake(TokioIo::new(stream))).await??;
        let driver = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "demo connection");
            }
        });
        Ok(Self { sender, addr, _driver: AbortOnDropHandle::new(driver) })
    }

    /// Posts a review with the headers of the API server, which gives `timeoutSeconds` on in the query.
    pub(super) async fn admit(&mut self, review: Vec<u8>) -> anyhow::Result<Bytes> {
        let request = self
            .request(Method::POST, "/mutate?timeout=1s")
            .header(ACCEPT, "application/json, */*")
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "kube-apiserver-admission")
            .body(Full::from(review))?;
        self.send(request).await
    }

    /// Reads a path.
    pub(super) async fn get(&mut self, path: &str) -> anyhow::Result<Bytes> {
        let request = self.request(Method::GET, path).body(Full::default())?;
        self.send(request).await
    }

    /// Puts a text.
    pub(super) async fn put(&mut self, path: &str, text: &str) -> anyhow::Result<Bytes> {
        let request = self.request(Method::PUT, path).body(Full::from(text.to_owned()))?;
        self.send(request).await
    }

    fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(path).header(HOST, self.addr.to_string())
    }

    /// The body of an answer with status 200.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Bytes> {
        let asked = format!("{} {}", request.method(), request.uri());
        let answer = async {
            self.sender.ready().await?;
            let response = self.sender.send_request(request).await?;
            let status = response.status();
            anyhow::Ok((status, response.into_body().collect().await?.to_bytes()))
        };
        let (status, body) = in_time(answer).await?.with_context(|| asked.clone())?;
        if status != StatusCode::OK {
            bail!("{asked}: status {status}: {}", String::from_utf8_lossy(&body).trim());
        }
        Ok(body)
    }
}

/// What `work` comes to, or an error where it takes too long.
pub(super) async fn in_time<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    tokio::time::timeout(PATIENCE, work).await.with_context(|| {
        format!(
            "the demo's own server did not answer in {PATIENCE:?}: run again with RUST_LOG=debug to see why"
        )
    })
}
