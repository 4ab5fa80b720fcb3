//! A report as one flat file of comma-separated values (RFC 4180), a row a fact: `section` says what a row is, and what does
//! not bear on it, or is not known, is an empty cell and never 0. Numbers are as precise as they are kept.

use super::known::Known as _;
use super::model::{Estimate, GroupFigures, Report, Step};
use crate::accounts::cells::{DAY_HOURS, HOUR_SECONDS};
use crate::accounts::sums::{COUNTERFACTUALS, Group, Sums};
use crate::domain::Against;

/// What identifies a row.
const KEYS: [&str; 13] = [
    "section",
    "from",
    "to",
    "namespace",
    "owner_kind",
    "owner",
    "region",
    "group",
    "endpoint",
    "outcome",
    "reason",
    "replica",
    "hash",
];
/// Figures of sums that do not depend on a counterfactual.
const SUMS: [&str; 14] = [
    "pods",
    "steered",
    "missed",
    "moves_ended",
    "moves_gained",
    "core_hours",
    "measured_hours",
    "estimated_hours",
    "missing_hours",
    "energy_kwh",
    "emissions_g",
    "cost_usd",
    "unpriced_hours",
    "projected_hours",
];
/// Figures against a counterfactual, behind its name.
const AGAINST: [&str; 7] = [
    "avoided_projected_g",
    "avoided_realised_g",
    "saved_projected_usd",
    "saved_realised_usd",
    "compared_hours",
    "emissions_g",
    "cost_usd",
];
/// Figures that only some sections have.
const OTHERS: [&str; 8] = [
    "owners",
    "emissions_g_per_core_hour",
    "cost_usd_per_core_hour",
    "value",
    "low",
    "high",
    "count",
    "waiting_hours",
];

/// The columns, in order.
#[must_use]
pub fn columns() -> Vec<String> {
    let against = Against::ALL
        .into_iter()
        .flat_map(|against| AGAINST.map(|figure| format!("{}_{figure}", against.as_str())));
    let plain = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    plain(&KEYS).into_iter().chain(plain(&SUMS)).chain(against).chain(plain(&OTHERS)).collect()
}

/// The whole report.
///
/// # Errors
/// Never in memory; the writer's own error otherwise.
pub fn csv(report: &Report) -> Result<Vec<u8>, csv::Error> {
    let mut rows = Rows { columns: columns(), writer: csv::Writer::from_writer(Vec::new()), report };
    rows.writer.write_record(&rows.columns)?;
    rows.row("basis", &[("reason", report.basis.as_str().to_owned())])?;
    for note in &report.notes {
        rows.row("note", &[("reason", note.clone())])?;
    }
    rows.sums("total", &[], &report.total, Group::Decided)?;
    for row in &report.namespaces {
        rows.sums("namespace", &[("namespace", row.namespace.clone())], &row.sums, Group::Decided)?;
    }
    rows.series()?;
    rows.owners()?;
    rows.inventory()?;
    rows.holdout()?;
    rows.decisions()?;
    let open = report.open;
    let waiting = number(open.waiting_hours);
    rows.row("open", &[("count", open.running.to_string()), ("waiting_hours", waiting)])?;
    for head in &report.heads {
        let of =
            [("replica", head.replica.clone()), ("hash", head.hash.clone()), ("count", head.seq.to_string())];
        rows.row("ledger_head", &of)?;
    }
    rows.writer.into_inner().map_err(|error| error.into_error().into())
}

type Field = (&'static str, String);

struct Rows<'r> {
    columns: Vec<String>,
    writer: csv::Writer<Vec<u8>>,
    report: &'r Report,
}

impl Rows<'_> {
    fn row(&mut self, section: &str, fields: &[Field]) -> Result<(), csv::Error> {
        let owned: Vec<(String, String)> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.write(section, &owned)
    }

    /// Over the report's period, unless the fields say another.
    fn write(&mut self, section: &str, fields: &[(String, String)]) -> Result<(), csv::Error> {
        let cell = |column: &String| {
            let given = fields.iter().find(|(name, _)| name == column).map(|(_, value)| value.clone());
            given.unwrap_or_else(|| match column.as_str() {
                "section" => section.to_owned(),
                "from" => self.report.from.to_string(),
                "to" => self.report.to.to_string(),
                _ => String::new(),
            })
        };
        let record: Vec<String> = self.columns.iter().map(cell).map(inert).collect();
        self.writer.write_record(record)
    }

    /// Nothing was decided for the control group: against whatever it is compared with, it avoids and saves nothing by
    /// definition.
    fn sums(&mut self, section: &str, keys: &[Field], sums: &Sums, group: Group) -> Result<(), csv::Error> {
        let realised = self.report.has_realised();
        let keys = keys.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let mut fields: Vec<(String, String)> = keys.chain(plain(sums, realised)).collect();
        if group == Group::Decided {
            fields.extend(compared(sums, realised));
        }
        self.write(section, &fields)
    }

    fn series(&mut self) -> Result<(), csv::Error> {
        let (section, hours) = match self.report.step {
            Step::Hour => ("hour", 1),
            Step::Day => ("day", DAY_HOURS),
        };
        let seconds = hours * HOUR_SECONDS;
        for point in &self.report.series {
            // The last day ends with the period, the first with its day.
            let next = (point.start.as_second().div_euclid(seconds) + 1) * seconds;
            let end = next.min(self.report.to.as_second()).div_euclid(HOUR_SECONDS);
            let end = super::period::hour_start(end).to_string();
            self.sums(
                section,
                &[("from", point.start.to_string()), ("to", end)],
                &point.sums,
                Group::Decided,
            )?;
        }
        Ok(())
    }

    fn owners(&mut self) -> Result<(), csv::Error> {
        let owners = &self.report.owners;
        let Some((from, to)) = owners.covered else { return Ok(()) };
        for row in &owners.rows {
            let keys = [
                ("from", from.to_string()),
                ("to", to.to_string()),
                ("namespace", row.namespace.clone()),
                ("owner_kind", row.kind.clone()),
                ("owner", row.name.clone()),
                ("group", row.group.as_str().to_owned()),
            ];
            self.sums("owner", &keys, &row.sums, row.group)?;
        }
        Ok(())
    }

    fn inventory(&mut self) -> Result<(), csv::Error> {
        for row in &self.report.inventory {
            let fields = [
                ("namespace", row.namespace.clone()),
                ("region", row.region.clone()),
                ("core_hours", number(row.core_hours)),
                ("energy_kwh", number(row.energy_kwh)),
                ("emissions_g", number(row.emissions_g)),
                ("missing_hours", number(row.missing_hours)),
            ];
            self.row("inventory", &fields)?;
        }
        Ok(())
    }

    fn holdout(&mut self) -> Result<(), csv::Error> {
        let Some(holdout) = &self.report.holdout else { return Ok(()) };
        for (name, group) in [("decided", &holdout.decided), ("holdout", &holdout.holdout)] {
            self.row("control_group", &group_fields(name, group))?;
        }
        let estimates = [("reduction", holdout.reduction), ("saving", holdout.saving)];
        for (name, estimate) in estimates {
            if let Some(estimate) = estimate {
                self.row(name, &estimate_fields(estimate))?;
            }
        }
        Ok(())
    }

    fn decisions(&mut self) -> Result<(), csv::Error> {
        let decisions = &self.report.decisions;
        for row in &decisions.by_reason {
            let fields = [
                ("endpoint", row.endpoint.clone()),
                ("outcome", row.outcome.clone()),
                ("reason", row.reason.clone()),
                ("count", row.count.to_string()),
            ];
            self.row("decisions", &fields)?;
        }
        self.row("unreadable", &[("count", decisions.unreadable.to_string())])?;
        for (state, count) in decisions.readings.named() {
            self.row("readings", &[("reason", state.to_owned()), ("count", count.to_string())])?;
        }
        Ok(())
    }
}

/// What a spreadsheet would take for a formula it takes for text behind an apostrophe: an owner's name is whatever its pod says.
fn inert(cell: String) -> String {
    let may_be_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    if may_be_formula { format!("'{cell}") } else { cell }
}

fn number(value: f64) -> String {
    value.to_string()
}

fn known(value: Option<f64>) -> String {
    value.map_or_else(String::new, number)
}

fn group_fields(name: &str, group: &GroupFigures) -> [Field; 6] {
    [
        ("group", name.to_owned()),
        ("owners", group.owners.to_string()),
        ("pods", group.pods.to_string()),
        ("core_hours", number(group.core_hours)),
        ("emissions_g_per_core_hour", known(group.emissions_g_per_core_hour)),
        ("cost_usd_per_core_hour", known(group.cost_usd_per_core_hour)),
    ]
}

fn estimate_fields(estimate: Estimate) -> [Field; 3] {
    [("value", number(estimate.value)), ("low", known(estimate.low)), ("high", known(estimate.high))]
}

/// Every figure of sums by themselves under its column; those that nobody watched for are empty.
fn plain(sums: &Sums, realised: bool) -> Vec<(String, String)> {
    let watched = |text: String| if realised { text } else { String::new() };
    let actual = sums.actual;
    let plain = [
        sums.pods.to_string(),
        sums.steered.to_string(),
        watched(sums.missed.to_string()),
        watched(sums.moves_ended.to_string()),
        watched(sums.moves_gained.to_string()),
        watched(number(sums.core_hours)),
        watched(number(sums.measured_hours)),
        watched(number(sums.estimated_hours)),
        watched(number(sums.missing_hours)),
        watched(number(actual.energy_kwh)),
        watched(known(sums.known_emissions())),
        watched(known(sums.known_cost())),
        watched(number(actual.unpriced_hours)),
        number(sums.projected_hours),
    ];
    SUMS.iter().zip(plain).map(|(name, value)| ((*name).to_owned(), value)).collect()
}

/// Likewise those against each counterfactual.
fn compared(sums: &Sums, realised: bool) -> Vec<(String, String)> {
    let watched = |text: String| if realised { text } else { String::new() };
    let mut fields = Vec::new();
    for index in 0..COUNTERFACTUALS {
        let name = Against::ALL[index].as_str();
        let (compared, priced) = (sums.known_against(index), sums.known_cost_against(index));
        let of = |figure: fn(&crate::accounts::sums::Compared) -> f64| {
            watched(known(compared.map(|of| figure(&of))))
        };
        let all = [
            known(sums.projected_g(index)),
            of(|compared| compared.avoided_g),
            known(sums.projected_usd(index)),
            watched(known(priced.map(|compared| compared.saved_usd))),
            of(|compared| compared.hours),
            of(|compared| compared.emissions_g),
            watched(known(priced.map(|compared| compared.cost_usd))),
        ];
        fields.extend(AGAINST.iter().zip(all).map(|(figure, value)| (format!("{name}_{figure}"), value)));
    }
    fields
}
