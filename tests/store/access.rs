//! Who is let in: passwords, users and certificates, wrong at first and then put right.

use std::path::{Path, PathBuf};

use eco_pulse::accounts::stored::Put;
use eco_pulse::clock::Clock;
use eco_pulse::store::{
    BookStore, EntryId, Leadership, RedisOptions, RedisStore, SnapshotStore, StoreError, StoreState,
};
use eco_pulse::tls::{Host, issue, write_issued};
use tempfile::TempDir;

use crate::redis::{RedisServer, free_port};
use crate::rig::{NOON, Replica, TIMING, at, options, past, with_password};

const PASSWORD: &str = "correct horse battery staple";

fn guarded() -> Option<(RedisServer, TempDir, PathBuf)> {
    let server = RedisServer::start_with(&["--requirepass", PASSWORD])?;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    Some((server, dir, file))
}

fn denied(error: &StoreError) -> &str {
    match error {
        StoreError::Denied(why) => why,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_wrong_password_is_said_and_the_right_one_needs_no_restart() {
    let Some((server, _dir, file)) = guarded() else { return };
    std::fs::write(&file, "hunter2").unwrap();
    let replica = Replica::on_redis(&with_password(server.url(), file.clone()));
    let error = replica.down().await;
    let why = denied(&error);
    assert!(why.contains("store.redis.passwordFile") && why.contains(&server.url()), "{why}");
    assert!(!format!("{error} {error:?} {:?}", replica.store).contains("hunter2"));
    assert_eq!(replica.store.lead().await.unwrap_err(), error);
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    replica.up().await;
    replica.leads().await;
    assert_eq!(replica.publishes(1.0).await, 1);
    assert!(!format!("{:?}", replica.store).contains(PASSWORD));
}

#[tokio::test]
async fn a_password_file_that_is_missing_or_empty_at_first_is_read_when_it_is_there() {
    let Some((server, _dir, file)) = guarded() else { return };
    let replica = Replica::on_redis(&with_password(server.url(), file.clone()));
    assert!(denied(&replica.down().await).contains("no such file"));
    std::fs::write(&file, "\n").unwrap();
    let empty =
        |state: &_| matches!(state, StoreState::Down(StoreError::Denied(why)) if why.contains("is empty"));
    replica.state(empty).await;
    std::fs::write(&file, PASSWORD).unwrap();
    replica.up().await;
}

#[tokio::test]
async fn a_password_that_is_changed_is_read_again_at_the_next_connection() {
    let Some((server, _dir, file)) = guarded() else { return };
    std::fs::write(&file, PASSWORD).unwrap();
    let replica = Replica::on_redis(&with_password(server.url(), file.clone()));
    replica.up().await;
    server.command_as(PASSWORD, &["CONFIG", "SET", "requirepass", "new"]);
    server.command_as("new", &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    server.command_as("new", &["CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes"]);
    let refused = |state: &_| matches!(state, StoreState::Down(StoreError::Denied(_)));
    replica.state(refused).await;
    std::fs::write(&file, "new").unwrap();
    replica.up().await;
    replica.leads().await;
}

#[tokio::test]
async fn a_server_that_asks_for_a_password_is_told_from_one_that_refuses_it() {
    let Some((server, _dir, _)) = guarded() else { return };
    let replica = Replica::on_redis(&options(server.url(), "without"));
    let error = replica.down().await;
    assert!(denied(&error).contains("asks for a password"), "{error}");
}

#[tokio::test]
async fn a_password_can_be_given_to_us_before_the_server_asks_for_it() {
    let Some(server) = RedisServer::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, PASSWORD).unwrap();
    let replica = Replica::on_redis(&with_password(server.url(), file));
    replica.up().await;
    server.command(&["CONFIG", "SET", "requirepass", PASSWORD]);
    let cut = || drop(server.command_as(PASSWORD, &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]));
    replica.up_again_after(cut).await;
    replica.leads().await;
}

/// What a user of ours must be allowed to, and no more.
const RIGHTS: &[&str] = &[
    "~{eco-pulse}:*",
    "&{eco-pulse}:versions",
    "-@all",
    "+auth",
    "+client|id",
    "+select",
    "+subscribe",
    "+eval",
    "+publish",
    "+type",
    "+exists",
    "+del",
    "+get",
    "+set",
    "+pttl",
    "+pexpire",
    "+pexpireat",
    "+hmget",
    "+hset",
    "+hdel",
    "+hscan",
    "+zadd",
    "+zrangebyscore",
    "+zremrangebyscore",
    "+xadd",
    "+xrange",
    "+xrevrange",
    "+xtrim",
    "+xlen",
    "+sadd",
    "+srem",
    "+smembers",
    "+info",
    "+time",
];

#[tokio::test]
async fn a_user_of_our_own_with_few_rights_is_enough() {
    let Some(server) = RedisServer::start() else { return };
    let secret = format!(">{PASSWORD}");
    let words = [&["ACL", "SETUSER", "eco", "on", secret.as_str()], RIGHTS].concat();
    assert_eq!(server.command(&words), "OK");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    std::fs::write(&file, PASSWORD).unwrap();
    let url = format!("redis://eco@127.0.0.1:{}/3", server.port);
    let replica = Replica::on_redis(&with_password(url, file));
    replica.up().await;
    replica.leads().await;
    assert_eq!(replica.publishes(1.0).await, 1);
    let reading = past("here", "2026-06-01T10:00:00Z", 1.0, false);
    replica.store.remember(std::slice::from_ref(&reading), at(NOON)).await.unwrap();
    let history = replica.store.history(&reading.region, reading.starts_at, reading.ends_at).await;
    assert_eq!(history.unwrap(), [reading]);
    replica.store.append_records("one", &[(1, "line".into())]).await.unwrap();
    assert_eq!(replica.store.last_record("one").await.unwrap().unwrap().line, "line");
    assert_eq!(replica.store.records("one", EntryId::default(), 10).await.unwrap().len(), 1);
    replica.store.trim_records("one", 2, true).await.unwrap();
    assert_eq!(replica.store.chains().await.unwrap(), Vec::<String>::new());
    let SnapshotStore::Redis(redis) = &replica.store else { unreachable!() };
    let books = BookStore::Redis(redis.clone());
    assert_eq!(books.lead().await, Ok(Leadership::Ours));
    let put = |value: Option<&str>| Put {
        table: "hours:1".to_owned(),
        field: "one".to_owned(),
        value: value.map(str::to_owned),
        keep_until: Some(at("2100-01-01T00:00:00Z")),
    };
    assert_eq!(books.write(0, vec![put(Some("1"))]).await, Ok(1));
    assert_eq!(books.version().await, Ok(1));
    assert_eq!(books.table("hours:1").await.unwrap(), [("one".to_owned(), "1".to_owned())]);
    assert_eq!(books.write(0, vec![put(None)]).await, Err(StoreError::Outdated { seen: 0, stored: 1 }));
    assert_eq!(books.write(1, vec![put(None)]).await, Ok(2));
    assert!(books.table("hours:1").await.unwrap().is_empty());
    books.resign().await;
    assert_eq!(books.write(2, Vec::new()).await, Err(StoreError::NotCollector));
    // It is in the database of the URL.
    assert_eq!(server.command(&["DBSIZE"]), "0");
    server.command(&["FLUSHALL"]);
    assert_eq!(replica.store.latest().await.unwrap().unwrap().version, 1);
    replica.store.resign().await;
    assert_eq!(server.command(&["ACL", "SETUSER", "eco", "-eval"]), "OK");
    let error = replica.down().await;
    assert!(denied(&error).contains("let the user run"), "{error}");
    assert_eq!(server.command(&["ACL", "SETUSER", "eco", "+eval"]), "OK");
    replica.up().await;
}

/// A server that listens with TLS too, and the file with the authority it is known by.
fn over_tls() -> Option<(RedisServer, u16, PathBuf, TempDir)> {
    let dir = tempfile::tempdir().unwrap();
    let now = Clock::system().now();
    let hosts: Vec<Host> = vec!["localhost".parse().unwrap(), "127.0.0.1".parse().unwrap()];
    write_issued(dir.path(), &issue(&hosts, now).unwrap()).unwrap();
    let file = |name: &str| dir.path().join(name).display().to_string();
    let (certificate, key, authority) = (file("tls.crt"), file("tls.key"), file("ca.crt"));
    let tls_port = free_port();
    let server = RedisServer::start_with(&[
        "--tls-port",
        &tls_port.to_string(),
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
        "--tls-ca-cert-file",
        &authority,
        "--tls-auth-clients",
        "no",
    ])?;
    Some((server, tls_port, PathBuf::from(authority), dir))
}

fn trusting(url: String, authority: &Path) -> RedisOptions {
    RedisOptions { ca_file: Some(authority.to_owned()), ..options(url, "over TLS") }
}

#[tokio::test]
async fn over_tls_by_name_and_by_address() {
    let Some((server, port, authority, _dir)) = over_tls() else { return };
    for host in ["localhost", "127.0.0.1"] {
        let replica = Replica::on_redis(&trusting(format!("rediss://{host}:{port}"), &authority));
        replica.up().await;
        replica.leads().await;
        replica.store.resign().await;
    }
    assert_eq!(server.command(&["PING"]), "PONG");
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_with_the_cure() {
    let Some((_server, port, _, _dir)) = over_tls() else { return };
    let other = tempfile::tempdir().unwrap();
    let hosts: Vec<Host> = vec!["localhost".parse().unwrap()];
    write_issued(other.path(), &issue(&hosts, Clock::system().now()).unwrap()).unwrap();
    let options = trusting(format!("rediss://localhost:{port}"), &other.path().join("ca.crt"));
    let replica = Replica::on_redis(&options);
    let error = replica.down().await;
    assert!(matches!(&error, StoreError::Unreachable(why) if why.contains("store.redis.caFile")), "{error}");
}

#[tokio::test]
async fn tls_where_there_is_none_and_none_where_there_is_are_both_unreachable() {
    let Some((server, port, authority, _dir)) = over_tls() else { return };
    let timing = crate::rig::IMPATIENT;
    let to_plain =
        RedisOptions { timing, ..trusting(format!("rediss://localhost:{}", server.port), &authority) };
    let to_tls = RedisOptions { timing, ..options(format!("redis://localhost:{port}"), "plain") };
    for options in [to_plain, to_tls] {
        let error = Replica::on_redis(&options).down().await;
        assert!(matches!(error, StoreError::Unreachable(_)), "{error}");
    }
}

/// Whatever is wrong with the options is said before any server is asked.
#[test]
fn options_that_cannot_be_right_make_no_store() {
    let wrong = RedisStore::new(&RedisOptions { timing: TIMING, ..options("redis://u:p@h".to_owned(), "x") });
    assert!(wrong.unwrap_err().to_string().contains("store.redis.passwordFile"));
}
