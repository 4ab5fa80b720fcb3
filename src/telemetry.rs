//! The process's own log: on standard error, so that standard output holds decision records and nothing else. JSON
//! lines where a machine reads, plain text on a terminal.

use std::fmt;
use std::io::IsTerminal;
use std::sync::Arc;

use tracing::Level;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, reload};

/// Lines that wait while standard error takes none: about a megabyte.
const LINES_WAITING: usize = 4096;

/// Changes the level of a log that is running.
#[derive(Clone, Default)]
pub struct LogLevel(Option<Arc<dyn Fn(EnvFilter) + Send + Sync>>);

impl fmt::Debug for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogLevel")
    }
}

impl LogLevel {
    /// Logs at `level` from now on, unless `RUST_LOG` says otherwise.
    pub fn set(&self, level: Level) {
        if let Some(reload) = &self.0 {
            reload(filter(level));
        }
    }
}

/// The Redis client tells of every lost connection; the store tells of every change, once. The Kubernetes client tells of
/// every request that fails; watches tell of every change, once.
fn filter(level: Level) -> EnvFilter {
    let configured = || EnvFilter::new(format!("{level},fred=error,kube_client=error,kube_runtime=error"));
    EnvFilter::try_from_default_env().unwrap_or_else(|_| configured())
}

/// A log that is running, to its last line: dropping it writes what is left, if that is taken within a second.
#[derive(Debug)]
pub struct Log {
    /// Changes its level.
    pub level: LogLevel,
    _writer: WorkerGuard,
}

/// Starts logging at `level`, or as `RUST_LOG` says where it is set. A second call changes nothing.
///
/// Lines are written by a thread of their own, and dropped where standard error does not take them: whoever answers for a pod
/// may have something to say, and must not wait until somebody has read it.
#[must_use]
pub fn start(level: Level) -> Log {
    let (filter, handle) = reload::Layer::new(filter(level));
    let registry = tracing_subscriber::registry().with(filter);
    let (writer, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING)
        .thread_name("log")
        .finish(std::io::stderr());
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    // A panic is caught and answered; what is left of it is this line.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, message = panic.payload_as_str().unwrap_or("(no message)"), "panic");
    }));
    // The only error is a logger that is there already, as in tests.
    let _ = if std::io::stderr().is_terminal() {
        registry.with(lines.with_target(false)).try_init()
    } else {
        registry.with(lines.json().flatten_event(true)).try_init()
    };
    let level = LogLevel(Some(Arc::new(move |filter| {
        // The only error is a log that is gone.
        let _ = handle.reload(filter);
    })));
    Log { level, _writer: worker }
}
