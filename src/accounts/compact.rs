//! Sums as a short list of numbers: most of what is kept for long are these.

use super::stored::{Unreadable, read};
use super::sums::{Compared, Projected, Sums, Used};

impl Sums {
    /// All figures in one order, which only grows at its end.
    fn numbers(&self) -> Vec<f64> {
        let Used { energy_kwh, emissions_g, cost_usd, unpriced_hours } = self.actual;
        let mut numbers = [self.pods, self.steered, self.missed, self.moves_ended, self.moves_gained]
            .map(|count| count as f64)
            .to_vec();
        numbers.extend([self.core_hours, self.missing_core_hours, self.measured_hours]);
        numbers.extend([self.estimated_hours, self.missing_hours, self.projected_hours]);
        numbers.extend([energy_kwh, emissions_g, cost_usd, unpriced_hours]);
        for Compared { hours, priced_hours, emissions_g, cost_usd, avoided_g, saved_usd } in self.against {
            numbers.extend([hours, priced_hours, emissions_g, cost_usd, avoided_g, saved_usd]);
        }
        for Projected { pods, avoided_g, saved_usd, .. } in self.projected {
            numbers.extend([pods as f64, avoided_g, saved_usd]);
        }
        numbers.extend(self.projected.map(|projected| projected.priced_pods as f64));
        numbers
    }

    /// As a text that is kept: JSON, without the zeros at its end.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut numbers = self.numbers();
        while numbers.last() == Some(&0.0) {
            numbers.pop();
        }
        let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        format!("[{}]", words.join(","))
    }

    /// Reads what was kept under a key; what is not there is zero, and what a later release adds is its business.
    ///
    /// # Errors
    /// It is no list of numbers.
    pub fn from_text(table: &str, field: &str, text: &str) -> Result<Self, Unreadable> {
        let numbers: Vec<f64> = read(table, field, text)?;
        let mut numbers = numbers.into_iter();
        let mut next = || numbers.next().unwrap_or_default();
        let mut sums = Self::default();
        for count in [
            &mut sums.pods,
            &mut sums.steered,
            &mut sums.missed,
            &mut sums.moves_ended,
            &mut sums.moves_gained,
        ] {
            *count = counted(next());
        }
        for figure in [
            &mut sums.core_hours,
            &mut sums.missing_core_hours,
            &mut sums.measured_hours,
            &mut sums.estimated_hours,
            &mut sums.missing_hours,
            &mut sums.projected_hours,
            &mut sums.actual.energy_kwh,
            &mut sums.actual.emissions_g,
            &mut sums.actual.cost_usd,
            &mut sums.actual.unpriced_hours,
        ] {
            *figure = next();
        }
        for compared in &mut sums.against {
            *compared = Compared {
                hours: next(),
                priced_hours: next(),
                emissions_g: next(),
                cost_usd: next(),
                avoided_g: next(),
                saved_usd: next(),
            };
        }
        for projected in &mut sums.projected {
            let (pods, avoided_g, saved_usd) = (counted(next()), next(), next());
            *projected = Projected { pods, avoided_g, priced_pods: 0, saved_usd };
        }
        for projected in &mut sums.projected {
            projected.priced_pods = counted(next());
        }
        Ok(sums)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of pods")]
fn counted(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_lost(
            counts in prop::array::uniform5(0_u64..1_000_000),
            figures in prop::collection::vec(-1e9_f64..1e9, 10),
            compared in prop::array::uniform3(prop::array::uniform6(-1e9_f64..1e9)),
            projected in prop::array::uniform3((0_u64..1000, -1e9_f64..1e9, 0_u64..1000, -1e9_f64..1e9)),
        ) {
            let [pods, steered, missed, moves_ended, moves_gained] = counts;
            let sums = Sums {
                pods, steered, missed, moves_ended, moves_gained,
                core_hours: figures[0],
                missing_core_hours: figures[1],
                measured_hours: figures[2],
                estimated_hours: figures[3],
                missing_hours: figures[4],
                projected_hours: figures[5],
                actual: Used {
                    energy_kwh: figures[6], emissions_g: figures[7], cost_usd: figures[8], unpriced_hours: figures[9],
                },
                against: compared.map(|[hours, priced_hours, emissions_g, cost_usd, avoided_g, saved_usd]| Compared {
                    hours, priced_hours, emissions_g, cost_usd, avoided_g, saved_usd,
                }),
                projected: projected.map(|(pods, avoided_g, priced_pods, saved_usd)| Projected {
                    pods, avoided_g, priced_pods, saved_usd,
                }),
            };
            prop_assert_eq!(Sums::from_text("t", "f", &sums.to_text()), Ok(sums));
        }
    }

    #[test]
    fn zeros_at_the_end_are_left_out_and_more_than_is_known_does_no_harm() {
        assert_eq!(Sums::default().to_text(), "[]");
        let one = Sums { pods: 1, ..Sums::default() };
        assert_eq!(one.to_text(), "[1]");
        let later = format!("[1{}]", ",0".repeat(60));
        assert_eq!(Sums::from_text("t", "f", &later), Ok(one));
        assert!(Sums::from_text("t", "f", "{}").is_err());
    }
}
