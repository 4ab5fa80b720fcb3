//! Taking an address, apart from serving on it: a port in use must be known before anything else starts.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// Connections that the kernel keeps waiting before `accept`. It carries a burst over a moment in which no connection
/// is accepted; Linux lowers it to `net.core.somaxconn` (4096 by default).
pub const BACKLOG: u32 = 1024;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another socket has the port.
    #[error(
        "cannot listen on {addr}: the port is in use; stop the process that has it, or choose another with {flag}"
    )]
    InUse {
        /// The address asked for.
        addr: SocketAddr,
        /// The option that sets it.
        flag: &'static str,
    },
    /// The system does not let this user take the port.
    #[error(
        "cannot listen on {addr}: permission denied (ports below 1024 are often reserved); choose a higher port with \
         {flag}, or grant CAP_NET_BIND_SERVICE"
    )]
    Denied {
        /// The address asked for.
        addr: SocketAddr,
        /// The option that sets it.
        flag: &'static str,
    },
    /// The address belongs to no interface of this machine.
    #[error(
        "cannot listen on {addr}: this machine has no such address; choose one of its own, or 0.0.0.0 for all, with {flag}"
    )]
    NotLocal {
        /// The address asked for.
        addr: SocketAddr,
        /// The option that sets it.
        flag: &'static str,
    },
    /// Anything else.
    #[error("cannot listen on {addr}: {source}; choose another address with {flag}")]
    Other {
        /// The address asked for.
        addr: SocketAddr,
        /// The option that sets it.
        flag: &'static str,
        /// The cause.
        source: io::Error,
    },
}

/// Listens on `addr` (port 0: any free one). `flag` is the option that set the address, for the error message.
///
/// # Errors
/// The address cannot be taken; see [`BindError`].
///
/// # Panics
/// Outside a Tokio runtime.
pub fn bind(addr: SocketAddr, flag: &'static str) -> Result<TcpListener, BindError> {
    listen(addr).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { addr, flag },
        io::ErrorKind::PermissionDenied => BindError::Denied { addr, flag },
        io::ErrorKind::AddrNotAvailable => BindError::NotLocal { addr, flag },
        _ => BindError::Other { addr, flag, source },
    })
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart must not wait for connections of the last run to leave TIME_WAIT. On Windows the option means something
    // else (it lets two processes share a port).
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_of_another_machine_is_named_with_the_cure() {
        // 192.0.2.0/24 is reserved for documentation (RFC 5737).
        let error = bind("192.0.2.1:0".parse().unwrap(), "--webhook-addr").unwrap_err();
        assert!(matches!(error, BindError::NotLocal { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("192.0.2.1:0") && text.contains("with --webhook-addr"), "{text}");
    }
}
