//! The providers on a network, against a real HTTP server that answers well and badly.
#![expect(clippy::unwrap_used, reason = "tests")]

mod electricity_maps;
mod gb;
#[path = "../support/upstream.rs"]
mod upstream;
mod web;

use std::time::Duration;

use eco_pulse::domain::Region;
use eco_pulse::domain::energy::CpuPower;
use eco_pulse::domain::region::{CloudProvider, GridZone};
use eco_pulse::domain::units::{Pue, Watts};
use eco_pulse::providers::web::Web;
use eco_pulse::tls::system_client_config;
use jiff::Timestamp;

/// For what must come: as long as it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// For what never comes: the shorter, the better.
const IMPATIENCE: Duration = Duration::from_millis(200);

fn web() -> Web {
    Web::new(system_client_config().unwrap()).unwrap().with_timeout(PATIENCE)
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn region_in(zone: Option<&str>) -> Region {
    Region {
        name: "here".into(),
        label: "here".into(),
        provider: CloudProvider::OnPrem,
        zone: zone.map(GridZone::from),
        location: None,
        pue: Pue(1.0),
        default_cpu: CpuPower { idle: Watts(1.0), max: Watts(4.0) },
        annual_mean: None,
    }
}
