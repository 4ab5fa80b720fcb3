//! Which intensities cannot be: judged alone, and against what the same provider said of the same zone on its last day.
//!
//! Refuses what is certainly wrong and nothing else: a value that is merely unusual is data. Knows no time and no
//! zone. A wrong factor of two (pounds to the megawatt-hour read as grams to the kilowatt-hour: 2.2) is within what
//! real grids do in a day, and passes.
//!
//! The limits of a jump are measured on Electricity Maps' hourly lifecycle traces of 32 zones in 2022 and of ES, NO
//! and US-CAL-CISO in 2023: 35 zone-years, 306,600 zone-hours, as they are and rounded to grams. Each hour was judged
//! by the whole day before it, and by unbroken rows of 8, 9, 12, 16, 17, 18, 20 and 23 hours anywhere in that day, as
//! after an outage: none is refused. Of the 305,760 hours with a whole day before them, every one is refused when it
//! is given as 1 g/kWh or in kilograms, and 97.5 % when it is given tenfold; the rest is within five times
//! that day's high.

use super::snapshot::{Basis, GridProvider, Implausibility};

/// More than any grid emits, in g/kWh. The dirtiest power station of IPCC AR5 WGIII Annex III, table A.III.2, is a coal
/// plant at 910 over its life cycle; the highest hour of the traces is PL at 1,032.
const HIGHEST: f64 = 2000.0;

/// Fewer values than this say nothing of what is usual: of 8, one can be left out as an outlier.
const FEWEST_VALUES: usize = 8;

/// So many values are three quarters of a day by the hour; whatever is missing, no part of the day is quite unknown.
const MOST_OF_A_DAY: usize = 18;

/// One value in so many, at the top and at the bottom of the last day, may itself be wrong. Of 24, 3 are left out: the
/// fourth highest and fourth lowest count, so that the fifth hour of a new level is believed.
const LEFT_OUT: usize = 8;

/// A rise above so many times the last day's high is refused. The greatest of the traces with whole days known: 2.64
/// (CA-ON, 41 to 109 g/kWh); with 18 hours of the day: 3.95 (CA-ON).
const HIGHEST_RISE: f64 = 5.0;

/// The same while less of the day is known. The greatest of the traces with 8 hours known, 16 hours ago: 8.19 (CA-ON,
/// 19 to 158 g/kWh).
const HIGHEST_RISE_OF_FEW: f64 = 10.0;

/// A fall below the last day's low divided by this is refused. The deepest of the traces with whole days known: 5.32
/// (CA-ON, 92 to 17 g/kWh); with 8 hours known: 7.70 (CA-ON).
const DEEPEST_FALL: f64 = 10.0;

/// Where only the burning of fuel counts, a grid comes near zero and ratios mean nothing there: within so many g/kWh
/// nothing is a jump. Measured on the direct columns of the three 2023 traces, judged as above: 40 would do, for NO,
/// which rose from 6 to 46 g/kWh.
const NO_JUMP_WITHIN_DIRECT: f64 = 50.0;

/// Whether `value`, in g/kWh, can be what `provider` says it is.
///
/// `recent` is what it said of the same zone for the preceding 24 hours, one value an interval however often it was
/// asked, without this value, in any order. Jumps that were refused belong in it: that is how a true change of level
/// comes to be believed. It may be short or empty; what cannot be by itself is passed over in it.
///
/// # Errors
/// It cannot be; why.
pub fn judge(value: f64, provider: GridProvider, recent: &[f64]) -> Result<(), Implausibility> {
    judge_alone(value, provider)?;
    if !is_live(provider) {
        return Ok(());
    }
    let mut usual: Vec<f64> =
        recent.iter().copied().filter(|value| judge_alone(*value, provider).is_ok()).collect();
    if usual.len() < FEWEST_VALUES {
        return Ok(());
    }
    usual.sort_by(f64::total_cmp);
    let left_out = usual.len() / LEFT_OUT;
    let (Some(low), Some(high)) = (usual.get(left_out), usual.iter().nth_back(left_out)) else {
        return Ok(());
    };
    let highest_rise = if usual.len() >= MOST_OF_A_DAY { HIGHEST_RISE } else { HIGHEST_RISE_OF_FEW };
    let no_jump_within = match provider.basis() {
        Basis::Lifecycle => 0.0,
        Basis::Direct => NO_JUMP_WITHIN_DIRECT,
    };
    let rises = value > high * highest_rise && value - high > no_jump_within;
    let falls = value * DEEPEST_FALL < *low && low - value > no_jump_within;
    if rises || falls { Err(Implausibility::Jump) } else { Ok(()) }
}

/// Whether `value`, in g/kWh, can be at all, whatever was said before it.
///
/// # Errors
/// It cannot be; why.
pub fn judge_alone(value: f64, provider: GridProvider) -> Result<(), Implausibility> {
    if !value.is_finite() {
        return Err(Implausibility::NotANumber);
    }
    if value < 0.0 {
        return Err(Implausibility::Negative);
    }
    if value > HIGHEST {
        return Err(Implausibility::TooHigh);
    }
    if value == 0.0 && zero_cannot_be(provider) {
        return Err(Implausibility::Zero);
    }
    Ok(())
}

/// No way to make electricity is free of emissions over its life cycle: the lowest medians of IPCC AR5 WGIII Annex III,
/// table A.III.2, are 11 g/kWh (wind on land) and 12 (nuclear, wind at sea). Burning alone can come near nothing, but the one
/// grid that is asked for it, Great Britain's, is never without gas: its least hour of 2022 is 56 g/kWh over the life
/// cycle. Of the mock grid the operator may say what he likes.
const fn zero_cannot_be(provider: GridProvider) -> bool {
    !matches!(provider, GridProvider::Mock)
}

/// Whether a provider's values are fetched as they arise, an hour an hour: only then is its last day a measure of the
/// next value. An operator sets the mock grid as he likes; tables are what they are; and a trace may be replayed at any
/// speed, so that the last day may be a whole year of it.
#[must_use]
pub const fn is_live(provider: GridProvider) -> bool {
    match provider {
        GridProvider::ElectricityMaps | GridProvider::GbCarbonIntensity => true,
        GridProvider::Mock | GridProvider::Catalogue | GridProvider::Replay => false,
    }
}

#[cfg(test)]
mod tests;
