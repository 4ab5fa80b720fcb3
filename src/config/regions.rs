//! `regions`: what the file says of each region, joined with what the catalogue knows of it.

use serde_json::{Value, json};

use super::facts::{KnownRegion, RegionFacts};
use super::name::{grid_zone, label_value};
use super::nearest::nearest;
use super::reader::Section;
use super::value::{Fault, choice, number};
use crate::domain::region::{CloudProvider, GridZone, Location, Region, RegionName};
use crate::domain::units::{Pue, UsdPerHour};

/// Regions of a configuration that names none; the first is the baseline.
pub const BUILT_IN: [&str; 3] = ["us-east-1", "eu-west-1", "eu-north-1"];

/// What `baseline.region` says for the mix over all eligible regions, and so no region's name.
pub(super) const SCHEDULER: &str = "scheduler";

/// Highest overhead believed. Data centres have 1.1 to 2, a cupboard with its own cooler may have 3.
const HIGHEST_PUE: f64 = 10.0;

/// [`BUILT_IN`] as the file would have them.
pub(super) fn built_in() -> Value {
    BUILT_IN.iter().map(|name| json!({"name": name})).collect()
}

/// All of `regions` that could be read.
pub(super) struct RegionDrafts {
    pub drafts: Vec<Draft>,
    pub claims: Vec<Claim>,
}

/// What an entry wants to be called; also of entries that cannot be used for another reason.
pub(super) struct Claim {
    /// Where the entry is: `regions[2]`.
    pub path: String,
    pub name: String,
    pub alias: Option<String>,
}

/// A region that is complete.
pub(super) struct Draft {
    pub region: Region,
    pub per_vcpu: Option<UsdPerHour>,
    /// Its name is the catalogue's, so egress prices by name are its own.
    pub in_catalogue: bool,
    /// It stands where the catalogue has it, so round trips by name are its own.
    pub in_place: bool,
}

/// The details that one entry gives.
struct Details {
    provider: Option<CloudProvider>,
    zone: Option<GridZone>,
    location: Option<Location>,
    pue: Option<Pue>,
    per_vcpu: Option<UsdPerHour>,
}

/// `zone_needed`: whether a region without a grid zone could never have an intensity.
pub(super) fn read(root: &mut Section<'_>, facts: &dyn RegionFacts, zone_needed: bool) -> RegionDrafts {
    let mut claims = Vec::new();
    let read_one = |entry: &mut Section<'_>| read_one(entry, facts, zone_needed, &mut claims);
    let drafts: Vec<_> = root.sections("regions", read_one);
    RegionDrafts { drafts: drafts.into_iter().flatten().collect(), claims }
}

fn read_one(
    entry: &mut Section<'_>,
    facts: &dyn RegionFacts,
    zone_needed: bool,
    claims: &mut Vec<Claim>,
) -> Option<Draft> {
    let name =
        entry.required("name", region_name, "give the region's name at its provider, or one of your own");
    let alias = entry.optional("alias", label_value);
    let details = Details::read(entry);
    let name = name?;
    claims.push(Claim { path: entry.path().to_owned(), name: name.clone(), alias: alias.clone() });

    let known = facts.region(&name);
    let provider = match &known {
        Some(known) => same_provider(entry, &details, known)?,
        None => described_provider(entry, &details, &name, facts)?,
    };
    let zone = details.zone.or_else(|| known.as_ref()?.zone.clone());
    if zone.is_none() && known.is_none() && zone_needed {
        entry.missing(
            "gridZone",
            "give the Electricity Maps key of the grid that feeds it, such as DE or SE-SE3",
        );
    }
    let fleet = || (provider != CloudProvider::OnPrem).then(|| facts.fleet_pue(provider)).flatten();
    let pue = details.pue.or_else(|| known.as_ref()?.pue).or_else(fleet);
    if pue.is_none() {
        entry.missing(
            "pue",
            "give its power usage effectiveness, from 1 to 10; the catalogue has none for it",
        );
    }
    let known_location = known.as_ref().and_then(|known| known.location);
    let location = details.location.or(known_location);
    let region = Region {
        name: RegionName::from(name.as_str()),
        label: alias.unwrap_or(name).into(),
        provider,
        annual_mean: zone.as_ref().and_then(|zone| facts.annual_mean(zone.as_str())),
        zone,
        location,
        pue: pue?,
        default_cpu: facts.cpu_power(provider),
    };
    let in_catalogue = known.is_some();
    Some(Draft {
        region,
        per_vcpu: details.per_vcpu,
        in_catalogue,
        in_place: in_catalogue && location == known_location,
    })
}

impl Details {
    fn read(entry: &mut Section<'_>) -> Self {
        Self {
            provider: entry.optional("provider", choice("regions.provider", &CloudProvider::ALL)),
            zone: entry.optional("gridZone", grid_zone).map(|zone| GridZone::from(zone.as_str())),
            location: read_location(entry),
            pue: entry
                .optional("pue", number(1.0..=HIGHEST_PUE, "a power usage effectiveness from 1 to 10"))
                .map(Pue),
            per_vcpu: entry
                .optional("priceUsdPerVcpuHour", number(0.0..=100.0, "USD per vCPU and hour from 0 to 100"))
                .map(UsdPerHour),
        }
    }
}

fn read_location(entry: &mut Section<'_>) -> Option<Location> {
    let latitude = entry.optional("latitude", number(-90.0..=90.0, "degrees from -90 to 90, north positive"));
    let longitude =
        entry.optional("longitude", number(-180.0..=180.0, "degrees from -180 to 180, east positive"));
    if entry.has("latitude") && !entry.has("longitude") {
        entry.missing("longitude", "give it with latitude, or leave out both");
    }
    if entry.has("longitude") && !entry.has("latitude") {
        entry.missing("latitude", "give it with longitude, or leave out both");
    }
    Some(Location { latitude_deg: latitude?, longitude_deg: longitude? })
}

fn region_name(value: &Value) -> Result<String, Fault> {
    let name = label_value(value)?;
    if name == SCHEDULER {
        let cure = "give the region another name; baseline.region gives this one a meaning of its own";
        return Err(Fault::of(value, "is a reserved word", cure));
    }
    Ok(name)
}

/// The catalogue's provider of a known region. Prices and egress go by name, so a region that only happens to have
/// that name must not get them.
fn same_provider(entry: &mut Section<'_>, details: &Details, known: &KnownRegion) -> Option<CloudProvider> {
    match details.provider {
        Some(provider) if provider != known.provider => {
            let theirs = known.provider.as_str();
            let problem = format!("is not whose region the catalogue knows by that name ({theirs})");
            let cure = "leave it out, or give your region another name and the label's value as alias";
            entry.fault("provider", Fault::of_text(provider.as_str(), problem, cure));
            None
        }
        _ => Some(known.provider),
    }
}

/// The provider of a region the catalogue does not know: who says whose it is means to describe a new one.
fn described_provider(
    entry: &mut Section<'_>,
    details: &Details,
    name: &str,
    facts: &dyn RegionFacts,
) -> Option<CloudProvider> {
    if details.provider.is_none() && !entry.has("provider") {
        let near = nearest(name, facts.region_names(), 3);
        let near = if near.is_empty() {
            String::new()
        } else {
            format!("did you mean {}? Else ", near.join(" or "))
        };
        let cure = format!(
            "{near}describe it with provider (on-prem, or aws, gcp, azure), gridZone, pue, \
             and latitude and longitude if known"
        );
        entry.fault("name", Fault::of_text(name, "is not in the catalogue", cure));
    }
    details.provider
}
