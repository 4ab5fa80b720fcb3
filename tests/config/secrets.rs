//! Secrets in the file: refused with the cure, and shown nowhere.

use super::*;

#[rstest]
#[case(
    "grid: {electricityMaps: {token: hunter2}}",
    "grid.electricityMaps.token: holds a secret, which has no place in a configuration file; put it into a Secret, mount that, and name the file: grid.electricityMaps.tokenFile; and replace the secret that was written here"
)]
#[case(
    "grid: {electricityMaps: {authToken: hunter2}}",
    "grid.electricityMaps.authToken: holds a secret, which has no place in a configuration file; put it into a Secret, mount that, and name the file: grid.electricityMaps.tokenFile; and replace the secret that was written here"
)]
#[case(
    "grid: {electricityMaps: {apiKey: hunter2}}",
    "grid.electricityMaps.apiKey: holds a secret, which has no place in a configuration file; put it into a Secret, mount that, and name the file: grid.electricityMaps.tokenFile; and replace the secret that was written here"
)]
#[case(
    "grid: {electricityMaps: {tokenFile: hunter2}}",
    "grid.electricityMaps.tokenFile: is not an absolute path; give the path of a file mounted from a Secret, such as /var/run/secrets/eco-pulse/token; never the secret itself"
)]
#[case(
    "grid: {electricityMaps: hunter2}",
    "grid.electricityMaps: is text, not a map; write keys and values below it"
)]
#[case(
    "grid: {electricityMaps: {baseUrl: 'https://hunter2@api.electricitymaps.com'}}",
    "grid.electricityMaps.baseUrl: holds a user or password; put the password into a Secret and name its file (tokenFile, passwordFile); give https:// or http://host[:port][/path], without user, query or fragment"
)]
#[case(
    "grid: {electricityMaps: {baseUrl: 'https://api.electricitymaps.com?auth-token=hunter2'}}",
    "grid.electricityMaps.baseUrl: has a query or fragment; give https:// or http://host[:port][/path], without user, query or fragment"
)]
#[case(
    "token: hunter2",
    "token: is not a known key; take it out; secrets come from files mounted from a Secret, see tokenFile and passwordFile"
)]
#[case(
    "store: {redis: null, password: hunter2}",
    "store.password: is not a known key; take it out; secrets come from files mounted from a Secret, see tokenFile and passwordFile"
)]
fn refuses_secrets_without_showing_them(#[case] yaml: &str, #[case] expected: &str) {
    assert_eq!(errors(yaml), [expected]);
}

/// Every place where people put secrets, and some where the secret breaks the YAML or the type.
#[rstest]
#[case("grid: {electricityMaps: {token: hunter2, authToken: [hunter2], apiKey: {a: hunter2}}}", 3)]
#[case("grid: {electricityMaps: {tokenFile: hunter2, baseUrl: 'hunter2'}}", 2)]
#[case("grid: {electricityMaps: [hunter2], gbCarbonIntensity: hunter2}", 2)]
#[case(
    "store: {redis: {url: 'redis://:hunter2@localhost:6379', password: hunter2, passwordFile: hunter2}}",
    3
)]
#[case("store: {redis: {url: 'redis://localhost?password=hunter2'}}", 1)]
#[case("store: {redis: {url: 'rediss-sentinel://a?sentinelServiceName=b&sentinelPassword=hunter2'}}", 1)]
#[case("store: {redis: {url: hunter2, caFile: {hunter2: hunter2}}}", 2)]
#[case("store: {redis: 'redis://:hunter2@localhost'}", 1)]
#[case("store: 'redis://:hunter2@localhost'", 1)]
#[case("redisPassword: hunter2\nauth: {token: hunter2}", 2)]
#[case("topologyKey: 'redis://:hunter2@localhost'", 1)]
#[case("store: {redis: {password: !hunter2}}", 1)]
#[case("store: {redis: {password: *hunter2}}", 1)]
#[case("store: {redis: {password: 'hunter2}}", 1)]
fn no_error_shows_a_secret(#[case] yaml: &str, #[case] count: usize) {
    let errors = parse(yaml).unwrap_err();
    assert_eq!(errors.iter().count(), count, "{errors}");
    assert!(!errors.to_string().contains("hunter2"), "{errors}");
    assert!(!format!("{errors:?}").contains("hunter2"), "{errors:?}");
}
