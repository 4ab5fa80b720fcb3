//! Changes of the configuration in this process: what they leave running, and what they ask providers again.

use std::sync::Arc;

use eco_pulse::app::{App, Options};
use eco_pulse::catalogue::Catalogue;
use eco_pulse::config::Config;

use crate::running::{asks, in_time, token_file};
use crate::stand_in::{Hands, StandIn};

const CHANGES: u32 = 10;

fn config(stand_in: &StandIn, token_file: &str, carbon_price: u32) -> String {
    let regions = "baseline: {region: eu-west-1}\nregions: [{name: eu-west-1}, {name: eu-north-1}]\n";
    let asks = asks(stand_in, token_file, "refresh: 1h");
    format!("{regions}{asks}carbon: {{priceUsdPerTonne: {carbon_price}}}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_leaves_no_task_behind_loses_no_reading_and_asks_no_zone_again() {
    let hands = Hands::new();
    let said_at = hands.now();
    let stand_in = StandIn::start(&[("IE", 300.0), ("SE-SE3", 20.0)], move || said_at);
    let (secret, token_file) = token_file();
    let file = secret.path().join("eco-pulse.yaml");
    let text = |price| config(&stand_in, &token_file, price);
    std::fs::write(&file, text(1)).unwrap();
    let catalogue = Arc::new(Catalogue::built_in().unwrap());
    let app = App::start(Options {
        config_file: Some(file.clone()),
        clock: hands.clock(),
        ..Options::new(Config::parse(&text(1), &*catalogue).unwrap(), catalogue)
    })
    .unwrap();
    let pause = tokio::task::yield_now;
    in_time("readiness", async {
        while !app.readiness().report().ready {
            pause().await;
        }
    })
    .await;
    let asked = || stand_in.asked_about("IE") + stand_in.asked_about("SE-SE3");
    in_time("an answer of each zone", async {
        while asked() < 2 {
            pause().await;
        }
    })
    .await;
    let price = || app.decider().settings().policy.carbon_price.effective().0;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    // One generation at work; the first change may show before all tasks of the second have begun.
    let mut usual = tasks();
    for change in 1..=CHANGES {
        std::fs::write(&file, text(change + 1)).unwrap();
        let wanted = f64::from(change + 1);
        in_time("the change", async {
            while (price() - wanted).abs() > f64::EPSILON {
                pause().await;
            }
        })
        .await;
        assert!(app.decider().snapshot().is_some(), "readings are there from the first moment");
        if change == 1 {
            usual = usual.max(tasks());
        }
    }
    // What still ends is not left behind.
    in_time("as many tasks as before", async {
        while tasks() > usual {
            pause().await;
        }
    })
    .await;
    assert_eq!(asked(), 2, "each zone once an interval");
    app.run_until(async {}).await.unwrap();
}
