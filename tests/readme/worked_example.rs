//! The worked example: every figure comes out of the code.

use std::process::Command;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use eco_pulse::app::snapshot_once;
use eco_pulse::audit::projection::project;
use eco_pulse::clock::Clock;
use eco_pulse::config::Config;
use eco_pulse::decider::{Decided, Decider, Settings};
use eco_pulse::domain::decision::Score;
use eco_pulse::domain::{Outcome, Snapshot, StayReason};
use eco_pulse::kubernetes::cluster::ClusterView;
use eco_pulse::kubernetes::placement::PodInContext;
use jiff::Timestamp;

use crate::markdown::{block, flowing, tables};
use crate::{README, catalogue};

/// Any moment: the mock grid does not depend on it.
pub fn now() -> Timestamp {
    "2026-03-01T06:30:00Z".parse().unwrap()
}

/// What the program decides for the pod template of a manifest.
pub fn decided(config: &str, manifest: &str) -> Decided {
    let config = Config::parse(config, &**catalogue()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let snapshot = runtime.block_on(snapshot_once(&config, catalogue(), &Clock::new(now))).unwrap();
    let decider = Decider::new(
        Settings::new(&config),
        Arc::new(ArcSwapOption::from_pointee(snapshot)),
        Arc::new(ArcSwap::from_pointee(ClusterView::unwatched("eco-pulse"))),
        1,
    );
    let manifest: serde_json::Value = serde_saphyr::from_str(manifest).unwrap();
    let template = manifest["spec"]["template"].to_string();
    let pod = serde_json::from_str(&template).unwrap();
    decider.decide(PodInContext { pod: &pod, namespace: "default" }, now())
}

/// What the README's example comes to.
pub fn example() -> Decided {
    decided(block(README, "worked-example.yaml"), block(README, "job.yaml"))
}

fn region_of<'a>(decided: &'a Decided, name: &str) -> (&'a Score, &'a Snapshot) {
    let snapshot = decided.snapshot.as_deref().unwrap();
    let id = snapshot.regions.by_name(name).unwrap();
    (decided.decision.scores.iter().find(|score| score.region() == id).unwrap(), snapshot)
}

/// The figure that a row of the table shows.
fn figure(row: &str, score: &Score, snapshot: &Snapshot) -> f64 {
    let figures = score.assessment.figures.unwrap();
    let terms = score.terms.unwrap();
    match row {
        "price, USD/h" => score.assessment.price.unwrap().per_hour.0,
        "PUE" => snapshot.regions.get(score.region()).pue.0,
        "energy over 24 h, kWh" => figures.energy.0,
        "carbon intensity, g/kWh" => score.assessment.intensity.unwrap().0,
        "emissions, g" => figures.emissions.0,
        "transfer, USD/GB" => figures.egress_per_gb.unwrap().0,
        "price delta" => terms.price.0,
        "carbon delta" => terms.carbon.0,
        "latency penalty" => terms.latency.0,
        "egress cost" => terms.egress.0,
        "migration cost" => terms.migration.0,
        "net benefit, USD" => terms.net_benefit().0,
        other => panic!("nobody checks the row {other}"),
    }
}

/// Whether a printed number is this value, rounded to as many digits as are printed. A bare 0 is exact.
fn shows(printed: &str, value: f64) -> bool {
    let number: f64 = printed.parse().unwrap();
    let decimals = printed.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let half = if printed == "0" { 0.0 } else { 0.5 * 10f64.powi(-i32::try_from(decimals).unwrap()) };
    (number - value).abs() <= half * (1.0 + 1e-9)
}

#[test]
fn every_figure_of_the_table_is_what_the_code_computes() {
    let decided = example();
    let table = tables(README).into_iter().find(|table| table.header[1].starts_with("eu-west-1")).unwrap();
    let mut checked = 0;
    for row in &table.rows {
        let label = row[0].replace('*', "");
        for (cell, title) in row.iter().zip(&table.header).skip(1) {
            let (score, snapshot) = region_of(&decided, title.split(' ').next().unwrap());
            let value = figure(&label, score, snapshot);
            assert!(shows(&cell.replace('*', ""), value), "{label}, {title}: {cell} is not {value}");
            checked += 1;
        }
    }
    assert_eq!(checked, 36, "12 figures of 3 regions");
}

#[test]
fn every_figure_of_the_text_is_what_the_code_computes() {
    let decided = example();
    let text = flowing(README);
    let (winner, snapshot) = region_of(&decided, "eu-north-1");
    let (terms, figures) = (winner.terms.unwrap(), winner.assessment.figures.unwrap());
    let cpu = catalogue().instance("m5.xlarge").unwrap().cpu.unwrap();
    let memory = decided.demand.as_ref().unwrap().memory.to_gigabytes().0;
    let watts = figures.energy.0 / snapshot.regions.get(winner.region()).pue.0 / 24.0 * 1000.0;
    let projection = project(&decided.decision).unwrap();
    let break_even = (terms.net_benefit() - terms.egress).0 / figures.egress_per_gb.unwrap().0;
    for phrase in [
        format!("({:.4} W + {:.4} W) / 2 each", cpu.idle.0, cpu.max.0),
        format!("{memory:.2} GB of memory at {} W/GB", eco_pulse::domain::energy::MEMORY_WATTS_PER_GB),
        format!("make {watts:.2} W before"),
        format!(
            "{:.6} + {:.6} - {} - {:.6} - {} = {:.6} USD",
            terms.price.0,
            terms.carbon.0,
            0.0 - terms.latency.0,
            -terms.egress.0,
            0.0 - terms.migration.0,
            terms.net_benefit().0
        ),
        format!("The bill falls by {:.2} USD", projection.saved.0),
        format!("{:.1} g CO2e are avoided", projection.avoided.0),
        format!("With {break_even:.2} GB to move the job breaks even"),
    ] {
        assert!(text.contains(&phrase), "README.md does not say: {phrase}");
    }
}

#[test]
fn the_grid_values_are_the_means_the_readme_says_they_are() {
    let mean = |region| {
        let zone = &catalogue().region(region).unwrap().zone;
        format!("{region}: {:.0}", catalogue().climatology(zone.as_str()).unwrap().annual_mean().0)
    };
    let mock = ["eu-west-1", "eu-central-1", "eu-north-1"].map(mean).join(", ");
    assert!(block(README, "worked-example.yaml").contains(&format!("mock: {{{mock}}}")), "{mock}");
}

#[test]
fn the_decision_turns_at_the_printed_break_even() {
    let outcome = |gigabytes: &str| {
        let job =
            block(README, "job.yaml").replace("egress-gb: \"5\"", &format!("egress-gb: \"{gigabytes}\""));
        decided(block(README, "worked-example.yaml"), &job).decision.outcome
    };
    assert!(matches!(outcome("12.40"), Outcome::Steer { .. }), "the printed figure is rounded down");
    assert_eq!(outcome("12.41"), Outcome::Stay { reason: StayReason::BaselineBest });
}

#[test]
fn the_printed_command_prints_what_is_printed() {
    let mut lines = README.lines().skip_while(|line| !line.starts_with("    $ eco-pulse explain"));
    let command = lines.next().unwrap().trim_start_matches("    $ eco-pulse ");
    let printed: Vec<&str> = lines.map_while(|line| line.strip_prefix("    ")).collect();
    assert!(printed.len() > 5);

    let folder = tempfile::tempdir().unwrap();
    for file in ["job.yaml", "worked-example.yaml"] {
        std::fs::write(folder.path().join(file), block(README, file)).unwrap();
    }
    let output = Command::new(env!("CARGO_BIN_EXE_eco-pulse"))
        .args(command.split(' '))
        .current_dir(folder.path())
        .env_remove("ECO_PULSE_CONFIG")
        .output()
        .unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answered: Vec<&str> = answer.lines().map(str::trim_end).collect();
    assert_eq!(answered, printed, "README.md has to print this:\n{answer}");
}
