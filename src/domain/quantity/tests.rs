//! Expected amounts are worked out by hand from Kubernetes' rules, not taken from this code.

mod cases;
mod properties;

use serde_json::{Value, json};

use self::cases::{ILLEGAL, LEGAL};
use super::{Quantity, QuantityError};

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

#[test]
fn reads_every_legal_text_as_kubernetes_does() {
    for &(text, nanos) in LEGAL {
        assert_eq!(Quantity::parse(text).map(Quantity::nanos), Ok(nanos), "{text:?}");
    }
}

#[test]
fn a_sign_in_front_changes_the_sign_and_nothing_else() {
    let unsigned = LEGAL.iter().filter(|(text, _)| !text.starts_with(['+', '-']));
    for &(text, nanos) in unsigned {
        assert_eq!(quantity(&format!("+{text}")).nanos(), nanos, "+{text}");
        assert_eq!(quantity(&format!("-{text}")).nanos(), -nanos, "-{text}");
    }
}

#[test]
fn refuses_every_illegal_text() {
    for text in ILLEGAL {
        assert!(Quantity::parse(text).is_err(), "{text:?} was read as {:?}", Quantity::parse(text));
    }
}

#[test]
fn the_error_quotes_the_value_and_names_what_is_legal() {
    assert_eq!(Quantity::parse(""), Err(QuantityError::Empty));
    let unknown_suffix = Quantity::parse("1 Ki").unwrap_err();
    assert_eq!(
        unknown_suffix,
        QuantityError::UnknownSuffix { value: "1 Ki".to_owned(), suffix: " Ki".to_owned() }
    );
    let message = unknown_suffix.to_string();
    for part in [r#""1 Ki""#, r#"" Ki""#, "n u m k M G T P E", "Ki Mi Gi Ti Pi Ei", "e3", "spaces"] {
        assert!(message.contains(part), "{part:?} is missing from: {message}");
    }
    let not_a_number = Quantity::parse("lots").unwrap_err().to_string();
    assert!(not_a_number.contains(r#""lots""#) && not_a_number.contains("digits"), "{not_a_number}");
}

#[test]
fn the_error_neither_repeats_a_long_value_nor_breaks_the_log_line() {
    let message = Quantity::parse(&"ß".repeat(1_000_000)).unwrap_err().to_string();
    assert!(message.len() < 500, "{} bytes", message.len());
    let message = Quantity::parse("1\n{\"forged\":1}").unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
}

#[test]
fn reads_any_number_of_digits() {
    // Nines to the end: whatever is beyond a nano-unit rounds the rest up to one.
    assert_eq!(quantity(&format!("0.{}", "9".repeat(10_000))), quantity("1"));
    assert_eq!(quantity(&format!("0.{}1Ei", "0".repeat(10_000))), quantity("1n"));
    assert_eq!(quantity(&format!("{}1", "0".repeat(10_000))), quantity("1"));
    assert_eq!(quantity(&format!("1.{}", "0".repeat(10_000))), quantity("1"));
    // The exponent brings the point back to where it was.
    assert_eq!(quantity(&format!("5{}e-10000", "0".repeat(10_000))), quantity("5"));
    assert_eq!(quantity(&format!("0.{}5e10000", "0".repeat(9_999))), quantity("5"));
    assert_eq!(quantity(&"9".repeat(10_000)), Quantity::MAX);
}

#[test]
fn a_binary_fraction_is_exact_to_its_last_digit() {
    // 2^-69 of 1Ei is 2^-9 units = 1953125 nano-units; so is no shorter text's worth. One digit beyond tips
    // it over.
    let two_to_the_minus_69 = "0.000000000000000000001694065894508600678136645001359283924102783203125";
    assert_eq!(quantity(&format!("{two_to_the_minus_69}Ei")).nanos(), 1_953_125);
    assert_eq!(quantity(&format!("{two_to_the_minus_69}1Ei")).nanos(), 1_953_126);
    assert_eq!(quantity(&format!("{two_to_the_minus_69}{}1Ei", "0".repeat(500))).nanos(), 1_953_126);
}

#[test]
fn whole_and_milli_values_round_away_from_zero() {
    for (text, units, millis) in [
        ("0", 0, 0),
        ("1n", 1, 1),
        ("-1n", -1, -1),
        ("1m", 1, 1),
        ("100m", 1, 100),
        ("1000m", 1, 1000),
        ("1000.1m", 2, 1001),
        ("-1000.1m", -2, -1001),
        ("1.5", 2, 1500),
        ("64Gi", 68_719_476_736, 68_719_476_736_000),
        // 9,223,372,036,854,775,807 units are the most that fit; Kubernetes' own milli-value wraps from here
        // on.
        ("8Ei", i64::MAX, i64::MAX),
        ("1e30", i64::MAX, i64::MAX),
        ("-1e30", i64::MIN, i64::MIN),
    ] {
        assert_eq!((quantity(text).value(), quantity(text).milli_value()), (units, millis), "{text}");
    }
}

#[test]
fn what_the_api_server_stores_has_no_more_than_milli_units() {
    for (text, stored) in [("1u", "1m"), ("-1u", "-1m"), ("1.5", "1500m"), ("1000001u", "1001m"), ("0", "0")]
    {
        assert_eq!(quantity(text).round_up_to_milli(), quantity(stored), "{text}");
    }
    assert!(Quantity::MAX.round_up_to_milli() >= quantity("1e29"));
}

#[test]
fn sums_and_differences_stay_at_the_bounds() {
    let lowest = Quantity::ZERO.saturating_sub(Quantity::MAX);
    assert_eq!(quantity("100m").saturating_add(quantity("0.9")), quantity("1"));
    assert_eq!(quantity("1").saturating_sub(quantity("1Ki")), quantity("-1023"));
    assert_eq!(Quantity::MAX.saturating_add(quantity("1n")), Quantity::MAX);
    assert_eq!(lowest.saturating_sub(quantity("1n")), lowest);
    assert_eq!(Quantity::from_nanos(i128::MIN), lowest);
}

#[test]
fn leaves_integers_as_cores_and_gibibytes() {
    #![expect(clippy::float_cmp, reason = "these are exact in binary, or the nearest there is")]
    assert_eq!(quantity("100m").as_cores().get(), 0.1);
    assert_eq!(quantity("8").as_cores().get(), 8.0);
    assert_eq!(quantity("64Gi").as_gibibytes().get(), 64.0);
    assert_eq!(quantity("512Mi").as_gibibytes().get(), 0.5);
    assert_eq!(quantity("1G").as_gibibytes().get(), 1e9 / 1_073_741_824.0);
}

#[test]
fn writes_the_canonical_text() {
    for (text, canonical) in [
        ("0", "0"),
        ("-0", "0"),
        ("0.1", "100m"),
        ("1500m", "1500m"),
        ("2.0", "2"),
        ("1000", "1k"),
        ("-0.000000001", "-1n"),
        ("1.5Gi", "1536Mi"),
        ("68719476736", "64Gi"),
        ("1024k", "1024k"),
        // As long as 9875Ki: decimal wins.
        ("10112000", "10112k"),
        ("100k", "100k"),
        ("12E", "12E"),
        ("7Ei", "7Ei"),
        // 2^63 with a binary suffix would be capped at 2^63 - 1 when read again.
        ("9223372036854775808", "9223372036854775808"),
        ("1e21", "1000E"),
    ] {
        assert_eq!(quantity(text).to_string(), canonical, "{text}");
    }
    assert_eq!(format!("[{:>6}] [{:<6}]", quantity("1Gi"), quantity("-5m")), "[   1Gi] [-5m   ]");
}

fn from_json(json: &str) -> Result<Quantity, serde_json::Error> {
    serde_json::from_str(json)
}

#[test]
fn json_may_hold_a_string_a_number_or_null() {
    for (json, text) in [
        (r#""64Gi""#, "64Gi"),
        ("\" \u{a0}100m\u{2003}\"", "100m"),
        (r#""\t1\n""#, "1"),
        ("2", "2"),
        ("-3", "-3"),
        ("9223372036854775808", "9223372036854775808"),
        ("18446744073709551615", "18446744073709551615"),
        ("0.5", "500m"),
        ("0.1", "100m"),
        ("-0.0", "0"),
        ("1e3", "1k"),
        ("1E-3", "1m"),
        ("1.1e-9", "2n"),
        ("123456.789012345", "123456789012345n"),
        ("1e300", "1e300"),
        ("null", "0"),
    ] {
        assert_eq!(from_json(json).unwrap(), quantity(text), "{json}");
    }
}

#[test]
fn json_refuses_what_is_no_quantity() {
    for json in [r#""""#, r#"" ""#, r#""1 Ki""#, r#""null""#, "true", "[]", "[1]", "{}", "1e400", "NaN"] {
        assert!(from_json(json).is_err(), "{json} was read as {:?}", from_json(json));
    }
    let message = from_json(r#""1K""#).unwrap_err().to_string();
    assert!(message.contains(r#""1K""#) && message.contains("Ki"), "{message}");
    let message = from_json("true").unwrap_err().to_string();
    assert!(message.contains("a Kubernetes quantity"), "{message}");
}

#[test]
fn a_decoded_json_value_reads_as_its_text_would() {
    for value in [json!("100m"), json!(0.1), json!(1_u64 << 40), json!(-1), Value::Null] {
        let quantity: Quantity = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(quantity, from_json(&value.to_string()).unwrap(), "{value}");
    }
}

#[test]
fn yaml_reads_as_json_would() {
    let read = |yaml: &str| serde_saphyr::from_str::<Vec<Quantity>>(yaml);
    assert_eq!(
        read("[100m, 64Gi, 2, 0.5, \"1e3\", '1', null]").unwrap(),
        ["100m", "64Gi", "2", "500m", "1k", "1", "0"].map(quantity)
    );
    assert!(read("[.inf]").is_err());
    assert!(read("[.nan]").is_err());
}
