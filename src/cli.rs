//! The command line: one file a command. Errors go to standard error with cause and fix; 0 is success, 1 failure, 2 usage
//! or invalid configuration.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};

use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::{Config, ConfigErrors};

pub mod certs;
pub mod check;
pub mod demo;
pub mod explain;
pub mod report;
pub mod serve;
mod show;
mod table;
mod trouble;

/// Carbon- and cost-aware placement for Kubernetes.
#[derive(Debug, Parser)]
#[command(name = "eco-pulse", version, about, max_term_width = 80)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the webhook, the scheduler extender and the collector
    Serve(serve::ServeArgs),
    /// Show the main job on this machine: real server, real TLS, recorded pods
    Demo(demo::DemoArgs),
    /// Say why a pod would go where, with every term
    Explain(explain::ExplainArgs),
    /// Validate a configuration and fetch each provider once
    Check(check::CheckArgs),
    /// Report what was used, avoided and saved in a period; check the ledger
    Report(report::ReportArgs),
    /// Make certificates for development
    Certs(certs::CertsArgs),
}

/// The form of a command's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// Invalid configuration, or arguments that do not fit together: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

const FAILURE: u8 = 1;
const USAGE: u8 = 2;

impl Cli {
    /// Runs the command.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let clock = Clock::system();
        let result = match self.command {
            Command::Serve(args) => args.run(&clock),
            Command::Demo(args) => args.run(&clock),
            Command::Explain(args) => args.run(&clock),
            Command::Check(args) => args.run(&clock),
            Command::Report(args) => args.run(&clock),
            Command::Certs(args) => args.run(clock.now()),
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("eco-pulse: {}", in_one_line(&error));
                let usage = error.chain().any(|cause| cause.is::<UsageError>() || cause.is::<ConfigErrors>());
                ExitCode::from(if usage { USAGE } else { FAILURE })
            }
        }
    }
}

/// An error with its causes, except those that the errors around them have told already.
fn in_one_line(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| {
        if told.is_empty() {
            cause
        } else if told.contains(&cause) {
            told
        } else {
            format!("{told}: {cause}")
        }
    })
}

/// The catalogue, and the configuration from a file or the built-in one.
fn load(file: Option<&Path>) -> anyhow::Result<(Config, Arc<Catalogue>)> {
    let catalogue = Arc::new(Catalogue::built_in()?);
    let config = match file {
        Some(file) => Config::load(file, &*catalogue)?,
        None => Config::built_in(&*catalogue)?,
    };
    Ok((config, catalogue))
}

/// A runtime for a command that needs one.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime can be started")
}

/// The `--config` flag.
#[derive(Debug, clap::Args)]
struct ConfigArg {
    /// Configuration file; without one, three AWS regions on built-in data
    #[arg(long, value_name = "FILE", env = "ECO_PULSE_CONFIG")]
    config: Option<PathBuf>,
}
