//! The demo as anybody runs it: the real binary, its exit code and every claim that it prints.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{LazyLock, mpsc};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use rstest::rstest;
use serde_json::Value;

/// A demo that hangs fails here rather than for ever; it takes about a second.
const PATIENCE: Duration = Duration::from_mins(1);

/// Ends what it started, also when the test fails.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        // An error says that it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(args: &[&str]) -> Demo {
    let demo = Command::new(env!("CARGO_BIN_EXE_eco-pulse"))
        .arg("demo")
        .args(args)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Demo(demo)
}

/// What `work` on another thread comes to, in time.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    std::thread::spawn(move || done.send(work()));
    result.recv_timeout(PATIENCE).unwrap()
}

/// One run, looked at by all tests.
static RUN: LazyLock<Output> = LazyLock::new(|| {
    let mut demo = start(&[]);
    let (mut out, mut err) = (demo.0.stdout.take().unwrap(), demo.0.stderr.take().unwrap());
    let (stdout, stderr) = in_time(move || {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        out.read_to_end(&mut stdout).unwrap();
        err.read_to_end(&mut stderr).unwrap();
        (stdout, stderr)
    });
    Output { status: demo.0.wait().unwrap(), stdout, stderr }
});

fn text() -> &'static str {
    std::str::from_utf8(&RUN.stdout).unwrap()
}

/// The lines between the heading that begins like this and the next one.
fn part(heading: &str) -> Vec<&'static str> {
    let lines: Vec<&str> = text().lines().collect();
    let is_heading = |index: usize| lines.get(index + 1).is_some_and(|next| next.starts_with("-----"));
    let start = (0..lines.len()).find(|index| is_heading(*index) && lines[*index].starts_with(heading));
    let start = start.unwrap_or_else(|| panic!("no part begins with {heading:?}:\n{}", text()));
    let end = (start + 1..lines.len()).find(|index| is_heading(*index)).unwrap_or(lines.len());
    lines[start..end].to_vec()
}

/// A line of the table of regions.
#[derive(Debug)]
struct Row {
    grams: f64,
    price: f64,
    carbon: f64,
    latency: f64,
    egress: f64,
    migration: f64,
    net: f64,
    remark: String,
}

fn row(part: &[&str], region: &str) -> Row {
    let line = part.iter().find(|line| line.trim_start().starts_with(&format!("{region} "))).unwrap();
    let cells: Vec<&str> = line.split_whitespace().collect();
    // Less than half a hundredth of a cent is shown as "+~0" or "-~0".
    let number = |index: usize| cells[index].replace('~', "").parse::<f64>().unwrap();
    Row {
        grams: number(1),
        price: number(2),
        carbon: number(3),
        latency: number(4),
        egress: number(5),
        migration: number(6),
        net: number(7),
        remark: cells[8..].join(" "),
    }
}

const REGIONS: [&str; 4] = ["westeurope", "francecentral", "canadacentral", "eastus"];

#[track_caller]
fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 0.000_15, "{value} is not {expected}");
}

#[track_caller]
fn assert_says(part: &[&str], claim: &str) {
    assert!(part.iter().any(|line| line.contains(claim)), "{claim:?} is not in\n{}", part.join("\n"));
}

#[test]
fn plays_every_scene_and_succeeds_in_silence() {
    let log = String::from_utf8_lossy(&RUN.stderr);
    assert_eq!((RUN.status.code(), &*log), (Some(0), ""), "{}", text());
    for heading in ["1  ", "2  ", "3-6  ", "7  ", "8  ", "9  ", "What it comes to", "Next"] {
        assert!(part(heading).len() > 4, "{heading}");
    }
}

#[test]
fn is_readable_in_80_columns_without_a_terminal() {
    for line in text().lines() {
        assert!(line.chars().count() <= 80, "wider than 80 columns: {line}");
        assert_eq!(line.trim_end(), line, "ends in spaces");
        assert!(!line.contains(char::is_control), "holds a control character: {line:?}");
    }
}

#[test]
fn talks_tls_on_loopback() {
    assert!(text().contains("webhook  https://127.0.0.1:"), "{}", text());
    assert!(text().contains("TLS 1.3 (TLS13_AES_256_GCM_SHA384), its certificate verified"), "{}", text());
}

#[rstest]
#[case("1  ")]
#[case("2  ")]
#[case("7  ")]
#[case("8  ")]
fn terms_of_every_region_add_up_to_its_net_benefit(#[case] heading: &str) {
    for region in REGIONS {
        let row = row(&part(heading), region);
        let sum = row.price + row.carbon + row.latency + row.egress + row.migration;
        // Five terms and their sum, each rounded to the fourth decimal, or the third above 10.
        assert!((row.net - sum).abs() < 0.001, "{heading}{region}: {sum} in {row:?}");
    }
}

#[test]
fn training_job_goes_to_the_region_that_is_cheaper_and_cleaner() {
    let part = part("1  ");
    assert_says(&part, "STEER to canadacentral, away from westeurope (net_benefit)");
    assert_says(&part, "asks for  8 CPU, 32 GiB, 1 GPU for 6 h; 20 GB moved; batch");
    let row = |region| row(&part, region);
    // The only GPU of a Standard_NC24ads_A100_v4 is the whole machine: (4.775 - 4.408) USD/h * 6 h.
    assert_near(row("canadacentral").price, 2.202);
    // 20 GB from Europe to North America at 0.05 USD/GB, within Europe at 0.02.
    assert_near(row("canadacentral").egress, -1.0);
    assert_near(row("francecentral").egress, -0.4);
    // Its energy at 50 USD for each tonne avoided; the demo shows the energy to a thousandth.
    let kwh: f64 = part
        .iter()
        .find_map(|line| line.split_once("modelled from ")?.1.split(' ').next()?.parse().ok())
        .unwrap();
    assert_near(row("canadacentral").carbon, kwh * (400.0 - 60.0) / 1e6 * 50.0);
    assert_eq!(row("canadacentral").remark, "<- here");
    assert!(row("eastus").net > row("canadacentral").net, "{part:#?}");
    assert_eq!(row("eastus").remark, "dirtier");
    assert_says(&part, "projected against westeurope: +1.2020 USD, +0.");
}

#[test]
fn web_deployment_goes_no_farther_than_it_may() {
    let part = part("2  ");
    assert_says(&part, "STEER to francecentral, away from westeurope (net_benefit)");
    // The nodes' own type is known, so that none is assumed.
    assert!(part.contains(&"    assumed   duration, egress gb, data region, traffic region"), "{part:#?}");
    let row = |region| row(&part, region);
    // A sixteenth of a machine for a day: (0.230 - 0.224) USD/h / 16 * 24 h.
    assert_near(row("francecentral").price, 0.009);
    assert_eq!(row("francecentral").remark, "<- here");
    for far in ["canadacentral", "eastus"] {
        assert_eq!(row(far).remark, "too far");
        assert!(row(far).net > row("francecentral").net, "{far} would be better: {part:#?}");
    }
}

#[rstest]
#[case("3  default/pinned-8f6698d46-", "single_region")]
#[case("4  kube-system/node-agent-", "daemonset")]
#[case("5  default/db-0", "volume_pinned")]
#[case("6  payments/opted-out", "opted_out")]
fn pods_placed_by_something_else_are_left_as_they_came(#[case] pod: &str, #[case] reason: &str) {
    assert_says(&part("3-6  "), &format!("{pod}  left as it came ({reason}), no patch"));
}

#[test]
fn dirty_grid_sends_the_next_training_pod_elsewhere() {
    let part = part("7  ");
    assert_says(&part, "PUT /mock/canadacentral high  ->  canadacentral = 700 g/kWh from snapshot 2 on");
    assert_says(&part, "STEER to francecentral, away from westeurope (net_benefit)");
    let canada = row(&part, "canadacentral");
    assert_near(canada.grams, 700.0);
    assert_eq!(canada.remark, "dirtier");
    assert!(canada.net > row(&part, "francecentral").net, "price alone would have kept it there: {part:#?}");
    assert_says(&part, "PUT /mock/canadacentral 60  ->  canadacentral = 60 g/kWh from snapshot 3 on");
}

#[test]
fn much_data_holds_the_pod_where_its_data_are() {
    let part = part("8  ");
    assert_says(&part, "STAY: prefers westeurope (baseline_best)");
    // 500 GB at 0.05 and 0.02 USD/GB; the rest of the formula is as in scene 1.
    assert_near(row(&part, "canadacentral").egress, -25.0);
    assert_near(row(&part, "francecentral").egress, -10.0);
    assert_near(row(&part, "canadacentral").price, 2.202);
    assert_eq!(row(&part, "westeurope").remark, "<- base");
    let patch = shown_patch(&part);
    assert_eq!(patch.len(), 1, "the affinity alone: {patch:#?}");
    let preferred = "/value/nodeAffinity/preferredDuringSchedulingIgnoredDuringExecution/0/preference\
                     /matchExpressions/0/values";
    assert_eq!(patch[0].pointer(preferred), Some(&serde_json::json!(["westeurope"])));
}

#[test]
fn unplugged_grid_opens_and_is_counted() {
    let part = part("9  ");
    let series = r#"  eco_pulse_fail_open_total{endpoint="mutate",reason="stale_snapshot"} "#;
    let counts: Vec<&str> = part.iter().filter_map(|line| line.strip_prefix(series)).collect();
    assert_eq!(counts, ["0", "1"]);
    assert_says(&part, "plugged in   STEER to canadacentral, away from westeurope (net_benefit)");
    assert_says(&part, "unplugged    BYPASS: left as it came (stale_snapshot)");
    assert_says(&part, "allowed: true, no patch");
}

#[test]
fn summary_counts_what_was_shown() {
    assert_says(
        &part("What it comes to"),
        "10 pods, all allowed: 4 steered, 1 held in the base, 5 left as they came.",
    );
}

/// The patch as it is printed, read back: an operation begins with its op, its value goes on in deeper lines.
fn shown_patch(part: &[&str]) -> Vec<Value> {
    let start = part.iter().position(|line| line.trim_start().starts_with("JSON patch, ")).unwrap();
    let mut texts: Vec<String> = Vec::new();
    for line in part[start + 1..].iter().take_while(|line| !line.is_empty()) {
        match line.strip_prefix("      ") {
            Some(deeper) if deeper.starts_with("    ") => {
                texts.last_mut().unwrap().push_str(deeper.trim_start());
            }
            Some(operation) => texts.push(format!("{operation} ").replacen("  ", " ", 1)),
            None => break,
        }
    }
    texts
        .iter()
        .map(|text| {
            let mut words = text.splitn(3, ' ');
            let (op, path) = (words.next().unwrap(), words.next().unwrap());
            let value: Value = serde_json::from_str(words.next().unwrap()).unwrap();
            serde_json::json!({ "op": op, "path": path, "value": value })
        })
        .collect()
}

#[test]
fn printed_patch_is_the_whole_patch_and_applies_to_the_recorded_pod() {
    let part = part("1  ");
    let operations = shown_patch(&part);
    assert_says(&part, &format!("JSON patch, {} operations:", operations.len()));
    let recorded: Value = serde_json::from_str(include_str!("../src/cli/demo/data/training.json")).unwrap();
    let mut pod = recorded["request"]["object"].clone();
    let patch: json_patch::Patch = serde_json::from_value(Value::Array(operations)).unwrap();
    json_patch::patch(&mut pod, &patch).unwrap();

    let pod: Pod = serde_json::from_value(pod).unwrap();
    let affinity = pod.spec.unwrap().affinity.unwrap().node_affinity.unwrap();
    let terms: Vec<(i32, String)> = affinity
        .preferred_during_scheduling_ignored_during_execution
        .unwrap()
        .into_iter()
        .map(|term| {
            (term.weight, term.preference.match_expressions.unwrap()[0].values.clone().unwrap()[0].clone())
        })
        .collect();
    assert_eq!(terms, [(100, "canadacentral".to_owned()), (10, "francecentral".to_owned())]);
    let annotations = pod.metadata.annotations.unwrap();
    assert_eq!(annotations["eco-pulse.io/target-region"], "canadacentral");
    assert_eq!(annotations["eco-pulse.io/expected-duration"], "6h", "the user's own annotations stay");
    assert_eq!(pod.metadata.labels.unwrap()["eco-pulse.io/decision"], "steer");
}

#[test]
fn held_demo_serves_until_it_is_interrupted() {
    let mut demo = start(&["--hold"]);
    let out = demo.0.stdout.take().unwrap();
    let mut lines = BufReader::new(out).lines();
    let (admin, rest) = in_time(move || {
        let ready = lines
            .by_ref()
            .map(Result::unwrap)
            .find(|line| line.ends_with("/mutate") && line.contains("  https"));
        assert!(ready.is_some(), "says where it serves");
        let held = lines.by_ref().map(Result::unwrap).find_map(|line| {
            let addr = line.split_once("curl -s http://")?.1.strip_suffix("/metrics")?.to_owned();
            Some(addr)
        });
        (held.unwrap(), lines)
    });

    let mut admin = TcpStream::connect(admin).unwrap();
    admin.set_read_timeout(Some(PATIENCE)).unwrap();
    admin.write_all(b"GET /decisions HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    admin.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains(r#""reason":"volume_pinned""#), "what was shown is still there: {answer}");

    let interrupted = Command::new("kill").args(["-INT", &demo.0.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    in_time(move || rest.for_each(drop));
    assert_eq!(demo.0.wait().unwrap().code(), Some(0));
}
