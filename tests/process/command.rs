//! A command that runs to its end.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a command left.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The command, as nobody has configured it.
pub fn eco_pulse() -> Command {
    clean(Command::new(env!("CARGO_BIN_EXE_eco-pulse")))
}

/// A command of which the environment configures nothing.
pub fn clean(mut command: Command) -> Command {
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ECO_PULSE_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    for name in ["RUST_LOG", "RUST_BACKTRACE", "HOSTNAME", "POD_NAMESPACE", "NO_COLOR"] {
        command.env_remove(name);
    }
    command.env("POD_NAME", "replica-1");
    command
}

/// Runs with these arguments.
pub fn run(arguments: &[&str]) -> Ended {
    run_with_input(arguments, b"")
}

/// Runs with these arguments, and this on standard input.
pub fn run_with_input(arguments: &[&str], input: &[u8]) -> Ended {
    let mut command = eco_pulse();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not read what it is given is none of this function's business.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ended {
    /// Success, with nothing to complain about.
    pub fn assert_ok(&self) {
        assert_eq!((self.code, &*self.stderr), (0, ""), "{self:?}");
    }

    /// Failure with this code: every text is on standard error, nothing on standard output.
    pub fn assert_failed(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.stdout, "");
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is not in:\n{}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

/// Writes a development authority and a leaf for the loopback addresses.
pub fn generate_certificates(dir: &Path) {
    let hosts = ["--host", "localhost", "--host", "127.0.0.1"];
    let ended = run(&[&["certs", "generate", "--dir", path(dir)], &hosts[..]].concat());
    assert_eq!(ended.code, 0, "{ended:?}");
}

pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
