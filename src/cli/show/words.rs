//! The closed lists of records in words for people.

use crate::domain::{BypassReason, Reason, StayReason};

/// The reason with this name; `None` for one of another version.
fn reason(name: &str) -> Option<Reason> {
    let stays = StayReason::ALL.iter().copied().map(Reason::Stay);
    let bypasses = BypassReason::ALL.iter().copied().map(Reason::Bypass);
    [Reason::NetBenefit].into_iter().chain(stays).chain(bypasses).find(|reason| reason.as_str() == name)
}

/// A reason as a sentence.
pub(in crate::cli) fn why(name: &str) -> &'static str {
    reason(name).map_or("This version of Eco-Pulse has no words for this reason", sentence)
}

/// Why a region is out, in a word or two. `state` is that of its grid data.
pub(super) fn excluded<'w>(exclusion: &'w str, state: &'w str) -> &'w str {
    match exclusion {
        "price_unknown" => "no price",
        "gpu_unknown" => "no GPU",
        "egress_unknown" => "egress ?",
        "latency_unknown" => "latency ?",
        "added_latency" | "max_latency" => "too far",
        "dirtier" => "dirtier",
        "min_savings" => "saves little",
        "min_carbon_reduction" => "avoids little",
        _ => state,
    }
}

const fn sentence(reason: Reason) -> &'static str {
    match reason {
        Reason::NetBenefit => "It has the highest net benefit of all regions the pod may go to",
        Reason::Stay(StayReason::BaselineBest) => "No region that may be chosen does more good than the base",
        Reason::Stay(StayReason::BelowMinimum) => {
            "The best region does less good than decision.minNetBenefitUsd"
        }
        Reason::Stay(StayReason::Holdout) => "Its owner is in the control group (decision.holdout)",
        Reason::Stay(StayReason::HerdLimit) => "Every better region took herd.maxPodsPerMinute already",
        Reason::Stay(StayReason::Hysteresis) => {
            "The best region does not do enough more good (herd.hysteresis)"
        }
        Reason::Bypass(reason) => bypass(reason),
    }
}

const fn bypass(reason: BypassReason) -> &'static str {
    match reason {
        BypassReason::OptedOut => "The pod or its namespace carries eco-pulse.io/inject: disabled",
        BypassReason::SystemNamespace => "Kubernetes' own namespaces and Eco-Pulse's are never touched",
        BypassReason::Bound => "It has a node already, or is not being created",
        BypassReason::Mirror => "It mirrors a static pod; changes to it reach nobody",
        BypassReason::Daemonset => "Its DaemonSet places it, one pod a node",
        BypassReason::SingleRegion => "Its own selectors, or the nodes there are, leave one region or none",
        BypassReason::VolumePinned => "Its volume decides where it runs, or would after its first run",
        BypassReason::NoRequests => "It requests no CPU, memory or GPU: nothing can be said of its cost",
        BypassReason::ImpossibleRequests => "It asks for more than any machine has",
        BypassReason::UnknownGpu => "It asks for a GPU whose model is not known",
        BypassReason::ModeOff => "mode is off",
        BypassReason::Policy => "What it is allowed leaves nothing to choose, or cannot be read",
        BypassReason::OwnPreference => "Its own preferences leave no room, or name region or zone",
        BypassReason::Deadline => "The decision was not ready in time",
        BypassReason::Overloaded => "More requests at once than server.maxConcurrent",
        BypassReason::Panic | BypassReason::Internal => "A defect in Eco-Pulse ended the decision",
        BypassReason::ClusterUnknown => "What the cluster has for it has not been seen yet",
        BypassReason::NoSnapshot => "No grid data have been read since the start",
        BypassReason::StaleSnapshot => "The base's grid data are older than grid.maxAge",
        BypassReason::BaselineUnknown => "Intensity or price of the base is not known, so no difference is",
        BypassReason::Undecodable => "The request or its pod could not be decoded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::assessment::Exclusion;
    use crate::domain::snapshot::DataState;

    #[test]
    fn every_reason_of_a_record_has_its_own_words() {
        let stays = StayReason::ALL.iter().copied().map(Reason::Stay);
        let bypasses = BypassReason::ALL.iter().copied().map(Reason::Bypass);
        for expected in stays.chain(bypasses).chain([Reason::NetBenefit]) {
            assert_eq!(reason(expected.as_str()), Some(expected));
            assert_eq!(why(expected.as_str()), sentence(expected));
        }
        assert!(why("of_next_year").contains("no words"));
    }

    #[test]
    fn every_exclusion_of_a_record_has_words() {
        let of_grid = [Exclusion::GridData(DataState::Stale), Exclusion::GridData(DataState::Incomparable)];
        for (exclusion, words) in [
            (of_grid[0], "stale"),
            (of_grid[1], "incomparable"),
            (Exclusion::PriceUnknown, "no price"),
            (Exclusion::GpuUnknown, "no GPU"),
            (Exclusion::EgressUnknown, "egress ?"),
            (Exclusion::LatencyUnknown, "latency ?"),
            (Exclusion::AddedLatency, "too far"),
            (Exclusion::MaxLatency, "too far"),
            (Exclusion::Dirtier, "dirtier"),
            (Exclusion::MinSavings, "saves little"),
            (Exclusion::MinCarbonReduction, "avoids little"),
        ] {
            let state = match exclusion {
                Exclusion::GridData(state) => state.as_str(),
                _ => "fresh",
            };
            assert_eq!(excluded(exclusion.as_str(), state), words);
        }
    }
}
