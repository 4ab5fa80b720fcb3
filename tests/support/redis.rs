//! A real `redis-server` (or `valkey-server`) on a free loopback port, for tests to stop, kill and start again.
//!
//! Included by path into the test crates that need it. Without a server binary there is none, and a test says so and
//! ends. `ECO_PULSE_TEST_REDIS` names the binary to use.
#![allow(dead_code, reason = "each test crate uses a part of it")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use eco_pulse::store::{RedisOptions, Timing};
use jiff::SignedDuration;
use tempfile::TempDir;

/// What a server under test has not answered by then, it never will.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks at a server that takes its time.
const LULL: Duration = Duration::from_millis(20);
/// Another process may take a port between our looking and the server's binding.
const ATTEMPTS: usize = 10;
/// What a server says when it answers, and a sentinel when it watches.
const READY: [&str; 2] = ["Ready to accept connections", "+monitor master"];

/// A running server; killed when dropped.
pub struct RedisServer {
    child: Option<Child>,
    binary: PathBuf,
    arguments: Vec<String>,
    /// On 127.0.0.1.
    pub port: u16,
    dir: TempDir,
}

/// The server to test with, if this machine has one.
pub fn binary() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("ECO_PULSE_TEST_REDIS").filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH")?;
    ["redis-server", "valkey-server"]
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |dir| dir.join(name)))
        .find(|file| file.is_file())
}

/// A port that nobody listened on a moment ago.
pub fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// How a process of this name uses the server at this address, without password or TLS; readings are kept as long as usual.
pub fn options(url: String, name: &str) -> RedisOptions {
    RedisOptions {
        url,
        password_file: None,
        ca_file: None,
        name: name.to_owned(),
        retention: SignedDuration::from_hours(24 * 400),
        timing: Timing::default(),
    }
}

impl RedisServer {
    /// A server without a password, or `None` and a word of explanation where there is no binary.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// A server with further settings, as on its command line.
    pub fn start_with(settings: &[&str]) -> Option<Self> {
        Self::start_on(settings, |_| Vec::new())
    }

    /// The same, with settings that depend on the port.
    pub fn start_on(settings: &[&str], more: impl Fn(u16) -> Vec<String>) -> Option<Self> {
        let Some(binary) = binary() else {
            println!(
                "skipped: neither redis-server nor valkey-server is installed (apt-get install redis-server)"
            );
            return None;
        };
        for _ in 0..ATTEMPTS {
            let port = free_port();
            let mut arguments: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
            arguments.extend(more(port));
            let dir = tempfile::tempdir().unwrap();
            let mut server = Self { child: None, binary: binary.clone(), arguments, port, dir };
            if server.launch() {
                return Some(server);
            }
        }
        panic!("{} does not start", binary.display());
    }

    /// Whether it came up.
    fn launch(&mut self) -> bool {
        // Settings of `--sentinel` and the like come first, as the binary wants a configuration file before all others.
        let mut child = Command::new(&self.binary)
            .args(&self.arguments)
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready =
            log.by_ref().map_while(Result::ok).any(|line| READY.iter().any(|ready| line.contains(ready)));
        // Read on, so that the server never waits for its log.
        std::thread::spawn(move || log.for_each(drop));
        self.child = Some(child);
        if !ready {
            self.kill();
        }
        ready
    }

    /// How a process of this name uses it.
    pub fn options(&self, name: &str) -> RedisOptions {
        options(self.url(), name)
    }

    /// `redis://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A directory for this server's files.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Ends it at once, as `kill -9` does; nothing is saved.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again on the same port, empty.
    pub fn restart(&mut self) {
        self.kill();
        assert!(self.launch(), "the server does not start again on port {}", self.port);
    }

    /// Connections are accepted by the kernel from now on, and nothing is answered.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Everything is answered that was asked meanwhile.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        // The shell's own, since not every machine has a program of that name.
        let command = format!("kill {signal} {}", self.child.as_ref().unwrap().id());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    }

    /// Runs a command on a connection of its own; a list comes as lines, nothing at all as an empty text.
    pub fn command(&self, words: &[&str]) -> String {
        self.commands(&[words]).unwrap().pop().unwrap()
    }

    /// The same with a password.
    pub fn command_as(&self, password: &str, words: &[&str]) -> String {
        self.commands(&[&["AUTH", password], words]).unwrap().pop().unwrap()
    }

    /// Runs a command until its answer has these words in it; a server that changes its part closes connections.
    pub fn until(&self, words: &[&str], wanted: &str) {
        let said = || self.commands(&[words]).ok().and_then(|mut answers| answers.pop()).unwrap_or_default();
        while !said().contains(wanted) {
            std::thread::sleep(LULL);
        }
    }

    fn commands(&self, commands: &[&[&str]]) -> io::Result<Vec<String>> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut answers = BufReader::new(stream.try_clone()?);
        let ask = |words: &&[&str]| {
            let mut text = format!("*{}\r\n", words.len());
            for word in *words {
                let _ = write!(text, "${}\r\n{word}\r\n", word.len());
            }
            stream.write_all(text.as_bytes())?;
            answer(&mut answers)
        };
        commands.iter().map(ask).collect()
    }
}

fn answer(from: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let (kind, rest) = line.trim_end().split_at(1);
    Ok(match (kind, rest.parse::<usize>()) {
        ("$", Ok(length)) => {
            let mut text = vec![0; length + 2];
            from.read_exact(&mut text)?;
            String::from_utf8_lossy(&text[..length]).into_owned()
        }
        ("*", Ok(length)) => (0..length).map(|_| answer(from)).collect::<Result<Vec<_>, _>>()?.join("\n"),
        ("$" | "*", Err(_)) => String::new(),
        _ => rest.to_owned(),
    })
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
