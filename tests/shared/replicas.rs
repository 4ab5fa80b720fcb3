//! Replicas in this process, on the test's clock, and on store times that a test can wait for.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use eco_pulse::app::{App, Options, Role};
use eco_pulse::catalogue::Catalogue;
use eco_pulse::config::Config;
use eco_pulse::store::Timing;

use crate::callers::{Address, Callers};
use crate::grid::{Grid, Hands, REGIONS};

/// Long enough for a busy machine to keep the lock, short enough to wait for its end.
pub const TIMING: Timing = Timing {
    lock_period: Duration::from_secs(1),
    poll: Duration::from_millis(100),
    connect: Duration::from_secs(1),
    command: Duration::from_millis(500),
    first_backoff: Duration::from_millis(20),
    longest_backoff: Duration::from_millis(200),
};

/// A debug build on a busy machine is given its time, and one region takes as many pods as there are.
pub const EASY: &str = "decision: {deadline: 900ms}\nherd: {maxPodsPerMinute: 1000000}\n";

/// The usual regions and grid, on this Redis.
pub fn config(grid: &Grid, redis: &str) -> String {
    format!("{REGIONS}{}{EASY}store: {{redis: {{url: '{redis}'}}}}\n", grid.section("300ms"))
}

/// Data centres of one's own, alike in all but the zone that feeds them.
pub fn data_centres<'z>(zones: impl IntoIterator<Item = &'z str>) -> String {
    let mut regions = "regions:\n".to_owned();
    for (index, zone) in zones.into_iter().enumerate() {
        writeln!(
            regions,
            "- {{name: dc-{index}, provider: on-prem, gridZone: {zone}, pue: 1.3, priceUsdPerVcpuHour: 0.02}}"
        )
        .unwrap();
    }
    regions
}

/// A running replica.
pub struct Replica {
    app: App,
}

impl Replica {
    pub fn start(config: &str, hands: &Hands, name: &str) -> Self {
        Self::start_as(Role::All, config, hands, name)
    }

    pub fn start_as(role: Role, config: &str, hands: &Hands, name: &str) -> Self {
        let catalogue = Arc::new(Catalogue::built_in().unwrap());
        let options = Options {
            clock: hands.clock(),
            replica: name.to_owned(),
            role,
            ..Options::new(
                Config::parse(config, &*catalogue).unwrap_or_else(|error| panic!("{error}\n{config}")),
                catalogue,
            )
        };
        Self { app: App::start_with_timing(options, TIMING).unwrap() }
    }

    /// Only of a replica that answers for pods.
    pub fn address(&self) -> Address {
        Address {
            webhook: self.app.webhook_addr().unwrap(),
            admin: self.app.admin_addr(),
            authority_pem: self.app.authority_pem().unwrap().to_owned(),
        }
    }

    pub async fn callers(&self) -> Callers {
        Callers::of(&self.address()).await
    }

    pub const fn app(&self) -> &App {
        &self.app
    }

    /// Ends all it does at once, as a `kill -9` would: nothing is given back.
    pub fn kill(self) {
        drop(self);
    }

    /// Ends in order, as on SIGTERM.
    pub async fn leave(self) {
        self.app.run_until(async {}).await.unwrap();
    }
}
