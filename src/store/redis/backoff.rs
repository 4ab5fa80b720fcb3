//! How long to leave a server alone that failed.

use std::time::Duration;

use super::options::Timing;

/// Doubles with each failure up to the longest, of which between a half and the whole, at random: replicas that lost
/// the same server do not come back to it as one.
pub(super) fn delay(timing: &Timing, failures: u32) -> Duration {
    // Without randomness the longest wait is as good as any.
    let random = getrandom::u32().unwrap_or(u32::MAX);
    within(timing, failures, f64::from(random) / f64::from(u32::MAX))
}

fn within(timing: &Timing, failures: u32, share: f64) -> Duration {
    let doubled = timing.first_backoff.saturating_mul(2_u32.saturating_pow(failures));
    doubled.min(timing.longest_backoff).mul_f64(0.5 + share / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_longest_and_is_never_less_than_half() {
        let timing = Timing {
            first_backoff: Duration::from_millis(100),
            longest_backoff: Duration::from_secs(1),
            ..Timing::default()
        };
        let wholes = [0, 1, 2, 3, 4, u32::MAX].map(|failures| within(&timing, failures, 1.0).as_millis());
        assert_eq!(wholes, [100, 200, 400, 800, 1000, 1000]);
        assert_eq!(within(&timing, 0, 0.0).as_millis(), 50);
        for _ in 0..100 {
            let delay = delay(&timing, 4);
            assert!((500..=1000).contains(&delay.as_millis()), "{delay:?}");
        }
    }
}
