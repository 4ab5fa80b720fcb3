//! `eco-pulse report --verify`: whether the stored records are as they were written.

use super::{end_progress, show};
use crate::app::StoredLedger;
use crate::audit::chain::is_hash;
use crate::audit::read::{Span, Told};
use crate::audit::verify::{Chain, Verified, Verifier};
use crate::cli::{UsageError, runtime};
use crate::config::Config;

/// Where values stand beside their labels.
const LABEL: usize = 10;

/// Verifies the configured ledger, and prints what is known of each chain.
///
/// # Errors
/// A broken chain, a head that is not there, or no ledger to verify.
pub(super) fn run(config: &Config, head: Option<&str>) -> anyhow::Result<()> {
    if let Some(head) = head.filter(|head| !is_hash(head)) {
        let problem = format!(
            "--head {head}: is no hash: give 64 digits of 0 to 9 and a to f, as eco_pulse_ledger_head_info has"
        );
        return Err(UsageError(problem).into());
    }
    let verified = runtime()?.block_on(async {
        let Some(ledger) = StoredLedger::open(config).await? else { return anyhow::Ok(None) };
        let told = Told::new(Verifier::new(head), show);
        let read = ledger.source.read(Span::ALL, told).await;
        end_progress();
        Ok(Some(read?.visitor.finish()))
    })?;
    let Some(verified) = verified else {
        let problem = "no records are kept: configure ledger.file or store.redis, and give that configuration with --config";
        return Err(UsageError(problem.to_owned()).into());
    };
    for line in lines(&verified) {
        println!("{line}");
    }
    verdict(&verified, head)
}

fn lines(verified: &Verified) -> Vec<String> {
    if verified.chains.is_empty() {
        return vec!["no records are kept yet".to_owned()];
    }
    let mut lines = Vec::new();
    for chain in &verified.chains {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(about(chain));
    }
    lines
}

fn about(chain: &Chain) -> Vec<String> {
    let label = |label: &str, value: &str| format!("{label:<LABEL$}{value}");
    let mut lines = vec![label("chain", &chain.name)];
    let seqs = if chain.head.seq == 0 {
        String::new()
    } else {
        format!(", {} to {} in order", chain.first_seq, chain.head.seq)
    };
    lines.push(label("records", &format!("{}{seqs}", chain.records)));
    if let (Some(from), Some(to)) = (chain.from, chain.to) {
        lines.push(label("period", &format!("{from} to {to}")));
    }
    lines.push(label("head", &chain.head.hash));
    lines.extend(chain.notices.iter().map(|notice| label("note", &notice.to_string())));
    lines.push(label("state", if chain.broken.is_some() { "BROKEN" } else { "whole" }));
    lines
}

fn verdict(verified: &Verified, head: Option<&str>) -> anyhow::Result<()> {
    let broken: Vec<String> = verified
        .chains
        .iter()
        .filter_map(|chain| Some(format!("{}: first broken link: {}", chain.name, chain.broken.as_ref()?)))
        .collect();
    let mut problems = broken;
    if let Some(head) = head.filter(|_| verified.head_found == Some(false)) {
        problems.push(format!(
            "no record has the hash {head} with everything before it whole: the end was cut off, or it is the head of \
             another ledger"
        ));
    }
    anyhow::ensure!(problems.is_empty(), "{}", problems.join("\neco-pulse: "));
    Ok(())
}
