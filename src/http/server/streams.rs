//! Where hyper puts the requests of HTTP/2 connections: tasks that are counted and can be ended.

use hyper::rt::Executor;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// Runs HTTP/2 streams for all connections of one listener.
#[derive(Clone, Debug)]
pub(super) struct StreamExecutor {
    tasks: TaskTracker,
    end: CancellationToken,
}

/// The owner's side: dropping it ends every stream.
#[derive(Debug)]
pub(super) struct StreamTasks {
    tasks: TaskTracker,
    end: DropGuard,
}

impl StreamTasks {
    pub(super) fn new() -> (Self, StreamExecutor) {
        let tasks = TaskTracker::new();
        let end = CancellationToken::new();
        (Self { tasks: tasks.clone(), end: end.clone().drop_guard() }, StreamExecutor { tasks, end })
    }

    /// Ends the streams that are left and waits until they are gone.
    pub(super) async fn finish(self) {
        let Self { tasks, end } = self;
        drop(end);
        tasks.close();
        tasks.wait().await;
    }
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let end = self.end.clone();
        self.tasks.spawn(async move {
            end.run_until_cancelled_owned(stream).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, sync::Arc, time::Duration};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn finish_ends_streams_that_would_never_end_and_waits_for_them() {
        let (tasks, executor) = StreamTasks::new();
        let held = Arc::new(());
        for _ in 0..3 {
            let ours = Arc::clone(&held);
            executor.execute(async move {
                pending::<()>().await;
                drop(ours);
            });
        }
        assert!(tokio::time::timeout(Duration::from_secs(1), tasks.finish()).await.is_ok());
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn dropping_the_owner_ends_streams_too() {
        let (tasks, executor) = StreamTasks::new();
        let (ours, mut theirs) = tokio::sync::mpsc::channel::<()>(1);
        executor.execute(async move {
            pending::<()>().await;
            drop(ours);
        });
        drop(tasks);
        // `None`: the stream's end of the channel is gone.
        assert_eq!(tokio::time::timeout(Duration::from_secs(1), theirs.recv()).await, Ok(None));
    }
}
