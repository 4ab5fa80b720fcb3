//! `store.redis.url`: an address in the form that fred takes, checked so that a start cannot fail on it.
//!
//! An address is where people put passwords, so none that is refused is quoted, not even in part.

use http::uri::Authority;
use serde_json::Value;

use super::value::Fault;

/// What is behind the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Server,
    Sentinel,
    Cluster,
}

/// What an address can be like.
const FORMS: &str = "give redis://host:6379/0, rediss:// for TLS, redis-sentinel://host:26379?sentinelServiceName=name \
     or redis-cluster://host:6379 (valkey for redis does as well)";
/// Where the password goes.
const SECRET: &str = "put the password into a Secret, mount that, and name the file: store.redis.passwordFile; and \
     replace the one that was written here";

/// A Redis address: one server, Sentinels or a cluster, with TLS or without, maybe with a user, never a password.
pub(super) fn redis_url(value: &Value) -> Result<String, Fault> {
    let fault = |problem: &str| Fault::silent(problem, FORMS);
    let Value::String(url) = value else { return Err(fault("is not an address")) };
    let (scheme, rest) = url.split_once("://").ok_or_else(|| fault("is not an address"))?;
    let kind = kind(scheme).ok_or_else(|| fault("has another scheme"))?;
    // Up to the last `@`, wherever it is: a password may hold `/`, `?` and `#` that nobody wrote as %XX.
    let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
    check_user(user)?;
    if rest.contains('#') {
        return Err(fault("has a fragment"));
    }
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let (server, path) = place.split_once('/').unwrap_or((place, ""));
    if !is_server(server) {
        return Err(fault("names no host, or a port that is none"));
    }
    check_database(kind, path)?;
    check_query(kind, query)?;
    Ok(url.clone())
}

/// Whether the connection is encrypted.
pub(super) fn uses_tls(url: &str) -> bool {
    url.starts_with("rediss") || url.starts_with("valkeys")
}

fn kind(scheme: &str) -> Option<Kind> {
    let (base, kind) = match scheme.split_once('-') {
        None => (scheme, Kind::Server),
        Some((base, "sentinel")) => (base, Kind::Sentinel),
        Some((base, "cluster")) => (base, Kind::Cluster),
        Some(_) => return None,
    };
    ["redis", "rediss", "valkey", "valkeys"].contains(&base).then_some(kind)
}

/// A name alone. With a colon in it, or another `@`, it is a password too.
fn check_user(user: Option<&str>) -> Result<(), Fault> {
    let Some(user) = user else { return Ok(()) };
    if user.contains([':', '@']) {
        return Err(Fault::silent("holds a password", SECRET));
    }
    if user.is_empty() || !is_plain(user) {
        let cure = "before the @ give the user's name, what is no letter, digit, `-`, `_`, `.` or `~` as %XX; \
                    or leave out the @ as well";
        return Err(Fault::silent("has a user whose name cannot be read", cure));
    }
    Ok(())
}

/// fred reads the number as one byte.
fn check_database(kind: Kind, path: &str) -> Result<(), Fault> {
    let is_number = path.bytes().all(|byte| byte.is_ascii_digit());
    match kind {
        _ if path.is_empty() => Ok(()),
        Kind::Cluster => {
            Err(Fault::silent("has a path, and a cluster has no databases", "end it with the host and port"))
        }
        Kind::Server | Kind::Sentinel if is_number && path.parse::<u8>().is_ok() => Ok(()),
        Kind::Server | Kind::Sentinel => Err(Fault::silent(
            "has a path that is no database",
            "behind the host and port give a database's number from 0 to 255, as in redis://localhost:6379/1",
        )),
    }
}

fn check_query(kind: Kind, query: Option<&str>) -> Result<(), Fault> {
    let pairs: Vec<(&str, &str)> = query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    if pairs.iter().any(|(key, _)| key.to_ascii_lowercase().contains("pass")) {
        return Err(Fault::silent("holds a password", SECRET));
    }
    let cure = match kind {
        Kind::Server => "leave out the `?` and what follows: one server needs nothing of it",
        Kind::Sentinel => {
            "behind the `?` give sentinelServiceName=name once, node=host:port for each further Sentinel, and \
             sentinelUsername=name if they ask for one, joined with `&`"
        }
        Kind::Cluster => "behind the `?` give node=host:port for each further node, joined with `&`",
    };
    let is_known = |(key, value): &(&str, &str)| match (kind, *key) {
        (Kind::Sentinel, "sentinelServiceName" | "sentinelUsername") => !value.is_empty() && is_plain(value),
        (Kind::Sentinel | Kind::Cluster, "node") => is_node(value),
        _ => false,
    };
    if !pairs.iter().all(is_known) {
        return Err(Fault::silent("has a query that cannot be read", cure));
    }
    let count = |name: &str| pairs.iter().filter(|(key, _)| *key == name).count();
    if kind == Kind::Sentinel && count("sentinelServiceName") == 0 {
        return Err(Fault::silent("does not say which of the Sentinels' services is meant", cure));
    }
    if count("sentinelServiceName") > 1 || count("sentinelUsername") > 1 {
        return Err(Fault::silent("says the same twice", cure));
    }
    Ok(())
}

/// `host` or `host:port`.
fn is_server(server: &str) -> bool {
    let Ok(authority) = server.parse::<Authority>() else { return false };
    let port = server.strip_prefix(authority.host()).unwrap_or_default();
    let is_port = port
        .strip_prefix(':')
        .is_none_or(|port| !port.starts_with('+') && port.parse::<u16>().is_ok_and(|port| port > 0));
    !authority.host().is_empty() && is_port
}

/// `host:port`. fred takes no more than one colon here, so no IPv6 address.
fn is_node(node: &str) -> bool {
    node.matches(':').count() == 1 && !node.contains(['@', '%', '+']) && is_server(node)
}

/// Letters, digits, `-`, `_`, `.`, `~`, and `%XX` for any other ASCII character that can be seen.
fn is_plain(text: &str) -> bool {
    let mut parts = text.split('%');
    let is_clean =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte));
    let is_coded = |part: &str| {
        let code = part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        code.is_some_and(|code| code.is_ascii_graphic()) && part.get(2..).is_some_and(is_clean)
    };
    parts.next().is_some_and(is_clean) && parts.all(is_coded)
}

#[cfg(test)]
mod tests {
    use fred::types::config::{Config, ServerConfig};
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    /// What is accepted, fred understands, and as it was meant: where, which database, which user.
    #[rstest]
    #[case("redis://localhost:6379", "localhost:6379", None, None)]
    #[case("redis://localhost", "localhost:6379", None, None)]
    #[case("redis://localhost/", "localhost:6379", None, None)]
    #[case("redis://10.0.0.7:7000/255", "10.0.0.7:7000", Some(255), None)]
    #[case("redis://[::1]:7000/1", "[::1]:7000", Some(1), None)]
    #[case("redis://eco-pulse@redis.cache.svc:6379", "redis.cache.svc:6379", None, Some("eco-pulse"))]
    #[case("redis://eco%40pulse@redis_1", "redis_1:6379", None, Some("eco@pulse"))]
    #[case("valkey://localhost:1", "localhost:1", None, None)]
    #[case("redis-sentinel://a?sentinelServiceName=main", "a:26379", None, None)]
    #[case(
        "valkey-sentinel://eco@a:1/2?node=b:2&sentinelServiceName=my%2Dmain&node=c:3&sentinelUsername=s",
        "b:2 c:3 a:1",
        Some(2),
        Some("eco")
    )]
    #[case("redis-cluster://a:1?node=b:2&node=c:3", "b:2 c:3 a:1", None, None)]
    #[case("valkey-cluster://eco@a/", "a:6379", None, Some("eco"))]
    fn what_is_accepted_means_the_same_to_fred(
        #[case] url: &str,
        #[case] servers: &str,
        #[case] database: Option<u8>,
        #[case] user: Option<&str>,
    ) {
        assert_eq!(redis_url(&json!(url)).unwrap(), url);
        let config = Config::from_url(url).unwrap();
        let hosts: Vec<String> = config.server.hosts().iter().map(ToString::to_string).collect();
        assert_eq!(hosts.join(" "), servers);
        assert_eq!((config.database, config.username.as_deref()), (database, user));
        assert!(config.password.is_none() && config.tls.is_none());
        if let ServerConfig::Sentinel { service_name, .. } = config.server {
            assert!(["main", "my-main"].contains(&service_name.as_str()), "{service_name}");
        }
    }

    #[rstest]
    #[case("rediss://localhost")]
    #[case("valkeys://localhost/3")]
    #[case("rediss-sentinel://a?sentinelServiceName=main")]
    #[case("valkeys-sentinel://a?sentinelServiceName=main")]
    #[case("rediss-cluster://a:1?node=b:2")]
    #[case("valkeys-cluster://a:1")]
    fn tls_goes_by_the_scheme(#[case] url: &str) {
        assert_eq!(redis_url(&json!(url)).unwrap(), url);
        assert!(uses_tls(url));
        let plain = url.replacen("rediss", "redis", 1).replacen("valkeys", "valkey", 1);
        assert!(!uses_tls(&plain) && redis_url(&json!(plain)).is_ok());
    }

    #[rstest]
    #[case("redis://:hunter2@localhost:6379", "holds a password")]
    #[case("redis://eco-pulse:hunter2@localhost", "holds a password")]
    #[case("redis://eco:hunt@hunter2@localhost", "holds a password")]
    #[case("redis://:hunter2/?#@localhost", "holds a password")]
    #[case("redis://a@hunter2@localhost", "holds a password")]
    #[case("redis-sentinel://a?sentinelServiceName=m&sentinelPassword=hunter2", "holds a password")]
    #[case("redis://localhost?password=hunter2", "holds a password")]
    #[case("redis://@localhost", "has a user whose name cannot be read")]
    #[case("redis://hunter2%@localhost", "has a user whose name cannot be read")]
    #[case("redis://hunter2%ff@localhost", "has a user whose name cannot be read")]
    #[case("redis://hunter2%+5@localhost", "has a user whose name cannot be read")]
    #[case("hunter2", "is not an address")]
    #[case("", "is not an address")]
    #[case("localhost:6379", "is not an address")]
    #[case("http://localhost:6379", "has another scheme")]
    #[case("Redis://localhost:6379", "has another scheme")]
    #[case("redis-standalone://localhost", "has another scheme")]
    #[case("redis+unix:///run/redis.sock", "has another scheme")]
    #[case("redis://", "names no host, or a port that is none")]
    #[case("redis:///1", "names no host, or a port that is none")]
    #[case("redis://:6379", "names no host, or a port that is none")]
    #[case("redis://localhost:", "names no host, or a port that is none")]
    #[case("redis://localhost:0", "names no host, or a port that is none")]
    #[case("redis://localhost:+1", "names no host, or a port that is none")]
    #[case("redis://localhost:65536", "names no host, or a port that is none")]
    #[case("redis://local host", "names no host, or a port that is none")]
    #[case("redis://::1:6379", "names no host, or a port that is none")]
    #[case("redis://a:1,b:2", "names no host, or a port that is none")]
    #[case("redis://localhost#1", "has a fragment")]
    #[case("redis://localhost/256", "has a path that is no database")]
    #[case("redis://localhost/-1", "has a path that is no database")]
    #[case("redis://localhost/+1", "has a path that is no database")]
    #[case("redis://localhost/0/1", "has a path that is no database")]
    #[case("redis://localhost/main", "has a path that is no database")]
    #[case("redis-cluster://localhost:6379/0", "has a path, and a cluster has no databases")]
    #[case("redis://localhost?node=a:1", "has a query that cannot be read")]
    #[case("redis://localhost?", "has a query that cannot be read")]
    #[case("redis-cluster://a?node=b", "has a query that cannot be read")]
    #[case("redis-cluster://a?node=b:0", "has a query that cannot be read")]
    #[case("redis-cluster://a?node=[::1]:1", "has a query that cannot be read")]
    #[case("redis-cluster://a?sentinelServiceName=main", "has a query that cannot be read")]
    #[case("redis-sentinel://a?sentinelServiceName=", "has a query that cannot be read")]
    #[case("redis-sentinel://a?sentinelservicename=main", "has a query that cannot be read")]
    #[case("redis-sentinel://a", "does not say which of the Sentinels' services is meant")]
    #[case("redis-sentinel://a?node=b:1", "does not say which of the Sentinels' services is meant")]
    #[case("redis-sentinel://a?sentinelServiceName=m&sentinelServiceName=n", "says the same twice")]
    fn what_is_refused_is_never_quoted(#[case] url: &str, #[case] problem: &str) {
        let fault = redis_url(&json!(url)).unwrap_err();
        assert_eq!(fault.problem, problem);
        assert!(fault.shown.is_none() && !format!("{fault:?}").contains("hunter2"), "{fault:?}");
    }

    #[test]
    fn a_password_names_the_secret_to_use() {
        let fault = redis_url(&json!("redis://:hunter2@localhost")).unwrap_err();
        assert!(fault.cure.contains("store.redis.passwordFile"), "{}", fault.cure);
    }
}
