//! The mean over a run against the slow way, minute by minute; and what it must never do.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::domain::snapshot::{Basis, GridProvider, Signal};

fn noon() -> Timestamp {
    "2026-06-10T12:00:00Z".parse().unwrap()
}

/// 100 at night, 200 by day.
fn day_and_night() -> Climatology {
    let day = std::array::from_fn(|hour| if (6..18).contains(&hour) { 200.0 } else { 100.0 });
    Climatology::new([day; 12]).unwrap()
}

fn reading(grams: f64, outlook: Outlook) -> Reading {
    Reading {
        intensity: GramsPerKwh(grams),
        starts_at: noon(),
        ends_at: noon() + SignedDuration::from_hours(1),
        provider: GridProvider::ElectricityMaps,
        signal: Signal::Average,
        basis: Basis::Lifecycle,
        estimated: false,
        estimation_method: None,
        reported_at: noon(),
        unchanged_since: noon(),
        replayed_at: None,
        outlook,
    }
}

fn forecast(grams: &[f64]) -> Outlook {
    Outlook::Forecast(Arc::new(Forecast::new(noon(), noon(), 3600, grams.to_vec()).unwrap()))
}

fn expected(reading: &Reading, climatology: Option<&Climatology>, hours: f64) -> f64 {
    mean_over_run(reading, climatology, noon(), Hours(hours)).0
}

/// Minute by minute: climatology, and what is left of the deviation.
fn slowly(deviation: f64, from: Timestamp, minutes: i64) -> f64 {
    let climatology = day_and_night();
    let each = |minute: i64| {
        let at = from + SignedDuration::from_mins(minute);
        climatology.at(at).0 + deviation * (-(minute as f64 + 0.5) / 60.0 / FADES_IN_HOURS).exp()
    };
    (0..minutes).map(each).sum::<f64>() / minutes as f64
}

#[test]
fn the_usual_and_what_is_left_of_the_deviation_add_up() {
    let climatology = day_and_night();
    for (grams, hours) in [(260.0, 1), (260.0, 24), (140.0, 24), (260.0, 168), (200.0, 24)] {
        let now = reading(grams, Outlook::Climatology);
        let mean = expected(&now, Some(&climatology), f64::from(hours));
        let slow = slowly(grams - 200.0, noon(), i64::from(hours) * 60);
        assert!((mean - slow).abs() < 1e-4, "{grams} {hours}: {mean} {slow}");
    }
}

#[test]
fn a_short_run_has_the_intensity_of_now_and_a_long_one_what_is_usual() {
    let climatology = day_and_night();
    let now = reading(300.0, Outlook::Climatology);
    assert!((expected(&now, Some(&climatology), 0.01) - 300.0).abs() < 0.1);
    assert!((expected(&now, Some(&climatology), 8784.0) - climatology.annual_mean().0).abs() < 1.0);
    assert!((expected(&now, None, 24.0) - 300.0).abs() < 1e-9, "nothing else is known");
    assert!((expected(&reading(300.0, Outlook::Holds), Some(&climatology), 24.0) - 300.0).abs() < 1e-9);
}

#[test]
fn an_old_reading_has_faded_already() {
    let climatology = day_and_night();
    let mut old = reading(300.0, Outlook::Climatology);
    old.ends_at = noon() - SignedDuration::from_hours(2);
    // 100 above what was usual two hours ago, at ten.
    let left = 100.0 * (-2.0 / FADES_IN_HOURS).exp();
    assert!((expected(&old, Some(&climatology), 0.001) - (200.0 + left)).abs() < 0.01);
}

#[test]
fn the_forecast_counts_as_far_as_it_goes_and_then_its_last_value_fades() {
    let climatology = day_and_night();
    let ahead = reading(500.0, forecast(&[260.0; 12]));
    assert!((expected(&ahead, Some(&climatology), 12.0) - 260.0).abs() < 1e-9);
    // From midnight on: 100 usually at the hour known last, 160 above it, an hour ago.
    let after = "2026-06-11T00:00:00Z".parse().unwrap();
    let left = 160.0 * (-1.0 / FADES_IN_HOURS).exp();
    let slow = (12.0 * 260.0 + 12.0 * slowly(left, after, 720)) / 24.0;
    let mean = expected(&ahead, Some(&climatology), 24.0);
    assert!((mean - slow).abs() < 1e-4, "{mean} {slow}");
    assert!((expected(&ahead, None, 24.0) - 260.0).abs() < 1e-9, "by its own mean where nothing is usual");
}

#[test]
fn a_trace_is_looked_up_in_its_own_calendar() {
    let climatology = day_and_night();
    let mut replayed = reading(100.0, Outlook::Climatology);
    replayed.replayed_at = Some("2022-01-10T00:00:00Z".parse().unwrap());
    // Usual at midnight, whatever the clock says.
    assert!((expected(&replayed, Some(&climatology), 1.0) - 100.0).abs() < 1e-9);
}

#[test]
fn direct_and_lifecycle_never_meet_in_one_mean() {
    let climatology = day_and_night();
    let direct = |outlook| Reading { basis: Basis::Direct, ..reading(50.0, outlook) };
    assert!((expected(&direct(Outlook::Climatology), Some(&climatology), 24.0) - 50.0).abs() < 1e-9);
    assert!((expected(&direct(forecast(&[50.0; 12])), Some(&climatology), 168.0) - 50.0).abs() < 1e-9);
    let marginal = Reading { signal: Signal::Marginal, ..reading(50.0, Outlook::Climatology) };
    assert!((expected(&marginal, Some(&climatology), 24.0) - 50.0).abs() < 1e-9);
}

proptest! {
    #[test]
    fn a_mean_is_an_intensity_and_rises_with_the_reading(
        low in 0.0_f64..2000.0,
        more in 0.0_f64..500.0,
        hours in 0.001_f64..10_000.0,
    ) {
        let climatology = day_and_night();
        let of = |grams| expected(&reading(grams, Outlook::Climatology), Some(&climatology), hours);
        prop_assert!(of(low).is_finite() && of(low) >= 0.0);
        prop_assert!(of(low + more) >= of(low) - 1e-9);
    }
}
