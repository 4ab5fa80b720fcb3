//! Numbers for people: one unit for a quantity throughout a report, one number of decimals in a table.
//!
//! What is small stays visible: decimals are chosen by the smallest figure, and what they cannot show is `~0`, never 0.
//! A figure that is not known is a dash.

use super::model::Report;

/// What stands where a figure is not known.
pub const UNKNOWN: &str = "-";
/// Grams of a kilogram, and kilograms of a tonne.
const THOUSAND: f64 = 1000.0;
/// Significant digits that the smallest figure of a table keeps.
const LEAST_DIGITS: i32 = 3;
/// Significant digits of the largest figure that are worth the width.
const MOST_DIGITS: i32 = 6;
/// Enough for a gram in tonnes.
const MOST_DECIMALS: i32 = 6;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// gCO2e.
    Emissions,
    /// kWh.
    Energy,
    /// USD.
    Money,
    /// Cores or pods times hours.
    Hours,
    /// Pods, decisions.
    Count,
    /// A share of one, shown in percent.
    Share,
    /// gCO2e a core-hour or kWh.
    Rate,
    /// USD a core-hour.
    MoneyRate,
}

impl Quantity {
    /// Every quantity.
    pub const ALL: [Self; 8] = [
        Self::Emissions,
        Self::Energy,
        Self::Money,
        Self::Hours,
        Self::Count,
        Self::Share,
        Self::Rate,
        Self::MoneyRate,
    ];

    /// Decimals that a table has in any case.
    const fn least_decimals(self) -> i32 {
        match self {
            Self::Money => 2,
            Self::Share => 1,
            _ => 0,
        }
    }
}

/// Units of a report: the same for all its figures, so that they compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Units {
    grams: (&'static str, f64),
    kilowatt_hours: (&'static str, f64),
}

impl Units {
    /// Chosen by the largest figures of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let inventory: f64 = report.inventory.iter().map(|row| row.emissions_g).sum();
        let elsewhere = report.total.against.iter().map(|compared| compared.emissions_g);
        let projected = report.total.projected.iter().map(|projected| projected.avoided_g.abs());
        let grams = elsewhere.chain(projected).fold(inventory, f64::max);
        let kilowatt_hours: f64 = report.inventory.iter().map(|row| row.energy_kwh).sum();
        Self {
            grams: match grams {
                ..THOUSAND => ("gCO2e", 1.0),
                ..10_000_000.0 => ("kgCO2e", THOUSAND),
                _ => ("tCO2e", THOUSAND * THOUSAND),
            },
            kilowatt_hours: match kilowatt_hours {
                ..10_000.0 => ("kWh", 1.0),
                _ => ("MWh", THOUSAND),
            },
        }
    }

    /// The unit that figures of the quantity are in.
    #[must_use]
    pub const fn name(&self, quantity: Quantity) -> &'static str {
        match quantity {
            Quantity::Emissions => self.grams.0,
            Quantity::Energy => self.kilowatt_hours.0,
            Quantity::Money | Quantity::MoneyRate => "USD",
            Quantity::Hours => "h",
            Quantity::Count => "",
            Quantity::Share => "%",
            Quantity::Rate => "g",
        }
    }

    /// A figure in its unit.
    #[must_use]
    pub fn scaled(&self, quantity: Quantity, value: f64) -> f64 {
        match quantity {
            Quantity::Emissions => value / self.grams.1,
            Quantity::Energy => value / self.kilowatt_hours.1,
            Quantity::Share => value * 100.0,
            _ => value,
        }
    }
}

/// Decimals for figures that stand together, in their unit.
#[must_use]
pub fn decimals(quantity: Quantity, figures: impl Iterator<Item = f64>) -> usize {
    if matches!(quantity, Quantity::Count) {
        return 0;
    }
    let sizes = figures.map(f64::abs).filter(|size| *size > 0.0 && size.is_finite());
    let Some((least, most)) = sizes.fold(None, |bounds: Option<(f64, f64)>, size| {
        let (least, most) = bounds.unwrap_or((size, size));
        Some((least.min(size), most.max(size)))
    }) else {
        return 0;
    };
    let wanted = LEAST_DIGITS - 1 - magnitude(least);
    let room = MOST_DIGITS - 1 - magnitude(most);
    let most_decimals = if quantity == Quantity::Share { 1 } else { MOST_DECIMALS };
    let decimals = wanted.min(room).max(quantity.least_decimals()).min(most_decimals);
    usize::try_from(decimals).unwrap_or(0)
}

#[expect(clippy::cast_possible_truncation, reason = "exponents of f64 are below 400")]
fn magnitude(size: f64) -> i32 {
    size.log10().floor() as i32
}

/// Whether a number says on which side of zero it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Only below zero.
    Minus,
    /// Above zero too: for differences.
    Always,
}

/// A figure with thousands apart. What the decimals cannot show is `~0`, with its sign.
#[must_use]
pub fn written(value: f64, decimals: usize, sign: Sign) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let mark = match sign {
        _ if value < 0.0 => "-",
        Sign::Always => "+",
        Sign::Minus => "",
    };
    let digits = format!("{:.decimals$}", value.abs());
    if digits.bytes().all(|digit| digit == b'0' || digit == b'.') {
        return format!("{mark}~0");
    }
    format!("{mark}{}", thousands(&digits))
}

/// A constant, without digits that say nothing.
#[must_use]
pub fn constant(value: f64) -> String {
    let text = written(value, 4, Sign::Minus);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A count with thousands apart.
#[must_use]
pub fn count(count: u64) -> String {
    thousands(&count.to_string())
}

fn thousands(digits: &str) -> String {
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = String::with_capacity(digits.len() + whole.len() / 3);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(quantity: Quantity, figures: &[f64]) -> Vec<String> {
        let decimals = decimals(quantity, figures.iter().copied());
        figures.iter().map(|figure| written(*figure, decimals, Sign::Minus)).collect()
    }

    #[test]
    fn small_figures_do_not_vanish_beside_large_ones() {
        assert_eq!(column(Quantity::Emissions, &[12.5, 0.013]), ["12.5000", "0.0130"]);
        assert_eq!(column(Quantity::Emissions, &[123_456.7, 0.001_2]), ["123,457", "~0"]);
        assert_eq!(column(Quantity::Energy, &[1_234.0, 10.0]), ["1,234.0", "10.0"]);
        assert_eq!(column(Quantity::Money, &[-3.0, 0.0]), ["-3.00", "0"]);
        assert_eq!(column(Quantity::Money, &[-0.000_25]), ["-0.000250"]);
        assert_eq!(column(Quantity::Share, &[0.001, 97.5]), ["~0", "97.5"]);
    }

    #[test]
    fn differences_carry_their_sign_and_zero_carries_none() {
        assert_eq!(written(1_234_567.891, 2, Sign::Always), "+1,234,567.89");
        assert_eq!(written(-0.001, 2, Sign::Always), "-~0");
        assert_eq!(written(0.0, 2, Sign::Always), "0");
        assert_eq!(count(1_000_000), "1,000,000");
        assert_eq!(count(999), "999");
    }
}
