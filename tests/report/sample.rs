//! Inputs as a cluster of three regions would give them: a batch namespace that gains, a shop that gains by day and loses by
//! night, a laboratory that loses, and a control group. Every figure follows from the hour, so that a run is like the other.

use std::f64::consts::TAU;
use std::sync::LazyLock;

use eco_pulse::accounts::cells::{HourKey, OwnerKey};
use eco_pulse::accounts::sums::{Group, Sums};
use eco_pulse::catalogue::Catalogue;
use eco_pulse::config::Config;
use eco_pulse::report::model::{Basis, Decisions, Head, Open, ReadingStates, ReasonRow, Report, Setting};
use eco_pulse::report::{Inputs, Period, Scope, Tally, build};
use jiff::Timestamp;

/// 2026-11-02, a Monday, in hours since 1970.
pub const MONDAY: i64 = 498_216;
/// After the period, at 10:41.
pub const MADE_AT: &str = "2026-11-28T10:41:00Z";
/// Hash of the first replica's last record.
pub const HEAD: &str = "7f1c0e5a9b3d48f2c6e0a1b7d9f3528c4e6a8091b3d5f7e92a4c6b8d0f1e3a57";

const CONFIGURATION: &str = "
baseline: {region: us-east-1}
regions: [{name: us-east-1}, {name: eu-west-1}, {name: eu-north-1, pue: 1.08}]
carbon: {priceUsdPerTonne: 80}
grid: {provider: electricity-maps, fallback: [catalogue], electricityMaps: {tokenFile: /var/run/secrets/eco-pulse/token}}
decision: {holdout: 0.1}
";

/// A namespace: its name, owners, region, pods a day, cores of a pod, and shares of the baseline's emissions and cost that
/// are avoided and saved.
struct Tenant {
    namespace: String,
    kind: &'static str,
    owners: usize,
    region: &'static str,
    pods_a_day: u64,
    cores: f64,
    avoided: f64,
    saved: f64,
}

impl Tenant {
    fn figures(&self, hour: i64, index: usize, group: Group) -> Sums {
        let of_day = hour.rem_euclid(24);
        let week = (TAU * ((hour - MONDAY) / 24) as f64 / 7.0).sin();
        let wave = 0.6 * (TAU * of_day as f64 / 24.0).sin() + 0.5 * week;
        let bound = of_day == 6 + i64::try_from(index % 6).unwrap();
        let pods = if bound { self.pods_a_day } else { 0 };
        let busy = 1.0 + 0.3 * wave + 0.05 * index as f64;
        let core_hours = self.cores * busy;
        let energy_kwh = core_hours * 0.0041;
        let base_g = energy_kwh * 1.03 * (410.0 + 90.0 * wave);
        let left_alone = group == Group::Holdout;
        let avoided = if left_alone { 0.02 * wave } else { self.avoided + 0.12 * wave };
        let here_g = base_g * (1.0 - avoided);
        let base_usd = core_hours * 0.048;
        let saved = if left_alone { 0.0 } else { self.saved + 0.02 * wave };
        let moved = if self.avoided > 0.0 { pods } else { pods / 2 };
        let steered = if left_alone { 0 } else { moved };
        let mut sums = Sums {
            pods,
            steered,
            missed: steered / 9,
            moves_ended: steered.saturating_sub(steered / 9),
            moves_gained: if self.saved > 0.0 { steered.saturating_sub(steered / 4) } else { steered / 5 },
            core_hours,
            measured_hours: busy * if of_day == 3 { 0.0 } else { 1.0 },
            estimated_hours: busy * if of_day == 3 { 0.9 } else { 0.0 },
            missing_hours: busy * if of_day == 3 { 0.1 } else { 0.0 },
            projected_hours: pods as f64 * 11.5,
            ..Sums::default()
        };
        sums.actual.energy_kwh = energy_kwh;
        sums.actual.emissions_g = here_g;
        sums.actual.cost_usd = base_usd * (1.0 - saved);
        for (against, share) in [1.0, 0.8, 0.22].into_iter().enumerate() {
            let compared = &mut sums.against[against];
            compared.hours = busy * if of_day == 3 { 0.9 } else { 1.0 };
            compared.priced_hours = compared.hours;
            compared.emissions_g = base_g * share;
            compared.avoided_g = base_g * share - here_g;
            compared.cost_usd = base_usd * (1.0 + 0.02 * against as f64);
            compared.saved_usd = compared.cost_usd - sums.actual.cost_usd;
            (sums.projected[against].pods, sums.projected[against].priced_pods) = (sums.pods, sums.pods);
            sums.projected[against].avoided_g = if bound { compared.avoided_g * 26.0 } else { 0.0 };
            sums.projected[against].saved_usd = if bound { compared.saved_usd * 25.0 } else { 0.0 };
        }
        sums
    }
}

fn tenants() -> Vec<Tenant> {
    let tenant = |namespace: &str, kind, owners, region, pods_a_day, cores, avoided, saved| Tenant {
        namespace: namespace.to_owned(),
        kind,
        owners,
        region,
        pods_a_day,
        cores,
        avoided,
        saved,
    };
    vec![
        tenant("batch", "Job", 9, "eu-north-1", 14, 24.0, 0.82, 0.06),
        tenant("shop", "Deployment", 5, "eu-west-1", 4, 6.0, 0.05, -0.11),
        tenant("lab", "StatefulSet", 2, "eu-west-1", 2, 1.5, -0.14, -0.09),
    ]
}

fn scope(days: i64, namespace: Option<&str>) -> Scope {
    let period = Period::of_hours(MONDAY, MONDAY + days * 24).unwrap();
    Scope { period, namespace: namespace.map(ToOwned::to_owned) }
}

fn inputs(tenants: &[Tenant], scope: Scope, alter: impl Fn(Sums) -> Sums) -> Inputs {
    let (from, to) = (scope.period.from_hour(), scope.period.to_hour());
    let mut tally = Tally::new(scope, Basis::Pods, MONDAY / 24..MONDAY / 24 + 365);
    for tenant in tenants {
        for index in 0..tenant.owners {
            // One owner in four is left alone, as chance would have it.
            let group = if index % 4 == 3 { Group::Holdout } else { Group::Decided };
            let region = if group == Group::Holdout { "us-east-1" } else { tenant.region };
            // On the second Sunday nothing runs.
            for hour in (from..to).filter(|hour| (hour - MONDAY) / 24 != 13) {
                let sums = alter(tenant.figures(hour, index, group));
                let namespace = tenant.namespace.clone();
                let kind = tenant.kind.to_owned();
                let name = format!("{namespace}-worker-{index:02}");
                let key = HourKey { hour, namespace, kind, region: region.to_owned(), group };
                let HourKey { namespace, kind, .. } = key.clone();
                tally.add_hour(key, sums);
                tally.add_owner(OwnerKey { day: hour.div_euclid(24), namespace, kind, name, group }, sums);
            }
        }
    }
    Inputs {
        basis: Basis::Pods,
        setting: setting(CONFIGURATION),
        tally,
        hours_kept_from: None,
        decisions: decisions(),
        open: Open { running: 17, waiting_hours: 12.5 },
        heads: vec![
            Head { replica: "eco-pulse-7d9f6c5b8-4xk2p".to_owned(), seq: 48_211, hash: HEAD.to_owned() },
            Head {
                replica: "eco-pulse-7d9f6c5b8-q8w5z".to_owned(),
                seq: 47_902,
                hash: HEAD.replace('7', "0"),
            },
        ],
        notes: Vec::new(),
    }
}

pub fn setting(yaml: &str) -> Setting {
    let catalogue = Catalogue::built_in().unwrap();
    Setting::new(&Config::parse(yaml, &catalogue).unwrap(), &catalogue)
}

fn decisions() -> Decisions {
    let row = |endpoint: &str, outcome: &str, reason: &str, count| ReasonRow {
        endpoint: endpoint.to_owned(),
        outcome: outcome.to_owned(),
        reason: reason.to_owned(),
        count,
    };
    Decisions {
        records: 96_113,
        unreadable: 2,
        covered: Some((at(MONDAY), at(MONDAY + 14 * 24))),
        by_reason: vec![
            row("mutate", "steer", "net_benefit", 61_020),
            row("mutate", "stay", "baseline_best", 20_443),
            row("mutate", "stay", "holdout", 9_118),
            row("mutate", "bypass", "system_namespace", 5_500),
            row("mutate", "bypass", "stale_snapshot", 32),
        ],
        readings: ReadingStates { fresh: 251_200, estimated: 20_008, stale: 96, missing: 12, unusable: 3 },
    }
}

pub fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(hour * 3600).unwrap()
}

fn made(inputs: Inputs) -> Report {
    build(inputs, MADE_AT.parse().unwrap()).unwrap()
}

/// Two weeks of three namespaces.
pub fn report() -> Report {
    made(of_scope(scope(14, None)))
}

/// What the three namespaces give for a scope.
pub fn of_scope(scope: Scope) -> Inputs {
    inputs(&tenants(), scope, |sums| sums)
}

/// One of the namespaces.
pub fn report_of(namespace: &str) -> Report {
    made(of_scope(scope(14, Some(namespace))))
}

/// Forty namespaces, some with names as long as Kubernetes allows, over a quarter.
pub fn large() -> Report {
    static LARGE: LazyLock<Report> = LazyLock::new(make_large);
    LARGE.clone()
}

fn make_large() -> Report {
    let tenants: Vec<Tenant> = (0..40)
        .map(|index| Tenant {
            namespace: format!("team-{index:02}-{}", "long-name-".repeat(index % 6))
                .trim_end_matches('-')
                .to_owned(),
            kind: "Deployment",
            owners: 1 + index % 2,
            region: "eu-north-1",
            pods_a_day: 3,
            cores: 2000.0 / (1 + index * index) as f64,
            avoided: 0.6 - 0.05 * index as f64,
            saved: 0.05 - 0.005 * index as f64,
        })
        .collect();
    made(inputs(&tenants, scope(91, None), |sums| sums))
}

/// Nothing ran and nothing was decided.
pub fn empty() -> Report {
    let nothing = inputs(&[], scope(7, None), |sums| sums);
    made(Inputs { decisions: Decisions::default(), open: Open::default(), ..nothing })
}

/// The same period where nobody watches pods.
pub fn of_decisions() -> Report {
    let projected = inputs(&tenants(), scope(14, None), |sums| Sums {
        pods: sums.pods,
        steered: sums.steered,
        projected: sums.projected,
        projected_hours: sums.projected_hours,
        ..Sums::default()
    });
    made(Inputs { basis: Basis::Decisions, open: Open::default(), ..projected })
}
