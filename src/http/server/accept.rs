//! The accept loop: owns the listener and every connection, survives failures to accept, drains at the end.

use std::{io, net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::{Id, JoinError, JoinSet},
};

use super::{
    HttpService, Server,
    activity::Activity,
    connection::{Connections, End},
    room::Room,
    streams::StreamTasks,
};

/// First pause after a failure to accept that is not the peer's doing; doubled each time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Long enough not to burn a core while descriptors are short, short enough not to be noticed once they are back.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What a listener did, for the log line at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServeReport {
    /// Connections accepted.
    pub accepted: u64,
    /// Of these, ended before the TLS handshake was complete.
    pub without_handshake: u64,
    /// Of these, closed because no byte moved for the idle limit.
    pub silent: u64,
    /// Of these, ended by a panic inside them.
    pub panicked: u64,
    /// Of these, ended to make room for others.
    pub gave_way: u64,
    /// Open when the drain began and ended in good order.
    pub drained: u64,
    /// Still busy at the drain limit, and dropped.
    pub dropped: u64,
}

impl ServeReport {
    fn record(&mut self, name: &'static str, outcome: Result<End, JoinError>) {
        match outcome {
            Ok(End::Served) => {}
            Ok(End::NoHandshake) => self.without_handshake += 1,
            Ok(End::Silent) => self.silent += 1,
            Err(error) if error.is_panic() => {
                self.panicked += 1;
                tracing::error!(listener = name, "a connection's task panicked");
            }
            Err(_aborted) => self.dropped += 1,
        }
    }

    /// One that was joined; what gave way was aborted too.
    fn joined(&mut self, name: &'static str, room: &mut Room, joined: Result<(Id, End), JoinError>) {
        let id = joined.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        if room.leave(id) {
            self.record(name, joined.map(|(_, end)| end));
        } else {
            self.gave_way += 1;
        }
    }
}

/// A source of connections: a TCP listener, or a script in tests.
pub(super) trait Accept: Send {
    type Io: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, IpAddr)>> + Send;
}

impl Accept for TcpListener {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, IpAddr)> {
        let (stream, peer) = TcpListener::accept(self).await?;
        // Answers are small and someone waits for each. A failure means that the peer has gone; reading will tell.
        let _ = stream.set_nodelay(true);
        Ok((stream, peer.ip()))
    }
}

pub(super) async fn serve<A: Accept>(
    server: Server,
    mut listener: A,
    service: impl HttpService,
) -> ServeReport {
    let (stream_tasks, streams) = StreamTasks::new();
    let tls = server.tls();
    let Server { name, limits, stages, .. } = server;
    let template = Connections { name, service, tls, limits, stages: stages.clone(), streams };
    let mut connections = JoinSet::new();
    let mut room = Room::new(limits.max_connections);
    let mut report = ServeReport::default();
    let mut pause = FIRST_PAUSE;
    let mut full = false;

    loop {
        tokio::select! {
            biased;
            () = stages.stop.cancelled() => break,
            // Before `accept`, so that ended connections make room at once.
            Some(joined) = connections.join_next_with_id() => report.joined(name, &mut room, joined),
            accepted = listener.accept() => match accepted {
                Ok((io, peer)) => {
                    report.accepted += 1;
                    warn_when_full(name, room.taken(), limits.max_connections, &mut full);
                    if room.is_full() {
                        room.make_some();
                    }
                    let activity = Arc::<Activity>::default();
                    let connection = connections.spawn(template.clone().serve(io, Arc::clone(&activity)));
                    room.take(peer, activity, connection);
                    pause = FIRST_PAUSE;
                }
                Err(error) if is_about_the_peer(&error) => {
                    tracing::debug!(listener = name, %error, "a connection was gone before it was accepted");
                }
                Err(error) => {
                    tracing::warn!(
                        listener = name, %error, retry_in_ms = pause.as_millis(), open = room.taken(),
                        "cannot accept connections; if descriptors are short, raise `ulimit -n`",
                    );
                    let _ = tokio::time::timeout(pause, stages.stop.cancelled()).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            },
        }
    }

    // From here the kernel refuses new connections.
    drop(listener);
    let open_at_stop = room.taken() as u64;
    let before_drain = report;
    let drain = async {
        while let Some(joined) = connections.join_next_with_id().await {
            report.joined(name, &mut room, joined);
        }
    };
    let in_time = tokio::time::timeout(limits.drain, drain).await.is_ok();
    if !in_time {
        connections.abort_all();
        while let Some(joined) = connections.join_next_with_id().await {
            report.joined(name, &mut room, joined);
        }
    }
    stream_tasks.finish().await;
    report.drained = open_at_stop - report.dropped - (report.panicked - before_drain.panicked);
    report
}

/// Failures that belong to one connection, which is gone; the next one may be fine (`accept(2)`, "Error handling").
fn is_about_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset
    )
}

/// Says once that the limit is reached, and again only after it has been left by a good margin.
fn warn_when_full(name: &'static str, open: usize, limit: usize, full: &mut bool) {
    if open >= limit && !*full {
        *full = true;
        tracing::warn!(
            listener = name,
            limit,
            "connection limit reached; new connections take the place of unused ones of whoever holds the most"
        );
    } else if open < limit - limit / 4 {
        *full = false;
    }
}
