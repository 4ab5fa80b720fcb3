//! What a command cannot work with: the message names it, its value and the cure, and the exit code says whose turn it is.

use std::fs;
use std::net::TcpListener;

use rstest::rstest;
use tempfile::TempDir;

use crate::command::{Ended, generate_certificates, path, run};

const LOOPBACK: [&str; 4] = ["--webhook-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0"];

/// Nine errors of nine kinds.
const WRONG: &str = "
mode: steering
baseline: {region: us-west-9}
regions: [{name: us-east-1}, {name: us-est-1}, {name: eu-north-1, pue: 0.5}]
carbon: {priceUsdPerTonne: -5}
grid: {provider: mock, mock: {us-east-1: NaN, mars: low}, refresh: 5}
colour: red
";

fn file(content: impl AsRef<[u8]>) -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("eco-pulse.yaml");
    fs::write(&file, content).unwrap();
    let name = path(&file).to_owned();
    (dir, name)
}

fn run_with_config(command: &str, config: &str) -> Ended {
    let listeners: &[&str] = if command == "serve" { &LOOPBACK } else { &[] };
    run(&[&[command, "--config", config], listeners].concat())
}

#[rstest]
fn all_errors_of_a_configuration_are_told_at_once_with_their_paths(
    #[values("check", "serve")] command: &str,
) {
    let (_dir, config) = file(WRONG);
    let ended = run_with_config(command, &config);
    ended.assert_failed(
        2,
        &[
            &format!("9 errors in the configuration {config}:\n"),
            "\nconfig: mode: `steering` is not known; choose one of: steer, shadow, off",
            "\nconfig: baseline.region: `us-west-9` is not ",
            "\nconfig: regions[1].name: `us-est-1` is not in the catalogue; did you mean us-east-1 ",
            "\nconfig: regions[2].pue: 0.5 is below 1; give a power usage effectiveness from 1 to 10",
            "\nconfig: carbon.priceUsdPerTonne: -5 is negative; give a price from 0 to",
            "\nconfig: grid.mock.us-east-1: `NaN` ",
            "\nconfig: grid.mock.mars: is not a region of `regions`; write one of: us-east-1",
            "\nconfig: grid.refresh: 5 ",
            "\nconfig: colour: is not a known key",
        ],
    );
    assert_eq!(ended.stderr.matches("\nconfig: ").count(), 9, "{}", ended.stderr);
}

#[rstest]
fn one_negative_price_is_one_error(#[values("check", "serve")] command: &str) {
    let (_dir, config) = file("carbon: {priceUsdPerTonne: -5}\n");
    let expected = format!(
        "eco-pulse: 1 error in the configuration {config}:\nconfig: carbon.priceUsdPerTonne: -5 is negative; give a \
         price from 0 to carbon.maxPriceUsdPerTonne (100)\n"
    );
    let ended = run_with_config(command, &config);
    assert_eq!((ended.code, &*ended.stderr, &*ended.stdout), (2, &*expected, ""));
}

#[rstest]
#[case::no_utf_8(b"mode: \xff\xfe\n", "cannot read the file: stream did not contain valid UTF-8")]
#[case::not_yaml(b"mode: [steer\n", "line 1")]
#[case::a_list(b"- mode\n", "the file is not a map; write keys and values")]
#[case::a_key_twice(b"mode: off\nmode: steer\n", "mode")]
#[case::deep(&[b'['; 10_000], "1 error in the configuration")]
fn a_file_that_is_no_configuration_is_refused(#[case] content: &[u8], #[case] problem: &str) {
    let (_dir, config) = file(content);
    let ended = run_with_config("check", &config);
    ended.assert_failed(2, &[&config, problem]);
    assert!(ended.stderr.contains("; "), "no cure: {}", ended.stderr);
}

#[test]
fn a_configuration_that_is_not_there_is_named_with_the_cure() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("none.yaml");
    let ended = run_with_config("check", path(&config));
    ended.assert_failed(
        2,
        &[path(&config), "No such file", "; give --config a readable file of YAML text in UTF-8"],
    );
}

#[rstest]
#[case::no_command(&[], "Usage: eco-pulse")]
#[case::unknown_command(&["deploy"], "unrecognized subcommand 'deploy'")]
#[case::unknown_flag(&["serve", "--port", "1"], "unexpected argument '--port'")]
#[case::no_address(&["serve", "--webhook-addr", "8443"], "invalid value '8443' for '--webhook-addr <ADDR>'")]
#[case::no_file(&["explain"], "--filename <FILE>")]
#[case::no_form(&["check", "--output", "xml"], "[possible values: table, json]")]
#[case::no_host(&["certs", "generate", "--dir", "x"], "--host <NAME>")]
#[case::role(&["serve", "--role", "webhook"], "--role webhook: processes with a part each share grid data through store.redis")]
fn usage_that_is_wrong_is_exit_code_2(#[case] arguments: &[&str], #[case] problem: &str) {
    run(arguments).assert_failed(2, &[problem]);
}

#[rstest]
#[case("--webhook-addr", "--admin-addr")]
#[case("--admin-addr", "--webhook-addr")]
fn a_port_in_use_is_named_with_the_flag(#[case] taken: &str, #[case] free: &str) {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = holder.local_addr().unwrap().to_string();
    let ended = run(&["serve", taken, &addr, free, "127.0.0.1:0"]);
    let problem = format!("eco-pulse: cannot listen on {addr}: the port is in use; ");
    ended.assert_failed(1, &[&problem, &format!("choose another with {taken}")]);
}

fn serve_with_certificates(dir: &TempDir) -> Ended {
    run(&[&["serve", "--cert-dir", path(dir.path())], &LOOPBACK[..]].concat())
}

#[test]
fn a_missing_certificate_is_named_with_the_command_that_makes_it() {
    let dir = tempfile::tempdir().unwrap();
    let problem =
        format!("eco-pulse: {}/tls.crt: no such file, the certificate is missing", path(dir.path()));
    let cure = format!("eco-pulse certs generate --dir {} --host NAME", path(dir.path()));
    serve_with_certificates(&dir).assert_failed(1, &[&problem, &cure]);
}

#[test]
fn a_key_that_does_not_match_its_certificate_is_refused() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    generate_certificates(dir.path());
    generate_certificates(other.path());
    fs::copy(other.path().join("tls.key"), dir.path().join("tls.key")).unwrap();
    let problem = format!("{}/tls.key: the private key does not match the certificate in", path(dir.path()));
    serve_with_certificates(&dir).assert_failed(1, &[&problem, "; take both files from the same issue"]);
}

#[test]
fn certificates_from_files_without_a_directory_are_refused_with_the_cure() {
    let (_dir, config) = file("tls: {mode: files}\n");
    let ended = run_with_config("serve", &config);
    ended.assert_failed(1, &["tls.mode is files", "add --cert-dir DIR, or set tls.mode to self-signed"]);
}

#[test]
fn a_cause_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    // A directory cannot be read as a file, whoever runs the test.
    fs::create_dir(dir.path().join("tls.crt")).unwrap();
    let ended = serve_with_certificates(&dir);
    ended.assert_failed(1, &["tls.crt: cannot read the certificate (Is a directory"]);
    assert_eq!(ended.stderr.matches("Is a directory").count(), 1, "{}", ended.stderr);
}
