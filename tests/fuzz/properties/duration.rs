//! Lengths of time against a reader of another make, to a nanosecond a part; and there and back.

use std::time::Duration;

use eco_pulse::domain::duration::{LONGEST, format_duration, parse_duration};

pub fn holds(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = parse_duration(text);
    match (read, parts(text)) {
        (Ok(read), Some(parts)) => {
            assert!(read <= LONGEST);
            let exact: f64 = parts.iter().sum();
            // What an f64 cannot tell apart, and a nanosecond for each fraction that was cut off.
            let tolerance = 1e-15 * exact + 1e-9 * parts.len() as f64;
            assert!((read.as_secs_f64() - exact).abs() <= tolerance + 1e-9, "{text:?}: {read:?}, {exact} s");
            assert_eq!(parse_duration(&format_duration(read)), Ok(read), "{text:?}");
        }
        (Ok(read), None) => panic!("{text:?} was read as {read:?}"),
        (Err(error), Some(parts)) => {
            let exact: f64 = parts.iter().sum();
            assert!(exact > LONGEST.as_secs_f64() * (1.0 - 1e-12), "{text:?}: {error}");
        }
        (Err(_), None) => {}
    }
    // The same text within a longer one means the same.
    if let Ok(read) = read
        && let Ok(more) = parse_duration(&format!("{text}1s"))
    {
        assert_eq!(more, read + Duration::from_secs(1));
    }
}

/// The seconds of each number with its unit; `None` for anything else.
fn parts(text: &str) -> Option<Vec<f64>> {
    let mut parts = Vec::new();
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let (whole, after) = digits(rest)?;
        rest = after;
        let mut number = whole.to_owned();
        if let Some(after) = rest.strip_prefix(b".") {
            let (fraction, after) = digits(after)?;
            number = format!("{number}.{fraction}");
            rest = after;
        }
        let (seconds, unit) = unit(rest)?;
        rest = &rest[unit..];
        parts.push(number.parse::<f64>().ok()? * seconds);
    }
    (!parts.is_empty()).then_some(parts)
}

/// At least one digit, and what follows.
fn digits(text: &[u8]) -> Option<(&str, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(count);
    (count > 0).then_some((std::str::from_utf8(digits).ok()?, rest))
}

/// The seconds of the unit that a text begins with, and the unit's length.
fn unit(text: &[u8]) -> Option<(f64, usize)> {
    let length = text.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let seconds = match &text[..length] {
        b"ms" => 0.001,
        b"s" => 1.0,
        b"m" => 60.0,
        b"h" => 3600.0,
        b"d" => 86_400.0,
        _ => return None,
    };
    Some((seconds, length))
}
