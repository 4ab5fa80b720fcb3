//! Snapshots as they are read from Redis: writing one gives the same back, and nothing that cannot be is decided upon.

use eco_pulse::domain::Snapshot;
use eco_pulse::domain::plausibility::judge_alone;
use eco_pulse::domain::snapshot::Readings;
use eco_pulse::domain::units::Hours;
use eco_pulse::http::fail_open::Answering as _;
use eco_pulse::kubernetes::cluster::ClusterView;
use eco_pulse::webhook::mutate::Mutate;

use super::world::{decider, world};

/// A pod that may go anywhere.
const JOB: &[u8] = br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE",
    "namespace":"default","kind":{"kind":"Pod"},"object":{"metadata":{"name":"job"},"spec":{"restartPolicy":"Never",
    "containers":[{"resources":{"requests":{"cpu":"2","memory":"4Gi"}}}]}}}}"#;

pub fn holds(bytes: &[u8]) {
    let Ok(readings) = serde_json::from_slice::<Readings>(bytes) else { return };
    let written = serde_json::to_vec(&readings).unwrap();
    let again: Readings = serde_json::from_slice(&written).unwrap();
    assert_eq!(again, readings);
    assert_eq!(serde_json::to_vec(&again).unwrap(), written);

    let (world, lengths) = (world(), [0.5, 24.0, 1000.0]);
    let snapshot = Snapshot::assemble(&readings, &world.tables);
    let policy = world.config.policy();
    for (_, region, data) in snapshot.iter() {
        let usable = data.grid.state(world.now, policy.grid_max_age).is_usable();
        let Some(reading) = data.grid.known().filter(|_| usable) else { continue };
        let verdict = judge_alone(reading.intensity.0, reading.provider);
        assert!(verdict.is_ok(), "{}: {verdict:?} is decided upon", region.name);
        for length in lengths {
            let mean = data.mean_over_run(reading, world.now, Hours(length)).0;
            assert!((0.0..=2000.0).contains(&mean), "{}: {mean} g/kWh over {length} h", region.name);
        }
    }
    let mutate = Mutate::new(decider(&world.config, snapshot, ClusterView::unwatched("eco-pulse")));
    let answer = mutate.answer(JOB, world.now).unwrap();
    let decision = &answer.draft.decided.decision;
    for score in &decision.scores {
        let assessment = &score.assessment;
        let price = assessment.price.map_or(0.0, |price| price.per_hour.0);
        let benefit = score.net_benefit().map_or(0.0, |usd| usd.0);
        assert!((0.0..=1e6).contains(&price) && benefit.is_finite(), "{price} USD/h come to {benefit} USD");
    }
}
