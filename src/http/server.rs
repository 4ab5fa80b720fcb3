//! The server below the router: sockets, TLS handshakes, connections, and their orderly end.
//!
//! ```text
//! bind ──> Server::serve ──> accept ──> [TLS handshake] ──> HTTP/1.1 or HTTP/2 ──> the service
//!              │                              (one task for each connection, all owned by `serve`)
//!              └── stages: wind_down ──> stop ──> drained, or dropped at the limit ──> ServeReport
//! ```
//!
//! **Time on a connection.** The API server keeps its connections for 90 s without use and does not repeat a POST that
//! meets a closed one, so an idle connection must live longer than that here. hyper's `header_read_timeout` cannot do
//! it alone: it starts when hyper begins to *wait* for a request head, so it runs on idle keep-alive connections too
//! (and, with a timer set, defaults to 30 s). The two needs are therefore kept apart:
//!
//! - a request head must be complete within [`ConnectionLimits::head`] of its *first byte* (`head_timer`);
//! - a connection on which no byte moves in either direction is closed after [`ConnectionLimits::idle`]
//!   (`activity`), whatever it is doing: idle, never used, stalled in a body, or not reading our answer.
//!
//! A connection that has sent nothing yet gets the long limit as well, since Go's client dials ahead and parks what it
//! did not need. Deadlines of requests belong to the layer above; a service is called as soon as a head is complete.
//!
//! **Room for connections** is bounded, and nobody keeps others out by holding it (`room`).
//!
//! **HTTP version.** TLS connections speak what ALPN settled, plain ones HTTP/1.1. Guessing from the first bytes (as
//! hyper-util's `auto` builder does) would add a phase that no time limit covers.
//!
//! What this module must not do: know a route, look into a body, or leave a task behind.

mod accept;
mod activity;
mod bind;
mod connection;
mod head_timer;
mod limits;
mod room;
mod streams;
#[cfg(test)]
mod tests;

use std::{convert::Infallible, fmt, sync::Arc};

use axum::{body::Body, response::Response};
use http::Request;
use hyper::body::Incoming;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::Service;

pub use accept::ServeReport;
pub use bind::{BACKLOG, BindError, bind};
pub use limits::ConnectionLimits;

/// What carries HTTP on a listener.
#[derive(Clone)]
pub enum Transport {
    /// HTTP/1.1 over TCP (the admin listener).
    Plain,
    /// HTTP/2 or HTTP/1.1 over TLS (the webhook listener).
    Tls(Arc<ServerConfig>),
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "Plain",
            Self::Tls(_) => "Tls",
        })
    }
}

/// The stages of a shutdown; the caller sets the pace by cancelling one token after the other.
#[derive(Clone, Debug, Default)]
pub struct ShutdownStages {
    /// Keep accepting and serving, but let clients leave in good order: HTTP/1.1 answers carry `connection: close`,
    /// HTTP/2 connections that are open then are told to go away after their open streams. Cancel this together with
    /// readiness.
    pub wind_down: CancellationToken,
    /// Stop accepting, close idle connections, finish what is in flight within [`ConnectionLimits::drain`].
    pub stop: CancellationToken,
}

/// The router or service type that a [`Server`] takes; blanket-implemented, an [`axum::Router`] is one.
pub trait HttpService:
    Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> HttpService for S where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// One listener's settings.
#[derive(Clone, Debug)]
pub struct Server {
    /// The listener's name in logs, e.g. `webhook`.
    pub name: &'static str,
    /// TLS or not.
    pub transport: Transport,
    /// Bounds on connections.
    pub limits: ConnectionLimits,
    /// When to end.
    pub stages: ShutdownStages,
}

impl Server {
    /// Accepts and serves until [`ShutdownStages::stop`], then drains and reports.
    ///
    /// It never returns earlier: failures to accept are logged and tried again. All tasks belong to this future:
    /// dropping it ends every connection.
    pub async fn serve(self, listener: TcpListener, service: impl HttpService) -> ServeReport {
        accept::serve(self, listener, service).await
    }

    fn tls(&self) -> Option<TlsAcceptor> {
        match &self.transport {
            Transport::Plain => None,
            Transport::Tls(config) => Some(TlsAcceptor::from(Arc::clone(config))),
        }
    }
}
