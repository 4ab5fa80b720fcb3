//! `store`: where readings are shared between replicas, and kept.

use std::path::PathBuf;

use super::reader::Section;
use super::redis_url::{redis_url, uses_tls};
use super::value::{Fault, path, secret_path};

/// Redis on this machine, on its usual port.
const LOCAL: &str = "redis://localhost:6379";

/// Where readings are shared between replicas, and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// Redis; without it, readings are this process's own, in memory.
    pub redis: Option<RedisSettings>,
}

/// How Redis is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisSettings {
    /// Its address in fred's form, maybe with a user's name, never with a password.
    pub url: String,
    /// File that holds the password.
    pub password_file: Option<PathBuf>,
    /// Authority that signs its certificate, in place of the system's; with TLS only.
    pub ca_file: Option<PathBuf>,
}

pub(super) fn read(store: &mut Section<'_>) -> StoreSettings {
    let is_there = store.has("redis");
    let redis = store.section("redis", read_redis);
    StoreSettings { redis: is_there.then_some(redis) }
}

fn read_redis(redis: &mut Section<'_>) -> RedisSettings {
    let errors = redis.report().errors.len();
    let url = redis.read("url", LOCAL.to_owned(), redis_url);
    let is_url_good = redis.report().errors.len() == errors;
    redis.forbid_secret("password", "passwordFile");
    let password_file = redis.optional("passwordFile", secret_path);
    let ca_file = redis.optional("caFile", path);
    if ca_file.is_some() && is_url_good && !uses_tls(&url) {
        redis.fault(
            "caFile",
            Fault::silent(
                "has no effect without TLS: the connection is in the clear",
                "give store.redis.url a scheme with TLS, such as rediss://, or leave out caFile",
            ),
        );
    }
    RedisSettings { url, password_file, ca_file }
}
