//! The `eco-pulse` command.

use std::process::ExitCode;

use clap::Parser;
use eco_pulse::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
