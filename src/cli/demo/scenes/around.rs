//! What is said before the scenes and after them.

use std::time::Duration;

use anyhow::Context as _;

use crate::cli::demo::cluster::{BASE, GPU_NODE_TYPE, NEAR, NODE_TYPE};
use crate::cli::demo::running::Running;
use crate::cli::demo::screen::Screen;
use crate::cli::show::record::Record;
use crate::cli::show::{kilograms, usd};
use crate::cli::table::{Align, Table};
use crate::domain::WorkloadClass;
use crate::domain::snapshot::CapacityType;

/// What runs where, and what the server knows of the regions.
pub(in crate::cli::demo) fn opening(screen: &mut Screen, server: &Running) -> anyhow::Result<()> {
    let snapshot = server.decider.snapshot().context("the server is ready without data")?;
    let policy = &server.decider.settings().policy;
    let base = snapshot.regions.by_name(BASE).context("the base is not configured")?;
    screen.title("Eco-Pulse demo: the real server on this machine, asked over real TLS")?;
    screen.lines(&[
        format!("webhook  https://{}/mutate", server.webhook_addr),
        format!("         {}, its certificate verified", server.tls),
        format!("admin    http://{}", server.admin_addr),
        "pods     AdmissionReviews recorded from the API server of Kubernetes 1.36.2;".to_owned(),
        "         one region's name and one data size are adapted to this cluster".to_owned(),
        "cluster  pretended: four Azure regions, list prices, a mock grid near the".to_owned(),
        "         means of 2022, round trips estimated from distance".to_owned(),
        String::new(),
    ])?;
    let mut table = Table::new(&[
        ("REGION", Align::Left),
        ("GRID", Align::Left),
        ("g/kWh", Align::Right),
        ("D4s_v5 USD/h", Align::Right),
        ("A100 USD/h", Align::Right),
        ("ROUND TRIP", Align::Right),
    ]);
    for (id, region, data) in snapshot.iter() {
        let price = |instance_type| {
            let price = data.price(instance_type, CapacityType::OnDemand);
            price.map_or_else(|| "?".to_owned(), |price| format!("{:.3}", price.per_hour.0))
        };
        let round_trip = match snapshot.regions.round_trip(base, id) {
            _ if id == base => "base".to_owned(),
            Some(ms) => format!("{:.0} ms", ms.0),
            None => "?".to_owned(),
        };
        table.row([
            region.name.to_string(),
            region.zone.as_ref().map(ToString::to_string).unwrap_or_default(),
            data.grid.known().map_or_else(|| "?".to_owned(), |reading| format!("{:.0}", reading.intensity.0)),
            price(NODE_TYPE),
            price(GPU_NODE_TYPE),
            round_trip,
        ]);
    }
    screen.table(&table.lines())?;
    let limit = policy.latency.max_added(WorkloadClass::Serving).context("serving pods have no limit")?;
    screen.lines(&[
        String::new(),
        format!(
            "A tonne of CO2e counts {} USD. Serving pods may go {} ms away, batch anywhere.",
            policy.carbon_price.effective().0,
            limit.0
        ),
        "Terms below are USD over the pod's whole run, against the base: + is good.".to_owned(),
    ])?;
    Ok(())
}

/// What it comes to, and where to go from here.
pub(in crate::cli::demo) fn closing(
    screen: &mut Screen,
    records: &[Record],
    deadline: Duration,
    hold: bool,
) -> anyhow::Result<()> {
    let count = |outcome: &str| records.iter().filter(|record| record.outcome == outcome).count();
    let projected = || records.iter().filter_map(|record| record.projected);
    let carbon = |record: &Record| {
        let preferred = record.target_region.as_deref().and_then(|region| record.region(region));
        preferred.and_then(|row| row.terms_usd).map_or(0.0, |terms| terms.carbon)
    };
    let slowest = records.iter().map(|record| record.duration_us).max().unwrap_or_default();
    screen.heading("What it comes to")?;
    screen.lines(&[
        format!(
            "{} pods, all allowed: {} steered, {} held in the base, {} left as they came.",
            records.len(),
            count("steer"),
            count("stay"),
            count("bypass")
        ),
        format!(
            "The slowest decision took {:.1} ms of the {} ms it may take.",
            slowest as f64 / 1000.0,
            deadline.as_millis()
        ),
        format!(
            "Projected against {BASE}: {} USD, {} kgCO2e avoided (modelled).",
            usd(projected().map(|projected| projected.usd).sum()),
            kilograms(projected().map(|projected| projected.co2e_g).sum())
        ),
        format!(
            "That carbon counts {} USD at the price above: little beside the rest.",
            usd(records.iter().map(carbon).sum())
        ),
    ])?;
    screen.heading("Next")?;
    screen.lines(&[
        "eco-pulse serve                  run it: needs no flags and no cluster",
        "eco-pulse explain -f pod.yaml    the same table for a manifest of your own",
        "eco-pulse check --config FILE    validate a configuration, ask every source",
        "README.md                        a first real configuration, and the formula",
    ])?;
    if !hold {
        screen.lines(&["eco-pulse demo --hold            keep the server, and change its grid yourself"])?;
    }
    Ok(())
}

/// How to reach the server that goes on.
pub(in crate::cli::demo) fn holding(screen: &mut Screen, server: &Running) -> anyhow::Result<()> {
    let (webhook, admin) = (server.webhook_addr, server.admin_addr);
    screen.heading("Serving until Ctrl-C")?;
    screen.lines(&[
        format!("curl -s http://{admin}/snapshot       what is known of grid and prices"),
        format!("curl -s http://{admin}/decisions      every decision with every term"),
        format!("curl -s http://{admin}/metrics"),
        format!("curl -X PUT -d high http://{admin}/mock/{NEAR}"),
        String::new(),
        "A pod again, from the project's directory; -k since the certificate is this".to_owned(),
        "process's own:".to_owned(),
        "curl -sk -H 'content-type: application/json' -d @src/cli/demo/data/web.json \\".to_owned(),
        format!("  https://{webhook}/mutate"),
    ])?;
    Ok(())
}
