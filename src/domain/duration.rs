//! Lengths of time as people write them: `190ms`, `5m`, `24h`, `1h30m`, `7d`.
//!
//! One grammar for the configuration and for pod annotations. The sum is exact (integers, no floats) and bounded.
//! Whether zero makes sense is for the caller to judge: a run of no length does not, an age limit may.

use std::time::Duration;

/// Units, longest first, with their length in nanoseconds. Order matters to [`format_duration`] only.
const UNITS: [(&str, u128); 5] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
];

/// Ten years of 365 days: longer than any pod runs or any limit waits, far from any overflow.
pub const LONGEST: Duration = Duration::from_hours(10 * 365 * 24);

/// Fraction digits that count; finer ones are below a nanosecond even in days.
const FRACTION_DIGITS: usize = 18;

/// Why a text is no length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// It starts with a minus sign.
    #[error("is negative")]
    Negative,
    /// A number without a unit.
    #[error("has a number without a unit")]
    NoUnit,
    /// A unit that is not one of ms, s, m, h, d.
    #[error("has an unknown unit")]
    UnknownUnit,
    /// Anything else than numbers, each followed by its unit.
    #[error("is not a length of time")]
    Malformed,
    /// Longer than [`LONGEST`].
    #[error("is longer than 10 years")]
    TooLong,
}

/// Reads a length of time: one or more decimal numbers, each followed by `ms`, `s`, `m`, `h` or `d`, summed up.
/// Fractions finer than a nanosecond are cut off.
///
/// # Errors
/// Anything else, a negative length, or more than [`LONGEST`].
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    if text.starts_with('-') {
        return Err(DurationError::Negative);
    }
    let mut nanoseconds: u128 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = split_where(rest, |c| !c.is_ascii_digit() && c != '.');
        let (unit, after) = split_where(after, |c| !c.is_ascii_alphabetic());
        if unit.is_empty() && after.is_empty() {
            return Err(if is_decimal(number) { DurationError::NoUnit } else { DurationError::Malformed });
        }
        nanoseconds = nanoseconds.saturating_add(part(number, unit)?);
        if nanoseconds > LONGEST.as_nanos() {
            return Err(DurationError::TooLong);
        }
        rest = after;
    }
    u64::try_from(nanoseconds).map(Duration::from_nanos).map_err(|_| DurationError::TooLong)
}

/// Writes a length of time so that [`parse_duration`] reads the same back: `1h30m`, `190ms`, `0s`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let mut left = duration.as_nanos();
    let mut parts = Vec::new();
    for (unit, length) in UNITS {
        let count = left / length;
        left %= length;
        // What is finer than the finest unit becomes that unit's fraction.
        if unit == "ms" && left > 0 {
            let fraction = format!("{left:06}");
            parts.push(format!("{count}.{}{unit}", fraction.trim_end_matches('0')));
        } else if count > 0 {
            parts.push(format!("{count}{unit}"));
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.concat() }
}

/// Nanoseconds of one number with its unit.
fn part(number: &str, unit: &str) -> Result<u128, DurationError> {
    if !is_decimal(number) || unit.is_empty() {
        return Err(DurationError::Malformed);
    }
    let (_, length) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(DurationError::UnknownUnit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // Only digits are left, so a number that does not parse is one that does not fit.
    let whole: u64 = whole.parse().map_err(|_| DurationError::TooLong)?;
    let fraction = fraction.get(..FRACTION_DIGITS).unwrap_or(fraction);
    let fraction_length = match fraction.parse::<u128>() {
        Ok(digits) => digits * length / 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0)),
        Err(_) => 0,
    };
    Ok(u128::from(whole) * length + fraction_length)
}

/// Digits, or digits around one point.
fn is_decimal(number: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match number.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(number),
    }
}

fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("190ms", Duration::from_millis(190))]
    #[case("5m", Duration::from_mins(5))]
    #[case("24h", Duration::from_hours(24))]
    #[case("1h30m", Duration::from_mins(90))]
    #[case("7d", Duration::from_hours(168))]
    #[case("1.5h", Duration::from_mins(90))]
    #[case("0.5ms", Duration::from_micros(500))]
    #[case("0s", Duration::ZERO)]
    #[case("30m1h", Duration::from_mins(90))]
    #[case("0.1s", Duration::from_millis(100))]
    #[case("0.0000000000000000000000009h", Duration::ZERO)]
    #[case("3650d", LONGEST)]
    fn reads(#[case] text: &str, #[case] expected: Duration) {
        assert_eq!(parse_duration(text), Ok(expected));
    }

    #[rstest]
    #[case("", DurationError::Empty)]
    #[case("-5m", DurationError::Negative)]
    #[case("5", DurationError::NoUnit)]
    #[case("1h30", DurationError::NoUnit)]
    #[case("5w", DurationError::UnknownUnit)]
    #[case("5M", DurationError::UnknownUnit)]
    #[case("5us", DurationError::UnknownUnit)]
    #[case("m", DurationError::Malformed)]
    #[case("5 m", DurationError::Malformed)]
    #[case(" 5m", DurationError::Malformed)]
    #[case("+5m", DurationError::Malformed)]
    #[case("5m,", DurationError::Malformed)]
    #[case("1.2.3s", DurationError::Malformed)]
    #[case(".5s", DurationError::Malformed)]
    #[case("5.s", DurationError::Malformed)]
    #[case(".", DurationError::Malformed)]
    #[case("1e3s", DurationError::UnknownUnit)]
    #[case("5µs", DurationError::Malformed)]
    #[case("٥m", DurationError::Malformed)]
    #[case("3651d", DurationError::TooLong)]
    #[case("3650d1ms", DurationError::TooLong)]
    #[case("99999999999999999999999999d", DurationError::TooLong)]
    #[case("18446744073709551615d", DurationError::TooLong)]
    fn refuses(#[case] text: &str, #[case] expected: DurationError) {
        assert_eq!(parse_duration(text), Err(expected));
    }

    #[rstest]
    #[case(Duration::from_millis(190), "190ms")]
    #[case(Duration::from_mins(90), "1h30m")]
    #[case(Duration::from_hours(24), "1d")]
    #[case(Duration::ZERO, "0s")]
    #[case(Duration::from_micros(1_000_500), "1s0.5ms")]
    #[case(Duration::from_nanos(1), "0.000001ms")]
    fn writes(#[case] duration: Duration, #[case] expected: &str) {
        assert_eq!(format_duration(duration), expected);
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(nanoseconds in 0..=u64::try_from(LONGEST.as_nanos()).unwrap()) {
            let duration = Duration::from_nanos(nanoseconds);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn never_panics(text in ".{0,40}") {
            let _ = parse_duration(&text);
        }

        #[test]
        fn never_panics_on_near_misses(text in "[0-9.]{0,40}(ms|s|m|h|d|µ)?[0-9.]{0,40}(ms|s|m|h|d)?") {
            let _ = parse_duration(&text);
        }
    }
}
