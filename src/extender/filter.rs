//! `/filter`: keeps the nodes of the decided region.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::question::{Question, Resolved};
use super::wire::{Args, ArgsError, FilterResult};
use crate::audit::entry::{Endpoint, Subject};
use crate::config::{FilterMode, Mode};
use crate::decider::{Decided, Decider};
use crate::domain::{BypassReason, RegionId};
use crate::http::fail_open::{Answer, Answering, Draft};

/// Answers `/filter`.
#[derive(Debug)]
pub struct Filter {
    decider: Arc<Decider>,
}

impl Filter {
    /// By a decider.
    #[must_use]
    pub const fn new(decider: Arc<Decider>) -> Self {
        Self { decider }
    }

    /// The region whose nodes alone are to be kept; `None`: all are.
    fn enforced(&self, question: &Question<'_>, resolved: &Resolved) -> Option<RegionId> {
        if !self.enforces(&resolved.decided) {
            return None;
        }
        let region = resolved.decided.decision.preferred_region()?;
        question.regions.contains(&Some(region)).then_some(region)
    }

    fn enforces(&self, decided: &Decided) -> bool {
        decided.mode == Mode::Steer && self.decider.settings().filter == FilterMode::Enforce
    }
}

impl Answering for Filter {
    const ENDPOINT: Endpoint = Endpoint::Filter;
    type Error = ArgsError;

    fn answer(&self, body: &[u8], now: Timestamp) -> Result<Answer, ArgsError> {
        let (question, resolved) = Question::resolve(Args::parse(body)?, &self.decider, now);
        let enforced = self.enforced(&question, &resolved);
        let reason = enforced.zip(resolved.decided.snapshot.as_ref()).map_or_else(
            String::new,
            |(region, snapshot)| {
                format!("eco-pulse: region {} was decided", snapshot.regions.get(region).name)
            },
        );
        let kept = |index: usize| {
            enforced.is_none_or(|enforced| match question.regions.get(index) {
                Some(Some(region)) => *region == enforced,
                // Nodes nothing is known about are not ours to reject.
                Some(None) | None => true,
            })
        };
        let rejected: BTreeMap<&str, &str> = question
            .names
            .iter()
            .enumerate()
            .filter(|(index, _)| !kept(*index))
            .map(|(_, name)| (&**name, reason.as_str()))
            .collect();
        let body = serde_json::to_vec(&FilterResult::keeping(&question.nodes, rejected, kept))?;
        let Resolved { subject, decided, .. } = resolved;
        Ok(Answer { body: body.into(), draft: Draft { subject, dry_run: false, repeat: false, decided } })
    }

    fn open(&self, body: &[u8], reason: BypassReason) -> Result<Answer, ArgsError> {
        let args = Args::parse(body)?;
        let body = serde_json::to_vec(&FilterResult::passing(&args.nodes))?;
        let decided = self.decider.bypass(reason);
        Ok(Answer {
            body: body.into(),
            draft: Draft { subject: Subject::default(), dry_run: false, repeat: false, decided },
        })
    }

    fn carried_out(&self, draft: &Draft, now: Timestamp) {
        if self.enforces(&draft.decided) {
            self.decider.enforced(&draft.decided, &draft.subject, now);
        }
    }
}
