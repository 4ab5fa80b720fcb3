//! Electricity Maps' API, versions 4 and 3: the latest hour, the last day, and the next two days of a zone.
//!
//! Hands on what is said, as it is said: whether a value can be is for the collector to judge.

use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderName};
use jiff::{SignedDuration, Timestamp};

use super::{Access, Answer, Asked, GridSource, Question, Reach};
use crate::domain::Region;
use crate::domain::region::GridZone;
use crate::domain::snapshot::{Failure, GridProvider, Reading};
use crate::providers::FetchError;
use crate::providers::token::{Token, TokenFile};
use crate::providers::web::{BaseUrl, BaseUrlError, Page, Web};

mod access;
mod body;
mod refusal;

/// Where the API's documentation says the token goes.
const AUTH_TOKEN: HeaderName = HeaderName::from_static("auth-token");
/// Of the 6, 24, 48 and 72 hours there are: further ahead, weather is hardly better known than climatology, which
/// stands in from there on; and the forecast of Great Britain's grid operator reaches as far.
const HORIZON_HOURS: &str = "48";
/// A day of hours has 8 KiB, one of five minutes 100 KiB.
const MOST_BYTES: usize = 1 << 20;
/// The list of 350 zones, each with all that a token may ask, has about half a MiB.
const MOST_BYTES_OF_ZONES: usize = 8 << 20;
/// For so long after it accepted a token, the provider's word that it does not know it is taken for throttling, which
/// users report to look the same. A token that was withdrawn is told as such after that.
const ACCEPTED_RECENTLY: SignedDuration = SignedDuration::from_hours(1);

/// Asks Electricity Maps.
#[derive(Debug)]
pub struct ElectricityMaps {
    web: Web,
    base: BaseUrl,
    token: TokenFile,
    /// The last token that was accepted, and when.
    accepted: Mutex<Option<(Token, Timestamp)>>,
}

impl ElectricityMaps {
    /// Asks below `base_url`, which ends in `/v4` or `/v3`; any other address is asked as version 4 is.
    ///
    /// # Errors
    /// `base_url` is no HTTP address, or holds a user, query or fragment.
    pub fn new(web: Web, base_url: &str, token: TokenFile) -> Result<Self, BaseUrlError> {
        Ok(Self { web, base: BaseUrl::parse(base_url)?, token, accepted: Mutex::default() })
    }

    async fn answer(
        &self,
        region: &Region,
        question: Question,
        now: Timestamp,
    ) -> Result<Answer, FetchError> {
        let zone = zone_of(region)?;
        let token = self.token.read()?;
        let answer = self.ask_zone(zone, question, &token, now).await;
        self.weighed(answer, &token, now)
            .map_err(|error| self.told(&error, &format!("zone {zone}: "), &token))
    }

    async fn ask_zone(
        &self,
        zone: &GridZone,
        question: Question,
        token: &Token,
        now: Timestamp,
    ) -> Result<Answer, FetchError> {
        let (path, query) = self.request(zone, question);
        let page = self.get(&["carbon-intensity", path], &query, token, MOST_BYTES).await?;
        Self::read(&page, zone, question, now)
    }

    /// What a page says that came in answer to a question about a zone.
    ///
    /// # Errors
    /// It is a refusal, is about something else, or cannot be read.
    pub fn read(
        page: &Page,
        zone: &GridZone,
        question: Question,
        now: Timestamp,
    ) -> Result<Answer, FetchError> {
        refusal::of(page).map_or(Ok(()), Err)?;
        match question {
            Question::Latest => body::latest(&page.body, zone, now).map(readings),
            Question::History => body::history(&page.body, zone, now).map(readings),
            Question::Forecast => body::forecast(&page.body, zone, now),
        }
    }

    /// What a page with the list of zones says a token may ask.
    ///
    /// # Errors
    /// It is a refusal, or no such list.
    pub fn read_zones(page: &Page) -> Result<Access, FetchError> {
        refusal::of(page).map_or(Ok(()), Err)?;
        access::read(&page.body)
    }

    /// Path and query of a question. Each version is sent its own word for the same wish, that an unknown zone be not
    /// answered with the zone this machine seems to be in: a parameter that a version does not know may be refused.
    fn request<'a>(
        &self,
        zone: &'a GridZone,
        question: Question,
    ) -> (&'static str, Vec<(&'static str, &'a str)>) {
        let mut query = vec![("zone", zone.as_str()), ("emissionFactorType", "lifecycle")];
        if self.base.last_segment() == "v3" {
            query.push(("shouldUseFallbackCallerLookup", "false"));
        } else {
            query.extend([("disableCallerLookup", "true"), ("temporalGranularity", "hourly")]);
        }
        let path = match question {
            Question::Latest => "latest",
            Question::History => "history",
            Question::Forecast => {
                query.push(("horizonHours", HORIZON_HOURS));
                "forecast"
            }
        };
        (path, query)
    }

    /// A page, whatever it says.
    async fn get(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        token: &Token,
        most_bytes: usize,
    ) -> Result<Page, FetchError> {
        let headers = HeaderMap::from_iter([(AUTH_TOKEN, token.header())]);
        let url = self.base.page(path.iter().copied(), query);
        self.web.get(url, headers, most_bytes).await
    }

    /// Remembers a token that is accepted, and does not believe at once that it is no more.
    fn weighed(
        &self,
        answer: Result<Answer, FetchError>,
        token: &Token,
        now: Timestamp,
    ) -> Result<Answer, FetchError> {
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(answer) => {
                *accepted = Some((token.clone(), now));
                Ok(answer)
            }
            Err(error) if error.failure == Failure::BadToken => match &*accepted {
                Some((known, at)) if known == token && now.duration_since(*at) <= ACCEPTED_RECENTLY => {
                    let detail = format!(
                        "{}; it accepted the same token at {at}, so it may be throttling",
                        error.detail
                    );
                    Err(FetchError { failure: Failure::Throttled, detail: detail.into(), ..error })
                }
                _ => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// A failure in words for people: what was asked for, what was said, what helps; and never the token.
    fn told(&self, error: &FetchError, asked: &str, token: &Token) -> FetchError {
        let cure = match error.failure {
            Failure::BadToken => format!("; check the token in {}", self.token.path().display()),
            Failure::NotInPlan => "; the token's plan may not cover it".to_owned(),
            Failure::BadRequest => "; check the zone and grid.electricityMaps.baseUrl".to_owned(),
            _ => String::new(),
        };
        let detail = token.redact(&format!("{asked}{}{cure}", error.detail));
        FetchError { detail: detail.into(), ..error.clone() }
    }

    async fn access(&self) -> Result<Access, FetchError> {
        let token = self.token.read()?;
        let page = self.get(&["zones"], &[], &token, MOST_BYTES_OF_ZONES).await;
        page.and_then(|page| Self::read_zones(&page))
            .map_err(|error| self.told(&error, "the list of zones: ", &token))
    }
}

fn zone_of(region: &Region) -> Result<&GridZone, FetchError> {
    region.zone.as_ref().ok_or_else(|| FetchError::new(Failure::NoData, "the region has no grid zone"))
}

fn readings(readings: Vec<Reading>) -> Answer {
    Answer { readings, forecast: None }
}

impl GridSource for ElectricityMaps {
    fn provider(&self) -> GridProvider {
        GridProvider::ElectricityMaps
    }

    fn reach(&self) -> Reach {
        Reach::Network
    }

    fn questions(&self) -> &'static [Question] {
        &[Question::Latest, Question::History, Question::Forecast]
    }

    fn speaks_of(&self, region: &Region) -> Result<(), FetchError> {
        zone_of(region).map(|_| ())
    }

    fn ask<'a>(&'a self, region: &'a Region, question: Question, now: Timestamp) -> Asked<'a, Answer> {
        Box::pin(self.answer(region, question, now))
    }

    fn is_probed(&self) -> bool {
        true
    }

    fn probe(&self) -> Asked<'_, Access> {
        Box::pin(self.access())
    }
}
