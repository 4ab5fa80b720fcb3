//! The grid API: decisions go on by the last good readings, and pods are left alone where there never were any.

use super::{Fault, Manner};
use crate::grid::{Grid, Hands, VALUES};
use crate::scene::{Props, Scene, cluster};
use crate::trial::{Budget, Expect, Row};
use crate::upstream::Answer;

const LATEST: &str = "/v4/carbon-intensity/latest";

pub const ALL: &[Fault] = &[
    Fault {
        name: "grid API down",
        broken: "nobody listens at its port",
        run: |fault, how| Box::pin(down(fault, how)),
    },
    Fault {
        name: "grid API slow",
        broken: "it never answers",
        run: |fault, how| Box::pin(answers(fault, how, Answer::never)),
    },
    Fault {
        name: "grid API 401",
        broken: "it refuses the token",
        run: |fault, how| {
            Box::pin(answers(fault, how, || Answer::new(401, r#"{"error":"Invalid authentication token"}"#)))
        },
    },
    Fault {
        name: "grid API 429",
        broken: "it has had enough, and says when to come back",
        run: |fault, how| Box::pin(answers(fault, how, || Answer::new(429, "").header("retry-after", "1"))),
    },
    Fault {
        name: "grid API 500",
        broken: "it fails",
        run: |fault, how| Box::pin(answers(fault, how, || Answer::new(500, "oops"))),
    },
    Fault {
        name: "grid API garbage",
        broken: "it answers with a page for people",
        run: |fault, how| Box::pin(answers(fault, how, || Answer::json("<html>welcome</html>"))),
    },
    Fault {
        name: "grid API cut off",
        broken: "its answers end in the middle",
        run: |fault, how| Box::pin(answers(fault, how, || Answer::json(reading("20", 0)).cut_off())),
    },
    Fault {
        name: "grid API zero",
        broken: "it says 0 g/kWh",
        run: |fault, how| Box::pin(answers(fault, how, || Answer::json(reading("0", 0)))),
    },
    Fault {
        name: "grid API NaN",
        broken: "it says NaN",
        run: |fault, how| Box::pin(answers(fault, how, || Answer::json(reading("NaN", 0)))),
    },
    Fault {
        name: "grid data stale",
        broken: "its newest reading is six hours old",
        run: |fault, how| Box::pin(stale(fault, how)),
    },
];

/// What the API says of a zone, so many hours ago.
fn reading(value: &str, hours_ago: i64) -> String {
    let second = Hands::default().now().as_second();
    let hour = jiff::Timestamp::from_second(second - second.rem_euclid(3600) - hours_ago * 3600).unwrap();
    format!(
        r#"{{"zone":"IE","carbonIntensity":{value},"datetime":"{hour}","updatedAt":"{hour}","emissionFactorType":"lifecycle","isEstimated":false}}"#
    )
}

/// While something is broken, and before anything was ever known.
async fn answers(fault: &'static Fault, how: Manner, answer: fn() -> Answer) -> Option<Row> {
    let (scene, mut trial) = fault.begins(how, Props::default()).await;
    scene.grid.upstream.forget();
    scene.grid.upstream.on(LATEST, move |_| answer());
    // Each zone was asked about.
    tokio::task::block_in_place(|| scene.grid.upstream.wait_for(VALUES.len()));
    trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
    scene.grid.upstream.off(LATEST);
    trial.recovers().await;
    trial.compares_counters().await;
    drop(scene);

    let grid = Grid::start(VALUES, &Hands::default());
    grid.upstream.on(LATEST, move |_| answer());
    let mut scene = Scene::set_with(Props::default(), how.timed, grid, cluster());
    scene.drain_records();
    trial.moves_to(&scene.address());
    let unknown = Expect::Opened(&["no_snapshot", "baseline_unknown", "cluster_unknown"]);
    trial.becomes(&unknown).await;
    trial.notes_counters().await;
    trial.pods(how.pods, unknown, Budget::Answers).await;
    trial.compares_counters().await;
    scene.grid.upstream.off(LATEST);
    trial.recovers().await;
    Some(trial.ends())
}

async fn down(fault: &'static Fault, how: Manner) -> Option<Row> {
    let (scene, mut trial) = fault.begins(how, Props::default()).await;
    let Scene { server: _server, grid, cluster: _cluster, .. } = scene;
    // Its port is closed; the token's file stays.
    drop(grid.upstream);
    let failed = [("provider", "grid/electricity-maps"), ("result", "unreachable")];
    trial.notices("eco_pulse_provider_requests_total", &failed, |count| count >= Some(1.0)).await;
    trial.pods(how.pods, Expect::Decided, Budget::Answers).await;
    trial.recovers().await;
    trial.compares_counters().await;
    Some(trial.ends())
}

async fn stale(fault: &'static Fault, how: Manner) -> Option<Row> {
    let grid = Grid::start(VALUES, &Hands::default());
    grid.upstream.on(LATEST, |request| Answer::json(reading("100", 6).replace("IE", &request.query["zone"])));
    let (scene, mut trial) = fault.tries(how, Scene::set_with(Props::default(), how.timed, grid, cluster()));
    trial.becomes(&Expect::Opened(&["stale_snapshot"])).await;
    trial.notes_counters().await;
    trial.pods(how.pods, Expect::Opened(&["stale_snapshot"]), Budget::Answers).await;
    trial.compares_counters().await;
    scene.grid.upstream.off(LATEST);
    trial.recovers().await;
    Some(trial.ends())
}
