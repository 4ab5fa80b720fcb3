//! What is done on the server in one step, as scripts: nothing comes between the looking and the writing.
//!
//! Every key has the same hash tag, so that a Redis Cluster keeps them all on one node, where a script can reach them.

use crate::domain::RegionName;

/// The snapshot: a hash of `version`, `schema`, `body`, and `clock` where a process has seen a later version than is
/// stored.
pub(super) const SNAPSHOT: &str = "{eco-pulse}:snapshot";
/// The collector's lock: a text that expires, its holder's token.
pub(super) const LOCK: &str = "{eco-pulse}:collector";
/// The accountant's lock: like the collector's.
pub(super) const ACCOUNTANT: &str = "{eco-pulse}:accountant";
/// The version of the accounts' books.
pub(super) const BOOKS: &str = "{eco-pulse}:accounts";
/// The channel on which each new version is announced.
pub(super) const VERSIONS: &str = "{eco-pulse}:versions";

/// The past readings of a region: a sorted set, slot by slot.
pub(super) fn history(region: &RegionName) -> String {
    format!("{{eco-pulse}}:history:{region}")
}

/// A table of the accounts' books: a hash.
pub(super) fn books_table(name: &str) -> String {
    format!("{BOOKS}:{name}")
}

/// The records of a chain: a stream, by their numbers.
pub(in crate::store) fn records(chain: &str) -> String {
    format!("{{eco-pulse}}:ledger:{chain}")
}

/// The only field of a chain's entries.
pub(super) const LINE: &str = "line";

/// The names of all chains: a set.
pub(super) const CHAINS: &str = "{eco-pulse}:ledgers";

macro_rules! script {
    ($(#[$doc:meta])* $name:ident, $file:literal) => {
        $(#[$doc])*
        pub(super) const $name: &str =
            concat!(include_str!("lua/common.lua"), "\n", include_str!(concat!("lua/", $file, ".lua")));
    };
}

script!(
    /// Gives the snapshot when it is newer than the caller's.
    READ, "read"
);
script!(
    /// Gives a flushed server back what a replica remembers.
    RESTORE, "restore"
);
script!(
    /// Stores and announces the next version.
    PUBLISH, "publish"
);
script!(
    /// Takes or keeps the lock.
    LEAD, "lead"
);
script!(
    /// Gives the lock back.
    RESIGN, "resign"
);
script!(
    /// Keeps past readings.
    REMEMBER, "remember"
);
script!(
    /// Gives past readings.
    RECALL, "recall"
);
script!(
    /// The version of the accounts' books.
    BOOKS_VERSION, "books_version"
);
script!(
    /// Some entries of a table.
    BOOKS_READ, "books_read"
);
script!(
    /// Writes a set of entries as the next version.
    BOOKS_WRITE, "books_write"
);
script!(
    /// Adds records to a chain.
    APPEND, "append"
);
script!(
    /// Gives the last record of a chain.
    LAST_RECORD, "last_record"
);
script!(
    /// Takes the oldest records off a chain.
    TRIM_RECORDS, "trim_records"
);
script!(
    /// Gives the names of all chains.
    CHAIN_NAMES, "chains"
);
script!(
    /// The server's time of day.
    TIME, "time"
);
