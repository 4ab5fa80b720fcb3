//! Reading a request's body whole, within a size, and within the memory that all bodies together may take.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::BypassReason;

/// Granularity of the budget.
const UNIT_BYTES: usize = 4096;

/// Room made for a body before any of it is there: enough for nearly every review without growing, and no more than
/// many clients that only announce can be given.
const FIRST_ROOM_BYTES: usize = 64 * 1024;

/// The most that the beginnings of all bodies may take.
const MOST_FOR_BEGINNINGS: usize = 32 << 20;

/// Memory that all bodies together may take. What a body begins with is of another part than the rest, so that a few large
/// ones, sent slowly, keep no small one out.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    beginnings: Arc<Semaphore>,
    rest: Arc<Semaphore>,
}

/// A body with the memory it was granted, given back when the last that holds it is dropped.
#[derive(Clone, Debug)]
pub(super) struct Granted {
    pub(super) bytes: Bytes,
    memory: Arc<Grants>,
}

#[derive(Debug, Default)]
struct Grants {
    beginning: Grant,
    rest: Grant,
}

/// Units of a part.
#[derive(Debug, Default)]
struct Grant(Option<OwnedSemaphorePermit>);

impl Grant {
    /// Takes what is missing to so many bytes.
    fn grow_to(&mut self, bytes: usize, part: &Arc<Semaphore>) -> Result<(), BodyError> {
        let held = self.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = bytes.div_ceil(UNIT_BYTES).saturating_sub(held);
        if missing > 0 {
            let units = u32::try_from(missing).map_err(|_| BodyError::TooManyBytes)?;
            let more = part.clone().try_acquire_many_owned(units).map_err(|_| BodyError::TooManyBytes)?;
            match &mut self.0 {
                Some(held) => held.merge(more),
                None => self.0 = Some(more),
            }
        }
        Ok(())
    }
}

impl Granted {
    /// An answer's body that keeps this one's memory until it has been sent: an answer may be as long as the question, and
    /// whoever asked may be slow to read it.
    pub(super) fn answered_by(&self, answer: Bytes) -> Body {
        Body::new(Answer { body: Full::new(answer), _memory: self.memory.clone() })
    }
}

struct Answer {
    body: Full<Bytes>,
    _memory: Arc<Grants>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body could not be had: the answer is an error status, and the caller's own policy opens.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error(
        "body is over {limit} bytes: raise server.maxBodyMiB, or server.maxFilterBodyMiB for the extender"
    )]
    TooLarge { limit: usize },
    #[error("bodies in flight take all the memory they may: send fewer large requests at once")]
    TooManyBytes,
    #[error("body did not arrive in {0:?}: send it faster, or in fewer bytes")]
    TooSlow(Duration),
    #[error("body broke off ({0}): send it whole")]
    Broken(#[source] axum::Error),
    #[error("Content-Type is {0}: send application/json")]
    NotJson(String),
}

impl BodyError {
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooManyBytes => StatusCode::TOO_MANY_REQUESTS,
            Self::TooSlow(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Broken(_) => StatusCode::BAD_REQUEST,
            Self::NotJson(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    pub(super) const fn reason(&self) -> BypassReason {
        match self {
            Self::TooLarge { .. } | Self::Broken(_) | Self::NotJson(_) => BypassReason::Undecodable,
            Self::TooManyBytes => BypassReason::Overloaded,
            Self::TooSlow(_) => BypassReason::Deadline,
        }
    }
}

impl Budget {
    /// So much for what is beyond the beginnings, and no more than that for these.
    pub(super) fn new(bytes: usize) -> Self {
        let part =
            |bytes: usize| Arc::new(Semaphore::new(bytes.div_ceil(UNIT_BYTES).min(Semaphore::MAX_PERMITS)));
        Self { beginnings: part(bytes.min(MOST_FOR_BEGINNINGS)), rest: part(bytes) }
    }

    /// Reads a JSON body of at most `limit` bytes in at most `time`.
    pub(super) async fn read(
        &self,
        request: Request<Body>,
        limit: usize,
        time: Duration,
    ) -> Result<Granted, BodyError> {
        check_content_type(request.headers())?;
        let read = tokio::time::timeout(time, self.read_all(request, limit)).await;
        read.unwrap_or(Err(BodyError::TooSlow(time)))
    }

    async fn read_all(&self, request: Request<Body>, limit: usize) -> Result<Granted, BodyError> {
        let announced = announced_length(request.headers());
        if announced > limit {
            return Err(BodyError::TooLarge { limit });
        }
        let mut body = request.into_body();
        let mut read = BytesMut::with_capacity(announced.min(FIRST_ROOM_BYTES));
        let mut grants = Grants::default();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else { continue };
            let needed = read.len() + data.len();
            if needed > limit {
                return Err(BodyError::TooLarge { limit });
            }
            grants.beginning.grow_to(needed.min(FIRST_ROOM_BYTES), &self.beginnings)?;
            grants.rest.grow_to(needed.saturating_sub(FIRST_ROOM_BYTES), &self.rest)?;
            read.extend_from_slice(&data);
        }
        Ok(Granted { bytes: read.freeze(), memory: Arc::new(grants) })
    }
}

/// The length the client announces; 0 when it does not.
fn announced_length(headers: &HeaderMap) -> usize {
    headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0)
}

fn check_content_type(headers: &HeaderMap) -> Result<(), BodyError> {
    let Some(given) = headers.get(CONTENT_TYPE) else {
        return Err(BodyError::NotJson("missing".to_owned()));
    };
    let given = String::from_utf8_lossy(given.as_bytes());
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(BodyError::NotJson(format!("\"{essence}\"")))
    }
}
