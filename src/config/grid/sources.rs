//! `grid.replay`, `grid.electricityMaps`, `grid.gbCarbonIntensity`: what each provider needs to be asked.
//!
//! Always checked; a provider that is neither first nor a fallback need not be set up.

use std::path::PathBuf;

use crate::config::name::{WEB, address, is_loopback};
use crate::config::reader::Section;
use crate::config::value::{Fault, number, path, secret_path};
use crate::domain::snapshot::GridProvider;

/// Where Electricity Maps answers: version 4 of its API.
const ELECTRICITY_MAPS: &str = "https://api.electricitymaps.com/v4";
/// Where the token is mounted by the manifests that come with Eco-Pulse.
const TOKEN_FILE: &str = "/var/run/secrets/eco-pulse/electricity-maps-token";
/// Where the carbon intensity API of Great Britain's grid operator answers.
const GB_CARBON_INTENSITY: &str = "https://api.carbonintensity.org.uk";

/// A trace that stands in for the grid.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplaySettings {
    /// The trace.
    pub file: PathBuf,
    /// Hours of the trace in an hour of the clock.
    pub speed: f64,
}

/// How Electricity Maps is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElectricityMapsSettings {
    /// Address below which its endpoints are; without a slash at the end. In the clear only on this machine.
    pub base_url: String,
    /// File that holds the token.
    pub token_file: PathBuf,
}

/// How Great Britain's API is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GbSettings {
    /// Address below which its endpoints are; without a slash at the end.
    pub base_url: String,
}

/// `is_used`: whether the trace is asked for anything. Without that there are no settings.
pub(super) fn read_replay(replay: &mut Section<'_>, is_used: bool) -> Option<ReplaySettings> {
    let file = replay.optional("file", path);
    let speed = replay.read("speed", 1.0, number(0.001..=1e6, "a factor from 0.001 to 1000000"));
    if is_used {
        let name = GridProvider::Replay.as_str();
        replay.missing("file", &format!("give the CSV file of the trace that {name} is to read"));
    }
    file.filter(|_| is_used).map(|file| ReplaySettings { file, speed })
}

pub(super) fn read_electricity_maps(section: &mut Section<'_>) -> ElectricityMapsSettings {
    let base_url = section.read("baseUrl", ELECTRICITY_MAPS.to_owned(), |value| {
        let url = address(WEB)(value)?;
        if url.starts_with("http://") && !is_loopback(&url) {
            return Err(Fault::silent(
                "would send the token in the clear",
                "give an https:// address; http:// is for this machine only (localhost, 127.0.0.1, [::1])",
            ));
        }
        Ok(without_slash(&url))
    });
    let token_file = section.read("tokenFile", PathBuf::from(TOKEN_FILE), secret_path);
    for secret in ["token", "authToken", "apiKey"] {
        section.forbid_secret(secret, "tokenFile");
    }
    ElectricityMapsSettings { base_url, token_file }
}

pub(super) fn read_gb_carbon_intensity(section: &mut Section<'_>) -> GbSettings {
    let base_url = |value: &_| address(WEB)(value).map(|url| without_slash(&url));
    GbSettings { base_url: section.read("baseUrl", GB_CARBON_INTENSITY.to_owned(), base_url) }
}

/// Endpoints are put behind it with a slash of their own.
fn without_slash(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}
