//! Starts the listeners.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::http::server::{ConnectionLimits, Server, ShutdownStages, Transport};

/// Starts one, and says where it listens.
///
/// # Errors
/// The operating system does not say.
pub(super) fn listen(
    name: &'static str,
    transport: Transport,
    listener: TcpListener,
    routes: Router,
    stages: &ShutdownStages,
    tasks: &mut JoinSet<&'static str>,
) -> std::io::Result<SocketAddr> {
    let addr = listener.local_addr()?;
    let server = Server { name, transport, limits: ConnectionLimits::default(), stages: stages.clone() };
    tasks.spawn(async move {
        server.serve(listener, routes).await;
        name
    });
    Ok(addr)
}
