//! What must hold for every quantity and every text.

use proptest::prelude::*;

use super::quantity;
use crate::domain::quantity::Quantity;

const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

fn any_quantity() -> impl Strategy<Value = Quantity> {
    // Uniform i128s are nearly all huge; most real quantities are not.
    prop_oneof![
        any::<i128>(),
        any::<i64>().prop_map(i128::from),
        any::<i32>().prop_map(|units| i128::from(units) * 1_000_000_000),
        any::<i32>().prop_map(|kibibytes| i128::from(kibibytes) * 1_024_000_000_000),
    ]
    .prop_map(Quantity::from_nanos)
}

proptest! {
    #[test]
    fn the_text_of_a_quantity_reads_back_as_itself(quantity in any_quantity()) {
        prop_assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity));
    }

    #[test]
    fn any_text_is_read_or_refused_without_panic(text in any::<String>()) {
        if let Ok(read) = Quantity::parse(&text) {
            prop_assert_eq!(Quantity::parse(&read.to_string()), Ok(read));
        }
    }

    #[test]
    fn what_looks_like_a_quantity_is_read_or_refused_without_panic(
        text in "[+-]?[0-9]{0,50}(\\.[0-9]{0,90})?([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,20})?",
    ) {
        if let Ok(read) = Quantity::parse(&text) {
            prop_assert_eq!(Quantity::parse(&read.to_string()), Ok(read));
            prop_assert!(read.is_zero() || (read > Quantity::ZERO) != text.starts_with('-'));
        }
    }

    #[test]
    fn decimals_agree_with_exact_division(
        whole in 0_u32..1000,
        fraction in "[0-9]{0,12}",
        (suffix, exponent) in prop::sample::select(&DECIMAL[..]),
    ) {
        // digits * 10^(9 + exponent - places), rounded up
        let digits: u128 = format!("{whole}{fraction}").parse().unwrap();
        let power = 9 + exponent - i32::try_from(fraction.len()).unwrap();
        let magnitude = 10_u128.pow(power.unsigned_abs());
        let expected = if power < 0 { digits.div_ceil(magnitude) } else { digits * magnitude };
        let read = quantity(&format!("{whole}.{fraction}{suffix}"));
        prop_assert_eq!(read.nanos().unsigned_abs(), expected);
        prop_assert_eq!(read, quantity(&format!("{whole}.{fraction}e{exponent}")));
    }

    #[test]
    fn binary_fractions_agree_with_exact_division(
        whole in 0_u32..7,
        fraction in "[0-9]{0,9}",
        (suffix, shift) in prop::sample::select(&BINARY[..]),
    ) {
        // digits * 2^shift * 10^9 / 10^places, rounded up; nothing below 7Ei reaches the cap
        let digits: u128 = format!("{whole}{fraction}").parse().unwrap();
        let places = 10_u128.pow(u32::try_from(fraction.len()).unwrap());
        let expected = ((digits << shift) * 1_000_000_000).div_ceil(places);
        prop_assert_eq!(quantity(&format!("{whole}.{fraction}{suffix}")).nanos().unsigned_abs(), expected);
    }

    #[test]
    fn order_is_that_of_the_amounts(left in any_quantity(), right in any_quantity()) {
        prop_assert_eq!(left.cmp(&right), left.nanos().cmp(&right.nanos()));
    }

    #[test]
    fn a_milli_value_is_the_nearest_that_is_enough(nanos in any::<i64>()) {
        let nanos = i128::from(nanos);
        let millis = i128::from(Quantity::from_nanos(nanos).milli_value());
        prop_assert!((millis * 1_000_000).abs() >= nanos.abs());
        prop_assert!((millis * 1_000_000).abs() < nanos.abs() + 1_000_000);
        prop_assert_eq!(millis.signum(), nanos.signum());
    }

    #[test]
    fn what_is_added_can_be_taken_away(left in any::<i64>(), right in any::<i64>()) {
        let (left, right) = (Quantity::from_nanos(left.into()), Quantity::from_nanos(right.into()));
        prop_assert_eq!(left.saturating_add(right).saturating_sub(right), left);
    }

    #[test]
    fn a_json_number_reads_as_its_text(mantissa in 0_i64..1_000_000_000_000_000, places in 0_i32..12) {
        // 15 significant digits survive an f64.
        let text = format!("{mantissa}e-{places}");
        prop_assert_eq!(serde_json::from_str::<Quantity>(&text).unwrap(), quantity(&text));
    }
}
