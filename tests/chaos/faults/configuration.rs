//! The configuration: one that cannot be used changes nothing.

use super::{Fault, Manner};
use crate::scene::{Props, Scene};
use crate::trial::{Budget, Expect, Row, Trial};

pub const ALL: &[Fault] = &[Fault {
    name: "configuration bad",
    broken: "its file is changed to one that cannot be read",
    run: |fault, how| Box::pin(bad(fault, how)),
}];

async fn bad(fault: &'static Fault, how: Manner) -> Option<Row> {
    const RELOADS: &str = "eco_pulse_config_reloads_total";
    let mut scene = Scene::set(Props::default(), how.timed);
    scene.drain_records();
    let mut trial = Trial::new(fault.name, fault.broken, &scene.address(), how.timed);
    trial.begins_well().await;
    scene.server.config.change("regions: [{name: ");
    trial.notices(RELOADS, &[("result", "refused")], |count| count >= Some(1.0)).await;
    trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
    scene.server.config.change(&format!("{}log: {{level: debug}}\n", scene.config()));
    trial.notices(RELOADS, &[("result", "applied")], |count| count >= Some(1.0)).await;
    trial.recovers().await;
    trial.compares_counters().await;
    Some(trial.ends())
}
