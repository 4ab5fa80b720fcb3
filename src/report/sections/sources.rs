//! Constants with where they come from, and the notices that licences of data ask for.

use std::collections::BTreeSet;

use crate::domain::energy::MEMORY_WATTS_PER_GB;
use crate::report::figures::{Quantity, constant};
use crate::report::model::{Report, SettingRegion};
use crate::report::setting::CONFIGURATION;
use crate::report::sheet::{Cell, Column, Grid, Part, Section};

/// Source of annual means.
const MEANS: &str = "emaps-2022-lca";

/// Sources that a report may rest on: key, what it is, and its date and licence. `docs/catalogue.md` has them all, and a test
/// holds these to it.
pub const SOURCES: [(&str, &str, &str); 12] = [
    ("emaps-dc", "Electricity Maps' list of data centres: grid zone and place", "2026, facts"),
    ("emaps-zone", "the same, grid zone only, known errors corrected", "2026, facts"),
    ("geo", "grid zone by geography", "2026, public knowledge"),
    ("metro", "coordinates of the metropolitan area", "2026, public knowledge"),
    ("aws-pue-2024", "Amazon's PUE of the region, by way of DigitalPebble/spruce", "2024, Apache-2.0"),
    ("aws-pue-2024-area", "the same, of its part of the world", "2024, Apache-2.0"),
    ("azure-pue", "Microsoft's PUE, by way of DigitalPebble/spruce", "read 2026, Apache-2.0"),
    ("ccf-pue", "Cloud Carbon Footprint: PUE of fleets, and Google's by region", "read 2026, Apache-2.0"),
    ("ccf-average", "Cloud Carbon Footprint: W per vCPU, average of AWS", "read 2026, Apache-2.0"),
    ("mean-of-provider", "our estimate: mean of the provider's processors", "derived, Apache-2.0"),
    ("mean-of-all", "our estimate: mean of all processors", "derived, Apache-2.0"),
    (MEANS, "Electricity Maps: hourly carbon intensity of 2022, life cycle", "2022, ODbL 1.0"),
];

const ODBL: &str = "Contains information from Electricity Maps, made available under the Open Database License (ODbL) 1.0, \
     https://opendatacommons.org/licenses/odbl/1-0/: means of the hourly carbon intensity of 2022 by zone, month and hour, from \
     the artefact of Sukprasert et al., EuroSys 2024, https://github.com/umassos/decarbonization-potential. Whoever \
     publishes what is derived from that table keeps it open and under the same licence.";
const LIVE: &str = "Readings of Electricity Maps (https://www.electricitymaps.com) came over its API, under the terms of the \
     plan they were bought with.";
const GREAT_BRITAIN: &str = "Readings of Great Britain are from the Carbon Intensity API of the National Energy System \
     Operator (https://carbonintensity.org.uk), CC BY 4.0.";
const COEFFICIENTS: &str =
    "Power and PUE coefficients are of Cloud Carbon Footprint and DigitalPebble/spruce, Apache-2.0.";

pub(super) fn constants(report: &Report) -> Section {
    let setting = &report.setting;
    let providers = setting.grid_providers.join(", then ");
    let shown = |value: f64, unit: &str| format!("{} {unit}", constant(value)).trim_end().to_owned();
    let all = [
        ("memory", shown(MEMORY_WATTS_PER_GB, "W/GB"), "Cloud Carbon Footprint, methodology"),
        ("CPU utilisation", shown(setting.cpu_utilisation, ""), "workload.cpuUtilisation"),
        ("GPU utilisation", shown(setting.gpu_utilisation, ""), "workload.gpuUtilisation"),
        (
            "carbon price",
            shown(setting.carbon_price_usd_per_tonne, "USD/t"),
            "carbon.priceUsdPerTonne, capped",
        ),
        ("control group", shown(setting.holdout, "of owners"), "decision.holdout"),
        ("carbon intensity", providers, "grid.provider, grid.fallback"),
        ("prices", setting.price_provider.clone(), "prices.provider"),
    ];
    let mut grid = Grid::new(
        "Now in force",
        vec![Column::words("constant"), Column::prose("value"), Column::prose("from")],
    );
    grid.rows =
        all.into_iter().map(|(name, value, from)| [name, &value, from].map(Cell::text).into()).collect();
    let told = "As configured when the report was made; earlier decisions may have been made with other values, which \
         their records hold. Where the processor is known, its own W per vCPU count instead of the region's.";
    let parts = vec![Part::text(told), Part::Grid(grid), Part::Grid(regions(&setting.regions))];
    Section { title: "Constants", parts, is_appendix: false }
}

fn regions(regions: &[SettingRegion]) -> Grid {
    let mut grid = Grid::new(
        "Regions",
        vec![
            Column::words("region"),
            Column::words("zone"),
            Column::figures(&["PUE"]),
            Column::figures(&["mean", "g/kWh"]),
            Column::figures(&["W/vCPU", "idle"]),
            Column::figures(&["W/vCPU", "max"]),
            Column::prose("sources of zone and PUE"),
        ],
    );
    grid.rows = regions
        .iter()
        .map(|region| {
            vec![
                Cell::text(&region.name),
                Cell::text(region.zone.as_deref().unwrap_or("-")),
                Cell::text(constant(region.pue)),
                Cell::maybe(Quantity::Rate, region.annual_mean_g_per_kwh),
                Cell::text(format!("{:.2}", region.idle_w_per_vcpu)),
                Cell::text(format!("{:.2}", region.max_w_per_vcpu)),
                Cell::text(region.sources.join(" ")),
            ]
        })
        .collect();
    grid
}

pub(super) fn sources(report: &Report) -> Section {
    let regions = &report.setting.regions;
    let of_regions = regions.iter().flat_map(|region| region.sources.iter().map(String::as_str));
    let of_power = regions.iter().map(|region| match region.provider.as_str() {
        "aws" => "ccf-average",
        "on-prem" => "mean-of-all",
        _ => "mean-of-provider",
    });
    let used: BTreeSet<&str> = of_regions.chain(of_power).chain([MEANS]).collect();
    let mut grid = Grid::new(
        "Sources",
        vec![Column::words("key"), Column::prose("what it is"), Column::prose("date, licence")],
    );
    grid.rows = SOURCES
        .iter()
        .filter(|(key, _, _)| used.contains(key))
        .map(|(key, what, licence)| [*key, *what, *licence].map(Cell::text).into())
        .collect();
    if used.contains(CONFIGURATION) {
        let row = [CONFIGURATION, "the operator's own figure, where it differs from the catalogue's", "-"];
        grid.rows.push(row.map(Cell::text).into());
    }
    let providers = &report.setting.grid_providers;
    let notice = |provider: &str, text| providers.iter().any(|of| of == provider).then_some(text);
    let notices = [
        Some(ODBL),
        notice("electricity-maps", LIVE),
        notice("gb-carbon-intensity", GREAT_BRITAIN),
        Some(COEFFICIENTS),
    ];
    let mut parts = vec![Part::Grid(grid)];
    parts.extend(notices.into_iter().flatten().map(Part::text));
    Section { title: "Sources and licences of data", parts, is_appendix: false }
}
