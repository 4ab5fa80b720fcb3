//! The promises of the schedule, kept over hours of made-up requests.

use proptest::prelude::*;

use super::*;

const INTERVAL: Duration = Duration::from_mins(5);

fn start() -> Instant {
    crate::clock::timer_now()
}

fn error(failure: Failure) -> FetchError {
    FetchError::new(failure, "said so")
}

/// Runs a schedule from `start` for `length`; every request takes `takes` and comes out as `outcome` says. Gives the
/// start of every request with its zone, and the most that were ever under way together.
fn run(
    schedule: &mut Schedule,
    start: Instant,
    length: Duration,
    takes: Duration,
    mut outcome: impl FnMut(usize, Instant) -> Option<FetchError>,
) -> (Vec<(Instant, usize)>, usize) {
    let (mut asked, mut most, mut now) = (Vec::new(), 0, start);
    let mut under_way: Vec<(Instant, usize)> = Vec::new();
    while now < start + length {
        let back = under_way.iter().map(|(at, _)| *at).min();
        match schedule.next(now) {
            Next::Ask(zone) => {
                schedule.started(zone, now, 0.5);
                asked.push((now, zone));
                under_way.push((now + takes, zone));
                most = most.max(under_way.len());
                continue;
            }
            Next::At(at) => now = back.map_or(at, |back| back.min(at)),
            Next::Wait => match back {
                Some(back) => now = back,
                None => break,
            },
        }
        under_way.retain(|(at, zone)| {
            let is_back = *at <= now;
            if is_back {
                schedule.finished(*zone, now, outcome(*zone, now).as_ref(), true);
            }
            !is_back
        });
    }
    (asked, most)
}

fn schedule(zones: usize, now: Instant) -> Schedule {
    Schedule::new(INTERVAL, std::iter::repeat_n(Duration::ZERO, zones), now)
}

#[test]
fn a_round_begins_at_once_and_ends_soon() {
    let start = start();
    let mut schedule = schedule(25, start);
    let (asked, most) = run(&mut schedule, start, INTERVAL, Duration::from_millis(200), |_, _| None);
    assert_eq!(asked.len(), 25);
    assert!(asked[24].0 <= start + Duration::from_secs(3));
    assert!(most <= MOST_UNDER_WAY);
    assert!(asked.windows(2).all(|pair| pair[1].0 - pair[0].0 >= PACE), "one after the other");
}

#[test]
fn a_provider_that_does_not_answer_is_asked_by_few_requests_at_a_time() {
    let start = start();
    let mut schedule = schedule(25, start);
    let (_, most) = run(&mut schedule, start, INTERVAL, Duration::from_secs(15), |_, _| None);
    assert_eq!(most, MOST_UNDER_WAY);
}

#[test]
fn a_zone_that_fails_is_asked_less_and_less_often_and_as_before_once_it_answers() {
    let start = start();
    let mut schedule = schedule(1, start);
    let recovers = start + Duration::from_mins(100);
    let (asked, _) = run(&mut schedule, start, Duration::from_hours(4), Duration::ZERO, |_, now| {
        (now < recovers).then(|| error(Failure::NoData))
    });
    let interval = INTERVAL.mul_f64(1.0 + JITTER / 2.0).as_secs();
    let gaps: Vec<u64> =
        asked.windows(2).map(|pair| (pair[1].0 - pair[0].0).as_secs().div_ceil(interval)).collect();
    assert_eq!(gaps[..4], [1, 2, 4, 8]);
    assert_eq!(gaps[gaps.len() - 3..], [1, 1, 1]);
}

#[test]
fn a_zone_that_fails_does_not_slow_the_others() {
    let start = start();
    let mut schedule = schedule(3, start);
    let (asked, _) = run(&mut schedule, start, Duration::from_hours(1), Duration::ZERO, |zone, _| {
        (zone == 0).then(|| error(Failure::NotInPlan))
    });
    let of = |wanted| asked.iter().filter(|(_, zone)| *zone == wanted).count();
    assert!(of(0) <= 4, "{}", of(0));
    assert_eq!((of(1), of(2)), (12, 12));
    assert!(!schedule.is_open());
}

#[test]
fn a_provider_that_fails_again_and_again_is_left_alone_then_asked_once() {
    let start = start();
    let mut schedule = schedule(25, start);
    let recovers = start + Duration::from_mins(31);
    let mut open_at = Vec::new();
    let (asked, _) = run(&mut schedule, start, Duration::from_hours(2), Duration::ZERO, |_, now| {
        let down = now < recovers;
        if down {
            open_at.push(now);
        }
        down.then(|| error(Failure::Outage))
    });
    let in_outage = asked.iter().filter(|(at, _)| *at < recovers).count();
    // Five open it; then after 5, 10 and 20 minutes one each.
    assert!(in_outage <= 8, "{in_outage} requests to a provider that is down");
    assert!(!schedule.is_open());
    let after: std::collections::BTreeSet<usize> =
        asked.iter().filter(|(at, _)| *at >= recovers).map(|(_, zone)| *zone).collect();
    assert_eq!(after.len(), 25, "all zones are asked again");
}

#[test]
fn who_asks_to_be_left_alone_is() {
    let start = start();
    let mut schedule = schedule(10, start);
    let throttled = FetchError { retry_after: Some(Duration::from_mins(20)), ..error(Failure::Throttled) };
    schedule.started(0, start, 0.0);
    schedule.finished(0, start, Some(&throttled), true);
    assert_eq!(schedule.next(start), Next::At(start + Duration::from_mins(20)));
}

#[test]
fn a_zone_that_may_not_be_asked_about_is_not() {
    let start = start();
    let mut schedule = schedule(2, start);
    schedule.allow(0, false);
    let (asked, _) = run(&mut schedule, start, Duration::from_hours(1), Duration::ZERO, |_, _| None);
    assert!(asked.iter().all(|(_, zone)| *zone == 1));
    schedule.allow(1, false);
    assert_eq!(schedule.next(start), Next::Wait);
}

#[test]
fn a_side_question_that_fails_costs_the_zone_nothing() {
    let start = start();
    let mut schedule = schedule(1, start);
    schedule.started(0, start, 0.0);
    schedule.finished(0, start, Some(&error(Failure::NotInPlan)), false);
    assert_eq!(schedule.next(start), Next::At(start + INTERVAL));
}

#[test]
fn once_the_provider_answers_again_its_zones_have_nothing_to_make_up_for() {
    let start = start();
    let mut schedule = schedule(8, start);
    let recovers = start + Duration::from_hours(3);
    let (asked, _) = run(&mut schedule, start, Duration::from_hours(5), Duration::ZERO, |_, now| {
        (now < recovers).then(|| error(Failure::Outage))
    });
    let answered = asked.iter().map(|(at, _)| *at).find(|at| *at >= recovers).unwrap();
    let soon = asked.iter().filter(|(at, _)| (answered..answered + INTERVAL * 2).contains(at));
    let zones: std::collections::BTreeSet<usize> = soon.map(|(_, zone)| *zone).collect();
    assert_eq!(zones.len(), 8);
}

#[test]
fn a_renewed_token_is_tried_within_an_interval() {
    let start = start();
    for failure in [Failure::BadToken, Failure::NoToken] {
        let mut schedule = schedule(8, start);
        let renewed = start + Duration::from_hours(3);
        let (asked, _) = run(&mut schedule, start, Duration::from_hours(4), Duration::ZERO, |_, now| {
            (now < renewed).then(|| error(failure))
        });
        let first = asked.iter().map(|(at, _)| *at).find(|at| *at >= renewed).unwrap();
        assert!(first - renewed <= INTERVAL * 2, "{failure:?}: {:?}", first - renewed);
    }
}

#[test]
fn waiting_for_what_has_come_ends_and_other_waiting_does_not() {
    let start = start();
    let mut schedule = schedule(1, start);
    schedule.hold(start, Duration::from_secs(3));
    schedule.release(start, Duration::from_secs(3));
    assert_eq!(schedule.next(start), Next::Ask(0));
    schedule.hold(start, Duration::from_mins(20));
    schedule.release(start, Duration::from_secs(3));
    assert_eq!(schedule.next(start), Next::At(start + Duration::from_mins(20)));
}

#[test]
fn a_provider_that_wants_to_be_left_alone_is_not_waited_for() {
    let start = start();
    let mut schedule = schedule(2, start);
    schedule.started(0, start, 0.0);
    assert!(schedule.is_due(start), "of the second zone");
    let asks_for =
        |seconds| FetchError { retry_after: Some(Duration::from_secs(seconds)), ..error(Failure::Throttled) };
    schedule.finished(0, start, Some(&asks_for(1)), true);
    assert!(schedule.is_due(start));
    schedule.finished(0, start, Some(&asks_for(60)), true);
    assert!(!schedule.is_due(start));
}

proptest! {
    /// However requests come out and however long they take: no zone twice within an interval, so never more requests
    /// within an interval than there are zones.
    #[test]
    fn no_zone_is_asked_twice_within_an_interval(
        zones in 1_usize..40,
        takes_ms in 0_u64..400_000,
        outcomes in prop::collection::vec(0_u8..6, 1..50),
    ) {
        let start = start();
        let mut schedule = schedule(zones, start);
        let mut round = 0;
        let (asked, _) = run(&mut schedule, start, Duration::from_hours(2), Duration::from_millis(takes_ms), |_, _| {
            round += 1;
            match outcomes[round % outcomes.len()] {
                0 => Some(error(Failure::Outage)),
                1 => Some(error(Failure::NoData)),
                2 => Some(FetchError { retry_after: Some(Duration::from_secs(7)), ..error(Failure::Throttled) }),
                _ => None,
            }
        });
        for zone in 0..zones {
            let times: Vec<Instant> = asked.iter().filter(|(_, of)| *of == zone).map(|(at, _)| *at).collect();
            prop_assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= INTERVAL));
        }
        prop_assert!(asked.len() >= zones.min(5), "somebody is asked");
    }
}

#[test]
fn a_circuit_that_is_closed_by_a_late_answer_is_closed() {
    let now = start();
    let mut schedule = schedule(10, now);
    for zone in 0..6 {
        schedule.started(zone, now, 0.0);
    }
    for zone in 0..5 {
        schedule.finished(zone, now, Some(&error(Failure::Outage)), true);
    }
    assert!(schedule.is_open());
    schedule.finished(5, now, None, true);
    assert!(!schedule.is_open());
    let soon = now + Duration::from_secs(1);
    assert!(matches!(schedule.next(soon), Next::Ask(_)), "{:?}", schedule.next(soon));
}
