//! URLs, files and what is said of those that will not do.

use rstest::rstest;

use super::*;

fn options(url: &str) -> RedisOptions {
    RedisOptions {
        url: url.to_owned(),
        password_file: None,
        ca_file: None,
        name: "tester".to_owned(),
        retention: SignedDuration::from_hours(24),
        timing: Timing::default(),
    }
}

fn refused(options: &RedisOptions) -> String {
    Target::new(options).unwrap_err().to_string()
}

#[rstest]
#[case::shortest("redis://here", "redis://here:6379")]
#[case::port_and_database("redis://here:1234/5", "redis://here:1234/5")]
#[case::empty_path("redis://here:1234/", "redis://here:1234")]
#[case::valkey("valkey://here", "valkey://here:6379")]
#[case::tls("rediss://here", "rediss://here:6379")]
#[case::valkey_tls("valkeys://here", "valkeys://here:6379")]
#[case::address_of_version_6("redis://[::1]:6380", "redis://::1:6380")]
#[case::sentinel("redis-sentinel://a?sentinelServiceName=m&node=b:26380", "redis-sentinel://b:26380,a:26379")]
#[case::sentinel_tls("rediss-sentinel://a/3?sentinelServiceName=m", "rediss-sentinel://a:26379/3")]
#[case::cluster("redis-cluster://a:7000?node=b:7001", "redis-cluster://b:7001,a:7000")]
#[case::cluster_tls("rediss-cluster://a:7000", "rediss-cluster://a:7000")]
#[case::valkey_cluster("valkey-cluster://a:7000/0", "valkey-cluster://a:7000")]
fn urls_of_all_kinds_are_understood(#[case] url: &str, #[case] address: &str) {
    let target = Target::new(&options(url)).unwrap();
    assert_eq!(target.address, address);
    assert_eq!(
        target.config().unwrap().tls.is_some(),
        url.starts_with("rediss") || url.starts_with("valkeys")
    );
}

#[rstest]
#[case::nothing("", "relative URL")]
#[case::no_url("localhost:6379", "localhost:// is no scheme")]
#[case::another_scheme("http://here:6379", "http:// is no scheme")]
#[case::almost_a_scheme("redis-ring://here", "redis-ring:// is no scheme")]
#[case::socket("redis+unix:///run/redis.sock", "redis+unix:// is no scheme")]
#[case::no_host("redis://", "no host")]
#[case::port("redis://here:70000", "port")]
#[case::database("redis://here/five", "the database is no number")]
#[case::database_too_high("redis://here/256", "the database is no number")]
#[case::deep_path("redis://here/1/2", "the path is no database")]
#[case::sentinel_without_service("redis-sentinel://here", "sentinelServiceName is missing")]
#[case::cluster_with_database("redis-cluster://here:7000/3", "a cluster has no databases")]
fn a_url_that_will_not_do_is_refused_with_one_that_would(#[case] url: &str, #[case] problem: &str) {
    let text = refused(&options(url));
    assert!(text.starts_with("store.redis.url: ") && text.contains(problem), "{text}");
    assert!(text.contains("give one like redis"), "{text}");
}

#[rstest]
#[case("redis://:hunter2@here")]
#[case("redis://user:hunter2@here")]
#[case("redis-sentinel://here?sentinelServiceName=m&sentinelUsername=u&sentinelPassword=hunter2")]
#[case("redis://user:hunter2@here:99999")]
#[case("redis://user:hunter2@")]
#[case("http://user:hunter2@here")]
fn a_password_in_the_url_is_refused_and_never_repeated(#[case] url: &str) {
    let options = options(url);
    let error = Target::new(&options).unwrap_err();
    assert!(!format!("{error} {error:?} {options:?}").contains("hunter2"), "{error:?} {options:?}");
}

#[test]
fn a_user_needs_a_password_file() {
    assert!(refused(&options("redis://eco@here")).contains("the user \"eco\""));
}

#[test]
fn user_and_password_meet_in_the_configuration_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("password");
    std::fs::write(&path, "hunter2\r\n").unwrap();
    let options = RedisOptions {
        password_file: Some(path.clone()),
        ..options("redis-sentinel://eco@here?sentinelServiceName=m&sentinelUsername=watcher")
    };
    let target = Target::new(&options).unwrap();
    let config = target.config().unwrap();
    assert_eq!((config.username.as_deref(), config.password.as_deref()), (Some("eco"), Some("hunter2")));
    let ServerConfig::Sentinel { username, password, .. } = config.server else { panic!("no sentinel") };
    assert_eq!((username.as_deref(), password.as_deref()), (Some("watcher"), Some("hunter2")));
    assert!(!format!("{target:?}").contains("hunter2"));
    std::fs::write(&path, " with spaces ").unwrap();
    assert_eq!(target.config().unwrap().password.as_deref(), Some(" with spaces "));
}

#[test]
fn sentinels_are_given_the_password_only_if_the_url_names_a_user_for_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("password");
    std::fs::write(&path, "hunter2").unwrap();
    let options =
        RedisOptions { password_file: Some(path), ..options("redis-sentinel://here?sentinelServiceName=m") };
    let config = Target::new(&options).unwrap().config().unwrap();
    let ServerConfig::Sentinel { password, .. } = config.server else { panic!("no sentinel") };
    assert_eq!((config.password.as_deref(), password), (Some("hunter2"), None));
}

#[rstest]
#[case::missing(None, "no such file")]
#[case::empty(Some(""), "the file is empty")]
#[case::only_the_end_of_a_line(Some("\n"), "the file is empty")]
fn a_password_file_without_a_password_is_said_with_its_name(#[case] text: Option<&str>, #[case] what: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("password");
    if let Some(text) = text {
        std::fs::write(&path, text).unwrap();
    }
    let options = RedisOptions { password_file: Some(path.clone()), ..options("redis://here") };
    let StoreError::Denied(text) = Target::new(&options).unwrap().config().unwrap_err() else { panic!() };
    assert!(text.contains(what) && text.contains(&path.display().to_string()), "{text}");
    assert!(text.contains("store.redis.passwordFile"), "{text}");
}

#[test]
fn a_ca_file_is_for_tls_and_holds_an_authority() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ca.crt");
    let with_ca = |url| RedisOptions { ca_file: Some(path.clone()), ..options(url) };
    assert!(refused(&with_ca("redis://here")).contains("rediss://"));
    assert!(refused(&with_ca("rediss://here")).contains(&path.display().to_string()));
    std::fs::write(&path, "nonsense").unwrap();
    assert!(refused(&with_ca("rediss://here")).starts_with("store.redis.caFile: "));
}
