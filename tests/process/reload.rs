//! A change of the configuration file takes effect while the process serves, or changes nothing and says why.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use eco_pulse::clock::monotonic_now;
use serde_json::Value;

use crate::client::Client;
use crate::prometheus_text::Scrape;
use crate::server::{PATIENCE, Server};

const REVIEW: &[u8] = include_bytes!("../data/kubernetes-1.36/frontend.admission.json");

/// Pods go from the base to the one clean region, at one price; which is which is in the name.
fn config(base: &str, clean: &str) -> String {
    let grid = ["us-east-1", "eu-west-1", "eu-north-1"]
        .map(|region| format!("{region}: {}", if region == clean { "low" } else { "high" }))
        .join(", ");
    let regions = ["us-east-1", "eu-west-1", "eu-north-1"]
        .map(|region| format!("{{name: {region}, priceUsdPerVcpuHour: 0.05}}"))
        .join(", ");
    format!(
        "baseline: {{region: {base}}}\nregions: [{regions}]\ngrid: {{provider: mock, mock: {{{grid}}}}}\n\
         decision: {{deadline: 900ms}}\nherd: {{maxPodsPerMinute: 1000000}}\nlatency: {{serving: {{maxAddedMs: null}}}}\n"
    )
}

/// Base and target of the recorded pod's decision.
async fn decision(webhook: &mut Client) -> (String, String) {
    let reply = webhook.post("/mutate?timeout=1s", REVIEW).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let answer = reply.json();
    assert_eq!(answer["response"]["allowed"], true);
    let patch = answer["response"]["patch"].as_str().unwrap_or_else(|| panic!("no patch in {answer}"));
    let patch = base64::engine::general_purpose::STANDARD.decode(patch).unwrap();
    let patch: Vec<Value> = serde_json::from_slice(&patch).unwrap();
    let mark = |key: &str| {
        let path = format!("/metadata/annotations/eco-pulse.io~1{key}");
        let single = patch.iter().find(|operation| operation["path"] == path.as_str());
        let whole = patch.iter().find(|operation| operation["path"] == "/metadata/annotations");
        let value = single
            .map(|operation| &operation["value"])
            .or_else(|| whole.map(|operation| &operation["value"][format!("eco-pulse.io/{key}")]));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    (mark("baseline-region"), mark("target-region"))
}

async fn wait_for(webhook: &mut Client, base: &str, target: &str) {
    let changed = monotonic_now();
    let wanted = (base.to_owned(), target.to_owned());
    let wait = async { while decision(webhook).await != wanted {} };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never from {base} to {target}"));
    println!("in use after {:?}", changed.elapsed());
}

async fn reloads(server: &Server, result: &str) -> f64 {
    let text = server.admin().await.get("/metrics").await;
    Scrape::parse(text.text()).value("eco_pulse_config_reloads_total", &[("result", result)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_edit_takes_effect_on_open_connections_however_the_file_is_changed() {
    let (server, _stdout) = Server::start(&config("eu-west-1", "eu-north-1")).await;
    let mut webhook = server.webhook().await;
    wait_for(&mut webhook, "eu-west-1", "eu-north-1").await;
    server.config.change(&config("us-east-1", "eu-north-1"));
    wait_for(&mut webhook, "us-east-1", "eu-north-1").await;
    // What was a link is a file from here on.
    let file = server.config.file();
    let other = file.with_extension("new");
    fs::write(&other, config("us-east-1", "eu-west-1")).unwrap();
    fs::rename(other, &file).unwrap();
    wait_for(&mut webhook, "us-east-1", "eu-west-1").await;
    fs::write(&file, config("eu-north-1", "eu-west-1")).unwrap();
    wait_for(&mut webhook, "eu-north-1", "eu-west-1").await;
    assert_eq!(reloads(&server, "applied").await, 3.0);
    assert_eq!(reloads(&server, "refused").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_edit_changes_nothing_and_says_once_all_that_is_wrong() {
    let good = config("eu-west-1", "eu-north-1");
    let (mut server, _stdout) = Server::start(&good).await;
    let mut webhook = server.webhook().await;
    server.config.change(&format!("{good}carbon: {{priceUsdPerTonne: -5}}\nmood: green\n"));
    let problems: Vec<String> = (0..2)
        .map(|_| server.wait_for_log("the configuration file cannot be used; the one before stays in use"))
        .map(|line| line["problem"].as_str().unwrap().to_owned())
        .collect();
    assert!(problems.iter().any(|problem| problem.contains("carbon.priceUsdPerTonne")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("mood")), "{problems:?}");
    assert_eq!(decision(&mut webhook).await, ("eu-west-1".to_owned(), "eu-north-1".to_owned()));
    server.config.change(&good);
    server.wait_for_log("the configuration file is again as the configuration in use");
    assert_eq!(reloads(&server, "refused").await, 1.0);
    assert_eq!(reloads(&server, "applied").await, 0.0);
    // What names a file that is not there is refused as well, until the file is there.
    let prices = server.working_dir().join("prices.csv");
    let with_prices =
        format!("{good}prices: {{provider: file, file: '{}', instanceType: m5.xlarge}}\n", prices.display());
    server.config.change(&with_prices);
    let refused = server.wait_for_log("the configuration file cannot be used; the one before stays in use");
    assert!(refused["problem"].as_str().unwrap().contains("prices"), "{refused}");
    fs::write(&prices, "region,instance_type,capacity_type,usd_per_hour\neu-west-1,m5.xlarge,on-demand,1\n")
        .unwrap();
    let applied = server.wait_for_log("a new configuration is in use");
    assert_eq!(applied["changed"], "prices");
    server.signal("TERM");
    let (status, rest) = server.wait_for_end();
    assert!(status.success());
    let told: Vec<&Value> =
        rest.iter().filter(|line| line["message"].as_str().unwrap().contains("cannot be used")).collect();
    assert!(told.is_empty(), "told again: {told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_restart_is_named_and_the_rest_taken_over() {
    let good = config("eu-west-1", "eu-north-1");
    let (server, _stdout) = Server::start(&good).await;
    let mut webhook = server.webhook().await;
    server
        .config
        .change(&format!("{}log: {{decisions: false, level: debug}}\n", config("us-east-1", "eu-north-1")));
    let waiting = server.wait_for_log("these settings take effect when the process starts anew");
    assert_eq!(waiting["settings"], "log.decisions");
    wait_for(&mut webhook, "us-east-1", "eu-north-1").await;
}

/// Under load, two configurations in turn: each answer is of one of them, and nobody is let through for want of one.
#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_torn_or_opened_by_fifty_changes_under_load() {
    const CHANGES: usize = 50;
    let turns = [("eu-west-1", "eu-north-1"), ("us-east-1", "eu-west-1")];
    let (server, _stdout) = Server::start(&config(turns[0].0, turns[0].1)).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for _ in 0..4 {
        let (mut webhook, stop) = (server.webhook().await, stop.clone());
        clients.push(tokio::spawn(async move {
            let mut seen = [0_usize; 2];
            while !stop.load(Ordering::Relaxed) {
                let (base, target) = decision(&mut webhook).await;
                // In the first moments after a change the other one's readings are still there; the base never is.
                let turn = turns.iter().position(|turn| turn.0 == base);
                let turn = turn.unwrap_or_else(|| panic!("from {base} to {target}"));
                seen[turn] += 1;
            }
            seen
        }));
    }
    for change in 1..=CHANGES {
        let (base, clean) = turns[change % 2];
        server.config.change(&config(base, clean));
        server.wait_for_log("a new configuration is in use");
    }
    stop.store(true, Ordering::Relaxed);
    let mut seen = [0, 0];
    for client in clients {
        let of_client = client.await.unwrap();
        seen = [seen[0] + of_client[0], seen[1] + of_client[1]];
    }
    println!("{CHANGES} changes, {seen:?} decisions by each configuration");
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    let text = server.admin().await.get("/metrics").await;
    let scrape = Scrape::parse(text.text());
    assert_eq!(scrape.total("eco_pulse_fail_open_total"), 0.0);
    assert_eq!(reloads(&server, "applied").await, CHANGES as f64);
}
