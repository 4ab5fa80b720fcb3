//! Quantities against schoolbook arithmetic on decimal digits, by Kubernetes' rules; and there and back as text and in JSON.

use eco_pulse::domain::quantity::Quantity;

const NANO_DIGITS: i64 = 9;
/// More digits than the largest quantity has.
const MOST_DIGITS: usize = 45;

pub fn holds(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = Quantity::parse(text);
    let expected = nanos(text);
    assert_eq!(read.as_ref().ok().map(|quantity| quantity.nanos()), expected, "{text:?}");
    if let Err(error) = &read {
        let message = error.to_string();
        assert!(message.len() < 1000 && !message.contains(char::is_control), "{message:?}");
    }
    let in_json: Result<Quantity, _> = serde_json::from_str(&serde_json::to_string(text).unwrap());
    assert_eq!(in_json.ok(), Quantity::parse(text.trim()).ok(), "{text:?} in JSON");
    let Ok(quantity) = read else { return };
    assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity), "{quantity} there and back");
    assert!(quantity.round_up_to_milli() >= quantity || quantity < Quantity::ZERO);
    assert!(quantity.as_cores().0.is_finite() && quantity.as_gibibytes().0.is_finite());
    assert!(quantity.value().unsigned_abs() <= quantity.milli_value().unsigned_abs());
}

/// Nano-units, at most as many as fit; `None` where Kubernetes refuses the text.
fn nanos(text: &str) -> Option<i128> {
    let (is_negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let whole: String = unsigned.chars().take_while(char::is_ascii_digit).collect();
    let rest = &unsigned[whole.len()..];
    let fraction: String = match rest.strip_prefix('.') {
        Some(rest) => rest.chars().take_while(char::is_ascii_digit).collect(),
        None => String::new(),
    };
    let point = usize::from(rest.starts_with('.'));
    let suffix = &rest[point + fraction.len()..];
    let (exponent, doublings) = scale(suffix)?;
    if whole.is_empty() && fraction.is_empty() {
        // On its fast path Kubernetes takes nothing for zero.
        return (exponent >= -9 && doublings <= 40).then_some(0);
    }
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|digit| digit - b'0').collect();
    (0..doublings).for_each(|_| double(&mut digits));
    let power = exponent + NANO_DIGITS - i64::try_from(fraction.len()).unwrap();
    let magnitude = shifted(digits, power);
    let cap = if doublings > 0 { i128::from(i64::MAX) * 1_000_000_000 } else { i128::MAX };
    let magnitude = magnitude.min(cap);
    Some(if is_negative { -magnitude } else { magnitude })
}

/// The power of ten and the power of two that a suffix stands for.
fn scale(suffix: &str) -> Option<(i64, u32)> {
    let decimal = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
    if let Some(place) = decimal.iter().position(|known| *known == suffix) {
        return Some((i64::try_from(place).unwrap() * 3 - 9, 0));
    }
    let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    if let Some(place) = binary.iter().position(|known| *known == suffix) {
        return Some((0, 10 * (u32::try_from(place).unwrap() + 1)));
    }
    let exponent: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
    // Kubernetes keeps the low 32 bits.
    let low = u32::try_from(exponent.rem_euclid(1 << 32)).unwrap();
    Some((i64::from(low.cast_signed()), 0))
}

fn double(digits: &mut Vec<u8>) {
    let mut carry = 0;
    for digit in digits.iter_mut().rev() {
        let doubled = *digit * 2 + carry;
        (*digit, carry) = (doubled % 10, doubled / 10);
    }
    if carry > 0 {
        digits.insert(0, carry);
    }
}

/// A number times a power of ten, rounded up.
fn shifted(digits: Vec<u8>, power: i64) -> i128 {
    let mut digits: Vec<u8> = digits.into_iter().skip_while(|digit| *digit == 0).collect();
    if digits.is_empty() {
        return 0;
    }
    if power > i64::try_from(MOST_DIGITS).unwrap() {
        return i128::MAX;
    }
    let mut round_up = false;
    if power >= 0 {
        digits.extend(std::iter::repeat_n(0, usize::try_from(power).unwrap()));
    } else {
        let dropped = usize::try_from(-power).unwrap().min(digits.len());
        let kept = digits.len() - dropped;
        round_up = digits[kept..].iter().any(|digit| *digit != 0);
        digits.truncate(kept);
    }
    let sum = |sum: i128, digit: &u8| sum.saturating_mul(10).saturating_add(i128::from(*digit));
    digits.iter().fold(0, sum).saturating_add(i128::from(round_up))
}
