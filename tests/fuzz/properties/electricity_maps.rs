//! Bodies of Electricity Maps, read as the answer to each question: only what they say, of the zone asked for, and of no time to come.

use bytes::Bytes;
use eco_pulse::domain::region::GridZone;
use eco_pulse::providers::grid::{Access, ElectricityMaps, Question};
use eco_pulse::providers::web::Page;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::Value;

use super::grid::{judge, judge_error, numbers};

const NOW: &str = "2026-08-22T17:30:00Z";
const ZONE: &str = "DK-DK2";

pub fn holds(body: &[u8]) {
    let now: Timestamp = NOW.parse().unwrap();
    let zone = GridZone::from(ZONE);
    let mut page =
        Page { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body) };
    let values = numbers(body);
    let said_zone = serde_json::from_slice::<Value>(body).map(|body| body["zone"].clone());
    for question in [Question::Latest, Question::History, Question::Forecast] {
        let said = ElectricityMaps::read(&page, &zone, question, now);
        // Where a zone is given twice plain JSON has the last one, and the program refuses both.
        let of_another = said_zone.as_ref().is_ok_and(|said| said != ZONE);
        assert!(said.is_err() || !of_another, "{question:?} is answered for {said_zone:?}");
        judge(said, question, now, values.as_ref());
    }
    match ElectricityMaps::read_zones(&page) {
        Ok(Access::Unknown) => {}
        Ok(Access::Only(allowed)) => {
            assert!(!allowed.is_empty());
            // What is passed over need not be text that anybody could read.
            let Ok(zones) = serde_json::from_slice::<Value>(body) else { return };
            for (zone, _) in &allowed {
                assert!(zones.get(zone.as_str()).is_some(), "{zone} is not in the list");
            }
        }
        Err(error) => judge_error(&error),
    }
    // The same under a bad status never holds data.
    for status in [StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND, StatusCode::BAD_GATEWAY] {
        page.status = status;
        let refused = ElectricityMaps::read(&page, &zone, Question::Latest, now);
        judge_error(&refused.expect_err("data of a refusal"));
    }
}
