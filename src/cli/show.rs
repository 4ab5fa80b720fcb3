//! A decision as text for a terminal of 80 columns: what the pod asks for, every region with every term, and why.

use super::table::{Align, Table};
use crate::audit::entry::Subject;
use crate::audit::projection::project;
use crate::audit::record::SCHEDULER_MIX;
use crate::decider::Decided;
use crate::domain::assessment::Exclusion;
use crate::domain::decision::Score;
use crate::domain::{BypassReason, Outcome, PodDemand, Reason, Snapshot, StayReason};

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) colour: bool,
}

impl Style {
    /// Colour on a terminal that has not asked for none (<https://no-color.org>).
    pub(super) fn of_stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { colour: wanted && std::io::IsTerminal::is_terminal(&std::io::stdout()) }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(super) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The whole story, line by line.
pub(super) fn decision(subject: &Subject, decided: &Decided, style: Style) -> Vec<String> {
    let mut lines = vec![style.bold(&title(subject))];
    if let Some((demand, snapshot)) = decided.demand.as_ref().zip(decided.snapshot.as_ref()) {
        lines.push(format!("  asks for  {}", asks_for(demand, snapshot)));
        if !demand.defaults.is_empty() {
            let assumed: Vec<String> =
                demand.defaults.iter().map(|default| default.as_str().replace('_', " ")).collect();
            lines.push(style.dim(&format!("  assumed   {}", assumed.join(", "))));
        }
    }
    lines.extend(decided.warnings.iter().map(|warning| format!("  warning   {warning}")));
    if let Some(snapshot) = &decided.snapshot
        && !decided.decision.scores.is_empty()
    {
        lines.extend(regions(decided, snapshot, style).into_iter().map(|line| format!("  {line}")));
    }
    lines.extend(verdict(decided, style).into_iter().map(|line| format!("  {line}")));
    lines
}

fn title(subject: &Subject) -> String {
    let owner = subject.owner.as_ref().map(|(kind, name)| format!("  ({kind} {name})")).unwrap_or_default();
    let namespace = if subject.namespace.is_empty() { "default" } else { &subject.namespace };
    format!("{namespace}/{}{owner}", subject.pod)
}

fn asks_for(demand: &PodDemand, snapshot: &Snapshot) -> String {
    let gpus = match demand.gpus {
        0 => String::new(),
        1 => ", 1 GPU".to_owned(),
        gpus => format!(", {gpus} GPUs"),
    };
    let data = match demand.data_region {
        Some(region) => format!(" with {}", snapshot.regions.get(region).name),
        None => String::new(),
    };
    format!(
        "{} CPU, {} GiB{gpus} for {} h; {} GB moved{data}; {}",
        short(demand.cpu.0),
        short(demand.memory.0),
        short(demand.hours.0),
        short(demand.egress.0),
        demand.class.as_str(),
    )
}

/// A number without digits that say nothing.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Signed dollars to a hundredth of a cent, the scale carbon is worth something on.
fn usd(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value.abs() < 0.000_05 {
        if value > 0.0 { "+~0".to_owned() } else { "-~0".to_owned() }
    } else {
        format!("{value:+.4}")
    }
}

fn regions(decided: &Decided, snapshot: &Snapshot, style: Style) -> Vec<String> {
    let mut table = Table::new(&[
        ("REGION", Align::Left),
        ("g/kWh", Align::Right),
        ("PRICE", Align::Right),
        ("CARBON", Align::Right),
        ("LATENCY", Align::Right),
        ("EGRESS", Align::Right),
        ("MOVE", Align::Right),
        ("NET USD", Align::Right),
        ("", Align::Left),
    ]);
    let decision = &decided.decision;
    let preferred = decision.preferred_region();
    for score in &decision.scores {
        let term = |value: Option<f64>| value.map_or_else(|| "?".to_owned(), usd);
        let terms = score.terms;
        table.row([
            snapshot.regions.get(score.region()).name.to_string(),
            score.assessment.intensity.map_or_else(|| "?".to_owned(), |grams| format!("{:.0}", grams.0)),
            term(terms.map(|terms| terms.price.0)),
            term(terms.map(|terms| terms.carbon.0)),
            term(terms.map(|terms| terms.latency.0)),
            term(terms.map(|terms| terms.egress.0)),
            term(terms.map(|terms| terms.migration.0)),
            term(score.net_benefit().map(|usd| usd.0)),
            remark(score, decided),
        ]);
    }
    let lines = table.lines();
    let is_preferred = |index: usize| {
        index.checked_sub(1).and_then(|row| decision.scores.get(row)).map(Score::region) == preferred
            && preferred.is_some()
    };
    lines
        .into_iter()
        .enumerate()
        .map(|(index, line)| match index {
            0 => style.dim(&line),
            _ if is_preferred(index) => style.green(&line),
            _ => line,
        })
        .collect()
}

fn remark(score: &Score, decided: &Decided) -> String {
    let decision = &decided.decision;
    let is_base = decision.base.is_some_and(|base| base.region == Some(score.region()));
    let is_preferred = decision.preferred_region() == Some(score.region());
    match (is_preferred, is_base, score.exclusion) {
        (true, false, _) => "<- here".to_owned(),
        (true, true, _) => "<- base".to_owned(),
        (false, true, _) => "base".to_owned(),
        (false, false, Some(exclusion)) => too(exclusion).to_owned(),
        (false, false, None) => String::new(),
    }
}

/// Why a region is out, in a word or two.
const fn too(exclusion: Exclusion) -> &'static str {
    match exclusion {
        Exclusion::GridData(state) => state.as_str(),
        Exclusion::PriceUnknown => "no price",
        Exclusion::GpuUnknown => "no GPU",
        Exclusion::EgressUnknown => "egress ?",
        Exclusion::LatencyUnknown => "latency ?",
        Exclusion::AddedLatency | Exclusion::MaxLatency => "too far",
        Exclusion::Dirtier => "dirtier",
    }
}

fn verdict(decided: &Decided, style: Style) -> Vec<String> {
    let decision = &decided.decision;
    let name = |id| decided.snapshot.as_ref().map(|snapshot| snapshot.regions.get(id).name.to_string());
    let preferred = decision.preferred_region().and_then(name);
    let base = decision
        .base
        .map(|base| base.region.and_then(name).unwrap_or_else(|| format!("the {SCHEDULER_MIX} mix")))
        .unwrap_or_default();
    let word = decision.outcome_str().to_uppercase();
    let reason = decision.reason().as_str();
    let headline = match (&decision.outcome, preferred) {
        (Outcome::Steer { .. }, Some(target)) => format!("{word} to {target}, away from {base} ({reason})"),
        (Outcome::Stay { .. }, Some(target)) => format!("{word}: prefers {target} ({reason})"),
        _ => format!("{word}: left as it came ({reason})"),
    };
    let mut lines = vec![style.bold(&headline), format!("{}.", why(decision.reason()))];
    if let Some(projection) = project(decision)
        && matches!(decision.outcome, Outcome::Steer { .. })
    {
        lines.push(format!(
            "projected against {base}: {} USD, {:+.4} kgCO2e avoided, {:.3} kWh (modelled)",
            usd(projection.saved.0),
            projection.avoided.0 / 1000.0,
            projection.energy.0
        ));
    }
    lines
}

/// A reason as a sentence.
const fn why(reason: Reason) -> &'static str {
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
        BypassReason::UnknownGpu => "It asks for a GPU whose model is not known",
        BypassReason::ModeOff => "mode is off",
        BypassReason::Policy => "What it is allowed leaves nothing to choose, or cannot be read",
        BypassReason::OwnPreference => "Its own preferences or spread constraints name region or zone",
        BypassReason::Deadline => "The decision was not ready in time",
        BypassReason::Overloaded => "More requests at once than server.maxConcurrent",
        BypassReason::Panic | BypassReason::Internal => "A defect in Eco-Pulse ended the decision",
        BypassReason::NoSnapshot => "No grid data have been read since the start",
        BypassReason::StaleSnapshot => "The base's grid data are older than grid.maxAge",
        BypassReason::BaselineUnknown => "Intensity or price of the base is not known, so no difference is",
        BypassReason::Undecodable => "The request or its pod could not be decoded",
    }
}
