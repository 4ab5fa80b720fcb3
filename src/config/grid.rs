//! `grid`: where carbon intensity comes from, how often it is fetched, and how old it may be.

mod mock;
mod sources;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use self::mock::mock_value;
use super::reader::{Report, Section};
use super::value::{Fault, choice, duration};
use crate::domain::duration::format_duration;
use crate::domain::region::{Region, RegionId, Regions};
use crate::domain::snapshot::{Basis, GridProvider};
use crate::domain::units::GramsPerKwh;

pub use self::mock::{MOCK_HIGH, MOCK_LOW, MOCK_MAX, MockError, parse_mock};
pub use self::sources::{ElectricityMapsSettings, GbSettings, ReplaySettings};

pub(super) const REFRESH: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);
pub(super) const MAX_AGE: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_hours(30 * 24);

/// Electricity Maps publishes no limit on requests and changes most values once an hour; perf-sentinel, a client of
/// it, asks for a zone every five minutes. A fifth of that leaves no doubt that it was not meant.
const OFTEN: Duration = Duration::from_mins(1);
/// How long the values are good for that are asked of Electricity Maps, and of Great Britain's API.
const HOUR: Duration = Duration::from_hours(1);
const HALF_HOUR: Duration = Duration::from_mins(30);
/// The only zone that Great Britain's API knows.
const GREAT_BRITAIN: &str = "GB";

const fn named(provider: GridProvider) -> (&'static str, GridProvider) {
    (provider.as_str(), provider)
}

const PROVIDERS: &[(&str, GridProvider)] = &[
    named(GridProvider::Mock),
    named(GridProvider::Catalogue),
    named(GridProvider::Replay),
    named(GridProvider::ElectricityMaps),
    named(GridProvider::GbCarbonIntensity),
];
const FALLBACKS: &[(&str, GridProvider)] = &[
    named(GridProvider::Catalogue),
    named(GridProvider::Replay),
    named(GridProvider::ElectricityMaps),
    named(GridProvider::GbCarbonIntensity),
];

/// Where carbon intensity comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct GridSettings {
    /// Asked first.
    pub provider: GridProvider,
    /// Asked in this order for what the first does not give. Neither it nor `mock` is among them, nor any whose
    /// values are not comparable with its own.
    pub fallback: Vec<GridProvider>,
    /// Time between two fetches.
    pub refresh: Duration,
    /// Age at which a reading is stale: now less the end of the interval it describes. Not below `refresh`.
    pub max_age: Duration,
    /// First values of the mock provider.
    pub mock: BTreeMap<RegionId, GramsPerKwh>,
    /// The trace; there exactly when it is asked.
    pub replay: Option<ReplaySettings>,
    /// How Electricity Maps is asked, when it is.
    pub electricity_maps: ElectricityMapsSettings,
    /// How Great Britain's API is asked, when it is.
    pub gb_carbon_intensity: GbSettings,
}

impl GridSettings {
    /// Whether this provider is asked at all.
    #[must_use]
    pub fn asks(&self, provider: GridProvider) -> bool {
        self.provider == provider || self.fallback.contains(&provider)
    }
}

/// `grid` as it stands in the file, before the regions are known.
pub(super) struct GridDraft {
    mock: Vec<(String, GramsPerKwh)>,
    /// All but the mock values, which need the regions' ids.
    settings: GridSettings,
}

pub(super) fn read(grid: &mut Section<'_>) -> GridDraft {
    let errors = grid.report().errors.len();
    let provider = grid.read("provider", GridProvider::Catalogue, choice("grid.provider", PROVIDERS));
    // What stands in for a provider that could not be read is nothing to judge the fallbacks by.
    let first = (grid.report().errors.len() == errors).then_some(provider);
    let fallback = read_fallback(grid, first);
    let (refresh, max_age) = read_ages(grid, Duration::from_mins(5), Duration::from_hours(2));
    let mock = grid.entries("mock", mock_value);
    let asks = |kind| provider == kind || fallback.contains(&kind);
    let replay = grid.section("replay", |replay| sources::read_replay(replay, asks(GridProvider::Replay)));
    let electricity_maps = grid.section("electricityMaps", sources::read_electricity_maps);
    let gb_carbon_intensity = grid.section("gbCarbonIntensity", sources::read_gb_carbon_intensity);
    if asks(GridProvider::ElectricityMaps) && refresh < OFTEN {
        let (refresh, often) = (format_duration(refresh), format_duration(OFTEN));
        grid.warn(
            "refresh",
            &format!("{refresh} is shorter than {often}: electricity-maps has nothing new so often, and may throttle"),
        );
    }
    let slow = [(GridProvider::GbCarbonIntensity, HALF_HOUR), (GridProvider::ElectricityMaps, HOUR)];
    for (kind, interval) in slow {
        if asks(kind) && refresh > interval {
            let (refresh, interval) = (format_duration(refresh), format_duration(interval));
            grid.warn(
                "refresh",
                &format!(
                    "{refresh} is longer than {interval}: {} is asked for its newest value alone, and hours of pods for \
                     which a value is missing stay open and then count as missing",
                    kind.as_str()
                ),
            );
        }
    }
    let settings = GridSettings {
        provider,
        fallback,
        refresh,
        max_age,
        mock: BTreeMap::new(),
        replay,
        electricity_maps,
        gb_carbon_intensity,
    };
    GridDraft { mock, settings }
}

fn read_fallback(grid: &mut Section<'_>, first: Option<GridProvider>) -> Vec<GridProvider> {
    let mut seen: Vec<GridProvider> = first.into_iter().collect();
    grid.list("fallback", |value| {
        if value == GridProvider::Mock.as_str() {
            let cure = "leave it out: a region without a reading is no candidate";
            return Err(Fault::of(value, "would fill the gaps of real readings with made-up ones", cure));
        }
        let kind = choice("grid.fallback", FALLBACKS)(value)?;
        if seen.contains(&kind) {
            return Err(Fault::of(value, "is asked already", "name each provider once"));
        }
        if let Some(first) = first.filter(|first| first.basis() != kind.basis()) {
            let (own, theirs) = (counts(kind.basis()), counts(first.basis()));
            let problem = format!("counts {own}, and grid.provider {} {theirs}", first.as_str());
            let cure = "leave it out: the two are never compared, so it would only exclude regions";
            return Err(Fault::of(value, problem, cure));
        }
        seen.push(kind);
        Ok(kind)
    })
}

/// What goes into a value, in words.
const fn counts(basis: Basis) -> &'static str {
    match basis {
        Basis::Lifecycle => "emissions of the whole life cycle",
        Basis::Direct => "emissions of burning fuel only",
    }
}

/// `refresh` and `maxAge`, of which the second may not be the shorter one.
pub(super) fn read_ages(
    section: &mut Section<'_>,
    refresh: Duration,
    max_age: Duration,
) -> (Duration, Duration) {
    let refresh = section.read("refresh", refresh, duration(REFRESH));
    let max_age = section.read("maxAge", max_age, duration(MAX_AGE));
    if max_age < refresh {
        let problem =
            format!("{} is shorter than refresh ({})", format_duration(max_age), format_duration(refresh));
        section.fault(
            "maxAge",
            Fault::silent(problem, "give at least refresh, or every value is stale before the next comes"),
        );
    }
    (refresh, max_age)
}

impl GridDraft {
    /// Whether a region without a grid zone could never have an intensity.
    pub(super) fn needs_zones(&self) -> bool {
        self.settings.provider != GridProvider::Mock
    }

    /// Puts the regions' ids in place of their names. `names` are those of all region entries, also of bad ones.
    pub(super) fn finish(self, regions: &Regions, names: &[&str], report: &mut Report) -> GridSettings {
        let mut mock = BTreeMap::new();
        for (name, intensity) in self.mock {
            if let Some(id) = regions.by_name(&name) {
                mock.insert(id, intensity);
            } else if !names.contains(&name.as_str()) {
                let cure = format!("write one of: {}", names.join(", "));
                report
                    .fault(format!("grid.mock.{name}"), Fault::silent("is not a region of `regions`", cure));
            }
        }
        let settings = GridSettings { mock, ..self.settings };
        match settings.provider {
            GridProvider::Mock if settings.fallback.is_empty() => {
                warn_of_unset(&settings.mock, regions, report);
            }
            GridProvider::GbCarbonIntensity => report_outside_great_britain(regions, report),
            _ => {}
        }
        settings
    }
}

fn warn_of_unset(mock: &BTreeMap<RegionId, GramsPerKwh>, regions: &Regions, report: &mut Report) {
    for (_, region) in regions.iter().filter(|(id, _)| !mock.contains_key(id)) {
        let name = &region.name;
        report.warn(
            "grid.mock",
            &format!("has no value for {name}: no pod goes there until PUT /mock/{name} gives one"),
        );
    }
}

/// No other provider can fill the gaps of this one: none counts what it counts.
fn report_outside_great_britain(regions: &Regions, report: &mut Report) {
    const PATH: &str = "grid.provider";
    let provider = GridProvider::GbCarbonIntensity.as_str();
    let is_outside = |region: &Region| region.zone.as_ref().is_none_or(|zone| zone.as_str() != GREAT_BRITAIN);
    let outside: Vec<&str> = regions
        .iter()
        .filter(|(_, region)| is_outside(region))
        .map(|(_, region)| region.name.as_str())
        .collect();
    if outside.is_empty() {
        return;
    }
    if outside.len() < regions.len() {
        let outside = outside.join(", ");
        let text =
            format!("{provider} knows grid zone GB only: no pod goes to {outside}, which are not in it");
        report.warn(PATH, &text);
    } else if !report.has_errors_below("regions") {
        let cure = "name a region in zone GB, such as eu-west-2, or choose another provider";
        let problem = "knows grid zone GB only, and no region is in it";
        report.fault(PATH, Fault::of_text(provider, problem, cure));
    }
}
