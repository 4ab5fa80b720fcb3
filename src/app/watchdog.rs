//! Starts what watches over this process from outside of its runtime.

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::http::live::LiveView;
use crate::liveness::{Liveness, Stuck, Watch};

/// Watches whether the runtime and decisions get on.
///
/// # Errors
/// The operating system gives no thread.
pub(super) fn start(
    live: &LiveView,
    on_stuck: Box<dyn Fn(Stuck) + Send>,
    stop: &CancellationToken,
    tasks: &mut JoinSet<&'static str>,
) -> std::io::Result<Liveness> {
    let (liveness, watch) = (Liveness::default(), Watch::default());
    let beating = liveness.clone().beat(watch.every / 4, stop.clone());
    tasks.spawn(async move {
        beating.await;
        "heartbeat"
    });
    let live = live.clone();
    let progress = move || live.load().endpoints.mutate.progress();
    liveness.watch(watch, progress, on_stuck, stop.clone())?;
    Ok(liveness)
}
