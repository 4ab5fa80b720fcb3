//! What a trace says at the clock's own pace: the hour that lasts, gaps, years, leap days, and who is asked.

use rstest::rstest;

use super::*;
use crate::domain::snapshot::{Basis, DataState, GridReading};

/// The first two hours of 2022 of three zones, as Electricity Maps has them. Contains information from Electricity
/// Maps, made available under the Open Database License (ODbL).
const WIDE: &str = "\
datetime_utc,US-MIDA-PJM,DE,SE-SE3
2022-01-01T00:00:00Z,398.49,372.37,26.3
2022-01-01T01:00:00Z,401.08,386.46,26.28
";

const MAX_AGE: SignedDuration = SignedDuration::from_hours(2);

#[test]
fn the_hour_that_lasts_is_as_if_it_were_now() {
    let now = time("2026-01-01T01:30:00.123456789Z");
    let said = grid(WIDE, 1.0).reading(&region(Some("DE")), now).unwrap();
    let expected = Reading {
        intensity: GramsPerKwh(386.46),
        starts_at: time("2026-01-01T01:00:00Z"),
        ends_at: time("2026-01-01T02:00:00Z"),
        provider: GridProvider::Replay,
        signal: Signal::Average,
        basis: Basis::Lifecycle,
        estimated: false,
        estimation_method: None,
        reported_at: now,
        unchanged_since: time("2026-01-01T01:00:00Z"),
        replayed_at: Some(time("2022-01-01T01:30:00.123456789Z")),
        outlook: Outlook::Climatology,
    };
    assert_eq!(said, expected);
    assert_eq!(said.age(now), SignedDuration::ZERO);
}

#[test]
fn each_zone_has_its_own_column() {
    let grid = grid(WIDE, 1.0);
    for (zone, grams) in [("US-MIDA-PJM", 398.49), ("DE", 372.37), ("SE-SE3", 26.3)] {
        let said = grid.reading(&region(Some(zone)), time("2026-01-01T00:59:59Z")).unwrap();
        assert_eq!(said.intensity, GramsPerKwh(grams), "{zone}");
    }
}

/// Rows of the portal's file of ES in 2023, and one of NO. Contains information from Electricity Maps, made available
/// under the Open Database License (ODbL).
const PORTAL: &str = "\
Datetime (UTC),Country,Zone Name,Zone Id,Carbon Intensity gCO₂eq/kWh (direct),Carbon Intensity gCO₂eq/kWh (LCA),\
Low Carbon Percentage,Renewable Percentage,Data Source,Data Estimated,Data Estimation Method
2023-01-01 00:00:00,Spain,Spain,ES,82.99,114.42,84.03,50.66,entsoe.eu,false,
2023-01-01 01:00:00,Spain,Spain,ES,85.96,117.69,83.61,49.16,entsoe.eu,true,ESTIMATED_TIME_SLICER_AVERAGE
2023-01-01 00:00:00,Norway,Norway,NO,37.86,66.23,94.16,87.66,entsoe.eu,false,
";

#[test]
fn the_portals_rows_carry_lifecycle_values_and_what_is_estimated() {
    let grid = grid(PORTAL, 1.0);
    let said = |zone, now| grid.reading(&region(Some(zone)), time(now)).unwrap();
    let measured = said("ES", "2026-01-01T00:10:00Z");
    assert_eq!(
        (measured.intensity, measured.estimated, measured.estimation_method),
        (GramsPerKwh(114.42), false, None)
    );
    let estimated = said("ES", "2026-01-01T01:10:00Z");
    assert_eq!((estimated.intensity, estimated.estimated), (GramsPerKwh(117.69), true));
    assert_eq!(estimated.estimation_method.as_deref(), Some("ESTIMATED_TIME_SLICER_AVERAGE"));
    assert_eq!(said("NO", "2026-01-01T00:10:00Z").intensity, GramsPerKwh(66.23));
}

#[test]
fn the_columns_of_newer_downloads_are_known_too() {
    let newer = PORTAL
        .replace("Zone Id", "Zone id")
        .replace("(LCA)", "(Life cycle)")
        .replace("Data Estimated,Data Estimation Method", "Data estimated,Data estimation method");
    assert_ne!(newer, PORTAL);
    assert_eq!(grid(&newer, 1.0).trace, grid(PORTAL, 1.0).trace);
}

#[test]
fn a_gap_is_filled_by_nothing_and_what_was_said_before_it_grows_old() {
    let grid = grid(&hours("2022-03-01T00:00:00Z", &[Some(10.0), None, None, None, Some(50.0)]), 1.0);
    for (now, grams, age_minutes, state) in [
        ("2026-03-01T00:59:00Z", 10.0, 0, DataState::Fresh),
        ("2026-03-01T01:30:00Z", 10.0, 30, DataState::Fresh),
        ("2026-03-01T03:00:00Z", 10.0, 120, DataState::Fresh),
        ("2026-03-01T03:01:00Z", 10.0, 121, DataState::Stale),
        ("2026-03-01T04:00:00Z", 50.0, 0, DataState::Fresh),
    ] {
        let said = reading(&grid, now);
        assert_eq!(said.intensity, GramsPerKwh(grams), "{now}");
        assert_eq!(said.age(time(now)), SignedDuration::from_mins(age_minutes), "{now}");
        assert_eq!(GridReading::Known(said).state(time(now), MAX_AGE), state, "{now}");
    }
}

#[test]
fn after_the_end_of_a_trace_its_last_hour_grows_old() {
    let grid = grid(&hours("2022-03-01T00:00:00Z", &[Some(10.0), Some(20.0)]), 1.0);
    let said = reading(&grid, "2026-03-02T02:00:00Z");
    assert_eq!(
        (said.intensity, said.age(time("2026-03-02T02:00:00Z"))),
        (GramsPerKwh(20.0), SignedDuration::from_hours(24))
    );
    assert_eq!(said.ends_at.duration_since(said.starts_at), SignedDuration::from_hours(1));
}

#[rstest]
#[case::no_zone(None, "2026-01-01T00:30:00Z", "the region has no grid zone")]
#[case::another_zone(Some("FR"), "2026-01-01T00:30:00Z", "the trace has no value of zone FR")]
fn what_the_trace_does_not_have_is_missing_in_words(
    #[case] zone: Option<&str>,
    #[case] now: &str,
    #[case] words: &str,
) {
    let refused = grid(WIDE, 1.0).reading(&region(zone), time(now)).unwrap_err();
    assert_eq!((refused.failure, &*refused.detail), (Failure::NoData, words));
}

#[test]
fn before_the_first_hour_of_a_trace_there_is_nothing() {
    let grid = grid(&hours("2022-07-01T00:00:00Z", &[Some(10.0), Some(20.0)]), 1.0);
    let refused = grid.reading(&region(Some("DE")), time("2026-06-30T23:59:59Z")).unwrap_err();
    assert_eq!(refused.failure, Failure::NoData);
    assert_eq!(&*refused.detail, "the trace has no value of zone DE at or before this time of year");
}

#[test]
fn the_newest_year_that_reaches_over_the_moment_is_replayed() {
    let text = "datetime_utc,DE\n\
        2021-01-01T00:00:00Z,1\n2021-01-01T01:00:00Z,2\n2021-12-31T23:00:00Z,3\n\
        2022-01-01T00:00:00Z,4\n2022-01-01T01:00:00Z,5\n2022-03-01T00:00:00Z,6\n";
    let grid = grid(text, 1.0);
    for (now, grams, replayed) in [
        ("2026-01-01T01:00:00Z", 5.0, "2022-01-01T01:00:00Z"),
        // A hole in the newest year stays one, with an age, though an older year might have that hour.
        ("2026-02-01T00:00:00Z", 5.0, "2022-02-01T00:00:00Z"),
        ("2026-03-01T00:59:59Z", 6.0, "2022-03-01T00:59:59Z"),
        // The newest year is over: the older one goes on.
        ("2026-03-01T01:00:00Z", 2.0, "2021-03-01T01:00:00Z"),
        ("2026-12-31T23:30:00Z", 3.0, "2021-12-31T23:30:00Z"),
    ] {
        let said = reading(&grid, now);
        assert_eq!((said.intensity, said.replayed_at), (GramsPerKwh(grams), Some(time(replayed))), "{now}");
    }
}

#[test]
fn where_no_year_reaches_the_newest_that_has_begun_grows_old() {
    let text = "datetime_utc,DE\n2021-01-01T00:00:00Z,1\n2021-01-01T01:00:00Z,2\n2022-06-01T00:00:00Z,3\n";
    let said = reading(&grid(text, 1.0), "2026-02-01T00:00:00Z");
    assert_eq!(said.replayed_at, Some(time("2021-02-01T00:00:00Z")));
    assert_eq!(said.age(time("2026-02-01T00:00:00Z")), SignedDuration::from_hours(31 * 24 - 2));
}

#[rstest]
#[case::no_leap_day_in_the_trace("2022-02-28T00:00:00Z", "2024-02-29T05:15:00Z", "2022-02-28T05:15:00Z")]
#[case::nor_a_second_28th("2022-02-28T00:00:00Z", "2024-02-28T05:15:00Z", "2022-02-28T05:15:00Z")]
#[case::a_leap_day_in_both("2020-02-29T00:00:00Z", "2024-02-29T05:15:00Z", "2020-02-29T05:15:00Z")]
#[case::the_end_of_february("2020-02-29T00:00:00Z", "2026-03-01T00:15:00Z", "2020-03-01T00:15:00Z")]
fn leap_days_have_a_place(#[case] first: &str, #[case] now: &str, #[case] replayed: &str) {
    let values: Vec<Option<f64>> = (1..=48).map(|hour| Some(f64::from(hour))).collect();
    let said = reading(&grid(&hours(first, &values), 1.0), now);
    let hour = time(replayed).duration_since(time(first)).as_hours();
    assert_eq!((said.replayed_at, said.intensity), (Some(time(replayed)), GramsPerKwh(hour as f64 + 1.0)));
}

/// Constant for `same` hours before the one that is read.
fn after_the_same(same: usize) -> Reading {
    let mut values = vec![Some(400.0)];
    values.resize(1 + same, Some(435.36));
    let now = time("2022-05-01T00:30:00Z") + SignedDuration::from_hours(i64::try_from(same).unwrap());
    reading(&grid(&hours("2022-05-01T00:00:00Z", &values), 1.0), &now.to_string())
}

#[test]
fn a_value_that_does_not_move_is_followed_back() {
    for same in [1, 2, 71, 72, 97] {
        let said = after_the_same(same);
        let unchanged = said.ends_at.duration_since(said.unchanged_since);
        assert_eq!(unchanged.as_hours(), i64::try_from(same).unwrap());
        assert_eq!(said.is_stuck(), same >= 72, "{same} hours");
    }
    let said = after_the_same(500);
    assert_eq!(said.ends_at.duration_since(said.unchanged_since).as_hours(), 97, "no further than it takes");
}

#[test]
fn a_gap_breaks_the_row_of_one_value() {
    let grid = grid(&hours("2022-05-01T00:00:00Z", &[Some(7.0), Some(7.0), None, Some(7.0), Some(7.0)]), 1.0);
    let said = reading(&grid, "2026-05-01T04:00:00Z");
    assert_eq!(said.unchanged_since, time("2026-05-01T03:00:00Z"));
}

#[tokio::test]
async fn it_answers_as_any_source_does() {
    let grid = grid(WIDE, 1.0);
    assert_eq!(
        (grid.provider(), grid.reach(), grid.questions()),
        (GridProvider::Replay, Reach::Memory, &[Question::Latest][..])
    );
    let now = time("2026-01-01T00:30:00Z");
    let answer = grid.ask(&region(Some("DE")), Question::Latest, now).await.unwrap();
    assert_eq!(answer, Answer { readings: vec![reading(&grid, "2026-01-01T00:30:00Z")], forecast: None });
    assert_eq!(grid.ask(&region(None), Question::Latest, now).await.unwrap_err().failure, Failure::NoData);
}
