//! The time limits and stages, on a paused clock over in-memory streams: hours pass in milliseconds, and always alike.
mod accepting;
mod floods;
mod shutdown;
mod time_limits;

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    routing::{get, post},
};
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    pki_types::{ServerName, UnixTime},
    time_provider::TimeProvider,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, duplex},
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    ConnectionLimits, ServeReport, Server, ShutdownStages, Transport,
    accept::{self, Accept},
};
use crate::tls::{CertificateResolver, Issued, client_config, issue, server_config};

const SECOND: Duration = Duration::from_secs(1);
/// How long client-go keeps a connection that it does not use.
const API_SERVER_IDLE: Duration = Duration::from_secs(90);
/// Where those come from who come from nowhere else.
const API_SERVER: [u8; 4] = [10, 0, 0, 1];
const START: &str = "2026-03-01T12:00:00Z";

/// A listener that hands out what a test puts in.
struct Script(mpsc::UnboundedReceiver<io::Result<(DuplexStream, IpAddr)>>);

impl Accept for Script {
    type Io = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, IpAddr)> {
        match self.0.recv().await {
            Some(next) => next,
            None => std::future::pending().await,
        }
    }
}

struct Harness {
    incoming: mpsc::UnboundedSender<io::Result<(DuplexStream, IpAddr)>>,
    stages: ShutdownStages,
    gate: Arc<Notify>,
    entered: Arc<Notify>,
    issued: Issued,
    /// One more reference to it is held by the router, and one by each request inside `/gate`.
    held: Arc<()>,
    serving: JoinHandle<ServeReport>,
}

fn start(tls: bool, limits: ConnectionLimits) -> Harness {
    let issued = issue(&["localhost".parse().unwrap()], START.parse().unwrap()).unwrap();
    let transport = if tls {
        let resolver = CertificateResolver::new(issued.certificate().unwrap());
        Transport::Tls(server_config(resolver, None).unwrap())
    } else {
        Transport::Plain
    };
    let (incoming, script) = mpsc::unbounded_channel();
    let stages = ShutdownStages::default();
    let (gate, entered) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let held = Arc::new(());
    let (at_gate, on_entry, ours) = (Arc::clone(&gate), Arc::clone(&entered), Arc::clone(&held));
    let router = Router::new()
        .route("/", get(async || "ok"))
        .route("/body", post(async |body: Bytes| format!("{} bytes", body.len())))
        .route("/big", get(async || vec![b'x'; 8 << 20]))
        .route("/panic", get(async || if true { panic!("on purpose") } else { "" }))
        .route(
            "/gate",
            get(async move || {
                on_entry.notify_one();
                at_gate.notified().await;
                drop(ours);
                "ok"
            }),
        );
    let server = Server { name: "test", transport, limits, stages: stages.clone() };
    let serving = tokio::spawn(accept::serve(server, Script(script), router));
    Harness { incoming, stages, gate, entered, issued, held, serving }
}

fn start_plain() -> Harness {
    start(false, ConnectionLimits::default())
}

impl Harness {
    fn connect(&self) -> DuplexStream {
        self.connect_from(API_SERVER)
    }

    fn connect_from(&self, peer: [u8; 4]) -> DuplexStream {
        let (ours, theirs) = duplex(64 * 1024);
        self.incoming.send(Ok((theirs, peer.into()))).unwrap();
        ours
    }

    async fn connect_tls(&self, alpn: &[&str]) -> TlsStream<DuplexStream> {
        let mut config = Arc::unwrap_or_clone(client_config(self.issued.authority_pem().as_bytes()).unwrap());
        config.time_provider = Arc::new(At(START));
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, self.connect()).await.unwrap()
    }

    async fn connect_http2(&self) -> (http2::SendRequest<Empty<Bytes>>, JoinHandle<hyper::Result<()>>) {
        let io = TokioIo::new(self.connect_tls(&["h2", "http/1.1"]).await);
        let (client, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        (client, tokio::spawn(connection))
    }

    async fn stop(self) -> ServeReport {
        self.stages.stop.cancel();
        self.serving.await.unwrap()
    }
}

/// A clock that stands still, for certificates that are valid at a fixed date.
#[derive(Debug)]
struct At(&'static str);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        let now: jiff::Timestamp = self.0.parse().ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(now.as_second().try_into().ok()?)))
    }
}

fn request(path: &str) -> Request<Empty<Bytes>> {
    Request::get(format!("https://localhost{path}")).body(Empty::new()).unwrap()
}

async fn send(io: &mut (impl AsyncWrite + Unpin), text: &str) {
    io.write_all(text.as_bytes()).await.unwrap();
    io.flush().await.unwrap();
}

/// Sends a GET and returns the whole answer, whose body is `ok`.
async fn ask(io: &mut (impl AsyncRead + AsyncWrite + Unpin), path: &str) -> String {
    send(io, &format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await;
    answer(io).await
}

async fn answer(io: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\nok") {
        assert_ne!(
            io.read_buf(&mut text).await.unwrap(),
            0,
            "closed after {:?}",
            String::from_utf8_lossy(&text)
        );
    }
    String::from_utf8(text).unwrap()
}

/// Whether the server closes the connection within `limit`; what it still sends is read and dropped.
async fn closes_within(io: &mut (impl AsyncRead + Unpin), limit: Duration) -> bool {
    let mut sink = Vec::new();
    timeout(limit, io.read_to_end(&mut sink)).await.is_ok()
}
