//! `eco-pulse explain`: the decision for a manifest, by the same code that decides for the API server.

mod manifest;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use arc_swap::{ArcSwap, ArcSwapOption};
use clap::Args;

use self::manifest::{ManifestError, Workload};
use super::show::record::Record;
use super::show::{self, Style};
use super::trouble::troubles;
use super::{ConfigArg, Output, UsageError, load, runtime};
use crate::app::snapshot_once;
use crate::audit::entry::{Endpoint, Entry, Subject};
use crate::audit::record::DecisionRecord;
use crate::clock::Clock;
use crate::decider::{Decided, Decider, Settings, subject_of};
use crate::kubernetes::cluster::ClusterView;
use crate::kubernetes::placement::PodInContext;

const EXAMPLE: &str = "\
Examples:
  eco-pulse explain -f deployment.yaml
  kubectl get job train -o yaml | eco-pulse explain -f - --output json";

/// The namespace of a manifest that names none, as for kubectl.
const DEFAULT_NAMESPACE: &str = "default";

/// Arguments of `eco-pulse explain`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLE)]
pub struct ExplainArgs {
    /// Manifest of a Pod, or of anything with a pod template; `-` reads standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArg,
    /// Form of the output
    #[arg(long, value_name = "FORM", default_value = "table")]
    output: Output,
}

impl ExplainArgs {
    /// Decides for every pod of the manifest and prints why.
    ///
    /// # Errors
    /// Invalid configuration or manifest, or a provider that does not answer.
    pub fn run(self, clock: &Clock) -> anyhow::Result<()> {
        let (config, catalogue) = load(self.config.config.as_deref())?;
        let text = read(&self.file)?;
        let refused = |error| UsageError(format!("{}: {error}", self.file.display()));
        let workloads = manifest::workloads(&text).map_err(refused)?;
        let now = clock.now();
        let snapshot = runtime()?.block_on(snapshot_once(&config, &catalogue, clock))?;
        for line in troubles(&snapshot, "warning") {
            eprintln!("{line}");
        }
        let decider = Decider::new(
            Settings::new(&config),
            Arc::new(ArcSwapOption::from_pointee(snapshot)),
            Arc::new(ArcSwap::from_pointee(ClusterView::unwatched("eco-pulse"))),
            0,
        );
        for (index, workload) in workloads.iter().enumerate() {
            let (subject, decided) = decide(workload, &decider, now).map_err(refused)?;
            let warnings = decided.warnings.clone();
            let entry = entry(subject, decided, config.mode, now);
            let record = DecisionRecord::new(&entry, "explain", 0);
            match self.output {
                Output::Table => {
                    if index > 0 {
                        println!();
                    }
                    for line in show::decision(&Record::of(&record)?, &warnings, Style::of_stdout()) {
                        println!("{line}");
                    }
                }
                Output::Json => println!("{}", serde_json::to_string_pretty(&record)?),
            }
        }
        Ok(())
    }
}

fn decide(
    workload: &Workload,
    decider: &Decider,
    now: jiff::Timestamp,
) -> Result<(Subject, Decided), ManifestError> {
    let pod = workload.pod()?;
    let namespace = pod.metadata.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
    let subject = subject_of(&pod, "", namespace);
    let decided = decider.decide(PodInContext { pod: &pod, namespace }, now);
    Ok((subject, decided))
}

fn entry(subject: Subject, decided: Decided, mode: crate::config::Mode, now: jiff::Timestamp) -> Entry {
    Entry {
        at: now,
        id: decided.id,
        endpoint: Endpoint::Mutate,
        subject,
        dry_run: true,
        mode,
        policies: decided.policies,
        decision: decided.decision,
        demand: decided.demand,
        snapshot: decided.snapshot,
        duration: Duration::ZERO,
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input is not text in UTF-8")?;
        return Ok(text);
    }
    std::fs::read_to_string(file)
        .with_context(|| format!("-f {}: give a readable manifest, or - for standard input", file.display()))
}
