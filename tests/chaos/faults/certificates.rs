//! Certificates: one that the API server does not trust keeps it away, which opens; half of a pair changes nothing.

use std::fs;
use std::path::Path;

use eco_pulse::tls::{issue, write_issued};
use jiff::SignedDuration;

use super::{Fault, Manner};
use crate::grid::Hands;
use crate::scene::Props;
use crate::trial::{Budget, Expect, Row};

const FILES: [&str; 3] = ["tls.crt", "tls.key", "ca.crt"];

pub const ALL: &[Fault] = &[
    Fault {
        name: "certificate swapped",
        broken: "it is one of an authority that the API server does not know",
        run: |fault, how| Box::pin(another(fault, how, SignedDuration::ZERO)),
    },
    Fault {
        name: "certificate expired",
        broken: "it is one that ended years ago",
        run: |fault, how| Box::pin(another(fault, how, SignedDuration::from_hours(-24 * 4000))),
    },
    Fault {
        name: "certificate mismatched",
        broken: "its key is another one's",
        run: |fault, how| Box::pin(mismatched(fault, how)),
    },
];

fn issue_at(folder: &Path, moved: SignedDuration) {
    let issued = issue(&["localhost".parse().unwrap()], Hands::default().now() + moved).unwrap();
    write_issued(folder, &issued).unwrap();
}

async fn another(fault: &'static Fault, how: Manner, moved: SignedDuration) -> Option<Row> {
    let (scene, mut trial) = fault.begins(how, Props::default()).await;
    let (good, bad) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    issue_at(bad.path(), moved);
    copy(&scene.server.certificates(), good.path());
    copy(bad.path(), &scene.server.certificates());
    scene.server.wait_for_log("a new certificate is in use");
    // Who is connected stays.
    trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
    trial.reconnects();
    let only_by_scheduler = [Expect::NoAnswer, Expect::Decided, Expect::Decided];
    trial.pods_each(how.pods, only_by_scheduler, Budget::Gone).await;
    copy(good.path(), &scene.server.certificates());
    trial.recovers().await;
    trial.compares_counters().await;
    Some(trial.ends())
}

async fn mismatched(fault: &'static Fault, how: Manner) -> Option<Row> {
    let (scene, mut trial) = fault.begins(how, Props::default()).await;
    let (good, bad) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    issue_at(bad.path(), SignedDuration::ZERO);
    copy(&scene.server.certificates(), good.path());
    fs::copy(bad.path().join(FILES[1]), scene.server.certificates().join(FILES[1])).unwrap();
    let refused = [("result", "refused")];
    trial.notices("eco_pulse_certificate_reloads_total", &refused, |count| count >= Some(1.0)).await;
    trial.pods(how.pods / 2, Expect::Decided, Budget::Answers).await;
    trial.reconnects();
    trial.pods(how.pods / 2, Expect::Decided, Budget::Answers).await;
    copy(good.path(), &scene.server.certificates());
    trial.recovers().await;
    trial.compares_counters().await;
    Some(trial.ends())
}

fn copy(from: &Path, to: &Path) {
    for file in FILES {
        fs::copy(from.join(file), to.join(file)).unwrap();
    }
}
