//! The books to and from what is stored.

use super::books::{Books, Closed, OpenRun, Touched};
use super::cells::{HourKey, OwnerKey};
use super::run::{Progress, Run};
use super::stored::{
    CLOSED, CONFIRMED, META, PRICES, PROGRESS, Put, RUNS, TOTALS, Unreadable, hours_of, owners_of, read,
    write,
};
use super::sums::Sums;
use super::totals::Total;

/// The tables that are read at the start.
pub const AT_THE_START: [&str; 6] = [RUNS, PROGRESS, CLOSED, PRICES, TOTALS, META];

impl Books {
    /// Takes one table of [`AT_THE_START`], in that order.
    ///
    /// # Errors
    /// Something in it is not what this release writes.
    pub fn load(&mut self, table: &str, entries: &[(String, String)]) -> Result<(), Unreadable> {
        for (field, value) in entries {
            match table {
                RUNS => {
                    let run: Run = read(table, field, value)?;
                    let progress = Progress::default();
                    self.runs.insert(field.clone(), OpenRun { run, progress });
                }
                PROGRESS => {
                    if let Some(open) = self.runs.get_mut(field) {
                        open.progress = read(table, field, value)?;
                    }
                }
                CLOSED => {
                    self.closed.insert(field.clone(), read(table, field, value)?);
                }
                PRICES => self.prices.load(read(table, field, field)?, read(table, field, value)?),
                TOTALS => {
                    let mut total: Total = read(table, field, field)?;
                    self.namespaces.extend(total.namespace_mut().map(|namespace| namespace.clone()));
                    self.totals.insert(total, read(table, field, value)?);
                }
                META if field == CONFIRMED => self.confirmed = read(table, field, value)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes the figures of one day.
    ///
    /// # Errors
    /// Something in them is not what this release writes.
    pub fn load_day(
        &mut self,
        day: i64,
        hours: &[(String, String)],
        owners: &[(String, String)],
    ) -> Result<(), Unreadable> {
        if !self.days.insert(day) {
            return Ok(());
        }
        let table = hours_of(day);
        for (field, value) in hours {
            self.hours.insert(HourKey::read(&table, field)?, Sums::from_text(&table, field, value)?);
        }
        for (field, value) in owners {
            let sums = Sums::from_text(&owners_of(day), field, value)?;
            self.owners.insert(OwnerKey::read(day, field)?, sums);
        }
        Ok(())
    }

    /// What has changed since this was last called; to be stored as a whole.
    pub fn take_changes(&mut self) -> Vec<Put> {
        let touched = std::mem::take(&mut self.touched);
        touched.into_iter().map(|touched| self.put(touched)).collect()
    }

    fn put(&self, touched: Touched) -> Put {
        let put = |table: &str, field: String, value: Option<String>| Put {
            table: table.to_owned(),
            field,
            value,
            keep_until: None,
        };
        match touched {
            Touched::Run(uid) => {
                let value = self.runs.get(&uid).map(|open| write(&open.run));
                put(RUNS, uid, value)
            }
            Touched::Progress(uid) => {
                let value = self.runs.get(&uid).map(|open| write(&open.progress));
                put(PROGRESS, uid, value)
            }
            Touched::Closed(uid) => {
                let value: Option<&Closed> = self.closed.get(&uid);
                let value = value.map(write);
                put(CLOSED, uid, value)
            }
            Touched::Hour(key) => Put {
                keep_until: Some(self.hours_kept_until(key.day())),
                ..put(&hours_of(key.day()), key.field(), self.hours.get(&key).map(Sums::to_text))
            },
            Touched::Owner(key) => Put {
                keep_until: Some(self.owners_kept_until(key.day)),
                ..put(&owners_of(key.day), key.field(), self.owners.get(&key).map(Sums::to_text))
            },
            Touched::Price(key) => {
                let spans = self.prices.spans(&key);
                put(PRICES, write(&key), (!spans.is_empty()).then(|| write(&spans)))
            }
            Touched::Total(total) => put(TOTALS, write(&total), self.totals.get(&total).map(write)),
            Touched::Confirmed => put(META, CONFIRMED.to_owned(), Some(write(&self.confirmed))),
        }
    }
}
