//! What kept Redis from answering, in words that say what to do about it.

use fred::error::{Error, ErrorKind};

use crate::store::StoreError;

/// What an error of the client's or the server's means for us.
pub(super) fn of(error: &Error, address: &str) -> StoreError {
    let details = error.details();
    let says = |word: &str| details.contains(word);
    if matches!(error.kind(), ErrorKind::Auth) || says("WRONGPASS") || says("NOAUTH") {
        return StoreError::Denied(denied(details, address));
    }
    if says("NOPERM") || says("ACL failure") {
        return StoreError::Denied(format!(
            "{address} says {details:?}: let the user run eval, subscribe and the commands in scripts on \
             {{eco-pulse}}:*, and the channel {{eco-pulse}}:versions"
        ));
    }
    let cure = if says("READONLY") {
        "it is a replica, which takes no writes: name the primary, or its sentinels, in store.redis.url"
    } else if says("InvalidCertificate") || says("UnknownIssuer") {
        "its certificate is not trusted: name the authority's file in store.redis.caFile, and the host as the \
         certificate does"
    } else if says("cluster support disabled") {
        "it is no cluster: begin store.redis.url with redis://"
    } else if says("MOVED") || says("CROSSSLOT") {
        "it is a node of a cluster: begin store.redis.url with redis-cluster://"
    } else if says("OOM") {
        "it has no memory left: give it more (maxmemory), or keep less (ledger.rawRetentionDays, ledger.file)"
    } else if matches!(error.kind(), ErrorKind::Timeout) {
        return silent(address);
    } else {
        "see that it runs, and that store.redis.url is right"
    };
    StoreError::Unreachable(format!("{address}: {}; {cure}", tidy(details)))
}

/// It did not answer in time.
pub(super) fn silent(address: &str) -> StoreError {
    StoreError::Unreachable(format!(
        "{address}: no answer in time; see that it runs, that store.redis.url is right, and what slows it down"
    ))
}

/// It answered what none of our scripts says.
pub(super) fn strange(address: &str) -> StoreError {
    StoreError::Unreachable(format!("{address}: an answer that is none of ours; see what it is"))
}

/// Whether it is an answer, if one that says no.
pub(super) fn is_the_servers_word(error: &Error) -> bool {
    use ErrorKind::{InvalidArgument, InvalidCommand, NotFound, Unknown};
    matches!(error.kind(), InvalidArgument | InvalidCommand | NotFound | Unknown)
}

/// Whether the connection is of no more use.
pub(super) const fn ends_connection(error: &StoreError) -> bool {
    matches!(error, StoreError::Unreachable(_) | StoreError::Denied(_))
}

fn denied(details: &str, address: &str) -> String {
    if details.contains("NOAUTH") {
        format!("{address} asks for a password: name the file that holds it in store.redis.passwordFile")
    } else {
        format!(
            "{address} refuses the password: correct the file that store.redis.passwordFile names, or the user in \
             store.redis.url"
        )
    }
}

/// The message within an operating system's error as it is printed for programmers.
fn tidy(details: &str) -> &str {
    let message = details.split_once("message: \"").and_then(|(_, rest)| rest.split_once('"'));
    message.map_or(details, |(message, _)| message).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const HERE: &str = "redis://here:6379";

    #[rstest]
    #[case::wrong_password(
        ErrorKind::Auth,
        "WRONGPASS invalid username-password pair",
        "store.redis.passwordFile"
    )]
    #[case::no_password(ErrorKind::Auth, "NOAUTH Authentication required.", "asks for a password")]
    #[case::not_allowed(
        ErrorKind::Unknown,
        "NOPERM this user has no permissions to run 'eval'",
        "let the user run"
    )]
    fn who_is_not_let_in_is_told_what_to_change(
        #[case] kind: ErrorKind,
        #[case] details: &'static str,
        #[case] cure: &str,
    ) {
        let StoreError::Denied(text) = of(&Error::new(kind, details), HERE) else { panic!("not denied") };
        assert!(text.contains(cure) && text.contains(HERE), "{text}");
    }

    #[rstest]
    #[case::refused(
        ErrorKind::IO,
        "Os { code: 111, kind: ConnectionRefused, message: \"Connection refused\" }",
        "redis://here:6379: Connection refused; see that it runs"
    )]
    #[case::replica(
        ErrorKind::Unknown,
        "READONLY You can't write against a read only replica.",
        "name the primary"
    )]
    #[case::replica_of_redis_6(
        ErrorKind::Unknown,
        "ERR Error running script: -READONLY You can't",
        "name the primary"
    )]
    #[case::untrusted(
        ErrorKind::IO,
        "Custom { kind: InvalidData, error: InvalidCertificate(UnknownIssuer) }",
        "store.redis.caFile"
    )]
    #[case::no_cluster(ErrorKind::Config, "ERR This instance has cluster support disabled", "redis://")]
    #[case::cluster(ErrorKind::Cluster, "MOVED 1234 127.0.0.1:7000", "redis-cluster://")]
    #[case::slow(ErrorKind::Timeout, "Request timed out.", "no answer in time")]
    fn what_cannot_be_reached_is_told_with_a_cure(
        #[case] kind: ErrorKind,
        #[case] details: &'static str,
        #[case] words: &str,
    ) {
        let StoreError::Unreachable(text) = of(&Error::new(kind, details), HERE) else { panic!("reachable") };
        assert!(text.contains(words) && text.contains(HERE), "{text}");
    }
}
