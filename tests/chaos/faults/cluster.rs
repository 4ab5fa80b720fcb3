//! The Kubernetes API server that nodes are watched at: what was seen stays known, and before anything was seen pods are left
//! alone.

use super::{Fault, Manner};
use crate::grid::{Grid, Hands, VALUES};
use crate::scene::{Props, Scene, cluster};
use crate::trial::{Budget, Expect, Row};

pub const ALL: &[Fault] = &[
    Fault {
        name: "node watch broken",
        broken: "the API server ends its watches, and refuses others",
        run: |fault, how| Box::pin(broken(fault, how)),
    },
    Fault {
        name: "node watch never begun",
        broken: "the API server is not there when the program starts",
        run: |fault, how| Box::pin(never_begun(fault, how)),
    },
];

async fn broken(fault: &'static Fault, how: Manner) -> Option<Row> {
    let (mut scene, mut trial) = fault.begins(how, Props::default()).await;
    tokio::task::block_in_place(|| scene.cluster.stop());
    let nodes = [("kind", "nodes")];
    trial.notices("eco_pulse_cluster_watch_errors_total", &nodes, |count| count >= Some(1.0)).await;
    trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
    scene.cluster.start_again();
    trial.recovers().await;
    trial.compares_counters().await;
    Some(trial.ends())
}

async fn never_begun(fault: &'static Fault, how: Manner) -> Option<Row> {
    let mut away = cluster();
    away.stop();
    let grid = Grid::start(VALUES, &Hands::default());
    let (mut scene, mut trial) = fault.tries(how, Scene::set_with(Props::default(), how.timed, grid, away));
    trial.becomes(&Expect::Opened(&["cluster_unknown"])).await;
    trial.notes_counters().await;
    trial.pods(how.pods, Expect::Opened(&["cluster_unknown"]), Budget::Answers).await;
    trial.compares_counters().await;
    scene.cluster.start_again();
    trial.recovers().await;
    Some(trial.ends())
}
