//! Counts the bytes that a connection moves, and ends a connection that moves none.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the parts of one connection tell each other. The values stand alone, so relaxed ordering is enough.
#[derive(Debug, Default)]
pub(super) struct Activity {
    received: AtomicU64,
    sent: AtomicU64,
    last_answer: AtomicBool,
    answering: AtomicUsize,
    quiet_looks: AtomicU32,
}

/// An answer that is being made, to a request of which everything has come.
#[derive(Debug)]
pub(super) struct Answering(Arc<Activity>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.answering.fetch_sub(1, Relaxed);
    }
}

impl Activity {
    /// Bytes received so far.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    /// From now on each HTTP/1.1 answer is the last on this connection.
    pub(super) fn make_next_answer_the_last(&self) {
        self.last_answer.store(true, Relaxed);
    }

    pub(super) fn next_answer_is_the_last(&self) -> bool {
        self.last_answer.load(Relaxed)
    }

    /// While what comes back is there, nobody else is to blame for the silence.
    pub(super) fn answering(self: &Arc<Self>) -> Answering {
        self.answering.fetch_add(1, Relaxed);
        Answering(Arc::clone(self))
    }

    /// Ends once no byte has moved for `limit`, at the latest an eighth of `limit` after that. What we take ourselves for an
    /// answer does not count.
    ///
    /// It looks at the counters eight times per `limit` instead of setting a timer back on each read and write: those
    /// are on the path of a request, this is not.
    pub(super) async fn silence(&self, limit: Duration) {
        const LOOKS: u32 = 8;
        let mut moved = self.moved();
        let mut quiet = 0;
        while quiet < LOOKS {
            tokio::time::sleep(limit / LOOKS).await;
            let now = self.moved();
            quiet = if now == moved && !self.is_answering() { quiet + 1 } else { 0 };
            self.quiet_looks.store(quiet, Relaxed);
            moved = now;
        }
    }

    /// Whether an answer is being made.
    pub(super) fn is_answering(&self) -> bool {
        self.answering.load(Relaxed) > 0
    }

    /// For how many looks in a row nothing has moved.
    pub(super) fn quiet_looks(&self) -> u32 {
        self.quiet_looks.load(Relaxed)
    }

    fn moved(&self) -> (u64, u64) {
        (self.received.load(Relaxed), self.sent.load(Relaxed))
    }
}

/// A stream that counts into an [`Activity`]. On TLS it lies above the encryption: a peer that only sends TLS-level
/// messages is silent.
#[derive(Debug)]
pub(super) struct Counted<Io> {
    io: Io,
    activity: Arc<Activity>,
}

impl<Io> Counted<Io> {
    pub(super) fn new(io: Io, activity: Arc<Activity>) -> Self {
        Self { io, activity }
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Counted<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        self.activity.received.fetch_add((buf.filled().len() - before) as u64, Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Counted<Io> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write(cx, buf))?;
        self.activity.sent.fetch_add(written as u64, Relaxed);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs))?;
        self.activity.sent.fetch_add(written as u64, Relaxed);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
