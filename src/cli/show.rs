//! A decision as text for a terminal of 80 columns: what the pod asks for, every region with every term, and why.

pub(super) mod patch;
pub(super) mod record;
mod words;

use self::record::{Demand, Record, RegionRow};
use super::table::{Align, Table};
use crate::domain::counterfactual::SCHEDULER_MIX;

pub(super) use self::words::why;

/// What every line has to fit into.
pub(super) const COLUMNS: usize = 80;
const INDENT: &str = "  ";

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) colour: bool,
}

impl Style {
    /// Colour on a terminal that has not asked for none (<https://no-color.org>).
    pub(super) fn of_stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { colour: wanted && std::io::IsTerminal::is_terminal(&std::io::stdout()) }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(super) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The whole story, line by line. `warnings` go to people only and are not part of a record.
pub(super) fn decision(record: &Record, warnings: &[String], style: Style) -> Vec<String> {
    let mut lines = vec![style.bold(&title(record))];
    if let Some(demand) = &record.demand {
        lines.push(format!("{INDENT}asks for  {}", asks_for(demand)));
        if !demand.defaults.is_empty() {
            let assumed: Vec<String> =
                demand.defaults.iter().map(|default| default.replace('_', " ")).collect();
            lines.push(style.dim(&format!("{INDENT}assumed   {}", assumed.join(", "))));
        }
    }
    lines.extend(warnings.iter().map(|warning| format!("{INDENT}warning   {warning}")));
    if !record.regions.is_empty() {
        lines.extend(regions(record, style).into_iter().map(|line| format!("{INDENT}{line}")));
    }
    lines.extend(verdict(record, style).into_iter().map(|line| format!("{INDENT}{line}")));
    lines
}

/// Whose pod this is.
pub(super) fn title(record: &Record) -> String {
    let owner =
        record.owner.as_ref().map(|owner| format!("  ({} {})", owner.kind, owner.name)).unwrap_or_default();
    let namespace = if record.namespace.is_empty() { "default" } else { &record.namespace };
    format!("{namespace}/{}{owner}", record.pod)
}

fn asks_for(demand: &Demand) -> String {
    let gpus = match demand.gpus {
        0 => String::new(),
        1 => ", 1 GPU".to_owned(),
        gpus => format!(", {gpus} GPUs"),
    };
    let data = demand.data_region.as_ref().map(|region| format!(" with {region}")).unwrap_or_default();
    format!(
        "{} CPU, {} GiB{gpus} for {} h; {} GB moved{data}; {}",
        short(demand.cpu_cores),
        short(demand.memory_gib),
        short(demand.hours),
        short(demand.egress_gb),
        demand.class,
    )
}

/// A number without digits that say nothing.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Signed dollars: to a hundredth of a cent, the scale carbon is worth something on; large ones to as many digits.
pub(super) fn usd(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    match value.abs() {
        ..0.000_05 if value > 0.0 => "+~0".to_owned(),
        ..0.000_05 => "-~0".to_owned(),
        ..9.999_95 => format!("{value:+.4}"),
        ..99.999_5 => format!("{value:+.3}"),
        _ => format!("{value:+.2}"),
    }
}

fn regions(record: &Record, style: Style) -> Vec<String> {
    let mut table = Table::new(&[
        ("REGION", Align::Left),
        ("g/kWh", Align::Right),
        ("PRICE", Align::Right),
        ("CARBON", Align::Right),
        ("LATENCY", Align::Right),
        ("EGRESS", Align::Right),
        ("MOVE", Align::Right),
        ("NET USD", Align::Right),
        ("", Align::Left),
    ]);
    for row in &record.regions {
        let term = |value: Option<f64>| value.map_or_else(|| "?".to_owned(), usd);
        let terms = row.terms_usd;
        table.row([
            row.name.clone(),
            row.intensity_g_per_kwh.map_or_else(|| "?".to_owned(), |grams| format!("{grams:.0}")),
            term(terms.map(|terms| terms.price)),
            term(terms.map(|terms| terms.carbon)),
            term(terms.map(|terms| terms.latency)),
            term(terms.map(|terms| terms.egress)),
            term(terms.map(|terms| terms.migration)),
            term(row.net_benefit_usd),
            remark(row, record).to_owned(),
        ]);
    }
    let is_preferred = |index: usize| {
        let row = index.checked_sub(1).and_then(|row| record.regions.get(row));
        row.is_some_and(|row| record.target_region.as_ref() == Some(&row.name))
    };
    table
        .lines_within(COLUMNS - INDENT.len())
        .into_iter()
        .enumerate()
        .map(|(index, line)| match index {
            0 => style.dim(&line),
            _ if is_preferred(index) => style.green(&line),
            _ => line,
        })
        .collect()
}

fn remark<'r>(row: &'r RegionRow, record: &Record) -> &'r str {
    let is_base = record.baseline_region.as_ref() == Some(&row.name);
    let is_preferred = record.target_region.as_ref() == Some(&row.name);
    match (is_preferred, is_base, &row.excluded) {
        (true, false, _) => "<- here",
        (true, true, _) => "<- base",
        (false, true, _) => "base",
        (false, false, Some(exclusion)) => words::excluded(exclusion, &row.state),
        (false, false, None) => "",
    }
}

/// What was decided, in capitals, and its reason.
pub(super) fn headline(record: &Record) -> String {
    let word = record.outcome.to_uppercase();
    let reason = &record.reason;
    match (record.outcome.as_str(), &record.target_region) {
        ("steer", Some(target)) => format!("{word} to {target}, away from {} ({reason})", base(record)),
        ("stay", Some(target)) => format!("{word}: prefers {target} ({reason})"),
        _ => format!("{word}: left as it came ({reason})"),
    }
}

fn base(record: &Record) -> String {
    match record.baseline_region.as_deref() {
        Some(SCHEDULER_MIX) => format!("the {SCHEDULER_MIX} mix"),
        Some(region) => region.to_owned(),
        None => String::new(),
    }
}

fn verdict(record: &Record, style: Style) -> Vec<String> {
    let mut lines = vec![style.bold(&headline(record)), format!("{}.", why(&record.reason))];
    if let Some(projected) = record.projected {
        lines.push(format!(
            "projected against {}: {} USD, {} kgCO2e avoided",
            base(record),
            usd(projected.usd),
            kilograms(projected.co2e_g),
        ));
        if record.outcome == "steer" {
            lines.push(style.dim(&format!(
                "(modelled from {:.3} kWh; USD attributed: a bill changes when nodes scale)",
                projected.kwh
            )));
        }
    }
    lines
}

/// Grams as signed kilograms.
pub(super) fn kilograms(grams: f64) -> String {
    if grams == 0.0 { "0".to_owned() } else { format!("{:+.4}", grams / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_take_seven_columns_up_to_a_thousand() {
        for (value, text) in [
            (0.0, "0"),
            (0.000_01, "+~0"),
            (-0.000_049, "-~0"),
            (0.000_05, "+0.0001"),
            (-9.999_9, "-9.9999"),
            (9.999_96, "+10.000"),
            (-25.0, "-25.000"),
            (99.999_9, "+100.00"),
            (-999.99, "-999.99"),
        ] {
            assert_eq!(usd(value), text, "{value}");
        }
    }
}
