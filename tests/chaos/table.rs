//! What is shown: each fault as it ends, and all of them together, in 80 columns.

use std::collections::BTreeMap;

use crate::judge::Outcome;
use crate::trial::{Cell, ENDPOINTS, Row};

/// What was broken, what was sent, what came back, and what was counted.
pub fn show(row: &Row) {
    println!("  broken    {}", row.broken);
    let sent: Vec<String> = ENDPOINTS
        .iter()
        .zip(&row.cells)
        .map(|(endpoint, cell)| format!("{} /{endpoint}", cell.sent()))
        .collect();
    println!("  sent      {}", sent.join(", "));
    for (endpoint, cell) in ENDPOINTS.iter().zip(&row.cells) {
        let outcomes: Vec<String> =
            cell.outcomes.iter().map(|(outcome, count)| format!("{count} {}", outcome.as_text())).collect();
        println!("  came back {endpoint:<10} {}; the slowest in {:.1?}", outcomes.join(", "), cell.slowest);
    }
    for (series, before, after) in row.counted.iter().filter(|(_, before, after)| before < after) {
        println!("  counted   {series}: {before} -> {after}");
    }
    if let Some(after) = row.recovered_after {
        println!("  recovered by itself, {after:.1?} after it was mended");
    }
    show_problems(row);
}

/// What was not as it has to be, each once with how often.
pub fn show_problems(row: &Row) {
    let mut problems: BTreeMap<&str, usize> = BTreeMap::new();
    for problem in &row.problems {
        *problems.entry(problem).or_default() += 1;
    }
    for (problem, count) in problems {
        println!("  PROBLEM   {count} x {problem}");
    }
}

/// Faults by outcomes.
pub fn sum_up(rows: &[Row], skipped: &[&str], timed: bool) {
    println!("\n{:<23}{:<20}{:<15}{:<14}{:>8}", "FAULT", "/mutate", "/filter", "/prioritize", "slowest");
    for row in rows {
        let outcomes: Vec<Vec<String>> = row.cells.iter().map(short).collect();
        let lines = outcomes.iter().map(Vec::len).max().unwrap_or(1).max(1);
        let slowest = row.cells.iter().map(|cell| cell.slowest).max().unwrap_or_default();
        for line in 0..lines {
            let text = |column: usize| outcomes[column].get(line).map_or("", String::as_str);
            let (name, slowest) =
                if line == 0 { (row.name, format!("{slowest:.0?}")) } else { ("", String::new()) };
            let line = format!("{name:<23}{:<20}{:<15}{:<14}{slowest:>8}", text(0), text(1), text(2));
            println!("{}", line.trim_end());
        }
    }
    for name in skipped {
        println!("{name:<23}skipped: not on this machine");
    }
    let cells = || rows.iter().flat_map(|row| &row.cells);
    let count = |is: fn(&Outcome) -> bool| -> usize {
        let outcomes = cells().flat_map(|cell| &cell.outcomes);
        outcomes.filter(|(outcome, _)| is(outcome)).map(|(_, count)| count).sum()
    };
    println!(
        "\n{} calls under {} faults: {} refused, {} wrongly changed, {}",
        cells().map(Cell::sent).sum::<usize>(),
        rows.len(),
        count(|outcome| matches!(outcome, Outcome::Refused(_))),
        count(|outcome| matches!(outcome, Outcome::Wrong(_))),
        if timed {
            format!("{} over budget", cells().map(|cell| cell.over_budget).sum::<usize>())
        } else {
            "time not judged".to_owned()
        }
    );
}

/// Outcomes as a column has room for them.
fn short(cell: &Cell) -> Vec<String> {
    let mut outcomes: Vec<(&Outcome, &usize)> = cell.outcomes.iter().collect();
    outcomes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    outcomes.iter().map(|(outcome, count)| format!("{count} {:.16}", outcome.as_text())).collect()
}
