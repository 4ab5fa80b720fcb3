//! `eco-pulse certs`: certificates for development and first trials.
//!
//! It prints paths and next steps, never key material. In a cluster, certificates come from a Secret instead.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::tls::{AUTHORITY_DAYS, Host, LEAF_DAYS, Written, issue, write_issued};

const EXAMPLE: &str = "Example:
  eco-pulse certs generate --dir certs --host localhost --host 127.0.0.1
  eco-pulse serve --cert-dir certs
  curl --cacert certs/ca.crt https://localhost:8443/health";

/// Arguments of `eco-pulse certs`.
#[derive(Args, Clone, Debug)]
pub struct CertsArgs {
    #[command(subcommand)]
    command: CertsCommand,
}

#[derive(Subcommand, Clone, Debug)]
enum CertsCommand {
    /// Make a development authority and a server certificate signed by it
    ///
    /// Writes ca.crt, tls.crt and tls.key (mode 0600) into DIR and overwrites nothing. The authority's own key is thrown
    /// away, so it can sign nothing else.
    #[command(after_help = EXAMPLE)]
    Generate(GenerateArgs),
}

/// Arguments of `eco-pulse certs generate`.
#[derive(Args, Clone, Debug)]
pub struct GenerateArgs {
    /// Directory to write into; made if it does not exist
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// DNS name or IP address that clients will use; give it once for each name
    #[arg(long = "host", value_name = "NAME", required = true)]
    hosts: Vec<Host>,
}

impl CertsArgs {
    /// Runs the command; `now` is the time from which the certificates are valid.
    ///
    /// # Errors
    /// A file is in the way, or the directory cannot be written to.
    pub fn run(self, now: Timestamp) -> anyhow::Result<()> {
        let CertsCommand::Generate(args) = self.command;
        args.run(now, &mut io::stdout().lock())
    }
}

impl GenerateArgs {
    fn run(self, now: Timestamp, out: &mut impl Write) -> anyhow::Result<()> {
        let Self { dir, hosts } = self;
        let issued = issue(&hosts, now)?;
        let written = write_issued(&dir, &issued)?;
        report(out, &dir, &hosts, &written).context("cannot write to standard output")
    }
}

fn report(out: &mut impl Write, dir: &Path, hosts: &[Host], written: &Written) -> io::Result<()> {
    let Written { authority, certificate, key } = written;
    let names = hosts.iter().map(Host::to_string).collect::<Vec<_>>().join(", ");
    writeln!(out, "wrote {}  (authority, {AUTHORITY_DAYS} days)", authority.display())?;
    writeln!(out, "wrote {}  (certificate for {names}, {LEAF_DAYS} days)", certificate.display())?;
    writeln!(out, "wrote {}  (private key, readable by you only)", key.display())?;
    writeln!(out)?;
    writeln!(out, "next:  eco-pulse serve --cert-dir {}", shell_word(dir))?;
    // A wildcard is no address to call; any other name is.
    if let Some(host) = hosts.iter().find(|host| !host.to_string().starts_with('*')) {
        writeln!(
            out,
            "then:  curl --cacert {} https://{}:8443/health",
            shell_word(authority),
            host.in_url()
        )?;
    }
    Ok(())
}

/// A path as it can be pasted into a shell.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::tls::Certificate;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        certs: CertsArgs,
    }

    fn parse(args: &[&str]) -> Result<GenerateArgs, clap::Error> {
        let Cli { certs } = Cli::try_parse_from([&["certs", "generate"], args].concat())?;
        let CertsCommand::Generate(args) = certs.command;
        Ok(args)
    }

    #[test]
    fn generates_a_pair_that_serves_and_says_what_comes_next() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("c");
        let args = parse(&["--dir", dir.to_str().unwrap(), "--host", "::1", "--host", "localhost"]).unwrap();
        let mut out = Vec::new();
        args.run("2026-03-01T12:00:00Z".parse().unwrap(), &mut out).unwrap();

        assert_eq!(Certificate::load(&dir).unwrap().names(), ["::1", "localhost"]);
        let out = String::from_utf8(out).unwrap();
        let dir = dir.display();
        for line in [
            format!("wrote {dir}/ca.crt"),
            format!("wrote {dir}/tls.crt  (certificate for ::1, localhost, 365 days)"),
            format!("wrote {dir}/tls.key"),
            format!("next:  eco-pulse serve --cert-dir {dir}\n"),
            format!("then:  curl --cacert {dir}/ca.crt https://[::1]:8443/health\n"),
        ] {
            assert!(out.contains(&line), "{line:?} not in:\n{out}");
        }
        assert!(!out.contains("BEGIN"), "key or certificate printed:\n{out}");
    }

    #[test]
    fn a_second_run_fails_and_leaves_the_files() {
        let dir = tempfile::tempdir().unwrap();
        let args = parse(&["--dir", dir.path().to_str().unwrap(), "--host", "localhost"]).unwrap();
        args.clone().run(Timestamp::UNIX_EPOCH, &mut io::sink()).unwrap();
        let key = std::fs::read(dir.path().join("tls.key")).unwrap();
        let error = args.run(Timestamp::UNIX_EPOCH, &mut io::sink()).unwrap_err().to_string();
        assert!(error.contains("tls.key: already exists and is not overwritten"), "{error}");
        assert_eq!(std::fs::read(dir.path().join("tls.key")).unwrap(), key);
    }

    #[test]
    fn a_bad_host_or_no_host_is_a_usage_error() {
        for (args, text) in [
            (&["--dir", "d", "--host", "https://x"][..], "`https://x` is neither"),
            (&["--dir", "d"][..], "--host <NAME>"),
            (&["--host", "x"][..], "--dir <DIR>"),
        ] {
            let error = parse(args).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn help_says_what_is_written_and_shows_an_example() {
        let help = parse(&["--help"]).unwrap_err().to_string();
        assert!(help.contains("overwrites nothing"), "{help}");
        assert!(help.contains("eco-pulse certs generate --dir certs --host localhost"), "{help}");
    }

    #[test]
    fn paths_can_be_pasted_into_a_shell() {
        assert_eq!(shell_word(Path::new("a/b-1.crt")), "a/b-1.crt");
        assert_eq!(shell_word(Path::new("it's here")), r"'it'\''s here'");
    }
}
