//! The token's file: missing, empty, with a new line at its end, and changed while the process runs.

use std::fs;

use eco_pulse::clock::Clock;
use rstest::rstest;

use crate::check::config;
use crate::command::{Ended, path, run};
use crate::running::{OFTEN, asks};
use crate::server::Server;
use crate::stand_in::{StandIn, TOKEN};

const REGIONS: &str = "baseline: {region: eu-west-1}\nregions: [{name: eu-west-1}, {name: eu-north-1}]\n";

fn stand_in() -> StandIn {
    StandIn::start(&[("IE", 300.0), ("SE-SE3", 20.0)], || Clock::system().now())
}

/// Checks with a token file of this content, or with none.
fn check(stand_in: &StandIn, content: Option<&str>) -> Ended {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    if let Some(content) = content {
        fs::write(&file, content).unwrap();
    }
    let (_dir, config) = config(&format!("{REGIONS}{}", asks(stand_in, path(&file), "refresh: 5m")));
    run(&["check", "--config", &config])
}

#[rstest]
#[case::missing(None, "cannot be read (No such file or directory")]
#[case::empty(Some(""), "is empty; put the token into the Secret")]
#[case::of_white_space(Some("\n"), "is empty; put the token into the Secret")]
#[case::of_two_lines(Some("hunter2-token\nhunter2-token\n"), "holds more than one line")]
fn a_file_without_a_token_is_named_with_the_cure_and_nobody_is_asked(
    #[case] content: Option<&str>,
    #[case] why: &str,
) {
    let stand_in = stand_in();
    let ended = check(&stand_in, content);
    assert_eq!(ended.code, 1, "{ended:?}");
    let said = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("failed: electricity-maps for IE, SE-SE3 (no_token) the token file /"), "{said}");
    assert!(said.contains(why), "{said}");
    assert!(
        said.contains("cure: put the token into the file that grid.electricityMaps.tokenFile names"),
        "{said}"
    );
    assert!(!said.contains(TOKEN) && !ended.stderr.contains(TOKEN), "{ended:?}");
    assert!(stand_in.upstream.requests().is_empty());
}

#[rstest]
#[case("hunter2-token")]
#[case("hunter2-token\n")]
#[case("  hunter2-token\r\n\r\n")]
fn white_space_around_the_token_is_none_of_it(#[case] content: &str) {
    let stand_in = stand_in();
    let ended = check(&stand_in, Some(content));
    ended.assert_ok();
    let requests = stand_in.upstream.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| request.header("auth-token") == TOKEN), "{requests:?}");
    assert!(!ended.stdout.contains(TOKEN), "{}", ended.stdout);
}

/// As when a Secret is mounted late, and changed later.
#[tokio::test]
async fn a_token_that_comes_or_changes_counts_without_a_restart() {
    let stand_in = stand_in();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    let text = format!("{REGIONS}{}", asks(&stand_in, path(&file), OFTEN));
    let (mut server, _stdout) = Server::start_with_records(&text).await;
    assert!(stand_in.upstream.requests().is_empty(), "without a token nobody is asked");
    for token in ["first-token", "second-token"] {
        fs::write(&file, format!("{token}\n")).unwrap();
        let mut seen = 0;
        loop {
            let requests = stand_in.upstream.wait_for(seen + 1);
            if requests[seen..].iter().any(|request| request.header("auth-token") == token) {
                break;
            }
            seen = requests.len();
            assert!(seen < 1000, "{token} is not used");
        }
    }
    server.signal("KILL");
    let (_, log) = server.wait_for_end();
    assert!(log.iter().any(|line| line["failure"] == "no_token"), "{log:?}");
    let text = format!("{log:?}");
    assert!(!text.contains("first-token") && !text.contains("second-token"), "{text}");
}
