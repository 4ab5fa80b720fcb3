//! The week's figures once more, straight from what happened: a loop over pods and hours that shares no code with the books.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]

use std::collections::BTreeMap;

use eco_pulse::accounts::run::{Run, Treatment};
use jiff::Timestamp;

use crate::week::{HOURS, Life, at, intensities, is_told, price};

/// Named figures.
pub type Figures = BTreeMap<String, f64>;

/// The figures by namespace, those of the control group under the name with `/holdout`.
pub fn figures(lives: &[Life]) -> BTreeMap<String, Figures> {
    let grid = intensities();
    let mut all: BTreeMap<String, Figures> = BTreeMap::new();
    for Life { run, ended_at, .. } in lives {
        let group = if run.treatment == Treatment::Holdout { "/holdout" } else { "" };
        let figures = all.entry(format!("{}{group}", run.namespace)).or_default();
        let mut add = |name: &str, amount: f64| *figures.entry(name.to_owned()).or_default() += amount;
        add("pods", 1.0);
        add("steered", f64::from(u8::from(run.treatment == Treatment::Steer)));
        let region = run.actual.map(|place| run.places[place].price.region.clone());
        let missed = matches!((&run.target, &region), (Some(target), Some(region)) if target != region);
        add("missed", f64::from(u8::from(missed)));
        add("projected_hours", 12.0);
        for (index, projected) in run.projected.iter().enumerate() {
            add(&format!("projected_{index}_g"), projected.map_or(0.0, |p| p.avoided_g));
            add(&format!("projected_{index}_usd"), projected.and_then(|p| p.saved_usd).unwrap_or(0.0));
        }
        let mut net_benefit = 0.0;
        let mut whole = true;
        for hour in 0..HOURS {
            let Some(hours) = hours_within(run, *ended_at, hour) else { continue };
            let hour_figures = of_hour(run, hour, hours, &grid);
            whole &= hour_figures.is_some();
            for (name, amount) in hour_figures.into_iter().flatten() {
                if name == "net_benefit" {
                    net_benefit += amount;
                } else {
                    add(&name, amount);
                }
            }
        }
        let moved = run.treatment == Treatment::Steer && run.target == region;
        if moved && whole && ended_at.is_some() {
            add("moves_ended", 1.0);
            add("moves_gained", f64::from(u8::from(net_benefit > 0.0)));
        }
    }
    all
}

fn hours_within(run: &Run, ended_at: Option<Timestamp>, hour: i64) -> Option<f64> {
    let from = run.bound_at.max(at(hour, 0));
    let to = ended_at.unwrap_or(Timestamp::MAX).min(at(hour + 1, 0));
    (from < to).then(|| (to.as_second() - from.as_second()) as f64 / 3600.0)
}

/// `None` while the hour is open.
fn of_hour(run: &Run, hour: i64, hours: f64, grid: &[Vec<f64>; 4]) -> Option<Vec<(String, f64)>> {
    let mut figures = vec![("core_hours".to_owned(), run.asked.cpu_cores * hours)];
    let Some(actual) = run.actual else {
        figures.push(("missing_hours".to_owned(), hours));
        return Some(figures);
    };
    // Every place of these runs is part of the scheduler's mix, so that every one is needed.
    let told: Option<Vec<bool>> = (0..4).map(|region| is_told(region, hour)).collect();
    let estimated = told?.into_iter().any(|estimated| estimated);
    let quality = if estimated { "estimated_hours" } else { "measured_hours" };
    figures.push((quality.to_owned(), hours));

    let kwh = |place: usize| run.places[place].watts.unwrap() * hours / 1000.0 * run.places[place].pue;
    let grams = |place: usize| kwh(place) * grid[place][hour as usize];
    let usd = |place: usize| {
        let (price, precision) = price(&run.places[place].price, hour)?;
        let share = run.places[place].share.unwrap() * hours;
        Some((price * share, precision * share))
    };
    let mix = |value: &dyn Fn(usize) -> Option<f64>| {
        let total: f64 = run.places.iter().map(|place| place.weight).sum();
        (0..4).map(|place| Some(value(place)? * run.places[place].weight / total)).sum::<Option<f64>>()
    };
    let of =
        |place: Option<usize>, value: &dyn Fn(usize) -> Option<f64>| place.map_or_else(|| mix(value), value);
    figures.push(("actual_kwh".to_owned(), kwh(actual)));
    figures.push(("actual_g".to_owned(), grams(actual)));
    figures.push(("actual_usd".to_owned(), usd(actual).map_or(0.0, |(usd, _)| usd)));
    figures.push(("unpriced_hours".to_owned(), if usd(actual).is_none() { hours } else { 0.0 }));

    // The part of the 12 expected hours that lies in this one.
    let from = (run.bound_at.max(at(hour, 0)).as_second() - run.bound_at.as_second()) as f64 / 3600.0;
    let gigabytes = run.asked.egress_gb / 12.0 * ((from + hours).min(12.0) - from.min(12.0));
    let against = [(run.compares, run.base), (true, None), (true, run.greenest)];
    for (index, (compares, place)) in against.into_iter().enumerate() {
        if !compares {
            continue;
        }
        let mut add = |name: &str, amount: f64| figures.push((format!("against_{index}_{name}"), amount));
        let there = of(place, &|place| Some(grams(place))).unwrap();
        let avoided = there - grams(actual);
        add("hours", hours);
        add("g", there);
        add("avoided_g", avoided);
        let there = of(place, &|place| Some(usd(place)?.0)).zip(of(place, &|place| Some(usd(place)?.1)));
        let Some(((here, here_wide), (there, wide))) = usd(actual).zip(there) else { continue };
        let delta = if (there - here).abs() <= here_wide + wide { 0.0 } else { there - here };
        let transfer = of(place, &|place| run.places[place].egress_usd_per_gb).unwrap()
            - run.places[actual].egress_usd_per_gb.unwrap();
        let saved = delta + transfer * gigabytes;
        add("priced_hours", hours);
        add("usd", there);
        add("saved_usd", saved);
        if index == 0 {
            figures.push(("net_benefit".to_owned(), saved + avoided * 50.0 / 1e6 - 0.000_01 * hours));
        }
    }
    Some(figures)
}
