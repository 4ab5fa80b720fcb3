//! A timer for hyper that measures a request head from its first byte, not from the end of the request before it.
//!
//! hyper asks its timer for a sleep when it begins to wait for a head, polls that sleep each time reading has to wait,
//! and drops it when the head is complete. So the sleep itself can tell an idle connection from a slow head: as long as
//! no byte has come since it was made, it does not run.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;

use super::activity::Activity;

/// The timer of one HTTP/1.1 connection; hyper uses it for `header_read_timeout` alone.
#[derive(Debug)]
pub(super) struct HeadTimer {
    activity: Arc<Activity>,
    limit: Duration,
}

impl HeadTimer {
    pub(super) fn new(activity: Arc<Activity>, limit: Duration) -> Self {
        Self { activity, limit }
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, limit: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(HeadSleep {
            received_before: self.activity.received(),
            activity: Arc::clone(&self.activity),
            limit,
            running: None,
        })
    }

    // hyper's deadline counts from now; the limit is what it was computed from.
    fn sleep_until(&self, _deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep(self.limit)
    }

    fn now(&self) -> Instant {
        TokioTimer::new().now()
    }
}

struct HeadSleep {
    activity: Arc<Activity>,
    received_before: u64,
    limit: Duration,
    running: Option<Pin<Box<dyn Sleep>>>,
}

impl Future for HeadSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // No waker is needed while no byte has come: hyper polls this right after a read that has to wait, so the
        // read's own waker leads back here.
        if self.running.is_none() && self.activity.received() != self.received_before {
            self.running = Some(TokioTimer::new().sleep(self.limit));
        }
        match &mut self.running {
            None => Poll::Pending,
            Some(sleep) => sleep.as_mut().poll(cx),
        }
    }
}

impl Sleep for HeadSleep {}
