//! What is refused and what passes: tables, properties, and how long a true change of level takes to be believed.

use proptest::prelude::*;
use rstest::rstest;

use super::*;
use GridProvider::{Catalogue, ElectricityMaps, GbCarbonIntensity, Mock, Replay};

/// The first two hours of US-MIDA-PJM in 2022, g/kWh, in turn. Contains information from Electricity Maps, made
/// available under the Open Database License (ODbL).
const PJM: [f64; 24] = {
    let mut day = [398.49; 24];
    let mut hour = 1;
    while hour < 24 {
        day[hour] = 401.08;
        hour += 2;
    }
    day
};

#[rstest]
#[case(f64::NAN, Implausibility::NotANumber)]
#[case(f64::INFINITY, Implausibility::NotANumber)]
#[case(f64::NEG_INFINITY, Implausibility::NotANumber)]
#[case(-0.01, Implausibility::Negative)]
#[case(2000.01, Implausibility::TooHigh)]
fn nobody_may_say_what_no_grid_can_do(#[case] value: f64, #[case] why: Implausibility) {
    for provider in GridProvider::ALL {
        assert_eq!(judge(value, provider, &[]), Err(why), "{provider:?}");
    }
}

#[rstest]
#[case(Catalogue, Err(Implausibility::Zero))]
#[case(Replay, Err(Implausibility::Zero))]
#[case(ElectricityMaps, Err(Implausibility::Zero))]
#[case(GbCarbonIntensity, Err(Implausibility::Zero))]
#[case(Mock, Ok(()))]
fn zero_cannot_be_but_by_hand(#[case] provider: GridProvider, #[case] expected: Result<(), Implausibility>) {
    assert_eq!(judge(0.0, provider, &[]), expected);
    assert_eq!(judge(-0.0, provider, &[]), expected);
    assert_eq!(judge(0.01, provider, &[]), Ok(()), "next to nothing is not nothing");
    assert_eq!(judge(2000.0, provider, &[]), Ok(()), "the limit itself is allowed");
}

#[rstest]
#[case::one(1.0)]
#[case::kilograms_for_grams(0.401)]
#[case::a_percentage_of_itself(4.0)]
fn a_low_value_that_the_last_day_makes_absurd_is_refused(#[case] value: f64) {
    assert_eq!(judge(value, ElectricityMaps, &PJM), Err(Implausibility::Jump));
    assert_eq!(judge(value, GbCarbonIntensity, &PJM), Err(Implausibility::Jump));
    assert_eq!(judge(value, ElectricityMaps, &PJM[..8]), Err(Implausibility::Jump), "8 values are enough");
    assert_eq!(judge(value, ElectricityMaps, &PJM[..7]), Ok(()), "7 are not");
    for exempt in [Mock, Catalogue, Replay] {
        assert_eq!(judge(value, exempt, &PJM), Ok(()), "{exempt:?}");
    }
}

#[rstest]
#[case::twenty_eight_grams(28.0)]
#[case::a_hundred(100.0)]
#[case::nearly_two_hundred(195.0)]
fn a_tenfold_value_is_refused_once_most_of_a_day_is_known(#[case] usual: f64) {
    let recent = [usual; 24];
    assert_eq!(judge(10.0 * usual, ElectricityMaps, &recent), Err(Implausibility::Jump));
    assert_eq!(judge(10.0 * usual, ElectricityMaps, &recent[..18]), Err(Implausibility::Jump));
    assert_eq!(judge(10.0 * usual, ElectricityMaps, &recent[..17]), Ok(()), "little of the day is known");
    assert_eq!(judge(10.1 * usual, ElectricityMaps, &recent[..17]), Err(Implausibility::Jump));
}

#[test]
fn grams_given_as_milligrams_are_refused_whatever_is_known() {
    assert_eq!(judge(401_080.0, ElectricityMaps, &[]), Err(Implausibility::TooHigh));
    assert_eq!(judge(1900.0, ElectricityMaps, &[1.9; 8]), Err(Implausibility::Jump));
}

/// What it cannot see, so that nobody relies on it.
#[test]
fn pounds_for_kilograms_are_within_what_a_grid_does() {
    for factor in [0.4536, 2.2046] {
        assert_eq!(judge(401.08 * factor, ElectricityMaps, &PJM), Ok(()));
    }
}

/// The greatest changes of the traces, each after a day that has the same fourth lowest or fourth highest value.
/// Contains information from Electricity Maps, made available under the Open Database License (ODbL).
#[rstest]
#[case::ontario_falls(17.33, 92.17)]
#[case::ontario_rises(109.19, 41.42)]
fn what_real_grids_did_is_believed(#[case] value: f64, #[case] usual: f64) {
    assert_eq!(judge(value, ElectricityMaps, &[usual; 24]), Ok(()));
}

#[rstest]
#[case::near_zero_all_day(1.0, 25.0, Ok(()))]
#[case::up_by_the_limit(1.0, 51.0, Ok(()))]
#[case::up_by_more(1.0, 52.0, Err(Implausibility::Jump))]
#[case::down_by_the_limit(51.0, 1.0, Ok(()))]
#[case::down_by_more(52.0, 1.0, Err(Implausibility::Jump))]
fn where_only_burning_counts_small_differences_are_no_jumps(
    #[case] usual: f64,
    #[case] value: f64,
    #[case] expected: Result<(), Implausibility>,
) {
    assert_eq!(judge(value, GbCarbonIntensity, &[usual; 48]), expected);
}

/// How many values of a new level are refused before one is believed, each refused one becoming part of the last day.
fn refused_before_belief(from: f64, to: f64, known: usize, window: usize) -> usize {
    let mut recent = vec![from; known];
    for refused in 0..100 {
        let start = recent.len().saturating_sub(window);
        if judge(to, ElectricityMaps, &recent[start..]).is_ok() {
            return refused;
        }
        recent.push(to);
    }
    panic!("{to} after {from} is never believed");
}

#[rstest]
#[case::a_day_by_the_hour(24, 24, 4)]
#[case::a_day_by_the_half_hour(48, 48, 7)]
#[case::half_a_day(12, 24, 2)]
#[case::the_fewest(8, 24, 2)]
fn a_true_change_of_level_is_believed_within_hours(
    #[case] known: usize,
    #[case] window: usize,
    #[case] refused: usize,
) {
    assert_eq!(refused_before_belief(500.0, 20.0, known, window), refused, "downwards");
    assert_eq!(refused_before_belief(20.0, 500.0, known, window), refused, "upwards");
}

#[test]
fn a_few_wrong_values_do_not_open_the_door_to_more() {
    let mut recent = PJM;
    recent[21..].fill(1.0);
    assert_eq!(judge(1.0, ElectricityMaps, &recent), Err(Implausibility::Jump));
    assert_eq!(judge(PJM[0], ElectricityMaps, &recent), Ok(()), "nor close it to right ones");
}

proptest! {
    #[test]
    fn whatever_comes_has_a_verdict_and_what_cannot_be_never_passes(
        value in any::<f64>(),
        recent in prop::collection::vec(any::<f64>(), 0..60),
        provider in prop::sample::select(&GridProvider::ALL[..]),
    ) {
        let verdict = judge(value, provider, &recent);
        prop_assert!(verdict.is_err() || (0.0..=HIGHEST).contains(&value));
        if let Err(alone) = judge_alone(value, provider) {
            prop_assert_eq!(verdict, Err(alone), "the day has no say in it");
        }
    }

    #[test]
    fn a_value_within_the_range_of_the_day_is_never_a_jump(
        recent in prop::collection::vec(1.0..2000.0_f64, 8..49),
        pick in any::<prop::sample::Index>(),
        from_low in 0.0..=1.0_f64,
    ) {
        let mut sorted = recent.clone();
        sorted.sort_by(f64::total_cmp);
        let out = sorted.len() / LEFT_OUT;
        let (low, high) = (sorted[out], sorted[sorted.len() - 1 - out]);
        let value = low + from_low * (high - low);
        prop_assert_eq!(judge(value, ElectricityMaps, &recent), Ok(()));
        let said = *pick.get(&sorted[out..sorted.len() - out]);
        prop_assert_eq!(judge(said, ElectricityMaps, &recent), Ok(()));
    }

    #[test]
    fn the_order_of_the_day_does_not_matter(
        recent in prop::collection::vec(1.0..2000.0_f64, 0..49),
        value in 0.1..2000.0_f64,
    ) {
        let mut backwards = recent.clone();
        backwards.reverse();
        prop_assert_eq!(judge(value, ElectricityMaps, &recent), judge(value, ElectricityMaps, &backwards));
    }

    #[test]
    fn what_cannot_be_does_not_count_in_the_day(
        recent in prop::collection::vec(1.0..2000.0_f64, 0..30),
        impossible in prop::collection::vec(prop::sample::select(&[0.0, -1.0, 2000.5, f64::NAN, f64::INFINITY][..]), 0..30),
        value in 0.1..2000.0_f64,
    ) {
        let mixed: Vec<f64> = recent.iter().copied().chain(impossible).collect();
        prop_assert_eq!(judge(value, ElectricityMaps, &mixed), judge(value, ElectricityMaps, &recent));
    }

    #[test]
    fn any_lasting_level_is_believed_in_the_end(from in 1.0..2000.0_f64, to in 1.0..2000.0_f64, known in 0_usize..24) {
        prop_assert!(refused_before_belief(from, to, known, 24) <= 4);
    }
}
