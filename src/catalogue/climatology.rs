//! What each grid zone's carbon intensity usually is, by month and hour of day.
//!
//! The table is derived from Electricity Maps' data and is under the ODbL: see `data/LICENSE-ODbL.md`.

use std::collections::HashMap;
use std::sync::Arc;

use super::table::{CatalogueError, Table};
use crate::domain::climatology::Climatology;

const CLIMATOLOGY: Table = Table { file: "climatology.csv", columns: &COLUMNS };

#[rustfmt::skip]
const COLUMNS: [&str; 27] = [
    "zone", "month",
    "h00", "h01", "h02", "h03", "h04", "h05", "h06", "h07", "h08", "h09", "h10", "h11",
    "h12", "h13", "h14", "h15", "h16", "h17", "h18", "h19", "h20", "h21", "h22", "h23",
    "source",
];

/// Grams per kWh of the dirtiest power station there is, and more.
const POSSIBLE_GRAMS_PER_KWH: f64 = 1500.0;

/// A year of a zone while its rows come in.
type Year = [Option<[f64; 24]>; 12];

/// Reads `climatology.csv`: twelve rows for each zone.
pub(super) fn read(text: &str) -> Result<HashMap<Box<str>, Arc<Climatology>>, CatalogueError> {
    let mut years: HashMap<Box<str>, Year> = HashMap::new();
    CLIMATOLOGY.rows(text, |row| {
        let zone = row.text("zone")?;
        row.text("source")?;
        let mut means = [0.0; 24];
        for (mean, column) in means.iter_mut().zip(&COLUMNS[2..]) {
            *mean = row.number(column, 0.0..=POSSIBLE_GRAMS_PER_KWH)?;
        }
        let month: usize = row.parsed("month", "a whole number from 1 to 12")?;
        let year = years.entry(zone.into()).or_default();
        let slot = month.checked_sub(1).and_then(|index| year.get_mut(index));
        match slot.ok_or_else(|| row.invalid("month", "a whole number from 1 to 12"))? {
            Some(_) => Err(row.duplicate(format!("{zone} {month}"))),
            empty @ None => {
                *empty = Some(means);
                Ok(())
            }
        }
    })?;
    years.into_iter().map(|(zone, year)| Ok((zone.clone(), whole(&zone, &year)?))).collect()
}

fn whole(zone: &str, year: &Year) -> Result<Arc<Climatology>, CatalogueError> {
    let mut table = [[0.0; 24]; 12];
    for (month, (place, means)) in table.iter_mut().zip(year).enumerate() {
        *place = means.ok_or_else(|| CLIMATOLOGY.absent(format!("`{zone}`, month {}", month + 1)))?;
    }
    // Each value was checked as it was read, so there is no field left to name.
    Climatology::new(table)
        .map(Arc::new)
        .ok_or_else(|| CLIMATOLOGY.absent(format!("`{zone}` with numbers of 0 or more")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(months: impl IntoIterator<Item = u8>) -> String {
        let hours = vec!["1.5"; 24].join(",");
        let rows = months.into_iter().map(|month| format!("XX,{month},{hours},x\n"));
        format!("# A comment.\n{}\n{}", COLUMNS.join(","), rows.collect::<String>())
    }

    #[test]
    fn twelve_months_make_a_zone() {
        let zones = read(&table((1..=12).rev())).unwrap();
        assert!((zones["XX"].annual_mean().0 - 1.5).abs() < 1e-12);
    }

    #[test]
    fn a_zone_without_a_month_is_refused() {
        let error = read(&table((1..=12).filter(|month| *month != 7))).unwrap_err().to_string();
        assert_eq!(error, "climatology.csv: there is no row for `XX`, month 7: add it");
    }

    #[test]
    fn a_month_given_twice_is_refused_with_its_line() {
        let error = read(&table([1, 2, 2])).unwrap_err().to_string();
        assert_eq!(error, "climatology.csv line 5: `XX 2` has a row already: remove one of the two");
    }

    #[test]
    fn a_month_that_is_none_is_refused() {
        for month in [0, 13] {
            let error = read(&table([month])).unwrap_err().to_string();
            let expected = format!(
                "climatology.csv line 3: `month` is `{month}`: put a whole number from 1 to 12 there"
            );
            assert_eq!(error, expected);
        }
    }
}
