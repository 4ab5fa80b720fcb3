//! The process's own log: on standard error, so that standard output holds decision records and nothing else. JSON
//! lines where a machine reads, plain text on a terminal.

use std::io::IsTerminal;

use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Starts logging at `level`, or as `RUST_LOG` says where it is set. A second call changes nothing.
pub fn start(level: Level) {
    // The Redis client tells of every lost connection; the store tells of every change, once.
    let configured = || EnvFilter::new(format!("{level},fred=error"));
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| configured());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE);
    // A panic is caught and answered; what is left of it is this line.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, message = panic.payload_as_str().unwrap_or("(no message)"), "panic");
    }));
    // The only error is a logger that is there already, as in tests.
    let _ = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
}
