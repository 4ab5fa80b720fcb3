//! Those who ask, as they ask: kube-apiserver over kept TLS connections with `timeoutSeconds: 1` and `failurePolicy: Ignore`,
//! kube-scheduler with `httpTimeout: 250ms` and `ignorable: true`. Whatever happens to a call, they go on.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use eco_pulse::clock::monotonic_now;
use eco_pulse::tls::client_config;
use http::header::{CONTENT_TYPE, HOST};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

/// `timeoutSeconds: 1`, as the chart installs it.
pub const API_SERVER_PATIENCE: Duration = Duration::from_secs(1);
/// `httpTimeout: 250ms`, as the scheduler's configuration that is shipped says.
pub const SCHEDULER_PATIENCE: Duration = Duration::from_millis(250);

/// Where a server is.
#[derive(Clone, Debug)]
pub struct Address {
    pub webhook: SocketAddr,
    pub admin: SocketAddr,
    pub authority_pem: String,
}

/// What came of a call, and how long it took.
#[derive(Debug)]
pub struct Called {
    pub answer: Result<Answered, Failure>,
    pub took: Duration,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answered {
    pub status: StatusCode,
    pub body: Bytes,
}

/// Why there is none. In each case the caller goes on as if nobody had been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody listens, or the connection cannot be trusted.
    NotConnected,
    /// The connection ended before the answer did.
    BrokenOff,
    /// Nothing came in time.
    TimedOut,
}

impl Failure {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotConnected => "no contact",
            Self::BrokenOff => "broken off",
            Self::TimedOut => "timed out",
        }
    }
}

/// A caller with one connection, which it keeps as long as that lives.
pub struct Caller {
    addr: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    from: IpAddr,
    patience: Duration,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Caller {
    /// The API server.
    pub fn api_server(address: &Address) -> Self {
        let tls = client_config(address.authority_pem.as_bytes()).unwrap();
        Self::new(address.webhook, Some(tls), API_SERVER_PATIENCE)
    }

    /// The scheduler, over plain HTTP from inside the cluster.
    pub fn scheduler(address: &Address) -> Self {
        Self::new(address.admin, None, SCHEDULER_PATIENCE)
    }

    fn new(addr: SocketAddr, tls: Option<Arc<ClientConfig>>, patience: Duration) -> Self {
        Self { addr, tls, from: Ipv4Addr::LOCALHOST.into(), patience, connection: None }
    }

    /// The same from another address of this machine.
    pub fn from(self, from: Ipv4Addr) -> Self {
        Self { from: from.into(), ..self }
    }

    /// Opens a connection if there is none.
    pub async fn connect(&mut self) -> Result<(), Failure> {
        if self.connection.as_ref().is_none_or(SendRequest::is_closed) {
            self.connection = Some(self.open().await?);
        }
        Ok(())
    }

    /// Sends a body and waits for the answer, all in the time that the caller has.
    pub async fn post(&mut self, path: &str, body: Bytes) -> Called {
        let started = monotonic_now();
        let patience = self.patience;
        let answer = tokio::time::timeout(patience, self.exchange(path, body)).await;
        let answer = answer.unwrap_or(Err(Failure::TimedOut));
        if answer.is_err() {
            // What may still come belongs to nobody.
            self.connection = None;
        }
        Called { answer, took: started.elapsed() }
    }

    async fn exchange(&mut self, path: &str, body: Bytes) -> Result<Answered, Failure> {
        self.connect().await?;
        let request = Request::post(path)
            .header(HOST, "localhost")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .unwrap();
        let connection = self.connection.as_mut().ok_or(Failure::NotConnected)?;
        connection.ready().await.map_err(|_| Failure::BrokenOff)?;
        let answer = connection.send_request(request).await.map_err(|_| Failure::BrokenOff)?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|_| Failure::BrokenOff)?.to_bytes();
        Ok(Answered { status: head.status, body })
    }

    async fn open(&self) -> Result<SendRequest<Full<Bytes>>, Failure> {
        let stream = tcp(self.addr, self.from).await.map_err(|_| Failure::NotConnected)?;
        let Some(tls) = &self.tls else {
            let (sender, connection) =
                handshake(TokioIo::new(stream)).await.map_err(|_| Failure::NotConnected)?;
            tokio::spawn(connection);
            return Ok(sender);
        };
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(tls.clone()).connect(name, stream).await;
        let stream = stream.map_err(|_| Failure::NotConnected)?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|_| Failure::NotConnected)?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

/// A bare connection from an address of this machine.
pub async fn tcp(to: SocketAddr, from: IpAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    let stream = socket.connect(to).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
