//! The configuration: one that cannot be used changes nothing.

use super::{Fault, Manner};
use crate::scene::Props;
use crate::trial::{Budget, Expect, Row};

pub const ALL: &[Fault] = &[Fault {
    name: "configuration bad",
    broken: "its file is changed to one that cannot be read",
    run: |fault, how| Box::pin(bad(fault, how)),
}];

async fn bad(fault: &'static Fault, how: Manner) -> Option<Row> {
    const RELOADS: &str = "eco_pulse_config_reloads_total";
    let (scene, mut trial) = fault.begins(how, Props::default()).await;
    scene.server.config.change("regions: [{name: ");
    trial.notices(RELOADS, &[("result", "refused")], |count| count >= Some(1.0)).await;
    trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
    scene.server.config.change(&format!("{}log: {{level: debug}}\n", scene.config()));
    trial.notices(RELOADS, &[("result", "applied")], |count| count >= Some(1.0)).await;
    trial.recovers().await;
    trial.compares_counters().await;
    Some(trial.ends())
}
