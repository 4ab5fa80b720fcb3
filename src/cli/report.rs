//! `eco-pulse report`: what was used, avoided and saved in a period.

mod verify;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::{ConfigArg, UsageError, load, runtime};
use crate::app::gather;
use crate::clock::Clock;
use crate::report::{Asked, Form, Period, Scope, build, render};

const EXAMPLE: &str = "\
Examples:
  eco-pulse report --from 2026-11-01 --to 2026-12-01
  eco-pulse report --from 2026-11-01 --to 2026-12-01 --out november.pdf
  eco-pulse report --from 2026-11-28T06:00:00Z --to 2026-11-28T18:00:00Z \\
    --namespace shop --output csv
  eco-pulse report --verify --head 7f1c0e5a...

The period includes its start and not its end. A date is midnight in UTC.
Exit code 0 when the report is written (an empty period included), or the
ledger is whole; 1 when not; 2 when the arguments or the configuration are not
valid.";

/// What [`Form`] calls its forms.
const FORMS: [&str; Form::ALL.len()] = {
    let [(table, _), (csv, _), (json, _), (pdf, _)] = Form::ALL;
    [table, csv, json, pdf]
};

/// Arguments of `eco-pulse report`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLE)]
pub struct ReportArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Start of the period: a date, or a time as in RFC 3339
    #[arg(long, value_name = "TIME", required_unless_present = "verify")]
    from: Option<String>,
    /// End of the period, which it does not include
    #[arg(long, value_name = "TIME", required_unless_present = "verify")]
    to: Option<String>,
    /// Only this namespace
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Form of the report [default: by the ending of --out, else table]
    #[arg(long, value_name = "FORM", value_parser = FORMS)]
    output: Option<String>,
    /// Check the chain of hashes of the ledger instead
    #[arg(long, conflicts_with_all = ["from", "to", "namespace", "out", "output"])]
    verify: bool,
    /// With --verify: a hash of an earlier report that must still be there
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
}

impl ReportArgs {
    /// Makes the report and writes it; or checks the ledger.
    ///
    /// # Errors
    /// Arguments or a configuration that are not valid, a ledger that cannot be read, or a file that cannot be written.
    pub fn run(self, clock: &Clock) -> anyhow::Result<()> {
        if self.verify {
            let (config, _) = load(self.config.config.as_deref())?;
            return verify::run(&config, self.head.as_deref());
        }
        if self.head.is_some() {
            anyhow::bail!(UsageError("--head is what --verify looks for: add --verify".to_owned()));
        }
        let now = clock.now();
        let period = Period::read(self.from.as_deref(), self.to.as_deref(), now, Asked::Command)
            .map_err(|error| UsageError(error.to_string()))?;
        let form = self.form();
        let out = self.out.as_deref();
        if form == Form::Pdf && out.is_none() && std::io::stdout().is_terminal() {
            let problem = "--output pdf to a terminal shows nothing to read: add --out FILE, or a pipe";
            anyhow::bail!(UsageError(problem.to_owned()));
        }
        let (config, catalogue) = load(self.config.config.as_deref())?;
        let scope = Scope { period, namespace: self.namespace };
        let inputs = runtime()?.block_on(gather(&config, &catalogue, &scope, clock, show));
        end_progress();
        let report = build(inputs?, now).map_err(|error| UsageError(error.to_string()))?;
        write(&render(&report, form)?, out)
    }

    /// As asked for, else by the file's ending.
    fn form(&self) -> Form {
        let ending = self.out.as_deref().and_then(Path::extension).and_then(|ending| ending.to_str());
        let named = |name: &str| Form::named(name).ok();
        self.output.as_deref().and_then(named).or_else(|| ending.and_then(named)).unwrap_or_default()
    }
}

fn write(report: &[u8], out: Option<&Path>) -> anyhow::Result<()> {
    if let Some(file) = out {
        return std::fs::write(file, report)
            .with_context(|| format!("--out {}: name a file that can be written", file.display()));
    }
    let mut output = std::io::stdout().lock();
    output.write_all(report).and_then(|()| output.flush()).context("standard output takes no more")
}

/// Long ledgers take their time: on a terminal one sees how far it is.
fn show(records: u64) {
    if std::io::stderr().is_terminal() {
        eprint!("\rreading the ledger: {records} records ");
        let _ = std::io::stderr().flush();
    }
}

fn end_progress() {
    if std::io::stderr().is_terminal() {
        eprint!("\r\u{1b}[K");
    }
}
