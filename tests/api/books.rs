//! Ledger and metrics under pressure: a log that nobody reads takes no more memory than it may, and two servers that
//! scrape at once both see everything.

use std::io::{self, Write};
use std::sync::Barrier;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use eco_pulse::audit::entry::{DecisionIds, Endpoint, Entry, Subject};
use eco_pulse::audit::ledger::{Dropped, Ledger};
use eco_pulse::config::Mode;
use eco_pulse::domain::demand::{Candidate, Candidates, PodDemand};
use eco_pulse::domain::snapshot::CapacityType;
use eco_pulse::domain::units::{Cores, Gibibytes, Gigabytes, Hours};
use eco_pulse::domain::{Decision, WorkloadClass, decide};
use eco_pulse::metrics::Metrics;

use crate::support::{IRELAND_BASE, MAX_AGE, NOON, at, config, snapshot};

/// A log whose reader has gone away: the first line waits until the test ends.
struct Blocked(Receiver<()>);

impl Write for Blocked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // An error: the test's end has been dropped, so that nobody waits for ever.
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn decision() -> Decision {
    let config = config(IRELAND_BASE);
    let snapshot = snapshot(&config, |_| {});
    let candidate = |region| Candidate {
        region,
        capacity_type: CapacityType::OnDemand,
        instance_type: "m5.xlarge".into(),
        mix_weight: 1.0,
        quota_left: None,
    };
    let list = snapshot.regions.iter().map(|(region, _)| candidate(region)).collect();
    let demand = PodDemand {
        cpu: Cores(1.0),
        memory: Gibibytes(1.0),
        gpus: 0,
        hours: Hours(1.0),
        egress: Gigabytes::ZERO,
        data_region: None,
        traffic_region: None,
        class: WorkloadClass::Batch,
        max_latency: None,
        owner_hash: 0,
        defaults: Vec::new(),
    };
    let candidates = Candidates { list, incumbent: None, running_in: None };
    decide(&demand, &candidates, &snapshot, &config.policy(), at(NOON))
}

/// 4,096 entries of 500 regions each would be over half a gigabyte.
#[test]
fn entries_of_many_regions_fill_the_ledger_sooner() {
    const SCORES: usize = 40_000;
    let mut decision = decision();
    decision.scores = decision.scores.iter().cycle().take(SCORES).cloned().collect();
    let ids = DecisionIds::new(1);
    let entry = || Entry {
        at: at(NOON),
        id: ids.next(),
        endpoint: Endpoint::Mutate,
        subject: Subject::default(),
        dry_run: false,
        mode: Mode::Steer,
        policies: Vec::new(),
        decision: decision.clone(),
        demand: None,
        snapshot: None,
        duration: Duration::ZERO,
    };
    let (_held, line) = channel();
    let (ledger, _writer) = Ledger::start("test".to_owned(), Some(Box::new(Blocked(line)))).unwrap();
    // The writer holds one, and may have let go of it: then there is room for one more.
    let taken = (0..6).map(|_| ledger.offer(entry())).take_while(Result::is_ok).count();
    assert!((3..=4).contains(&taken), "{taken}");
    assert_eq!(ledger.offer(entry()), Err(Dropped));
}

#[test]
fn scrapes_at_the_same_time_all_see_every_gauge() {
    let snapshot = snapshot(&config(IRELAND_BASE), |_| {});
    let metrics = Metrics::new().unwrap();
    let expected = metrics.render(Some(&snapshot), MAX_AGE, at(NOON)).unwrap().lines().count();
    let together = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                together.wait();
                for _ in 0..50 {
                    let seen = metrics.render(Some(&snapshot), MAX_AGE, at(NOON)).unwrap();
                    assert_eq!(seen.lines().count(), expected);
                }
            });
        }
    });
}
