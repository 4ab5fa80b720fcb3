//! The control group beside the others, with what chance alone may have done.
//!
//! Owners are put into a group by chance, so the owner is the unit. A group's emissions (or cost) for a core-hour are a
//! ratio estimator, the sum of the one over the sum of the other, with the linearised variance
//! `n/(n-1) * sum (y_i - R x_i)^2 / (sum x_i)^2` (W. G. Cochran, Sampling Techniques, 3rd ed. 1977, eq. 6.13, without
//! correction for a finite population). The reduction is `1 - R_decided / R_holdout`; the two groups being independent,
//! its variance is, to first order, `V_d / R_h^2 + R_d^2 V_h / R_h^4`. The 95 % interval takes Student's t with the degrees
//! of freedom of B. L. Welch, The generalization of "Student's" problem, Biometrika 34 (1947), rounded down.

use crate::accounts::sums::{Group, Sums};
use crate::report::model::{Estimate, GroupFigures, Holdout, OwnerRow};

/// Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom (NIST/SEMATECH e-Handbook of Statistical
/// Methods, 1.3.6.7.2).
const T_975: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];
/// The same from the given degrees of freedom on, up to the next: never narrower than it should be.
const T_975_FROM: [(f64, f64); 5] =
    [(100.0, 1.984), (80.0, 1.990), (60.0, 2.000), (50.0, 2.009), (40.0, 2.021)];

/// Compares the groups; `None` when no owner of the control group is known.
pub(super) fn compare(owners: &[OwnerRow]) -> Option<Holdout> {
    let of =
        |group| -> Vec<Sums> { owners.iter().filter(|row| row.group == group).map(|row| row.sums).collect() };
    let (decided, holdout) = (of(Group::Decided), of(Group::Holdout));
    if holdout.is_empty() {
        return None;
    }
    let emissions = |sums: &Sums| sums.actual.emissions_g;
    let priced = [&decided, &holdout].iter().all(|group| is_priced(group));
    Some(Holdout {
        decided: figures(&decided),
        holdout: figures(&holdout),
        reduction: relative(&ratio(&decided, emissions), &ratio(&holdout, emissions)),
        saving: priced.then(|| relative(&ratio(&decided, cost), &ratio(&holdout, cost))).flatten(),
    })
}

/// Those whose emissions are known too: others would make the rest look clean.
fn known_core_hours(sums: &Sums) -> f64 {
    sums.core_hours - sums.missing_core_hours
}

fn cost(sums: &Sums) -> f64 {
    sums.actual.cost_usd
}

/// Where the price of some hours is not known, a cost for a core-hour would be too low.
fn is_priced(owners: &[Sums]) -> bool {
    owners.iter().all(|sums| sums.actual.unpriced_hours == 0.0)
}

fn figures(owners: &[Sums]) -> GroupFigures {
    let per_core_hour = |of: fn(&Sums) -> f64| ratio(owners, of).value;
    GroupFigures {
        owners: owners.len() as u64,
        pods: owners.iter().map(|sums| sums.pods).sum(),
        core_hours: owners.iter().map(known_core_hours).sum(),
        emissions_g_per_core_hour: per_core_hour(|sums| sums.actual.emissions_g),
        cost_usd_per_core_hour: is_priced(owners).then(|| per_core_hour(cost)).flatten(),
    }
}

/// A ratio estimator.
struct Ratio {
    /// `None` without core-hours.
    value: Option<f64>,
    /// Of the value; `None` with fewer than two owners.
    variance: Option<f64>,
    owners: f64,
}

fn ratio(owners: &[Sums], of: fn(&Sums) -> f64) -> Ratio {
    let core_hours: f64 = owners.iter().map(known_core_hours).sum();
    if core_hours <= 0.0 {
        return Ratio { value: None, variance: None, owners: owners.len() as f64 };
    }
    let value = owners.iter().map(of).sum::<f64>() / core_hours;
    let n = owners.len() as f64;
    let squares: f64 = owners.iter().map(|sums| (of(sums) - value * known_core_hours(sums)).powi(2)).sum();
    let variance = (owners.len() > 1).then(|| n / (n - 1.0) * squares / core_hours.powi(2));
    Ratio { value: Some(value), variance, owners: n }
}

/// By how much the decided are below the control group.
fn relative(decided: &Ratio, holdout: &Ratio) -> Option<Estimate> {
    let (ours, theirs) = (decided.value?, holdout.value.filter(|value| *value > 0.0)?);
    let value = 1.0 - ours / theirs;
    let parts = decided.variance.zip(holdout.variance).map(|(ours_varies, theirs_varies)| {
        (ours_varies / theirs.powi(2), ours.powi(2) * theirs_varies / theirs.powi(4))
    });
    let half = parts.map(|(of_ours, of_theirs)| {
        let variance = of_ours + of_theirs;
        // Without any spread there are no degrees of freedom to count.
        if variance == 0.0 {
            return 0.0;
        }
        let freedom = variance.powi(2)
            / (of_ours.powi(2) / (decided.owners - 1.0) + of_theirs.powi(2) / (holdout.owners - 1.0));
        t_975(freedom) * variance.sqrt()
    });
    Some(Estimate { value, low: half.map(|half| value - half), high: half.map(|half| value + half) })
}

/// The two-sided 95 % quantile for at least one degree of freedom, never narrower than it should be.
fn t_975(freedom: f64) -> f64 {
    if let Some((_, quantile)) = T_975_FROM.iter().find(|(from, _)| freedom >= *from) {
        return *quantile;
    }
    let below = T_975.iter().enumerate().rev().find(|(index, _)| freedom >= (index + 1) as f64);
    below.map_or(T_975[0], |(_, quantile)| *quantile)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(group: Group, name: usize, core_hours: f64, emissions_g: f64) -> OwnerRow {
        let mut sums = Sums { pods: 1, core_hours, ..Sums::default() };
        sums.actual.emissions_g = emissions_g;
        sums.actual.cost_usd = emissions_g / 100.0;
        OwnerRow { namespace: "a".to_owned(), kind: "Job".to_owned(), name: name.to_string(), group, sums }
    }

    fn groups(decided: &[(f64, f64)], holdout: &[(f64, f64)]) -> Vec<OwnerRow> {
        let rows = |group, of: &[(f64, f64)]| -> Vec<OwnerRow> {
            of.iter().enumerate().map(|(index, (hours, grams))| owner(group, index, *hours, *grams)).collect()
        };
        [rows(Group::Decided, decided), rows(Group::Holdout, holdout)].concat()
    }

    /// Worked by hand. Decided: R = 50/20 = 2.5, residuals 10-2.5*6 = -5 and 40-2.5*14 = 5, V = 2/1 * 50/400 = 0.25. Control
    /// group: R = 200/40 = 5, residuals 60-5*10 = 10 and 140-5*30 = -10, V = 2 * 200/1600 = 0.25. Reduction 0.5; its variance
    /// 0.25/25 + 6.25*0.25/625 = 0.0125; freedom 0.0125^2 / (0.01^2 + 0.0025^2) = 1.47, so t(1) = 12.706.
    #[test]
    fn a_small_example_comes_out_as_by_hand() {
        let all = groups(&[(6.0, 10.0), (14.0, 40.0)], &[(10.0, 60.0), (30.0, 140.0)]);
        let holdout = compare(&all).unwrap();
        let reduction = holdout.reduction.unwrap();
        let half = 12.706 * 0.0125_f64.sqrt();
        assert!((reduction.value - 0.5).abs() < 1e-12);
        assert!((reduction.low.unwrap() - (0.5 - half)).abs() < 1e-12);
        assert!((reduction.high.unwrap() - (0.5 + half)).abs() < 1e-12);
        assert_eq!(holdout.decided.emissions_g_per_core_hour, Some(2.5));
        assert_eq!((holdout.holdout.owners, holdout.holdout.core_hours), (2, 40.0));
        assert!((holdout.saving.unwrap().value - 0.5).abs() < 1e-12);
    }

    #[test]
    fn one_owner_in_a_group_gives_no_interval_and_no_core_hours_no_estimate() {
        let one = compare(&groups(&[(6.0, 10.0), (14.0, 40.0)], &[(10.0, 60.0)])).unwrap();
        let estimate = one.reduction.unwrap();
        assert_eq!((estimate.low, estimate.high), (None, None));
        let none = compare(&groups(&[(0.0, 0.0)], &[(10.0, 60.0)])).unwrap();
        assert_eq!(none.reduction, None);
        assert_eq!(none.decided.emissions_g_per_core_hour, None);
        assert_eq!(compare(&groups(&[(1.0, 1.0)], &[])), None);
    }

    #[test]
    fn hours_without_a_price_give_no_saving() {
        let mut all = groups(&[(6.0, 10.0), (14.0, 40.0)], &[(10.0, 60.0), (30.0, 140.0)]);
        all[0].sums.actual.unpriced_hours = 1.0;
        let holdout = compare(&all).unwrap();
        assert_eq!((holdout.saving, holdout.decided.cost_usd_per_core_hour), (None, None));
        assert!(holdout.holdout.cost_usd_per_core_hour.is_some() && holdout.reduction.is_some());
    }

    #[test]
    fn quantiles_are_never_too_narrow() {
        for (freedom, quantile) in
            [(1.0, 12.706), (1.9, 12.706), (30.0, 2.042), (39.9, 2.042), (40.0, 2.021), (1e9, 1.984)]
        {
            assert_eq!(t_975(freedom).to_bits(), f64::to_bits(quantile), "{freedom}");
        }
    }

    /// Another way to the same variance, which shares no formula with it: leave out one owner at a time.
    fn jackknife(decided: &[(f64, f64)], holdout: &[(f64, f64)]) -> f64 {
        let ratio = |of: &[(f64, f64)], without: Option<usize>| {
            let kept = || of.iter().enumerate().filter(move |(index, _)| Some(*index) != without);
            kept().map(|(_, (_, grams))| grams).sum::<f64>()
                / kept().map(|(_, (hours, _))| hours).sum::<f64>()
        };
        let part = |of: &[(f64, f64)], estimate: &dyn Fn(usize) -> f64| {
            let n = of.len() as f64;
            let all: Vec<f64> = (0..of.len()).map(estimate).collect();
            let mean = all.iter().sum::<f64>() / n;
            (n - 1.0) / n * all.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
        };
        let (ours, theirs) = (ratio(decided, None), ratio(holdout, None));
        part(decided, &|index| 1.0 - ratio(decided, Some(index)) / theirs)
            + part(holdout, &|index| 1.0 - ours / ratio(holdout, Some(index)))
    }

    proptest::proptest! {
        #[test]
        fn the_interval_is_as_wide_as_the_jackknife_says(
            decided in proptest::collection::vec((1.0..20.0_f64, 1.0..9.0_f64), 40..80),
            holdout in proptest::collection::vec((1.0..20.0_f64, 4.0..9.0_f64), 40..80),
        ) {
            let emitted = |of: &[(f64, f64)]| -> Vec<(f64, f64)> {
                of.iter().map(|(hours, rate)| (*hours, hours * rate)).collect()
            };
            let (decided, holdout) = (emitted(&decided), emitted(&holdout));
            let reduction = compare(&groups(&decided, &holdout)).unwrap().reduction.unwrap();
            let half = (reduction.high.unwrap() - reduction.low.unwrap()) / 2.0;
            // 40 owners and more: t is between 2.021 and 1.984.
            let deviation = half / 2.0;
            let other = jackknife(&decided, &holdout).sqrt();
            proptest::prop_assert!((deviation / other - 1.0).abs() < 0.1, "{deviation} {other}");
        }
    }
}
