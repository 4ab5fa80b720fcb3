//! What a report says, section by section, for people.
//!
//! Inventory and avoided emissions are in sections of their own, and no figure is the difference of the two. What is
//! modelled or attributed is said where it is shown. A figure that nothing is known of is a dash.

mod control;
mod ledger;
mod method;
mod namespaces;
mod owners;
mod quality;
mod sources;
mod summary;
mod time;

pub use self::sources::SOURCES;

use super::figures::{Quantity, Units};
use super::known::Known as _;
use super::model::{Basis, Report, Setting};
use super::period::told;
use super::sheet::{Cell, Section};
use crate::accounts::sums::{COUNTERFACTUALS, Sums};

/// What counterfactuals are called in columns.
const SHORT: [&str; COUNTERFACTUALS] = ["baseline", "mix", "greenest"];

/// A report's heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// What it is.
    pub title: String,
    /// Of which period and namespace.
    pub period: String,
    /// When it was made, and from what.
    pub origin: String,
}

/// The heading.
#[must_use]
pub fn heading(report: &Report) -> Heading {
    let namespace =
        report.namespace.as_ref().map_or("all namespaces".to_owned(), |name| format!("namespace {name}"));
    let basis = match report.basis {
        Basis::Pods => "from pods watched from their binding to their end",
        Basis::Decisions => "from decisions alone: nobody watches pods, nothing is realised",
    };
    Heading {
        title: "Carbon and cost of pod placement".to_owned(),
        period: format!("{} to {} UTC (end not included), {namespace}", told(report.from), told(report.to)),
        origin: format!("Eco-Pulse, made {}, {basis}", report.made_at.strftime("%Y-%m-%d %H:%M UTC")),
    }
}

/// All sections, in order.
#[must_use]
pub fn sections(report: &Report, units: &Units) -> Vec<Section> {
    if is_empty(report) {
        let told = [Some(summary::nothing(report)), quality::decisions(report), ledger::heads(report)];
        return told.into_iter().flatten().collect();
    }
    let all = [
        Some(summary::summary(report, units)),
        namespaces::inventory(report, units),
        Some(namespaces::avoided(report, units)),
        Some(namespaces::saved(report)),
        Some(namespaces::moves(report)),
        Some(time::over_time(report, units)),
        Some(owners::owners(report, units)),
        control::control_group(report),
        Some(quality::data_quality(report)),
        quality::decisions(report),
        ledger::heads(report),
        Some(method::method(report)),
        Some(sources::constants(report)),
        Some(sources::sources(report)),
    ];
    all.into_iter().flatten().collect()
}

/// Whether there is nothing to show but that.
fn is_empty(report: &Report) -> bool {
    report.total == Sums::default() && report.namespaces.is_empty() && report.inventory.is_empty()
}

/// What a counterfactual is called in a sentence.
fn counterfactual(index: usize, setting: &Setting) -> String {
    match index {
        0 => format!("baseline ({})", setting.baseline),
        1 => "scheduler mix".to_owned(),
        _ => "static greenest".to_owned(),
    }
}

impl Report {
    /// Whether anything can be realised.
    pub(super) fn has_realised(&self) -> bool {
        self.basis == Basis::Pods
    }
}

/// What was avoided against a counterfactual, as far as it can be said: realised, or else projected.
fn avoided_g(report: &Report, sums: &Sums, index: usize) -> Option<f64> {
    if report.has_realised() {
        sums.known_against(index).map(|compared| compared.avoided_g)
    } else {
        sums.projected_g(index)
    }
}

/// A share of two amounts; not known where there is nothing to have a share of.
fn share(part: f64, whole: f64) -> Cell {
    Cell::maybe(Quantity::Share, (whole > 0.0).then(|| part / whole))
}
