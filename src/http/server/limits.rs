//! The bounds on connections, each with the reason for its number.

use std::time::Duration;

/// Bounds on what a client may hold and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections open at once; beyond it a new one takes the place of one of whoever holds the most.
    pub max_connections: usize,
    /// From the accepted socket to the end of the TLS handshake.
    pub handshake: Duration,
    /// From the first byte of an HTTP/1.1 request head to its last.
    pub head: Duration,
    /// Time without a byte in either direction before a connection is closed (up to an eighth more), that of making an
    /// answer not counted.
    pub idle: Duration,
    /// Bytes of a request's head: start line and header fields.
    pub max_head_bytes: u32,
    /// Requests open at once on one HTTP/2 connection.
    pub max_streams: u32,
    /// How often an HTTP/2 connection is probed with a PING.
    pub ping_interval: Duration,
    /// How long the answer to that PING may take.
    pub ping_timeout: Duration,
    /// From [`super::ShutdownStages::stop`] until connections that are still busy are dropped.
    pub drain: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            // An API server opens about one connection for each request in flight (40 parallel creates: 34) and keeps
            // 25 of them; a handful of API servers, the scheduler, probes and scrapes stay well below 512. It is also
            // twice the 256 decisions that may run at once, and below the 1024 descriptors that a process may usually
            // hold, so that this limit is met before that one.
            max_connections: 512,
            // The caller's own limit is 1 s for the whole call, and a handshake takes about a millisecond of CPU.
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(10),
            // More than the API server's 90 s (`http.Transport.IdleConnTimeout` in client-go), with room for clocks
            // and timers: the client must always be the one to close an idle connection.
            idle: Duration::from_mins(2),
            // The API server's heads are under 1 KiB. 32 KiB leaves room for proxies that add to them.
            max_head_bytes: 32 * 1024,
            // net/http's server allows 250; the API server spreads over connections only when a limit is reached.
            max_streams: 250,
            // Together well under the idle limit: they find a peer that vanished, or that stops inside a frame.
            ping_interval: Duration::from_secs(30),
            ping_timeout: Duration::from_secs(10),
            // A decision takes at most 190 ms; the rest is for a large filter body that is still on its way. It fits,
            // with the time before it, into the usual 30 s of grace that Kubernetes gives a pod.
            drain: Duration::from_secs(10),
        }
    }
}
