//! Secrets where they belong, in a process that says all it can say: none of them comes out anywhere.

use std::fmt::Write as _;
use std::fs;

use eco_pulse::clock::Clock;
use http::StatusCode;
use serde_json::json;

use crate::command::{eco_pulse, path, run};
use crate::pods::job;
use crate::prometheus_text::Scrape;
use crate::redis::RedisServer;
use crate::running::{OFTEN, asks, in_time, token_file};
use crate::server::{Server, lines, next};
use crate::stand_in::{StandIn, TOKEN};
use crate::upstream::Answer;

const PASSWORD: &str = "hunter2-password";
const REGIONS: &str = "baseline: {region: eu-west-1}\nregions: [{name: eu-west-1}, {name: eu-north-1}]\n";
const SHOWN: [&str; 6] = ["/metrics", "/snapshot", "/decisions", "/readyz", "/livez", "/report?output=json"];

/// A line from the middle of a key, which no other text has.
fn line_of_key(server: &Server) -> String {
    let key = fs::read_to_string(server.certificates().join("tls.key")).unwrap();
    let line = key.lines().nth(2).unwrap_or_else(|| key.lines().nth(1).unwrap());
    assert!(line.len() > 30, "{line}");
    line.to_owned()
}

#[tokio::test]
async fn no_secret_comes_out_of_a_process_that_says_all_it_can() {
    let Some(redis) = RedisServer::start_with(&["--requirepass", PASSWORD]) else { return };
    let stand_in = StandIn::start(&[("IE", 300.0), ("SE-SE3", 20.0)], || Clock::system().now());
    let (dir, token) = token_file();
    let password = dir.path().join("password");
    fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let store =
        format!("store: {{redis: {{url: '{}', passwordFile: '{}'}}}}\n", redis.url(), path(&password));
    let config = format!("{REGIONS}{}{store}", asks(&stand_in, &token, OFTEN));

    let mut command = eco_pulse();
    command.env("RUST_LOG", "trace");
    let (mut server, records) = Server::launch_by(command, &config);
    let records = lines(records, |line| line);
    let mut admin = server.admin().await;
    in_time("a first snapshot", async { while admin.get("/readyz").await.status != StatusCode::OK {} }).await;

    // All goes well, and pods are decided about.
    let mut said = String::new();
    let review = job(&[]);
    let question = json!({ "Pod": review["request"]["object"], "NodeNames": ["a", "b"] });
    let mut webhook = server.webhook().await;
    said += webhook.post("/mutate", review.to_string()).await.text();
    said += webhook.post("/filter", question.to_string()).await.text();
    for path in SHOWN {
        said += admin.get(path).await.text();
    }
    // Both secrets are refused, by one that says what it was given and by one that hangs up.
    for zone in ["IE", "SE-SE3"] {
        stand_in.script(zone, |request| {
            let given = request.header("auth-token");
            Answer::new(401, json!({ "error": format!("Invalid auth-token: {given}") }).to_string())
        });
    }
    redis.command_as(PASSWORD, &["CONFIG", "SET", "requirepass", "another"]);
    redis.command_as("another", &["CLIENT", "KILL", "TYPE", "normal"]);
    let refused = |text: &str| {
        let scrape = Scrape::parse(text);
        let asked = &scrape.0["eco_pulse_provider_requests_total"].samples;
        let is_refused = asked.iter().any(|sample| sample.labels["result"] != "ok" && sample.value > 0.0);
        is_refused && scrape.value("eco_pulse_store_up", &[]) == 0.0
    };
    in_time("a refusal of both", async { while !refused(admin.get("/metrics").await.text()) {} }).await;
    for path in SHOWN {
        said += admin.get(path).await.text();
    }
    let key = line_of_key(&server);
    let checked = run(&["check", "--config", path(&server.config.file())]);
    said += &checked.stdout;
    said += &checked.stderr;
    server.signal("TERM");
    let (_, log) = server.wait_for_end();
    let traced = log.iter().filter(|line| line["level"] == "TRACE").count();
    assert!(traced > 100, "{traced} lines are no test of what may be said");
    write!(said, "{log:?}").unwrap();
    while let Some(record) = next(&records) {
        said += &record;
    }

    for secret in [TOKEN, PASSWORD, &key] {
        assert!(!said.contains(secret), "{}", around(&said, secret));
    }
}

/// What stands before and after it.
fn around(said: &str, secret: &str) -> String {
    let at = said.find(secret).unwrap_or_default();
    let (from, to) = (said.floor_char_boundary(at.saturating_sub(300)), said.floor_char_boundary(at + 300));
    said[from..to].to_owned()
}
