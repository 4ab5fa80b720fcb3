//! What holds of every trace at every moment.

use proptest::prelude::*;

use super::*;

/// Hours of the trace in these tests, from the start of 2022.
const HOURS: i64 = 200;

fn any_values() -> impl Strategy<Value = Vec<Option<f64>>> {
    let value = prop_oneof![3 => (1..=900_u32).prop_map(|grams| Some(f64::from(grams))), 1 => Just(None)];
    prop::collection::vec(value, usize::try_from(HOURS).unwrap()).prop_filter("an hourly trace", |values| {
        values.windows(2).any(|pair| pair.iter().all(Option::is_some))
    })
}

fn is_hourly(values: &[Option<f64>]) -> bool {
    values.iter().enumerate().any(|(hour, value)| hour % 24 > 0 && value.is_some())
}

fn any_speed() -> impl Strategy<Value = f64> {
    prop_oneof![Just(1.0), Just(3600.0), 0.01..1e5_f64]
}

/// A moment of the clock that replays the trace's first hours, and some after them.
fn now(speed: f64, part: f64) -> Timestamp {
    let ahead = SignedDuration::try_from_secs_f64(part * 3600.0 * HOURS as f64 * 1.2 / speed).unwrap();
    time("2026-01-01T00:00:00Z") + ahead
}

proptest! {
    #[test]
    fn the_last_hour_at_or_before_the_moment_counts_with_its_age_in_the_trace(
        values in any_values(), speed in any_speed(), part in 0.0..1.0_f64,
    ) {
        let now = now(speed, part);
        prop_assume!(calendar::year_of(now) == 2026);
        let grid = grid(&hours("2022-01-01T00:00:00Z", &values), speed);
        let moment = calendar::in_year(&calendar::replayed(now, grid.speed), 2022).unwrap();
        let passed = moment.duration_since(time("2022-01-01T00:00:00Z"));
        let hour = usize::try_from(passed.as_hours()).unwrap().min(values.len() - 1);
        let expected = (0..=hour).rev().find_map(|hour| Some((hour, values[hour]?)));
        let said = grid.reading(&region(Some("DE")), now);
        let Some((hour, grams)) = expected else {
            prop_assert_eq!(said.unwrap_err().failure, Failure::NoData);
            return Ok(());
        };
        let said = said.unwrap();
        prop_assert_eq!(said.intensity, GramsPerKwh(grams));
        prop_assert_eq!(said.replayed_at, Some(moment));
        let since_its_end = passed - SignedDuration::from_hours(i64::try_from(hour).unwrap() + 1);
        prop_assert_eq!(said.age(now), since_its_end.max(SignedDuration::ZERO));
        prop_assert!(said.starts_at < said.ends_at && said.starts_at <= now);
        prop_assert!(said.ends_at.duration_since(said.unchanged_since) >= SignedDuration::from_hours(1));
    }

    #[test]
    fn nothing_after_the_moment_changes_what_is_said(
        values in any_values(), others in any_values(), speed in any_speed(), part in 0.0..1.0_f64,
    ) {
        let now = now(speed, part);
        let one = grid(&hours("2022-01-01T00:00:00Z", &values), speed);
        let moment = calendar::in_year(&calendar::replayed(now, one.speed), 2022).unwrap();
        let known = usize::try_from(moment.duration_since(time("2022-01-01T00:00:00Z")).as_hours()).unwrap() + 1;
        let mixed: Vec<_> = values.iter().take(known).chain(others.iter().skip(known)).copied().collect();
        prop_assume!(is_hourly(&mixed));
        let other = grid(&hours("2022-01-01T00:00:00Z", &mixed), speed);
        prop_assert_eq!(one.reading(&region(Some("DE")), now), other.reading(&region(Some("DE")), now));
    }

    #[test]
    fn the_order_of_the_rows_and_repeated_ones_do_not_matter(
        values in any_values(), order in Just((0..usize::try_from(HOURS).unwrap()).collect::<Vec<_>>()).prop_shuffle(),
        again in any::<prop::sample::Index>(),
    ) {
        let sorted = hours("2022-01-01T00:00:00Z", &values);
        let rows: Vec<&str> = sorted.lines().skip(1).collect();
        let mut shuffled = "datetime_utc,DE\n".to_owned();
        for row in order.iter().chain([&again.index(rows.len())]) {
            shuffled.push_str(rows[*row]);
            shuffled.push('\n');
        }
        prop_assert_eq!(grid(&shuffled, 1.0).trace, grid(&sorted, 1.0).trace);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(text in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse::parse(&text);
        let with_header = [b"datetime_utc,DE,FR\n".as_slice(), &text].concat();
        let _ = parse::parse(&with_header);
    }
}
