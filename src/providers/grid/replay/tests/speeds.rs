//! Replays faster and slower than the clock.

use rstest::rstest;

use super::*;

/// A leap-free year of DE in which each hour's value is its number in the year, from 1 on, scaled to be an intensity.
fn numbered_year() -> String {
    let values: Vec<Option<f64>> = (1..=8760).map(|hour| Some(f64::from(hour) / 10.0)).collect();
    hours("2022-01-01T00:00:00Z", &values)
}

#[rstest]
#[case::the_years_agree_at_their_start(3600.0, "2026-01-01T00:00:00Z", "2022-01-01T00:00:00Z")]
#[case::an_hour_a_second(3600.0, "2026-01-01T00:00:10Z", "2022-01-01T10:00:00Z")]
#[case::into_the_next_year(3600.0, "2026-01-01T02:26:01Z", "2022-01-01T01:00:00Z")]
#[case::and_a_leap_year_after_it(3600.0, "2026-01-01T05:15:36Z", "2022-02-28T00:00:00Z")]
#[case::half_speed(0.5, "2026-01-03T00:00:00Z", "2022-01-02T00:00:00Z")]
#[case::as_fast_as_it_goes(1e6, "2026-12-31T23:59:59Z", "2022-01-10T10:13:20Z")]
fn the_time_of_year_runs_at_its_speed(#[case] speed: f64, #[case] now: &str, #[case] replayed: &str) {
    let said = reading(&grid(&numbered_year(), speed), now);
    assert_eq!(said.replayed_at, Some(time(replayed)));
    let hour = time(replayed).duration_since(time("2022-01-01T00:00:00Z")).as_hours();
    assert_eq!(said.intensity, GramsPerKwh((hour + 1) as f64 / 10.0));
}

#[test]
fn at_an_hour_a_second_the_value_changes_each_second() {
    let grid = grid(&numbered_year(), 3600.0);
    let start = time("2026-06-01T12:00:00Z");
    let values: Vec<f64> = (0..24)
        .map(|second| grid.reading(&region(Some("DE")), start + SignedDuration::from_secs(second)))
        .map(|said| said.unwrap().intensity.0)
        .collect();
    assert!(values.windows(2).all(|pair| (pair[1] - pair[0] - 0.1).abs() < 1e-9), "{values:?}");
}

#[test]
fn an_hour_of_the_trace_lasts_as_long_as_the_clock_takes_for_it() {
    let said = reading(&grid(&numbered_year(), 3600.0), "2026-01-01T00:00:10.25Z");
    assert_eq!((said.starts_at, said.ends_at), (time("2026-01-01T00:00:10Z"), time("2026-01-01T00:00:11Z")));
    let said = reading(&grid(&numbered_year(), 0.5), "2026-01-01T03:00:00Z");
    assert_eq!((said.starts_at, said.ends_at), (time("2026-01-01T02:00:00Z"), time("2026-01-01T04:00:00Z")));
}

#[test]
fn ages_are_of_the_trace_at_any_speed() {
    let text = hours("2022-01-01T00:00:00Z", &[Some(1.0), Some(2.0), None, None, Some(3.0)]);
    let now = "2026-01-01T00:00:03.5Z";
    let said = reading(&grid(&text, 3600.0), now);
    assert_eq!((said.intensity, said.age(time(now))), (GramsPerKwh(2.0), SignedDuration::from_mins(90)));
}

#[test]
fn a_stuck_value_is_found_at_any_speed() {
    let text = hours("2022-01-01T00:00:00Z", &[Some(435.36); 100]);
    assert!(reading(&grid(&text, 3600.0), "2026-01-01T00:01:20Z").is_stuck(), "for 81 hours of the trace");
    assert!(!reading(&grid(&text, 3600.0), "2026-01-01T00:01:00Z").is_stuck(), "for 61");
}

#[rstest]
#[case(0.0)]
#[case(-1.0)]
#[case(f64::NAN)]
#[case(f64::INFINITY)]
fn no_speed_at_all_is_refused(#[case] speed: f64) {
    let refused = ReplayGrid::load(Path::new("trace.csv"), speed).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!(
            "a trace cannot be replayed at speed {speed}: give hours of the trace per hour of the clock, above 0"
        )
    );
}
