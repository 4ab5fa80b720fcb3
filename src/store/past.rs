//! Past readings as texts: a line each that people can read with `redis-cli` and that loses nothing.

use jiff::Timestamp;

use crate::domain::RegionName;
use crate::domain::history::PastReading;
use crate::domain::snapshot::{Basis, GridProvider, Signal};
use crate::domain::units::GramsPerKwh;

const MEASURED: &str = "measured";
const ESTIMATED: &str = "estimated";

const fn word_of_signal(signal: Signal) -> &'static str {
    match signal {
        Signal::Average => "average",
        Signal::Marginal => "marginal",
    }
}

const fn word_of_basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Lifecycle => "lifecycle",
        Basis::Direct => "direct",
    }
}

/// `measured 2026-06-01T12:00:00Z 2026-06-01T13:00:00Z 213.4 electricity-maps average lifecycle`
#[must_use]
pub fn to_text(reading: &PastReading) -> String {
    let PastReading { region: _, starts_at, ends_at, intensity, provider, signal, basis, estimated } =
        reading;
    let estimated = if *estimated { ESTIMATED } else { MEASURED };
    let (provider, signal, basis) = (provider.as_str(), word_of_signal(*signal), word_of_basis(*basis));
    format!("{estimated} {starts_at} {ends_at} {:?} {provider} {signal} {basis}", intensity.0)
}

/// The reading that a text tells of; `None` for one that another release wrote differently, or somebody else. More
/// words than these are a later release's business.
#[must_use]
pub fn from_text(region: &RegionName, text: &str) -> Option<PastReading> {
    let mut words = text.split(' ');
    let estimated = match words.next()? {
        ESTIMATED => true,
        MEASURED => false,
        _ => return None,
    };
    let starts_at: Timestamp = words.next()?.parse().ok()?;
    let ends_at: Timestamp = words.next()?.parse().ok()?;
    let intensity: f64 =
        words.next()?.parse().ok().filter(|value: &f64| value.is_finite() && *value >= 0.0)?;
    let provider = words.next()?;
    let provider = GridProvider::ALL.into_iter().find(|known| known.as_str() == provider)?;
    let signal = words.next()?;
    let signal =
        [Signal::Average, Signal::Marginal].into_iter().find(|known| word_of_signal(*known) == signal)?;
    let basis = words.next()?;
    let basis = [Basis::Lifecycle, Basis::Direct].into_iter().find(|known| word_of_basis(*known) == basis)?;
    let intensity = GramsPerKwh(intensity);
    Some(PastReading {
        region: region.clone(),
        starts_at,
        ends_at,
        intensity,
        provider,
        signal,
        basis,
        estimated,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const TEXT: &str =
        "measured 2026-06-01T12:00:00Z 2026-06-01T13:00:00Z 213.4 electricity-maps average lifecycle";

    fn here() -> RegionName {
        RegionName::from("here")
    }

    #[test]
    fn a_reading_is_a_line_that_people_can_read() {
        let reading = from_text(&here(), TEXT).unwrap();
        assert_eq!((reading.intensity, reading.estimated), (GramsPerKwh(213.4), false));
        assert_eq!(to_text(&reading), TEXT);
    }

    #[rstest]
    #[case::nothing("")]
    #[case::another_word(&TEXT.replace("measured", "guessed"))]
    #[case::no_time(&TEXT.replace("12:00", "25:00"))]
    #[case::no_number(&TEXT.replace("213.4", "NaN"))]
    #[case::below_zero(&TEXT.replace("213.4", "-1"))]
    #[case::unknown_provider(&TEXT.replace("electricity-maps", "carbon-oracle"))]
    #[case::unknown_signal(&TEXT.replace("average", "median"))]
    #[case::cut_short(TEXT.strip_suffix(" lifecycle").unwrap())]
    fn what_is_no_reading_is_none(#[case] text: &str) {
        assert_eq!(from_text(&here(), text), None);
    }

    #[test]
    fn what_a_later_release_adds_does_no_harm() {
        assert!(from_text(&here(), &format!("{TEXT} flow-traced")).is_some());
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            starts in 0_i64..4_000_000_000,
            nanoseconds in 0_i32..1_000_000_000,
            length in 1_i64..1_000_000,
            intensity in 0.0_f64..1e12,
            provider in prop::sample::select(GridProvider::ALL.to_vec()),
            marginal: bool,
            direct: bool,
            estimated: bool,
        ) {
            let reading = PastReading {
                region: here(),
                starts_at: Timestamp::new(starts, nanoseconds).unwrap(),
                ends_at: Timestamp::new(starts + length, 0).unwrap(),
                intensity: GramsPerKwh(intensity),
                provider,
                signal: if marginal { Signal::Marginal } else { Signal::Average },
                basis: if direct { Basis::Direct } else { Basis::Lifecycle },
                estimated,
            };
            prop_assert_eq!(from_text(&here(), &to_text(&reading)), Some(reading));
        }
    }
}
