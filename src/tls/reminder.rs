//! When somebody has to be told that a certificate ends: a week before, and then once a day.

use jiff::{SignedDuration, Timestamp};

use super::{Certificate, ValidityState};

/// Less than this is left, and nobody has renewed it: somebody has to look.
const NEAR: SignedDuration = SignedDuration::from_hours(7 * 24);
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// Remembers what was said when.
#[derive(Debug, Default)]
pub struct Reminder {
    last: Option<Said>,
}

#[derive(Clone, Copy, Debug)]
struct Said {
    at: Timestamp,
    state: ValidityState,
    /// Of which certificate.
    ends: Timestamp,
}

impl Reminder {
    /// What to say about the certificate in use, if anything is due.
    pub fn due(&mut self, certificate: &Certificate, now: Timestamp) -> Option<String> {
        let validity = certificate.validity();
        let state = validity.state(now);
        let text = match certificate.warning(now) {
            Some(warning) => warning,
            None if now.duration_until(validity.not_after) < NEAR => format!(
                "the TLS certificate for {} ends at {}, and nobody has renewed it: renew it, or look why that fails",
                certificate.names().join(", "),
                validity.not_after,
            ),
            None => {
                self.last = None;
                return None;
            }
        };
        let is_said = self.last.is_some_and(|said| {
            said.state == state
                && said.ends == validity.not_after
                && said.at <= now
                && said.at.duration_until(now) < A_DAY
        });
        if is_said {
            return None;
        }
        self.last = Some(Said { at: now, state, ends: validity.not_after });
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;
    use crate::tls::issue;

    #[test]
    fn it_tells_in_the_last_week_once_a_day_and_at_the_end() {
        let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let certificate = issue(&["localhost".parse().unwrap()], start).unwrap().certificate().unwrap();
        let ends = certificate.validity().not_after;
        let mut reminder = Reminder::default();
        let mut due = |hours_before: i64| reminder.due(&certificate, ends - hours_before.hours());
        assert_eq!(due(24 * 300), None);
        assert_eq!(due(24 * 7), None);
        let text = due(24 * 7 - 1).unwrap();
        assert!(text.contains("for localhost ends at 2027-03-01T11:55:00Z"), "{text}");
        assert_eq!(due(24 * 7 - 2), None, "said an hour ago");
        assert_eq!(due(24 * 6), None);
        assert!(due(24 * 6 - 1).is_some(), "a day later");
        assert!(due(24 * 5 - 2).is_some());
        assert_eq!(due(24 * 5 - 3), None);
        assert!(due(-1).unwrap().contains("expired"), "the end is told at once");
        assert_eq!(due(-2), None);
    }

    #[test]
    fn another_certificate_and_a_clock_that_jumps_are_told_of_at_once() {
        let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let issue_at = |at| issue(&["localhost".parse().unwrap()], at).unwrap().certificate().unwrap();
        let (one, other) = (issue_at(start), issue_at(start + 1.hour()));
        let now = one.validity().not_after - 24.hours();
        let mut reminder = Reminder::default();
        assert!(reminder.due(&one, now).is_some());
        assert_eq!(reminder.due(&one, now), None);
        assert!(reminder.due(&other, now).is_some(), "it ends soon as well");
        assert!(reminder.due(&other, now - 1.hour()).is_some(), "what was said in the future counts not");
        assert_eq!(reminder.due(&issue_at(now), now), None);
    }
}
