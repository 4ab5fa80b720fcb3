//! The accounts over a simulated week: against a computation of their own, through deaths at random points, on every store.
#![expect(clippy::unwrap_used, reason = "tests")]

mod edges;
mod expected;
mod killed;
mod reported;
mod rig;
mod week;

#[path = "../support/redis.rs"]
mod redis;

use eco_pulse::store::BookStore;

use self::expected::figures;
use self::rig::{assert_same, by_namespace, run_week, stored_hours};
use self::week::lives;

#[tokio::test]
async fn a_week_comes_to_what_a_straightforward_computation_says() {
    let books = BookStore::in_memory();
    let simulation = run_week(&books).await;
    let found = by_namespace(&stored_hours(&books).await);
    let expected = figures(&lives());
    assert_same(&found, &expected);
    // The week holds what makes it hard: losses beside gains, missed placements, hours that nobody ever tells.
    let figure = |name: &str| expected.values().filter_map(|figures| figures.get(name)).sum::<f64>();
    assert!(figure("missed") > 0.0 && figure("missing_hours") > 0.0 && figure("estimated_hours") > 0.0);
    assert!(figure("moves_gained") > 0.0 && figure("moves_gained") < figure("moves_ended"));
    assert!(figure("unpriced_hours") > 0.0);
    assert!(
        expected.values().any(|figures| figures["against_2_avoided_g"] < 0.0),
        "against the greenest region"
    );
    assert!(expected.values().any(|figures| figures["against_0_saved_usd"] < 0.0));
    assert_eq!(found.len(), 6, "three namespaces, each with a control group");
    let waiting: usize = simulation.keeper.books.open_runs().map(|open| open.progress.waiting.len()).sum();
    assert!(waiting > 0, "what was never told stays open");
}
