//! The fail-open layer, the only place that turns failure into an answer: bounded body, bounded concurrency, deadline,
//! panic, and whatever the endpoint itself could not do.
//!
//! It reads the whole body first, since an answer that changes nothing needs the review's uid or the scheduler's
//! node list. What is counted and recorded is what was answered, never what was only computed.

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, StatusCode};
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::{Budget, Granted};
use crate::audit::entry::{Endpoint, Entry, Subject};
use crate::audit::ledger::Ledger;
use crate::clock::{Clock, monotonic_now};
use crate::config::Mode;
use crate::decider::Decided;
use crate::domain::BypassReason;
use crate::liveness::Progress;
use crate::metrics::Metrics;

/// Bodies up to this size are decided about on the spot; larger ones on a thread of their own, where the deadline can
/// leave them behind. On the spot the work is bounded by the size: at the slowest parser speed seen, 100 MB/s, this
/// many bytes take under 3 ms, and a hop to another thread would cost each small request more than its decision.
const INLINE_BYTES: usize = 256 * 1024;
/// Longest problem that a refusal tells, in characters.
const MAX_SHOWN: usize = 300;
/// Taken off the caller's own time-out, so that the answer is on its way before the caller gives up.
const CALLER_MARGIN: Duration = Duration::from_millis(50);
/// A body has to be there in this time where the deadline starts only after it.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// What an endpoint does with a body. Synchronous on purpose: there is nothing to wait for.
pub trait Answering: Send + Sync + 'static {
    /// Which endpoint this is.
    const ENDPOINT: Endpoint;
    /// A body that cannot be answered at all.
    type Error: std::error::Error;

    /// Decides and answers.
    ///
    /// # Errors
    /// The body names nothing that an answer could be about.
    fn answer(&self, body: &[u8], now: Timestamp) -> Result<Answer, Self::Error>;

    /// Answers as if Eco-Pulse were not there. Has to be cheap, and does not decide.
    ///
    /// # Errors
    /// The body names nothing that an answer could be about.
    fn open(&self, body: &[u8], reason: BypassReason) -> Result<Answer, Self::Error>;

    /// Called once the answer is on its way and is neither a rehearsal nor a repetition.
    fn carried_out(&self, draft: &Draft, now: Timestamp);
}

/// An answer with what is to be recorded of it.
#[derive(Debug)]
pub struct Answer {
    /// The response's JSON.
    pub body: Bytes,
    /// What is to be recorded.
    pub draft: Draft,
}

/// A record that lacks only its timing.
#[derive(Debug)]
pub struct Draft {
    /// For whom.
    pub subject: Subject,
    /// Whether only a rehearsal was asked for.
    pub dry_run: bool,
    /// Whether an earlier pass of the same admission made this decision and wrote it down.
    pub repeat: bool,
    /// What was decided.
    pub decided: Decided,
}

/// When the deadline starts to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadlineFrom {
    /// With the request's arrival.
    Arrival,
    /// With the last byte of its body: full node lists take their time on the wire.
    Body,
}

/// Limits of one endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest body.
    pub max_body_bytes: usize,
    /// Time for a decision.
    pub deadline: Duration,
    /// When that time starts.
    pub deadline_from: DeadlineFrom,
}

/// What all endpoints share: how much may be going on at once, and where it is written down.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Requests that may be decided about at once.
    pub permits: Arc<Semaphore>,
    /// How many decisions have come to an end.
    ended: Arc<AtomicU64>,
    /// Memory that bodies may take at once.
    budget: Budget,
    /// Where decisions are counted.
    pub metrics: Arc<Metrics>,
    /// Where they are recorded.
    pub ledger: Ledger,
    /// What time it is.
    pub clock: Clock,
    /// What the deployment does with decisions.
    pub mode: Mode,
}

impl Shared {
    /// With room for `max_concurrent` decisions and `max_bytes` of bodies.
    #[must_use]
    pub fn new(
        max_concurrent: usize,
        max_bytes: usize,
        metrics: Arc<Metrics>,
        ledger: Ledger,
        clock: Clock,
        mode: Mode,
    ) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(max_concurrent)),
            ended: Arc::default(),
            budget: Budget::new(max_bytes),
            metrics,
            ledger,
            clock,
            mode,
        }
    }
}

impl Shared {
    /// The same with memory of its own for bodies.
    #[must_use]
    pub fn with_bytes(&self, max_bytes: usize) -> Self {
        Self { budget: Budget::new(max_bytes), ..self.clone() }
    }

    /// Leave to decide, if there is room.
    fn permit(&self) -> Option<Permit> {
        let permit = self.permits.clone().try_acquire_owned().ok()?;
        Some(Permit { _permit: permit, ended: self.ended.clone() })
    }

    /// The same room and books for an endpoint that does something else with decisions.
    #[must_use]
    pub fn in_mode(&self, mode: Mode) -> Self {
        Self { mode, ..self.clone() }
    }
}

/// Leave to decide, given back when it is dropped.
#[derive(Debug)]
struct Permit {
    _permit: OwnedSemaphorePermit,
    ended: Arc<AtomicU64>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }
}

/// The layer around one endpoint.
#[derive(Debug)]
pub struct FailOpen<A> {
    endpoint: Arc<A>,
    limits: Limits,
    shared: Shared,
}

impl<A> Clone for FailOpen<A> {
    fn clone(&self) -> Self {
        Self { endpoint: self.endpoint.clone(), limits: self.limits, shared: self.shared.clone() }
    }
}

impl<A: Answering> FailOpen<A> {
    /// A layer around `endpoint`.
    #[must_use]
    pub fn new(endpoint: A, limits: Limits, shared: Shared) -> Self {
        Self { endpoint: Arc::new(endpoint), limits, shared }
    }

    /// How decisions get on, of all endpoints that share room with this one.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let Shared { permits, ended, .. } = &self.shared;
        Progress { is_full: permits.available_permits() == 0, ended: ended.load(Ordering::Relaxed) }
    }

    /// Answers a request, whatever happens.
    pub async fn handle(self, request: Request<Body>) -> Response {
        let arrived = monotonic_now();
        let time = self.time_for(&request);
        let time_for_body = match self.limits.deadline_from {
            DeadlineFrom::Arrival => time,
            DeadlineFrom::Body => BODY_TIMEOUT,
        };
        let body = match self.shared.budget.read(request, self.limits.max_body_bytes, time_for_body).await {
            Ok(body) => body,
            Err(error) => return self.refuse(error.status(), error.reason(), &error.to_string()),
        };
        let started = match self.limits.deadline_from {
            DeadlineFrom::Arrival => arrived,
            DeadlineFrom::Body => monotonic_now(),
        };
        let Some(permit) = self.shared.permit() else {
            return self.open(&body, BypassReason::Overloaded, started).await;
        };
        match self.answer_in_time(&body, started, time, permit).await {
            Ok(Ok(answer)) => self.commit(answer, &body, started),
            Ok(Err(problem)) => self.refuse(StatusCode::BAD_REQUEST, BypassReason::Undecodable, &problem),
            Err(reason) => self.open(&body, reason, started).await,
        }
    }

    /// The time this request has: what is configured, or what its caller has left.
    fn time_for(&self, request: &Request<Body>) -> Duration {
        let callers = request.uri().query().and_then(caller_timeout);
        callers.map_or(self.limits.deadline, |callers| {
            self.limits.deadline.min(callers.saturating_sub(CALLER_MARGIN))
        })
    }

    /// The endpoint's answer, unless the time is over or it panics.
    async fn answer_in_time(
        &self,
        body: &Granted,
        started: Instant,
        time: Duration,
        permit: Permit,
    ) -> Result<Result<Answer, String>, BypassReason> {
        let left = time.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(BypassReason::Deadline);
        }
        let now = self.shared.clock.now();
        let answered = if body.bytes.len() <= INLINE_BYTES {
            let answered = answer_caught(&*self.endpoint, &body.bytes, now);
            drop(permit);
            answered
        } else {
            let (endpoint, body) = (self.endpoint.clone(), body.clone());
            let work = tokio::task::spawn_blocking(move || {
                // Held until the work is really over, not only until nobody waits for it any more; and so is the body's memory.
                let _permit = permit;
                answer_caught(&*endpoint, &body.bytes, now)
            });
            let unqueue = work.abort_handle();
            match tokio::time::timeout(left, work).await {
                Ok(Ok(answered)) => answered,
                Ok(Err(_)) => Err(BypassReason::Panic),
                Err(_) => {
                    // Ends what has not begun; what has goes on to its end.
                    unqueue.abort();
                    Err(BypassReason::Deadline)
                }
            }
        };
        if started.elapsed() > time { Err(BypassReason::Deadline) } else { answered }
    }

    /// Answers as if nobody were here. It reads the body once more, so a large one goes to a thread of its own here too:
    /// read on the spot it would hold up every other request.
    async fn open(&self, body: &Granted, reason: BypassReason, started: Instant) -> Response {
        let opened = if body.bytes.len() <= INLINE_BYTES {
            open_caught(&*self.endpoint, &body.bytes, reason)
        } else {
            let (endpoint, for_thread) = (self.endpoint.clone(), body.clone());
            let (done, opened) = tokio::sync::oneshot::channel();
            // Not one of the runtime's: those may all be at work on what came too late.
            let thread = std::thread::Builder::new().name("fail-open".to_owned()).spawn(move || {
                // Whoever asked may have gone.
                let _ = done.send(open_caught(&*endpoint, &for_thread.bytes, reason));
            });
            match thread {
                Ok(_) => opened.await.unwrap_or(Err(BypassReason::Internal)),
                Err(_) => open_caught(&*self.endpoint, &body.bytes, reason),
            }
        };
        match opened {
            Ok(Ok(answer)) => self.commit(answer, body, started),
            Ok(Err(problem)) => self.refuse(StatusCode::BAD_REQUEST, reason, &problem),
            Err(defect) => self.refuse(StatusCode::INTERNAL_SERVER_ERROR, defect, "defect"),
        }
    }

    /// Counts and records what is being answered.
    fn commit(&self, answer: Answer, asked: &Granted, started: Instant) -> Response {
        let Answer { body, draft } = answer;
        let at = self.shared.clock.now();
        if !draft.dry_run && !draft.repeat {
            let booked = catch_unwind(AssertUnwindSafe(|| {
                self.endpoint.carried_out(&draft, at);
                self.record(draft, started, at);
            }));
            // The pod has its answer; a defect in our books does not take it away.
            if booked.is_err() {
                tracing::error!(endpoint = A::ENDPOINT.as_str(), "a defect kept a decision out of the books");
            }
        }
        ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], asked.answered_by(body))
            .into_response()
    }

    fn record(&self, draft: Draft, started: Instant, at: Timestamp) {
        let Draft { subject, dry_run, decided, .. } = draft;
        // The scheduler asks again and again about a pod that was counted at admission.
        if A::ENDPOINT == Endpoint::Mutate {
            self.shared.metrics.malformed_annotations(decided.warnings.len());
        }
        let entry = Entry {
            at,
            id: decided.id,
            endpoint: A::ENDPOINT,
            subject,
            dry_run,
            mode: self.shared.mode.lower(decided.mode),
            policies: decided.policies,
            decision: decided.decision,
            demand: decided.demand,
            snapshot: decided.snapshot,
            duration: started.elapsed(),
        };
        self.shared.metrics.decided(&entry);
        if self.shared.ledger.offer(entry).is_err() {
            self.shared.metrics.ledger().dropped_at_queue();
        }
    }

    /// An error status: the caller's `failurePolicy: Ignore` or `ignorable: true` opens.
    fn refuse(&self, status: StatusCode, reason: BypassReason, problem: &str) -> Response {
        self.shared.metrics.fail_open(A::ENDPOINT, reason);
        // It may quote what was sent, which may be megabytes.
        let problem: String = problem.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect();
        tracing::debug!(endpoint = A::ENDPOINT.as_str(), %status, problem, "request cannot be answered");
        (status, format!("eco-pulse: {problem}\n")).into_response()
    }
}

fn answer_caught<A: Answering>(
    endpoint: &A,
    body: &[u8],
    now: Timestamp,
) -> Result<Result<Answer, String>, BypassReason> {
    catch_unwind(AssertUnwindSafe(|| endpoint.answer(body, now)))
        .map(|answer| answer.map_err(|error| error.to_string()))
        .map_err(|_| BypassReason::Panic)
}

fn open_caught<A: Answering>(
    endpoint: &A,
    body: &[u8],
    reason: BypassReason,
) -> Result<Result<Answer, String>, BypassReason> {
    catch_unwind(AssertUnwindSafe(|| endpoint.open(body, reason)))
        .map(|answer| answer.map_err(|error| error.to_string()))
        .map_err(|_| BypassReason::Panic)
}

/// The API server's `?timeout=`: Go's duration text, rounded up to whole seconds.
fn caller_timeout(query: &str) -> Option<Duration> {
    let text = query.split('&').find_map(|pair| pair.strip_prefix("timeout="))?;
    crate::domain::duration::parse_duration(text).ok()
}
