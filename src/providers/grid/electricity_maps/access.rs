//! What a token may ask, read from the list of zones that the API gives to it.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use crate::domain::region::GridZone;
use crate::providers::FetchError;
use crate::providers::grid::{Access, Question};
use crate::providers::web::decode_json;

#[derive(Deserialize)]
struct Zone {
    access: Option<Routes>,
}

/// A list of routes; where it is anything else, it says nothing.
#[derive(Deserialize)]
#[serde(untagged)]
enum Routes {
    List(Vec<String>),
    Other(serde::de::IgnoredAny),
}

/// Reads the list. A list that names no route we ask, for no zone at all, is one of zones only, as everybody gets it
/// without a token, or is in words not known here: then the answers themselves must tell.
pub(super) fn read(body: &[u8]) -> Result<Access, FetchError> {
    let zones: HashMap<String, Zone> = decode_json(body)?;
    let mut allowed = BTreeSet::new();
    for (name, zone) in &zones {
        let Some(Routes::List(routes)) = &zone.access else { continue };
        for (question, route) in ROUTES {
            if routes.iter().any(|said| covers(said, route)) {
                allowed.insert((GridZone::from(name.as_str()), question));
            }
        }
    }
    Ok(if allowed.is_empty() { Access::Unknown } else { Access::Only(allowed) })
}

const ROUTES: [(Question, &str); 3] = [
    (Question::Latest, "carbon-intensity/latest"),
    (Question::History, "carbon-intensity/history"),
    (Question::Forecast, "carbon-intensity/forecast"),
];

/// Whether what is said covers a route: the route itself, with or without a version before it, or a star in place of
/// all or of its end.
fn covers(said: &str, route: &str) -> bool {
    let said = said.trim_matches('/');
    let said = said.strip_prefix("v3/").or_else(|| said.strip_prefix("v4/")).unwrap_or(said);
    said.strip_suffix('*').map_or(said == route, |beginning| route.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::Question::{Forecast, History, Latest};
    use super::*;
    use crate::domain::snapshot::Failure;

    fn only(allowed: &[(&str, Question)]) -> Access {
        Access::Only(allowed.iter().map(|(zone, question)| (GridZone::from(*zone), *question)).collect())
    }

    #[test]
    fn a_token_may_ask_what_each_zone_lists() {
        let body = br#"{
            "DE": {"zoneName": "Germany", "access": ["carbon-intensity/latest", "carbon-intensity/history",
                   "power-breakdown/latest", "home-assistant/forecast", "/updated-since"]},
            "FR": {"zoneName": "France", "access": ["*"]},
            "GB": {"zoneName": "Great Britain", "access": ["/v4/carbon-intensity/latest"]},
            "PL": {"zoneName": "Poland", "access": ["v3/carbon-intensity/*"]},
            "PT": {"zoneName": "Portugal", "access": []},
            "SE-SE3": {"countryName": "Sweden", "zoneName": "Stockholm"},
            "XX": {"access": null},
            "XY": {"access": {"tier": "free"}}
        }"#;
        let expected = only(&[
            ("DE", Latest),
            ("DE", History),
            ("FR", Latest),
            ("FR", History),
            ("FR", Forecast),
            ("GB", Latest),
            ("PL", Latest),
            ("PL", History),
            ("PL", Forecast),
        ]);
        assert_eq!(read(body).unwrap(), expected);
    }

    /// As everybody gets it without a token (the recorded list of version 3), and others that say nothing.
    #[rstest]
    #[case(
        r#"{"AD": {"zoneName": "Andorra"}, "AU-LH": {"countryName": "Australia", "zoneName": "Lord Howe"}}"#
    )]
    #[case("{}")]
    #[case(r#"{"DE": {"access": ["carbon-intensities:read"]}}"#)]
    fn a_list_without_known_routes_says_nothing(#[case] body: &str) {
        assert_eq!(read(body.as_bytes()).unwrap(), Access::Unknown);
    }

    #[rstest]
    #[case("")]
    #[case("[]")]
    #[case(r#"["DE", "FR"]"#)]
    #[case(r#"{"DE": "Germany"}"#)]
    #[case(r#"{"DE": {"access": ["carbon-intensity/latest"]}"#)]
    #[case("<html></html>")]
    fn what_is_no_list_of_zones_is_unreadable(#[case] body: &str) {
        assert_eq!(read(body.as_bytes()).unwrap_err().failure, Failure::Unreadable);
    }

    #[rstest]
    #[case("*", true)]
    #[case("/carbon-intensity/latest/", true)]
    #[case("carbon-intensity/*", true)]
    #[case("carbon-intensity/latest-x", false)]
    #[case("carbon-intensity-fossil-only/*", false)]
    #[case("power-breakdown/*", false)]
    #[case("", false)]
    fn which_words_cover_a_route(#[case] said: &str, #[case] covered: bool) {
        assert_eq!(covers(said, "carbon-intensity/latest"), covered);
    }
}
