//! `eco-pulse report`.

mod verify;

use clap::Args;

use super::{ConfigArg, load};

const EXAMPLE: &str = "\
Examples:
  eco-pulse report --verify --config eco-pulse.yaml
  eco-pulse report --verify --head HASH --config eco-pulse.yaml

Exit code 0 when every chain is whole, 1 when one is not, 2 when no ledger is
kept or the configuration is not valid.";

/// Arguments of `eco-pulse report`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLE)]
pub struct ReportArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Check the hash chain of the stored records
    #[arg(long, required = true)]
    verify: bool,
    /// A record's hash that has to be there, with all before it whole
    #[arg(long, value_name = "HASH", requires = "verify")]
    head: Option<String>,
}

impl ReportArgs {
    /// Verifies the ledger.
    ///
    /// # Errors
    /// A broken chain, a head that is not there, no ledger, or invalid configuration.
    pub fn run(self) -> anyhow::Result<()> {
        let (config, _) = load(self.config.config.as_deref())?;
        verify::run(&config, self.head.as_deref())
    }
}
