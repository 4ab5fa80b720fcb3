//! The endpoints with their limits, around one decider.

use std::sync::Arc;

use crate::audit::ledger::Ledger;
use crate::clock::Clock;
use crate::config::{Config, FilterMode, Mode};
use crate::decider::Decider;
use crate::extender::filter::Filter;
use crate::extender::prioritize::Prioritize;
use crate::http::fail_open::{DeadlineFrom, FailOpen, Limits, Shared};
use crate::http::router::Endpoints;
use crate::metrics::Metrics;
use crate::webhook::mutate::Mutate;

/// Reviews of the largest size that there is memory for at once: hundreds of usual ones.
const REVIEWS_AT_ONCE: usize = 4;
/// Node lists of the largest size. They have memory of their own, so that whoever sends them slowly takes none from pods that
/// are being admitted.
const NODE_LISTS_AT_ONCE: usize = 2;

/// Builds them.
pub(super) fn endpoints(
    config: &Config,
    decider: &Arc<Decider>,
    metrics: &Arc<Metrics>,
    ledger: &Ledger,
    clock: &Clock,
) -> Endpoints {
    let (max_body, max_filter_body) = (config.server.max_body_bytes, config.server.max_filter_body_bytes);
    let max_concurrent = usize::try_from(config.server.max_concurrent.get()).unwrap_or(usize::MAX);
    let shared = Shared::new(
        max_concurrent,
        REVIEWS_AT_ONCE * max_body,
        metrics.clone(),
        ledger.clone(),
        clock.clone(),
        config.mode,
    );
    let for_lists = shared.with_bytes(NODE_LISTS_AT_ONCE * max_filter_body);
    let webhook = Limits {
        max_body_bytes: max_body,
        deadline: config.decision.deadline,
        deadline_from: DeadlineFrom::Arrival,
    };
    let extender = Limits { max_body_bytes: max_filter_body, deadline_from: DeadlineFrom::Body, ..webhook };
    let filter_mode = match (config.mode, config.extender.filter) {
        (Mode::Steer, FilterMode::Observe) => Mode::Shadow,
        (mode, _) => mode,
    };
    Endpoints {
        mutate: FailOpen::new(Mutate::new(decider.clone()), webhook, shared),
        filter: FailOpen::new(Filter::new(decider.clone()), extender, for_lists.in_mode(filter_mode)),
        prioritize: FailOpen::new(Prioritize::new(decider.clone()), extender, for_lists),
    }
}
