//! `/prioritize`: scores nodes by their region's net benefit.

use std::sync::Arc;

use jiff::Timestamp;

use super::question::{Question, Resolved};
use super::wire::{Args, ArgsError, HostPriority};
use crate::audit::entry::{Endpoint, Subject};
use crate::config::Mode;
use crate::decider::Decider;
use crate::domain::{BypassReason, RegionId};
use crate::http::fail_open::{Answer, Answering, Draft};

/// The extender interface's highest score (`MaxExtenderPriority`).
const MAX_SCORE: i64 = 10;

/// Answers `/prioritize`.
#[derive(Debug)]
pub struct Prioritize {
    decider: Arc<Decider>,
}

impl Prioritize {
    /// By a decider.
    #[must_use]
    pub const fn new(decider: Arc<Decider>) -> Self {
        Self { decider }
    }

    /// Scores by region: the best positive net benefit 10, zero or less 0, linear between. A region that an earlier
    /// decision sent the pod to has 10 whatever the terms say by now.
    fn scores(resolved: &Resolved) -> Vec<(RegionId, i64)> {
        if resolved.decided.mode != Mode::Steer {
            return Vec::new();
        }
        let decision = &resolved.decided.decision;
        let benefit = |index: &usize| {
            let score = decision.scores.get(*index)?;
            Some((score.region(), score.net_benefit()?.0))
        };
        let benefits: Vec<(RegionId, f64)> = decision.ranking.iter().filter_map(benefit).collect();
        let best = benefits.iter().map(|(_, benefit)| *benefit).fold(0.0, f64::max);
        benefits
            .into_iter()
            .map(|(region, benefit)| {
                let score = if resolved.followed == Some(region) { MAX_SCORE } else { linear(benefit, best) };
                (region, score)
            })
            .collect()
    }
}

fn linear(benefit: f64, best: f64) -> i64 {
    if benefit <= 0.0 || best <= 0.0 {
        return 0;
    }
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 10")]
    let score = (benefit / best * MAX_SCORE as f64).round() as i64;
    score.clamp(0, MAX_SCORE)
}

impl Answering for Prioritize {
    const ENDPOINT: Endpoint = Endpoint::Prioritize;
    type Error = ArgsError;

    fn answer(&self, body: &[u8], now: Timestamp) -> Result<Answer, ArgsError> {
        let (question, resolved) = Question::resolve(Args::parse(body)?, &self.decider, now);
        let scores = Self::scores(&resolved);
        let score_of = |region: &Option<RegionId>| {
            let found = scores.iter().find(|(scored, _)| Some(*scored) == *region);
            found.map_or(0, |(_, score)| *score)
        };
        let failed_open = matches!(
            resolved.decided.decision.reason(),
            crate::domain::Reason::Bypass(reason) if reason.is_fail_open()
        );
        let answer: Vec<HostPriority<'_>> = if failed_open {
            Vec::new()
        } else {
            let hosts = question.names.iter().zip(&question.regions);
            hosts.map(|(host, region)| HostPriority { host, score: score_of(region) }).collect()
        };
        let body = serde_json::to_vec(&answer)?;
        let Resolved { subject, decided, .. } = resolved;
        Ok(Answer { body: body.into(), draft: Draft { subject, dry_run: false, repeat: false, decided } })
    }

    fn open(&self, _: &[u8], reason: BypassReason) -> Result<Answer, ArgsError> {
        let decided = self.decider.bypass(reason);
        let draft = Draft { subject: Subject::default(), dry_run: false, repeat: false, decided };
        Ok(Answer { body: bytes::Bytes::from_static(b"[]"), draft })
    }

    fn carried_out(&self, _: &Draft, _: Timestamp) {}
}
