//! `store`: memory or Redis, and no password on the way. The forms of an address are tested where it is read.

use super::*;

fn redis(yaml: &str) -> Option<RedisSettings> {
    parse(yaml).unwrap().store.redis
}

#[rstest]
#[case("")]
#[case("store:")]
#[case("store: {}")]
#[case("store: {redis: null}")]
#[case("store: {redis: }")]
fn without_redis_there_is_memory(#[case] yaml: &str) {
    assert_eq!(redis(yaml), None);
}

#[test]
fn an_empty_section_is_redis_on_this_machine() {
    let local =
        RedisSettings { url: "redis://localhost:6379".to_owned(), password_file: None, ca_file: None };
    assert_eq!(redis("store: {redis: {}}"), Some(local.clone()));
    assert_eq!(redis("store: {redis: {passwordFile: null, caFile: null}}"), Some(local));
}

#[test]
fn every_setting_reaches_its_type() {
    let url = "rediss://eco-pulse@redis.cache.svc:6380/3";
    let yaml = format!("store: {{redis: {{url: '{url}', passwordFile: /run/password, caFile: ca.crt}}}}");
    let expected = RedisSettings {
        url: url.to_owned(),
        password_file: Some("/run/password".into()),
        ca_file: Some("ca.crt".into()),
    };
    assert_eq!(redis(&yaml), Some(expected));
}

const FORMS: &str = "give redis://host:6379/0, rediss:// for TLS, redis-sentinel://host:26379?sentinelServiceName=name \
     or redis-cluster://host:6379 (valkey for redis does as well)";

#[rstest]
#[case("store: {redis: {url: 6379}}", &format!("store.redis.url: is not an address; {FORMS}"))]
#[case("store: {redis: {url: localhost}}", &format!("store.redis.url: is not an address; {FORMS}"))]
#[case(
    "store: {redis: {url: null}}",
    "store.redis.url: has no value; give one, or leave the key out for its default"
)]
#[case(
    "store: {redis: {url: 'redis-sentinel://a:26379'}}",
    "store.redis.url: does not say which of the Sentinels' services is meant; behind the `?` give sentinelServiceName=name once, node=host:port for each further Sentinel, and sentinelUsername=name if they ask for one, joined with `&`"
)]
#[case(
    "store: {redis: {passwordFile: password}}",
    "store.redis.passwordFile: is not an absolute path; give the path of a file mounted from a Secret, such as /var/run/secrets/eco-pulse/token; never the secret itself"
)]
#[case(
    "store: {redis: {caFile: ca.crt}}",
    "store.redis.caFile: has no effect without TLS: the connection is in the clear; give store.redis.url a scheme with TLS, such as rediss://, or leave out caFile"
)]
#[case("store: {redis: {url: 'redis://', caFile: ca.crt}}", &format!("store.redis.url: names no host, or a port that is none; {FORMS}"))]
#[case(
    "store: {redis: 'redis://localhost'}",
    "store.redis: is text, not a map; write keys and values below it"
)]
#[case(
    "store: {redis: {user: eco}}",
    "store.redis.user: is not a known key; known here: url, password, passwordFile, caFile"
)]
fn refuses_a_store_that_cannot_be(#[case] yaml: &str, #[case] expected: &str) {
    assert_eq!(errors(yaml), [expected]);
}

#[test]
fn a_password_in_the_address_names_the_key_to_use() {
    let secret = "put the password into a Secret, mount that, and name the file: store.redis.passwordFile; and \
                  replace the one that was written here";
    assert_eq!(
        errors("store: {redis: {url: 'redis://:hunter2@localhost:6379', password: x}}"),
        [
            format!("store.redis.url: holds a password; {secret}"),
            "store.redis.password: holds a secret, which has no place in a configuration file; put it into a \
             Secret, mount that, and name the file: store.redis.passwordFile; and replace the secret that was \
             written here"
                .to_owned(),
        ]
    );
}
