//! The faults, each with what is broken and what has to become of pods meanwhile.

mod certificates;
mod clock;
mod cluster;
mod configuration;
mod grid;
mod ledger;
mod load;
mod process;
mod store;

use std::pin::Pin;

use crate::scene::{Props, Scene};
use crate::trial::{Row, Trial};

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

impl Fault {
    /// A scene in which pods are decided about, before anything is broken.
    async fn begins(&self, how: Manner, props: Props) -> (Scene, Trial) {
        let (scene, mut trial) = self.tries(how, Scene::set(props, how.timed));
        trial.begins_well().await;
        (scene, trial)
    }

    /// A scene in which something may be broken already.
    fn tries(&self, how: Manner, mut scene: Scene) -> (Scene, Trial) {
        scene.drain_records();
        let trial = Trial::new(self.name, self.broken, &scene.address(), how.timed);
        (scene, trial)
    }
}

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    [
        grid::ALL,
        store::ALL,
        configuration::ALL,
        certificates::ALL,
        clock::ALL,
        cluster::ALL,
        ledger::ALL,
        process::ALL,
        load::ALL,
    ]
    .into_iter()
    .flatten()
}
