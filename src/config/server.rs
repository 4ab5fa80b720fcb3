//! What the process itself does: `extender`, `server`, `tls`, `ledger`, `log`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use tracing::Level;

use super::choices::choices;
use super::name::host;
use super::policy::in_range;
use super::reader::Section;
use super::value::{Fault, boolean, choice, integer, path};

choices! {
    /// What `/filter` does with a decision.
    FilterMode {
        /// Keeps the nodes of the decided region.
        Enforce = "enforce",
        /// Passes all nodes, and decides, logs and counts.
        Observe = "observe",
    }
}

choices! {
    /// Where the webhook's certificate comes from.
    TlsMode {
        /// `tls.crt` and `tls.key` in `--cert-dir`.
        Files = "files",
        /// Made at start, for `tls.hosts`.
        SelfSigned = "self-signed",
        /// Kept in a Secret by the controller, and renewed.
        Managed = "managed",
    }
}

/// The scheduler extender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtenderSettings {
    /// What `/filter` does with a decision.
    pub filter: FilterMode,
}

/// Limits of the servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// Largest body of `/mutate`, bytes.
    pub max_body_bytes: usize,
    /// Largest body of `/filter` and `/prioritize`, bytes.
    pub max_filter_body_bytes: usize,
    /// Decisions in flight at once.
    pub max_concurrent: NonZeroU32,
    /// Authority that signs clients' certificates; with it, clients need one.
    pub client_ca_file: Option<PathBuf>,
}

/// The webhook's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// Where it comes from; `None`: from files when a directory is given, else self-signed.
    pub mode: Option<TlsMode>,
    /// DNS names and IP addresses a self-signed certificate is for, beside the usual ones. Empty with
    /// [`TlsMode::Files`].
    pub hosts: Vec<String>,
}

/// Where decisions are kept, and how long decisions and readings are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSettings {
    /// The file that decision records are kept in; without one, in Redis where that is configured.
    pub file: Option<PathBuf>,
    /// Days that sums, and the history of readings, are kept.
    pub retention_days: u32,
    /// Days that single records are kept; at most `retention_days`.
    pub raw_retention_days: u32,
}

/// What is written to the standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// Least severe level written; `RUST_LOG` wins over it.
    pub level: Level,
    /// Whether each decision is written to standard output.
    pub decisions: bool,
}

pub(super) fn read_extender(extender: &mut Section<'_>) -> ExtenderSettings {
    ExtenderSettings {
        filter: extender.read("filter", FilterMode::Enforce, choice("extender.filter", FilterMode::ALL)),
    }
}

pub(super) fn read_server(server: &mut Section<'_>) -> ServerSettings {
    const MEBIBYTE: usize = 1 << 20;
    // A review carries at most two objects of 3 MiB. 5,000 full nodes are near 60 MiB. Above these bounds a few
    // requests would take more memory than the process is meant to have.
    let max_body = server.read("maxBodyMiB", 6, integer(1..=64_u16, "MiB"));
    let max_filter_body = server.read("maxFilterBodyMiB", 96, integer(1..=1024_u16, "MiB"));
    let max_concurrent = server.read("maxConcurrent", 256, integer(1..=65_536, "requests"));
    ServerSettings {
        max_body_bytes: usize::from(max_body) * MEBIBYTE,
        max_filter_body_bytes: usize::from(max_filter_body) * MEBIBYTE,
        max_concurrent: in_range(NonZeroU32::new(max_concurrent)),
        client_ca_file: server.optional("clientCaFile", path),
    }
}

pub(super) fn read_tls(tls: &mut Section<'_>) -> TlsSettings {
    let mode = tls.optional("mode", choice("tls.mode", TlsMode::ALL));
    let hosts = tls.list("hosts", host);
    if mode == Some(TlsMode::Files) && !hosts.is_empty() {
        tls.fault(
            "hosts",
            Fault::silent(
                "has no effect with tls.mode files: the certificate's own names count",
                "leave out tls.hosts, or set tls.mode to self-signed",
            ),
        );
    }
    TlsSettings { mode, hosts }
}

pub(super) fn read_ledger(ledger: &mut Section<'_>) -> LedgerSettings {
    let days = || integer(1..=3650, "days");
    let file = ledger.optional("file", path);
    let retention_days = ledger.read("retentionDays", 400, days());
    let raw_retention_days = ledger.read("rawRetentionDays", 30.min(retention_days), days());
    if raw_retention_days > retention_days {
        let problem = format!("{raw_retention_days} is more than ledger.retentionDays ({retention_days})");
        ledger.fault("rawRetentionDays", Fault::silent(problem, "give at most as many days"));
    }
    LedgerSettings { file, retention_days, raw_retention_days }
}

pub(super) fn read_log(log: &mut Section<'_>) -> LogSettings {
    const LEVELS: &[(&str, Level)] = &[
        ("error", Level::ERROR),
        ("warn", Level::WARN),
        ("info", Level::INFO),
        ("debug", Level::DEBUG),
        ("trace", Level::TRACE),
    ];
    LogSettings {
        level: log.read("level", Level::INFO, choice("log.level", LEVELS)),
        decisions: log.read("decisions", true, boolean),
    }
}
