//! The faults, each with what is broken and what has to become of pods meanwhile.

mod certificates;
mod cluster;
mod configuration;
mod grid;
mod ledger;
mod load;
mod process;
mod store;

use std::pin::Pin;

use crate::trial::Row;

/// How faults are tried out.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Pods while something is broken.
    pub pods: usize,
    /// Whether time budgets are judged: of an optimised build, not of one for tests.
    pub timed: bool,
}

/// `None`: what it takes is not on this machine.
pub type Trying = Pin<Box<dyn Future<Output = Option<Row>> + Send>>;

/// Something that can break.
pub struct Fault {
    pub name: &'static str,
    /// What is done.
    pub broken: &'static str,
    pub run: fn(&'static Fault, Manner) -> Trying,
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    [
        grid::ALL,
        store::ALL,
        configuration::ALL,
        certificates::ALL,
        cluster::ALL,
        ledger::ALL,
        process::ALL,
        load::ALL,
    ]
    .into_iter()
    .flatten()
}
