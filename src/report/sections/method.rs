//! How the figures come about, in words.

use crate::report::figures::constant;
use crate::report::model::{Report, Setting};
use crate::report::sheet::{Part, Section};

pub(super) fn method(report: &Report) -> Section {
    let setting = &report.setting;
    let mut told = vec![
        energy(setting),
        "Emissions: energy times the grid's carbon intensity in the region. The signal is an average one and \
         location-based; average and marginal values, life-cycle and combustion-only values never meet in one \
         difference."
            .to_owned(),
        projected(report),
    ];
    if report.has_realised() {
        told.push(
            "Realised: every pod that was decided about is followed from its binding to its end. Each hour that it ran is \
             reckoned with the readings of that hour, in the region of the node that it really got and by that node's \
             own capacity type, and likewise for each counterfactual. An hour without readings stays open until they \
             come; one that they never come for is counted as missing, and nothing is put in its place."
                .to_owned(),
        );
    }
    told.push(counterfactuals(setting));
    told.push(
        "Cost: the price of the machine for an hour, times the share of it that the pod asks for (the largest of CPU, \
         memory and GPU), times hours. Saved: price and transfer elsewhere less here, in cash; never carbon or \
         latency. A difference within the precision of a price's source counts as none. All of it is attributed: moving \
         pods between machines that run anyway changes no bill."
            .to_owned(),
    );
    told.push(format!(
        "Net benefit of a move: cash saved, plus emissions avoided at {} USD a tonne, less latency and migration.",
        constant(setting.carbon_price_usd_per_tonne)
    ));
    if setting.holdout > 0.0 || report.holdout.is_some() {
        told.push(format!(
            "Control group: {} % of owners, by hash, whose pods are left as they come. A group's figure for a core-hour is a \
             ratio of sums over its owners, the reduction is one less the ratio of the two groups' figures, and its 95 % \
             interval comes from the linearised variance of ratio estimators (Cochran 1977, eq. 6.13) with Student's t and \
             Welch's degrees of freedom.",
            constant(setting.holdout * 100.0)
        ));
    }
    told.push(
        "Avoided emissions are what the GHG Protocol calls project accounting: they compare with something that did not \
         happen. The inventory says what was emitted. The two are reported apart and never subtracted from each other. \
         By an average signal, moving load may lower what is attributed to the mover and leave the system's emissions \
         as they are."
            .to_owned(),
    );
    Section { title: "Method", parts: told.into_iter().map(Part::Text).collect(), is_appendix: true }
}

fn energy(setting: &Setting) -> String {
    format!(
        "Energy: modelled, not measured (Cloud Carbon Footprint). Watts are requested vCPUs times (idle + u * (max - idle)), \
         plus gigabytes of memory times a constant, plus GPUs likewise; kWh are watts / 1000 times hours times the data \
         centre's overhead (PUE). The assumed utilisation u is {} for CPU and {} for GPUs, unless a policy says \
         otherwise.",
        constant(setting.cpu_utilisation),
        constant(setting.gpu_utilisation)
    )
}

fn projected(report: &Report) -> String {
    let when = if report.has_realised() { "when a pod is bound" } else { "when a pod is decided about" };
    format!(
        "Projected: reckoned once, {when}, over its expected run, with forecasts as far as they go and after them the usual \
         course of the zone's year and day."
    )
}

fn counterfactuals(setting: &Setting) -> String {
    let base = if setting.baseline == crate::domain::counterfactual::SCHEDULER_MIX {
        "the baseline is the scheduler mix itself".to_owned()
    } else {
        format!("the baseline is the region {}", setting.baseline)
    };
    format!(
        "Counterfactuals, all fixed beforehand: {base}; the scheduler mix is the mean over the pod's eligible regions by what \
         their nodes can take; the static greenest is the eligible region with the lowest annual mean intensity times \
         PUE."
    )
}
