//! Where Redis is, how to be let in, and how long to wait: checked once, without asking a server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fred::types::config::{Config, ServerConfig, TlsConfig, TlsConnector, TlsHostMapping};
use jiff::SignedDuration;
use reqwest::Url;
use rustls::ClientConfig;

use crate::store::StoreError;
use crate::tls::{TlsError, client_config, system_client_config};

/// How to reach a Redis and to use it.
#[derive(Clone)]
pub struct RedisOptions {
    /// Where: `redis://HOST[:PORT][/DATABASE]`, `rediss://` for TLS, `redis-sentinel://` and `redis-cluster://` with
    /// further hosts as `node=HOST:PORT`; also with `valkey` for `redis`. A user name may be part of it.
    pub url: String,
    /// The file with the password, read anew for each connection.
    pub password_file: Option<PathBuf>,
    /// The authority to trust for TLS, alone; without one, those that the machine trusts.
    pub ca_file: Option<PathBuf>,
    /// This process's name, which others see while it holds the lock.
    pub name: String,
    /// How long past readings are kept.
    pub retention: SignedDuration,
    /// How long to wait for what.
    pub timing: Timing,
}

/// The URL may hold a password, whatever the rules say.
impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, password_file, ca_file, name, retention, timing } = self;
        f.debug_struct("RedisOptions")
            .field("password_file", password_file)
            .field("ca_file", ca_file)
            .field("name", name)
            .field("retention", retention)
            .field("timing", timing)
            .finish_non_exhaustive()
    }
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a lock lasts; a collector that is gone is missed for so long at most.
    pub lock_period: Duration,
    /// Between two looks for a version that was not heard of.
    pub poll: Duration,
    /// For a connection to stand: TCP, TLS, password and a first word, which are several round trips.
    pub connect: Duration,
    /// For an answer; after that the connection is given up.
    pub command: Duration,
    /// From the first failure to the next attempt; it doubles from there.
    pub first_backoff: Duration,
    /// The longest between two attempts, and so what a Redis that is back waits for its clients at most.
    pub longest_backoff: Duration,
}

impl Default for Timing {
    /// Short against the minutes between two snapshots: a failing Redis is noticed within a poll and a command's time,
    /// and nobody piles up work on it. Long enough for one that takes two seconds for each word: a connection takes
    /// several, and within a lock period the lock is still asked for thrice.
    fn default() -> Self {
        Self {
            lock_period: Duration::from_secs(10),
            poll: Duration::from_secs(5),
            connect: Duration::from_secs(15),
            command: Duration::from_secs(4),
            first_backoff: Duration::from_millis(250),
            longest_backoff: Duration::from_secs(5),
        }
    }
}

/// Options that no server can make good.
#[derive(Debug, thiserror::Error)]
pub enum RedisOptionsError {
    /// The URL is none, or asks for what there is not.
    #[error("store.redis.url: {problem}; give one like {cure}")]
    Url {
        /// What is wrong with it; never the URL itself, which may hold a password.
        problem: String,
        /// One that would do.
        cure: &'static str,
    },
    /// A secret stands where everybody reads it.
    #[error("store.redis.url holds a password: put it in a file and name that in store.redis.passwordFile")]
    PasswordInUrl,
    /// A user without a password.
    #[error(
        "store.redis.url names the user {user:?}: name the file with the password in store.redis.passwordFile"
    )]
    UserWithoutPassword {
        /// Who.
        user: String,
    },
    /// An authority for a connection that asks for none.
    #[error("store.redis.caFile is given, and store.redis.url asks for no TLS: begin it with rediss://")]
    CaFileWithoutTls,
    /// The file with the authority cannot be read.
    #[error("store.redis.caFile: {}: cannot be read: {source}", .path.display())]
    CaFile {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The machine has no randomness to tell this process from others.
    #[error("no random numbers can be had: {0}")]
    NoRandom(getrandom::Error),
    /// The file holds no authority, or TLS cannot be set up.
    #[error("store.redis.caFile: {0}")]
    Tls(#[from] TlsError),
}

const PLAIN: &str = "redis://redis.example:6379/0";
const SENTINEL: &str = "redis-sentinel://sentinel.example:26379/0?sentinelServiceName=mymaster";

/// Options that were checked, and what is made of them.
pub(super) struct Target {
    config: Config,
    password_file: Option<PathBuf>,
    /// Where, for people.
    pub(super) address: String,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Target {
    pub(super) fn new(options: &RedisOptions) -> Result<Self, RedisOptionsError> {
        let url = Url::parse(&options.url).map_err(|error| wrong(error.to_string(), PLAIN))?;
        let scheme = Scheme::of(&url)?;
        let secret_in_query =
            url.query_pairs().any(|(name, _)| name.eq_ignore_ascii_case("sentinelPassword"));
        if url.password().is_some() || secret_in_query {
            return Err(RedisOptionsError::PasswordInUrl);
        }
        let tls = match (&options.ca_file, scheme.tls) {
            (Some(_), false) => return Err(RedisOptionsError::CaFileWithoutTls),
            (Some(path), true) => Some(trusting(path)?),
            (None, true) => Some(Arc::new(system_client_config()?)),
            (None, false) => None,
        };
        let mut config = scheme.config(&url)?;
        if let Some(user) = config.username.clone().filter(|_| options.password_file.is_none()) {
            return Err(RedisOptionsError::UserWithoutPassword { user });
        }
        // Nodes of a cluster are told by address: a certificate is for the name the operator wrote, if it was one.
        let is_name = url.host_str().is_some_and(|host| host.parse::<std::net::IpAddr>().is_err());
        let hostnames = if is_name { TlsHostMapping::DefaultHost } else { TlsHostMapping::None };
        config.tls = tls.map(|tls| TlsConfig { connector: TlsConnector::Rustls(tls.into()), hostnames });
        let database = config.database.map(|database| format!("/{database}")).unwrap_or_default();
        let hosts: Vec<String> =
            config.server.hosts().iter().map(|server| format!("{}:{}", server.host, server.port)).collect();
        let address = format!("{}://{}{database}", url.scheme(), hosts.join(","));
        Ok(Self { config, password_file: options.password_file.clone(), address })
    }

    /// What the next connection is made with: the password is read now.
    pub(super) fn config(&self) -> Result<Config, StoreError> {
        let mut config = self.config.clone();
        let Some(path) = &self.password_file else { return Ok(config) };
        let password = read_password(path)?;
        if let ServerConfig::Sentinel { username: Some(_), password: of_sentinels, .. } = &mut config.server {
            *of_sentinels = Some(password.clone());
        }
        config.password = Some(password);
        Ok(config)
    }

    /// How many hosts may have to be tried one after the other.
    pub(super) fn hosts(&self) -> u32 {
        u32::try_from(self.config.server.hosts().len()).unwrap_or(u32::MAX)
    }
}

/// Without the end of the line that editors and `echo` leave.
fn read_password(path: &Path) -> Result<String, StoreError> {
    let denied = |what: &str| {
        StoreError::Denied(format!(
            "{}: {what}; write the password to the file that store.redis.passwordFile names",
            path.display()
        ))
    };
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => denied("no such file"),
        _ => denied(&format!("cannot be read: {error}")),
    })?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(denied("the file is empty"));
    }
    Ok(password.to_owned())
}

fn trusting(path: &Path) -> Result<Arc<ClientConfig>, RedisOptionsError> {
    let pem =
        std::fs::read(path).map_err(|source| RedisOptionsError::CaFile { path: path.to_owned(), source })?;
    Ok(client_config(&pem)?)
}

fn wrong(problem: impl Into<String>, cure: &'static str) -> RedisOptionsError {
    RedisOptionsError::Url { problem: problem.into(), cure }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    One,
    Sentinel,
    Cluster,
}

struct Scheme {
    tls: bool,
    kind: Kind,
}

impl Scheme {
    fn of(url: &Url) -> Result<Self, RedisOptionsError> {
        let (family, kind) = match url.scheme().split_once('-') {
            None => (url.scheme(), Kind::One),
            Some((family, "sentinel")) => (family, Kind::Sentinel),
            Some((family, "cluster")) => (family, Kind::Cluster),
            Some(_) => ("", Kind::One),
        };
        match family {
            "redis" | "valkey" => Ok(Self { tls: false, kind }),
            "rediss" | "valkeys" => Ok(Self { tls: true, kind }),
            _ => Err(wrong(format!("{}:// is no scheme of Redis", url.scheme()), PLAIN)),
        }
    }

    /// TLS is left out: it is set up by us, not from the URL.
    fn config(&self, url: &Url) -> Result<Config, RedisOptionsError> {
        let (family, cure) = match self.kind {
            Kind::One => ("redis", PLAIN),
            Kind::Sentinel => ("redis-sentinel", SENTINEL),
            Kind::Cluster => ("redis-cluster", "redis-cluster://redis.example:6379"),
        };
        if url.host_str().is_none_or(str::is_empty) {
            return Err(wrong("it names no host", cure));
        }
        if self.kind == Kind::Cluster && !matches!(url.path(), "" | "/" | "/0") {
            return Err(wrong("a cluster has no databases", cure));
        }
        let plain = url.as_str().replacen(url.scheme(), family, 1);
        let mut config = Config::from_url(&plain).map_err(|error| wrong(problem_of(&error), cure))?;
        match &mut config.server {
            ServerConfig::Centralized { server } => bare(&mut server.host),
            ServerConfig::Sentinel { hosts, .. } | ServerConfig::Clustered { hosts, .. } => {
                for server in hosts {
                    bare(&mut server.host);
                }
            }
        }
        Ok(config)
    }
}

/// `::1` for `[::1]`: the brackets belong to URLs.
fn bare<T: std::ops::Deref<Target = str> + for<'a> From<&'a str>>(host: &mut T) {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        *host = T::from(address);
    }
}

fn problem_of(error: &fred::error::Error) -> String {
    match error.details() {
        "Invalid integer string." => "the database is no number from 0 to 255".to_owned(),
        "Invalid database path." => "the path is no database".to_owned(),
        details if details.contains("sentinel service name") => "sentinelServiceName is missing".to_owned(),
        details => details.trim_end_matches('.').to_owned(),
    }
}

#[cfg(test)]
mod tests;
