//! Reading a request's body whole, within a size, and within the memory that all bodies together may take.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::BypassReason;

/// Granularity of the budget.
const UNIT_BYTES: usize = 4096;

/// Room made for a body before any of it is there: enough for nearly every review without growing, and no more than
/// many clients that only announce can be given.
const FIRST_ROOM_BYTES: usize = 64 * 1024;

/// Memory that all bodies together may take.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<Semaphore>);

/// A body with the memory it was granted, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) bytes: Bytes,
    _memory: Option<OwnedSemaphorePermit>,
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
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.div_ceil(UNIT_BYTES).min(Semaphore::MAX_PERMITS))))
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
        let mut memory: Option<OwnedSemaphorePermit> = None;
        let mut granted = 0;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else { continue };
            let needed = read.len() + data.len();
            if needed > limit {
                return Err(BodyError::TooLarge { limit });
            }
            if needed > granted {
                let units = (needed - granted).div_ceil(UNIT_BYTES);
                let more = self.take(units).ok_or(BodyError::TooManyBytes)?;
                granted += units * UNIT_BYTES;
                match &mut memory {
                    Some(memory) => memory.merge(more),
                    None => memory = Some(more),
                }
            }
            read.extend_from_slice(&data);
        }
        Ok(Granted { bytes: read.freeze(), _memory: memory })
    }

    fn take(&self, units: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(units).ok()?;
        self.0.clone().try_acquire_many_owned(units).ok()
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
