//! What machines cost over time, as far as somebody looked: a price holds until the next one, and for as long after the last
//! look as configuration lets a price be old.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::run::PriceKey;

/// A price over some hours.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriceSpan {
    /// The first hour it was seen in, whole hours since 1970.
    pub first_hour: i64,
    /// The last hour it was seen in.
    pub last_hour: i64,
    /// USD an hour.
    pub usd_per_hour: f64,
    /// Half the width of what its source cannot tell apart, USD an hour.
    pub precision_usd_per_hour: f64,
}

/// Prices by what they are of, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PriceBook {
    spans: BTreeMap<PriceKey, Vec<PriceSpan>>,
}

impl PriceBook {
    /// Takes what was kept of one thing's prices.
    pub fn load(&mut self, key: PriceKey, spans: Vec<PriceSpan>) {
        self.spans.insert(key, spans);
    }

    /// What is kept of one thing's prices.
    #[must_use]
    pub fn spans(&self, key: &PriceKey) -> &[PriceSpan] {
        self.spans.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Notes a price as seen in an hour; says whether that is news. What was noted of later hours was noted by a clock that was
    /// ahead, and is not believed.
    pub fn note(
        &mut self,
        key: &PriceKey,
        hour: i64,
        usd_per_hour: f64,
        precision_usd_per_hour: f64,
    ) -> bool {
        let span = PriceSpan { first_hour: hour, last_hour: hour, usd_per_hour, precision_usd_per_hour };
        let Some(spans) = self.spans.get_mut(key) else {
            self.spans.insert(key.clone(), vec![span]);
            return true;
        };
        let before = spans.len();
        spans.retain(|span| span.first_hour <= hour);
        let was_ahead = spans.len() != before || spans.last().is_some_and(|last| last.last_hour > hour);
        match spans.last_mut() {
            Some(last) if last.last_hour > hour => last.last_hour = hour,
            _ => {}
        }
        let is_news = match spans.last_mut() {
            Some(last)
                if (last.usd_per_hour, last.precision_usd_per_hour)
                    == (usd_per_hour, precision_usd_per_hour) =>
            {
                std::mem::replace(&mut last.last_hour, hour) != hour
            }
            // The first price of an hour stands for the whole of it.
            Some(last) if last.last_hour == hour => false,
            _ => {
                spans.push(span);
                true
            }
        };
        is_news || was_ahead
    }

    /// The price in an hour: the last one seen in it or before, if that was at most `max_age_hours` earlier. Before anybody had
    /// looked, what was seen in the next hour counts: a pod bound at the end of an hour is first seen in the next.
    #[must_use]
    pub fn at(&self, key: &PriceKey, hour: i64, max_age_hours: i64) -> Option<PriceSpan> {
        let spans = self.spans(key);
        let before = spans.iter().rev().find(|span| span.first_hour <= hour);
        let span = before.or_else(|| spans.first().filter(|span| span.first_hour == hour + 1))?;
        (hour - span.last_hour <= max_age_hours).then_some(*span)
    }

    /// Forgets what ended before an hour; says of what.
    pub fn forget_before(&mut self, hour: i64) -> Vec<PriceKey> {
        let mut changed = Vec::new();
        self.spans.retain(|key, spans| {
            let before = spans.len();
            spans.retain(|span| span.last_hour >= hour);
            if spans.len() != before {
                changed.push(key.clone());
            }
            !spans.is_empty()
        });
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::snapshot::CapacityType;

    fn key() -> PriceKey {
        PriceKey {
            region: "here".to_owned(),
            instance_type: Some("m".to_owned()),
            capacity_type: CapacityType::Spot,
        }
    }

    fn prices(noted: &[(i64, f64)]) -> PriceBook {
        let mut book = PriceBook::default();
        for (hour, price) in noted {
            book.note(&key(), *hour, *price, 0.0);
        }
        book
    }

    #[test]
    fn a_price_holds_until_the_next_one_and_no_longer_than_it_may_be_old() {
        let book = prices(&[(10, 1.0), (11, 1.0), (14, 2.0)]);
        let at = |hour| book.at(&key(), hour, 5).map(|span| span.usd_per_hour);
        assert_eq!(
            [8, 9, 10, 13, 14, 19, 20].map(at),
            [None, Some(1.0), Some(1.0), Some(1.0), Some(2.0), Some(2.0), None]
        );
        assert_eq!(book.spans(&key()).len(), 2);
    }

    #[test]
    fn what_a_clock_that_was_ahead_noted_is_not_believed() {
        // The same price: it held through hours that nobody has seen yet. And another one: it stood in their way.
        let mut book = prices(&[(10, 1.0), (500, 1.0)]);
        assert!(book.note(&key(), 11, 1.0, 0.0));
        assert_eq!(book.at(&key(), 18, 5), None);
        let mut book = prices(&[(10, 1.0), (500, 2.0)]);
        assert!(book.note(&key(), 11, 3.0, 0.0));
        let at = |hour| book.at(&key(), hour, 5).map(|span| span.usd_per_hour);
        assert_eq!([10, 11, 500].map(at), [Some(1.0), Some(3.0), None]);
        assert_eq!(
            prices(&[(10, 1.0), (11, 2.0), (10, 3.0)]).spans(&key()),
            prices(&[(10, 1.0)]).spans(&key())
        );
    }

    #[test]
    fn the_first_price_of_an_hour_stands() {
        let mut book = prices(&[(10, 1.0), (11, 2.0)]);
        assert!(!book.note(&key(), 11, 4.0, 0.0), "the first price of an hour stands");
        assert!(!book.note(&key(), 11, 2.0, 0.0));
        assert!(book.note(&key(), 12, 4.0, 0.0));
        assert_eq!(book.at(&key(), 11, 0).map(|span| span.usd_per_hour), Some(2.0));
    }

    #[test]
    fn what_is_over_can_be_forgotten() {
        let mut book = prices(&[(10, 1.0), (14, 2.0)]);
        assert_eq!(book.forget_before(12), [key()]);
        assert_eq!(book.at(&key(), 11, 5), None);
        assert_eq!(book.forget_before(20), [key()]);
        assert!(book.spans(&key()).is_empty());
    }
}
