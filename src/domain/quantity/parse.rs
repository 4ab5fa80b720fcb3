//! From the text of a quantity to nano-units, in integers, in time linear in the text whatever its exponent
//! says.
//!
//! The value of a quantity is `digits * 10^exponent` or `digits * 2^shift`; both are a decimal number times a
//! whole multiplier of nano-units. So the digits are split where the decimal point ends up, the whole part is
//! multiplied, and the fraction is multiplied digit by digit from its end. Nothing here allocates unless it
//! fails.

use thiserror::Error;

use super::NANOS_PER_UNIT;

/// Why a text is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QuantityError {
    /// There is nothing to read.
    #[error("a quantity must not be empty: write a number such as 2, 100m or 64Gi")]
    Empty,
    /// No digits where the number should be.
    #[error(
        "quantity {value:?} does not begin with a number: write digits first, such as 2, 0.5, 100m or 64Gi"
    )]
    NotANumber {
        /// The text as given, cut when long.
        value: String,
    },
    /// Something other than a legal suffix follows the number.
    #[error(
        "quantity {value:?} has {suffix:?} after its number: legal are nothing, n u m k M G T P E, \
         Ki Mi Gi Ti Pi Ei, or an exponent such as e3; upper and lower case differ, spaces are not allowed"
    )]
    UnknownSuffix {
        /// The text as given, cut when long.
        value: String,
        /// What follows the number, cut when long.
        suffix: String,
    },
}

/// What the number in front of the suffix is multiplied by.
#[derive(Clone, Copy)]
enum Scale {
    /// Ten to this power.
    Decimal(i32),
    /// Two to this power, at most 60.
    Binary(u32),
}

/// Digits after the decimal point that can matter one by one: nano-units of the largest binary suffix are
/// steps of 1 / (10^9 * 2^60), which is a decimal fraction of 69 digits. Of what follows, only whether it is
/// zero matters.
const EXACT_FRACTION_DIGITS: usize = 69;

/// Where a binary suffix caps the magnitude: 2^63 - 1 units.
const BINARY_CAP: u128 = i64::MAX.unsigned_abs() as u128 * NANOS_PER_UNIT.unsigned_abs();

/// Nano-units in the quantity that `text` spells, at most `i128::MAX` in magnitude.
pub(super) fn nanos(text: &str) -> Result<i128, QuantityError> {
    if text.is_empty() {
        return Err(QuantityError::Empty);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, rest) = split_digits(unsigned);
    let (fraction, suffix) = rest.strip_prefix('.').map_or(("", rest), split_digits);
    let has_digits = !(whole.is_empty() && fraction.is_empty());
    let Some(scale) = scale(suffix) else {
        let value = excerpt(text);
        return Err(if has_digits {
            QuantityError::UnknownSuffix { value, suffix: excerpt(suffix) }
        } else {
            QuantityError::NotANumber { value }
        });
    };
    if !has_digits {
        return match scale {
            // A lone sign, point or suffix is zero to Kubernetes, unless the suffix takes it off its fast
            // path.
            Scale::Decimal(-9..) | Scale::Binary(..=40) => Ok(0),
            Scale::Decimal(_) | Scale::Binary(_) => Err(QuantityError::NotANumber { value: excerpt(text) }),
        };
    }
    let magnitude = match scale {
        Scale::Decimal(exponent) => magnitude(whole, fraction, exponent, 0),
        Scale::Binary(shift) => magnitude(whole, fraction, 0, shift).min(BINARY_CAP),
    };
    let magnitude = i128::try_from(magnitude).unwrap_or(i128::MAX);
    Ok(if text.starts_with('-') { -magnitude } else { magnitude })
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn scale(suffix: &str) -> Option<Scale> {
    Some(match suffix {
        "" => Scale::Decimal(0),
        "n" => Scale::Decimal(-9),
        "u" => Scale::Decimal(-6),
        "m" => Scale::Decimal(-3),
        "k" => Scale::Decimal(3),
        "M" => Scale::Decimal(6),
        "G" => Scale::Decimal(9),
        "T" => Scale::Decimal(12),
        "P" => Scale::Decimal(15),
        "E" => Scale::Decimal(18),
        "Ki" => Scale::Binary(10),
        "Mi" => Scale::Binary(20),
        "Gi" => Scale::Binary(30),
        "Ti" => Scale::Binary(40),
        "Pi" => Scale::Binary(50),
        "Ei" => Scale::Binary(60),
        _ => Scale::Decimal(exponent(suffix.strip_prefix(['e', 'E'])?)?),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "Kubernetes truncates: 1e4294967296 is 1 there, so it is 1 here"
)]
fn exponent(digits: &str) -> Option<i32> {
    digits.parse::<i64>().ok().map(|exponent| exponent as i32)
}

/// `whole.fraction * 10^exponent * 2^shift` in nano-units, rounded up, at most `u128::MAX`.
fn magnitude(whole: &str, fraction: &str, exponent: i32, shift: u32) -> u128 {
    let multiplier = NANOS_PER_UNIT.unsigned_abs() << shift;
    let digits = whole.bytes().chain(fraction.bytes()).map(|digit| u128::from(digit - b'0'));
    let count = whole.len() + fraction.len();

    // The exponent moves the decimal point by so many digits, perhaps past either end of those that are
    // written.
    let moved = usize::try_from(exponent.unsigned_abs()).unwrap_or(usize::MAX);
    let (before_point, zeros_after_point) = if exponent < 0 {
        (whole.len().saturating_sub(moved), moved.saturating_sub(whole.len()))
    } else {
        (whole.len().saturating_add(moved), 0)
    };

    let units = digits
        .clone()
        .take(before_point)
        .try_fold(0_u128, |units, digit| units.checked_mul(10)?.checked_add(digit))
        .unwrap_or(u128::MAX)
        .saturating_mul(power_of_ten(before_point.saturating_sub(count)));

    let after_point = count.saturating_sub(before_point);
    let exact = after_point.min(EXACT_FRACTION_DIGITS.saturating_sub(zeros_after_point));
    let mut round_up = digits.clone().skip(before_point.saturating_add(exact)).any(|digit| digit != 0);
    let mut below_point = 0;
    for digit in digits.rev().skip(after_point - exact).take(exact) {
        let tenths = digit * multiplier + below_point;
        below_point = tenths / 10;
        round_up |= !tenths.is_multiple_of(10);
    }
    let zeros = power_of_ten(zeros_after_point);
    round_up |= !below_point.is_multiple_of(zeros);
    below_point /= zeros;

    units.saturating_mul(multiplier).saturating_add(below_point).saturating_add(round_up.into())
}

/// Ten to `exponent`, at most `u128::MAX`, which is beyond any number it multiplies or divides here.
fn power_of_ten(exponent: usize) -> u128 {
    10_u128.saturating_pow(u32::try_from(exponent).unwrap_or(u32::MAX))
}

/// Enough of a text for a message; a hostile one may be megabytes long.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 64;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "...",
        None => text.to_owned(),
    }
}
