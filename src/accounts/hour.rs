//! One hour of one run: what was used where the pod ran, and what it would have used elsewhere.
//!
//! `kWh = W/1000 * h * PUE`, `g = kWh * mean intensity of that stretch`, `USD = price * share * h`. Each counterfactual is
//! the same pod, for the same time, on the same kind of capacity, in another place.

use jiff::Timestamp;

use super::cells::HOUR_SECONDS;
use super::grid::{Mean, start_of};
use super::prices::{PriceBook, PriceSpan};
use super::run::{Place, PriceKey, Run};
use super::sums::{COUNTERFACTUALS, Compared, Sums, Used};

/// How long an estimate is waited for to be replaced by what is measured. Electricity Maps tells measured values within
/// a day, as a rule; after two the estimate stands, and is counted as one.
pub const SETTLES_IN_HOURS: i64 = 48;

/// What was known of the grid.
pub trait Grid {
    /// Mean intensity of a region over `[from, to)`; `None` while it is not known.
    fn intensity(&self, region: &str, from: Timestamp, to: Timestamp) -> Option<Mean>;
    /// Whether readings of a region may still come: nobody collects those of one that is not configured any more.
    fn may_come(&self, region: &str) -> bool;
}

/// What was known of grid and market.
#[derive(Debug)]
pub struct World<'w, G> {
    /// The grid.
    pub grid: &'w G,
    /// Prices.
    pub prices: &'w PriceBook,
    /// A price counts for so many hours after somebody last looked.
    pub price_max_age_hours: i64,
}

impl<G: Grid> World<'_, G> {
    fn price(&self, key: &PriceKey, hour: i64) -> Option<PriceSpan> {
        self.prices.at(key, hour, self.price_max_age_hours)
    }
}

/// What came of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hour {
    /// Its figures.
    pub sums: Sums,
    /// The realised net benefit against the base, USD; `None` where a part of it is not known.
    pub net_benefit_usd: Option<f64>,
}

/// A stretch of a run within one hour.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    hour: i64,
    from: Timestamp,
    to: Timestamp,
    hours: f64,
}

/// One place over a stretch, as far as it is known.
#[derive(Clone, Copy, Debug)]
struct There {
    energy_kwh: f64,
    emissions_g: Option<(f64, Mean)>,
    /// Cost with the precision it is known to.
    cost_usd: Option<(f64, f64)>,
    egress_usd_per_gb: Option<f64>,
}

/// The part of `hour` in which a run ran that ended at `end`, if it did; `None` when there is no such part.
#[must_use]
fn stretch(run: &Run, end: Option<Timestamp>, hour: i64) -> Option<Stretch> {
    let from = run.bound_at.max(start_of(hour));
    let to = end.map_or(start_of(hour + 1), |end| end.min(start_of(hour + 1)));
    let hours = to.duration_since(from).as_secs_f64() / HOUR_SECONDS as f64;
    (hours > 0.0).then_some(Stretch { hour, from, to, hours })
}

/// Accounts for one hour of a run; `None` while something is not known that may yet come. With `last_call` nothing is waited
/// for any more; `settled` says that estimates will not be replaced.
#[must_use]
pub fn account(
    run: &Run,
    end: Option<Timestamp>,
    hour: i64,
    world: &World<'_, impl Grid>,
    settled: bool,
    last_call: bool,
) -> Option<Hour> {
    let Some(stretch) = stretch(run, end, hour) else { return Some(Hour::default()) };
    let core_hours = run.asked.cpu_cores * stretch.hours;
    let nothing = Hour {
        sums: Sums {
            core_hours,
            missing_core_hours: core_hours,
            missing_hours: stretch.hours,
            ..Sums::default()
        },
        net_benefit_usd: None,
    };
    // Where the pod is, or what its GPU draws, will not be known later either.
    let Some(here) = run.place().and_then(|place| there(place, stretch, world)) else {
        return Some(nothing);
    };
    let waits = |emissions: Option<(f64, Mean)>| {
        !last_call && emissions.is_none_or(|(_, mean)| mean.may_change && !settled)
    };
    let may_come = |place: &Place| world.grid.may_come(&place.price.region);
    if waits(here.emissions_g) && run.place().is_some_and(may_come) {
        return None;
    }
    // Each one place, or the mix.
    let elsewhere = [run.compares.then_some(run.base), Some(None), run.greenest.map(Some)];
    let others: [Option<Mixed>; COUNTERFACTUALS] =
        elsewhere.map(|place| place.and_then(|place| mixed(run, place, stretch, world)));
    // What a region that is gone would have been nobody will know; whatever does without it is not kept from waiting.
    let all_may_come = |place: Option<usize>| match place {
        Some(index) => run.places.get(index).is_some_and(may_come),
        None => run.places.iter().filter(|place| place.weight > 0.0).all(may_come),
    };
    let waited_for = elsewhere.iter().zip(&others).any(|(place, other)| {
        other.is_some_and(|other| waits(other.emissions_g)) && place.is_some_and(all_may_come)
    });
    if waited_for {
        return None;
    }
    let Some((emissions_g, mean)) = here.emissions_g else {
        return Some(nothing);
    };
    let mut sums = Sums {
        core_hours,
        actual: Used {
            energy_kwh: here.energy_kwh,
            emissions_g,
            cost_usd: here.cost_usd.map_or(0.0, |(usd, _)| usd),
            unpriced_hours: if here.cost_usd.is_some() { 0.0 } else { stretch.hours },
        },
        ..Sums::default()
    };
    let mut estimated = mean.estimated;
    let moved_gb = gigabytes_moved(run, stretch);
    for (sum, other) in sums.against.iter_mut().zip(others) {
        let Some(other) = other else { continue };
        if let Some((_, mean)) = other.emissions_g {
            estimated |= mean.estimated;
        }
        *sum = compare(here, other, mean, moved_gb, stretch.hours).unwrap_or_default();
    }
    if estimated {
        sums.estimated_hours = stretch.hours;
    } else {
        sums.measured_hours = stretch.hours;
    }
    let [base, ..] = sums.against;
    let net_benefit_usd = (base.hours > 0.0 && base.priced_hours > 0.0).then(|| {
        base.saved_usd + base.avoided_g / 1e6 * run.carbon_price_usd_per_tonne
            - run.latency_usd_per_hour * stretch.hours
    });
    Some(Hour { sums, net_benefit_usd })
}

/// A place over a stretch; `None` when its power is not known.
fn there(place: &Place, stretch: Stretch, world: &World<'_, impl Grid>) -> Option<There> {
    let energy_kwh = place.watts? / 1000.0 * stretch.hours * place.pue;
    let mean = world.grid.intensity(&place.price.region, stretch.from, stretch.to);
    let price = world.price(&place.price, stretch.hour);
    Some(There {
        energy_kwh,
        emissions_g: mean.map(|mean| (energy_kwh * mean.intensity_g_per_kwh, mean)),
        cost_usd: place.share.zip(price).map(|(share, price)| {
            let hours = share * stretch.hours;
            (price.usd_per_hour * hours, price.precision_usd_per_hour * hours)
        }),
        egress_usd_per_gb: place.egress_usd_per_gb,
    })
}

/// One place, or the mean of several by weight.
type Mixed = There;

/// One place by its index, or for `None` the scheduler's mix: the mean over all places by weight, known only where all of
/// them are. `None` when there is nothing to compare with.
fn mixed(run: &Run, place: Option<usize>, stretch: Stretch, world: &World<'_, impl Grid>) -> Option<Mixed> {
    if let Some(place) = place {
        return there(run.places.get(place)?, stretch, world);
    }
    let total: f64 = run.places.iter().map(|place| place.weight).sum();
    if total.is_nan() || total <= 0.0 {
        return None;
    }
    let mut mix = There {
        energy_kwh: 0.0,
        emissions_g: None,
        cost_usd: Some((0.0, 0.0)),
        egress_usd_per_gb: Some(0.0),
    };
    let mut emissions: Option<Option<(f64, Mean)>> = None;
    for place in run.places.iter().filter(|place| place.weight > 0.0) {
        let share = place.weight / total;
        let there = there(place, stretch, world)?;
        mix.energy_kwh += there.energy_kwh * share;
        mix.cost_usd = mix
            .cost_usd
            .zip(there.cost_usd)
            .map(|((sum, wide), (usd, precision))| (sum + usd * share, wide + precision * share));
        mix.egress_usd_per_gb =
            mix.egress_usd_per_gb.zip(there.egress_usd_per_gb).map(|(sum, usd)| sum + usd * share);
        let weighted = there.emissions_g.map(|(grams, mean)| (grams * share, mean));
        emissions = Some(match emissions {
            None => weighted,
            Some(so_far) => so_far.zip(weighted).and_then(|((sum, one), (grams, other))| {
                let mean = Mean {
                    estimated: one.estimated | other.estimated,
                    may_change: one.may_change | other.may_change,
                    ..one
                };
                (one.kind == other.kind).then_some((sum + grams, mean))
            }),
        });
    }
    mix.emissions_g = emissions.flatten();
    Some(mix)
}

/// Elsewhere beside here; `None` where they are not both known, or not of one kind.
fn compare(here: There, other: Mixed, mean: Mean, moved_gb: f64, hours: f64) -> Option<Compared> {
    let ((here_g, _), (other_g, other_mean)) = here.emissions_g.zip(other.emissions_g)?;
    if other_mean.kind != mean.kind {
        return None;
    }
    let compared =
        Compared { hours, emissions_g: other_g, avoided_g: other_g - here_g, ..Compared::default() };
    let transfer = if moved_gb > 0.0 {
        other.egress_usd_per_gb.zip(here.egress_usd_per_gb).map(|(there, here)| (there - here) * moved_gb)
    } else {
        Some(0.0)
    };
    let priced = here.cost_usd.zip(other.cost_usd).zip(transfer);
    Some(priced.map_or(compared, |(((here, here_precision), (there, precision)), transfer)| {
        let delta = there - here;
        // What the sources cannot tell apart is no difference.
        let told_apart = delta.abs() > here_precision + precision;
        Compared {
            priced_hours: hours,
            cost_usd: there,
            saved_usd: if told_apart { delta } else { 0.0 } + transfer,
            ..compared
        }
    }))
}

/// What the pod is taken to have moved: what was stated or assumed, evenly over the expected run, and no more after it.
fn gigabytes_moved(run: &Run, stretch: Stretch) -> f64 {
    if run.asked.egress_gb <= 0.0 || run.asked.hours <= 0.0 {
        return 0.0;
    }
    let since = |at: Timestamp| at.duration_since(run.bound_at).as_secs_f64() / HOUR_SECONDS as f64;
    let hours = since(stretch.to).min(run.asked.hours) - since(stretch.from).min(run.asked.hours);
    run.asked.egress_gb * hours / run.asked.hours
}
