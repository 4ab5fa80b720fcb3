//! Kubernetes resource quantities (`100m`, `64Gi`, `1e3`), read exactly as Kubernetes reads them.
//!
//! The rules are those of `ParseQuantity` in `k8s.io/apimachinery/pkg/api/resource`, oddities included: what
//! the API server admits must not be refused here, and must not mean something else. Everything is an integer
//! count of nano-units; floating point appears only where a quantity leaves for the energy and price models
//! ([`Quantity::as_cores`], [`Quantity::as_gibibytes`]). This module does not judge a quantity: a negative
//! request is read as such, and the API server's validation refuses it later.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};

use super::units::{Cores, Gibibytes};

pub use self::parse::QuantityError;

/// Nano-units in one unit: the finest step Kubernetes keeps.
const NANOS_PER_UNIT: i128 = 1_000_000_000;
/// Nano-units in one milli-unit: the finest step Kubernetes lets into a stored object.
const NANOS_PER_MILLI: i128 = 1_000_000;

/// An amount of a resource: cores, bytes or devices, by the name it is listed under.
///
/// Exact to the nano-unit and bounded by ±[`Quantity::MAX`]; whatever would go beyond stays at the bound, so
/// that no arithmetic here overflows. Kubernetes itself has no bound, but 1.7 * 10^29 bytes are more than
/// there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    nanos: i128,
}

impl Quantity {
    /// None of it.
    pub const ZERO: Self = Self { nanos: 0 };
    /// The largest quantity, about 1.7 * 10^29 units.
    pub const MAX: Self = Self { nanos: i128::MAX };

    /// Reads a quantity from its text, which must hold nothing else, not even spaces.
    ///
    /// What is finer than a nano-unit rounds away from zero, and a binary suffix (`Ki` to `Ei`) caps the
    /// magnitude at 2^63 - 1 units. Decimal suffixes and exponents have no such cap.
    ///
    /// ```
    /// use eco_pulse::domain::quantity::Quantity;
    ///
    /// assert_eq!(Quantity::parse("1500m")?, Quantity::parse("1.5")?);
    /// assert_eq!(Quantity::parse("1Ki")?.value(), 1024);
    /// assert!(Quantity::parse("1 Ki").is_err());
    /// # Ok::<(), eco_pulse::domain::quantity::QuantityError>(())
    /// ```
    ///
    /// # Errors
    /// When Kubernetes would refuse the text; the error quotes it and says what is legal.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        parse::nanos(text).map(Self::from_nanos)
    }

    /// The quantity of so many nano-units.
    #[must_use]
    pub const fn from_nanos(nanos: i128) -> Self {
        // The bounds are symmetric, so that every quantity has a negative and a text that reads back as
        // itself.
        Self { nanos: if nanos == i128::MIN { -i128::MAX } else { nanos } }
    }

    /// The quantity of so many whole units: cores, bytes, devices.
    #[must_use]
    pub const fn from_units(units: i64) -> Self {
        // The widest i64 times a billion is far within i128.
        Self { nanos: units as i128 * NANOS_PER_UNIT }
    }

    /// The exact amount in nano-units.
    #[must_use]
    pub const fn nanos(self) -> i128 {
        self.nanos
    }

    /// Whether there is none of it.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Whole units (bytes, devices), rounded away from zero; saturates where Kubernetes' own `Value()` wraps.
    #[must_use]
    pub fn value(self) -> i64 {
        saturate(divide_away_from_zero(self.nanos, NANOS_PER_UNIT))
    }

    /// Thousandths of a unit (millicores), rounded away from zero; saturates where Kubernetes' own
    /// `MilliValue()` wraps.
    #[must_use]
    pub fn milli_value(self) -> i64 {
        saturate(divide_away_from_zero(self.nanos, NANOS_PER_MILLI))
    }

    /// The same amount without anything finer than a milli-unit, rounded away from zero: what the API server
    /// stores.
    #[must_use]
    pub fn round_up_to_milli(self) -> Self {
        Self::from_nanos(divide_away_from_zero(self.nanos, NANOS_PER_MILLI).saturating_mul(NANOS_PER_MILLI))
    }

    /// The sum, at most [`Quantity::MAX`] in magnitude.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self::from_nanos(self.nanos.saturating_add(other.nanos))
    }

    /// The difference, at most [`Quantity::MAX`] in magnitude.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self::from_nanos(self.nanos.saturating_sub(other.nanos))
    }

    /// A `cpu` quantity as cores, leaving integers: off by at most one part in 2^52.
    #[must_use]
    pub fn as_cores(self) -> Cores {
        Cores(self.nanos as f64 / NANOS_PER_UNIT as f64)
    }

    /// A `memory` quantity, which counts bytes, as GiB (2^30 bytes), leaving integers: off by at most one
    /// part in 2^52.
    #[must_use]
    pub fn as_gibibytes(self) -> Gibibytes {
        const NANOBYTES_PER_GIB: i128 = NANOS_PER_UNIT << 30;
        Gibibytes(self.nanos as f64 / NANOBYTES_PER_GIB as f64)
    }
}

/// Decimal suffixes from nano up, each a thousand times the one before.
const DECIMAL_SUFFIXES: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
/// Binary suffixes, each 1024 times the one before.
const BINARY_SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// A canonical text that reads back as the same quantity: the shorter of `<integer><decimal suffix>` and
/// `<integer><binary suffix>`, with the largest suffix that needs no fraction.
///
/// Kubernetes remembers which family the quantity was written in and keeps to it; here `64Gi` and
/// `68719476736` are one quantity with one text, `64Gi`.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.nanos.unsigned_abs();
        if magnitude == 0 {
            return f.pad_integral(true, "", "0");
        }
        let mut text = with_largest_suffix(magnitude, 1000, &DECIMAL_SUFFIXES);
        let units = magnitude / NANOS_PER_UNIT.unsigned_abs();
        // Beyond 2^63 - 1 a binary suffix would be capped when it is read again.
        if magnitude.is_multiple_of(NANOS_PER_UNIT.unsigned_abs()) && i64::try_from(units).is_ok() {
            let binary = with_largest_suffix(units, 1024, &BINARY_SUFFIXES);
            if binary.len() < text.len() {
                text = binary;
            }
        }
        f.pad_integral(self.nanos > 0, "", &text)
    }
}

fn with_largest_suffix(mut count: u128, base: u128, suffixes: &[&str]) -> String {
    let mut suffixes = suffixes.iter();
    let mut suffix = suffixes.next().copied().unwrap_or_default();
    while count.is_multiple_of(base)
        && let Some(larger) = suffixes.next()
    {
        count /= base;
        suffix = larger;
    }
    format!("{count}{suffix}")
}

const fn divide_away_from_zero(dividend: i128, divisor: i128) -> i128 {
    dividend / divisor + (dividend % divisor).signum()
}

fn saturate(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

/// Reads a quantity where Kubernetes' JSON has one: a string, of which white space around the quantity is
/// dropped, a number, or `null`, which is zero.
///
/// A JSON number is read by its text. Integers arrive here exactly; a number with a fraction or an exponent
/// arrives as an `f64` and is read by the shortest text that stands for that `f64`, which is what was written
/// for every literal of up to 15 significant digits. JSON readers refuse one beyond the range of an `f64`,
/// such as `1e400`. Escapes inside the string are resolved first; Kubernetes refuses them.
impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QuantityVisitor)
    }
}

struct QuantityVisitor;

impl Visitor<'_> for QuantityVisitor {
    type Value = Quantity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a Kubernetes quantity: a string such as \"100m\" or \"64Gi\", or a number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
        Quantity::parse(text.trim()).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, units: i64) -> Result<Quantity, E> {
        self.visit_i128(units.into())
    }

    fn visit_u64<E: de::Error>(self, units: u64) -> Result<Quantity, E> {
        self.visit_i128(units.into())
    }

    fn visit_i128<E: de::Error>(self, units: i128) -> Result<Quantity, E> {
        Ok(Quantity::from_nanos(units.saturating_mul(NANOS_PER_UNIT)))
    }

    fn visit_u128<E: de::Error>(self, units: u128) -> Result<Quantity, E> {
        self.visit_i128(i128::try_from(units).unwrap_or(i128::MAX))
    }

    fn visit_f64<E: de::Error>(self, units: f64) -> Result<Quantity, E> {
        if !units.is_finite() {
            return Err(E::invalid_value(Unexpected::Float(units), &self));
        }
        self.visit_str(&units.to_string())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Quantity, E> {
        Ok(Quantity::ZERO)
    }
}
