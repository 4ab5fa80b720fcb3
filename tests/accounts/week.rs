//! A week of June 2022 in four grid zones, and pods of three namespaces that come, move and die in it. All of it follows from
//! what is written here, so that a process that begins anew sees the same week.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]

use eco_pulse::accounts::run::{Asked, Expected, Place, PriceKey, Run, Treatment};
use eco_pulse::domain::RegionName;
use eco_pulse::domain::history::PastReading;
use eco_pulse::domain::snapshot::{Basis, CapacityType, GridProvider, Signal};
use eco_pulse::domain::units::GramsPerKwh;
use jiff::{SignedDuration, Timestamp};

/// Hours of the week.
pub const HOURS: i64 = 168;
/// What the simulation moves on by.
pub const STEP: SignedDuration = SignedDuration::from_mins(30);
/// Steps until every hour of the week is settled: estimates stand after two days.
pub const STEPS: i64 = (HOURS + 52) * 2;

pub const REGIONS: [&str; 4] = ["us-east-1", "eu-west-1", "eu-central-1", "eu-north-1"];
const NAMESPACES: [&str; 3] = ["shop", "data", "ml"];
const PUE: [f64; 4] = [1.15, 1.11, 1.35, 1.10];
const DATA: &str = include_str!("../data/grid_2022_week.csv");
/// Hours of eu-central-1 that nobody ever tells.
const NEVER_TOLD: std::ops::Range<i64> = 70..73;
/// The hour in which eu-north-1 becomes dearer.
const DEARER: i64 = 80;

/// When a reading can be read, and what it says.
#[derive(Clone, Debug)]
pub struct Told {
    pub from: Timestamp,
    pub reading: PastReading,
}

/// A pod's life.
#[derive(Clone, Debug)]
pub struct Life {
    pub run: Run,
    /// When its last container ended; `None`: it outlives the week.
    pub ended_at: Option<Timestamp>,
    /// When the API server forgot it.
    pub gone_at: Option<Timestamp>,
}

pub fn start() -> Timestamp {
    "2022-06-06T00:00:00Z".parse().unwrap()
}

pub fn at(hour: i64, minute: i64) -> Timestamp {
    start() + SignedDuration::from_hours(hour) + SignedDuration::from_mins(minute)
}

/// What the grid was like: by region, g/kWh in each hour.
pub fn intensities() -> [Vec<f64>; 4] {
    let mut regions: [Vec<f64>; 4] = Default::default();
    for line in DATA.lines().skip(1) {
        let values = line.split(',').skip(1).map(|value| value.parse::<f64>().unwrap());
        regions.iter_mut().zip(values).for_each(|(region, value)| region.push(value));
    }
    regions
}

/// Whether an hour of a region is ever told, and whether as an estimate only.
pub fn is_told(region: usize, hour: i64) -> Option<bool> {
    let never = REGIONS[region] == "eu-central-1" && NEVER_TOLD.contains(&hour);
    (!never).then(|| (hour * 7 + region as i64 * 3) % 29 == 0)
}

/// All readings with when they come: at the hour's end, some six hours late, some as an estimate first that is a tenth too high
/// and measured a day later, some as an estimate for ever.
pub fn told() -> Vec<Told> {
    let mut told = Vec::new();
    for (region, intensities) in intensities().iter().enumerate() {
        for (hour, intensity) in (0..HOURS).zip(intensities) {
            let Some(only_estimated) = is_told(region, hour) else { continue };
            let mut tell = |late_hours: i64, intensity: f64, estimated: bool| {
                let reading = PastReading {
                    region: RegionName::from(REGIONS[region]),
                    starts_at: at(hour, 0),
                    ends_at: at(hour + 1, 0),
                    intensity: GramsPerKwh(intensity),
                    provider: GridProvider::ElectricityMaps,
                    signal: Signal::Average,
                    basis: Basis::Lifecycle,
                    estimated,
                };
                told.push(Told { from: at(hour + 1 + late_hours, 0), reading });
            };
            match (hour + region as i64) % 10 {
                _ if only_estimated => tell(0, *intensity, true),
                3 => tell(6, *intensity, false),
                5 => {
                    tell(0, *intensity * 1.1, true);
                    tell(24, *intensity, false);
                }
                _ => tell(0, *intensity, false),
            }
        }
    }
    told.sort_by_key(|told| told.from);
    told
}

/// What a machine costs in an hour, USD, and the precision of that; no source knows spot in us-east-1.
pub fn price(key: &PriceKey, hour: i64) -> Option<(f64, f64)> {
    let region = REGIONS.iter().position(|name| *name == key.region)?;
    let listed = [0.192, 0.214, 0.230, if hour < DEARER { 0.204 } else { 0.26 }][region];
    match key.capacity_type {
        CapacityType::OnDemand => Some((listed, 0.0)),
        CapacityType::Spot if region == 0 => None,
        CapacityType::Spot => Some((listed * 0.4, 0.002)),
    }
}

/// A number that looks like chance, below `most`.
fn chance(seed: &mut u64, most: u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % most
}

/// The pods: each owner has one after another, some of them in another region than the one before.
pub fn lives() -> Vec<Life> {
    let mut seed = 7;
    let mut lives = Vec::new();
    for owner in 0..24_u64 {
        let namespace = NAMESPACES[(owner % 3) as usize];
        let holdout = owner % 8 == 5;
        let mut minute = chance(&mut seed, 20 * 60) as i64;
        while minute < (HOURS - 2) * 60 {
            let bound = at(minute / 60, (minute % 60).min(29));
            let length = 10 + chance(&mut seed, 40 * 60) as i64;
            let ended_at = bound + SignedDuration::from_mins(length) + SignedDuration::from_secs(17);
            let ends = ended_at < at(HOURS - 1, 0);
            let number = lives.len();
            lives.push(Life {
                run: run(number, namespace, owner, holdout, bound, &mut seed),
                ended_at: ends.then_some(ended_at),
                gone_at: ends.then_some(ended_at + SignedDuration::from_mins(40)),
            });
            minute += length + 1 + chance(&mut seed, 6 * 60) as i64;
        }
    }
    lives
}

fn run(
    number: usize,
    namespace: &str,
    owner: u64,
    holdout: bool,
    bound_at: Timestamp,
    seed: &mut u64,
) -> Run {
    let spot = chance(seed, 5) == 0;
    let cores = [0.5, 1.0, 4.0][chance(seed, 3) as usize];
    let place = |region: usize, weight: f64| Place {
        price: PriceKey {
            region: REGIONS[region].to_owned(),
            instance_type: Some("m5.xlarge".to_owned()),
            capacity_type: if spot { CapacityType::Spot } else { CapacityType::OnDemand },
        },
        share: Some(cores / 4.0),
        watts: Some(4.05 * cores + 1.7),
        pue: PUE[region],
        weight,
        egress_usd_per_gb: Some(if region == 0 { 0.0 } else { 0.02 }),
    };
    let weights = [16.0, 8.0, 8.0, 4.0];
    let actual = [3, 3, 3, 0, 1, 2][chance(seed, 6) as usize];
    let target = if chance(seed, 4) == 0 { 0 } else { 3 };
    let treatment = match (holdout, target) {
        (true, _) => Treatment::Holdout,
        (false, 0) => Treatment::Stay,
        (false, _) => Treatment::Steer,
    };
    let projected = Expected { avoided_g: 10.0 * cores, saved_usd: Some(-0.01) };
    let unpriced = Expected { saved_usd: None, ..projected };
    Run {
        uid: format!("uid-{number}"),
        namespace: namespace.to_owned(),
        kind: if owner.is_multiple_of(2) { "Deployment" } else { "CronJob" }.to_owned(),
        owner: format!("owner-{owner}"),
        pod: format!("owner-{owner}-{number}"),
        decision_id: format!("00000000000000aa-{number:x}"),
        treatment,
        target: (!holdout).then(|| REGIONS[target].to_owned()),
        node: format!("node-{}", REGIONS[actual]),
        bound_at,
        asked: Asked {
            cpu_cores: cores,
            hours: 12.0,
            egress_gb: if number.is_multiple_of(3) { 5.0 } else { 0.0 },
        },
        places: (0..4).map(|region| place(region, weights[region])).collect(),
        // Some nodes are in no configured region.
        actual: (number % 23 != 11).then_some(actual),
        base: (number % 5 != 4).then_some(0),
        compares: number % 17 != 16,
        greenest: Some(3),
        carbon_price_usd_per_tonne: 50.0,
        latency_usd_per_hour: 0.000_01,
        projected: if holdout { [None; 3] } else { [Some(projected), None, Some(unpriced)] },
    }
}
