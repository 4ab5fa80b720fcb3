//! The carbon intensity API of Great Britain's grid operator: keyless, half-hourly, of one zone, and of combustion
//! only, so that it is comparable with itself and with nothing else.

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

use super::{Answer, Asked, GridSource, Question, Reach};
use crate::domain::Region;
use crate::domain::snapshot::{Failure, GridProvider};
use crate::providers::FetchError;
use crate::providers::web::{BaseUrl, BaseUrlError, Page, Web};

mod body;

/// The one zone it speaks of.
const ZONE: &str = "GB";
/// The interval of all its values.
const HALF_HOUR: SignedDuration = SignedDuration::from_mins(30);
/// Two days of half-hours have 15 KiB.
const MOST_BYTES: usize = 1 << 18;

/// Asks Great Britain's grid operator.
#[derive(Clone, Debug)]
pub struct GbCarbonIntensity {
    web: Web,
    base: BaseUrl,
}

impl GbCarbonIntensity {
    /// Asks below `base_url`.
    ///
    /// # Errors
    /// `base_url` is no HTTP address, or holds a user, query or fragment.
    pub fn new(web: Web, base_url: &str) -> Result<Self, BaseUrlError> {
        Ok(Self { web, base: BaseUrl::parse(base_url)? })
    }

    async fn answer(
        &self,
        region: &Region,
        question: Question,
        now: Timestamp,
    ) -> Result<Answer, FetchError> {
        self.speaks_of(region)?;
        self.ask_zone(question, now)
            .await
            .map_err(|error| FetchError { detail: format!("zone {ZONE}: {}", error.detail).into(), ..error })
    }

    async fn ask_zone(&self, question: Question, now: Timestamp) -> Result<Answer, FetchError> {
        let from = half_hour_of(now).strftime("%Y-%m-%dT%H:%MZ").to_string();
        let path = match question {
            Question::Latest => vec!["intensity"],
            Question::Forecast => vec!["intensity", &from, "fw48h"],
            Question::History => {
                return Err(FetchError::new(Failure::BadRequest, "this provider is not asked for history"));
            }
        };
        let page = self.web.get(self.base.page(path, &[]), HeaderMap::new(), MOST_BYTES).await?;
        Self::read(&page, question, now)
    }

    /// What a page says that came in answer to a question.
    ///
    /// # Errors
    /// It is a refusal, says nothing of now, or cannot be read.
    pub fn read(page: &Page, question: Question, now: Timestamp) -> Result<Answer, FetchError> {
        body::refusal(page)?;
        match question {
            Question::Forecast => body::forecast(&page.body, now),
            _ => body::latest(&page.body, now),
        }
    }
}

/// The start of the half-hour that a moment is in.
fn half_hour_of(now: Timestamp) -> Timestamp {
    let half_hour = HALF_HOUR.as_secs();
    Timestamp::from_second(now.as_second().div_euclid(half_hour) * half_hour).unwrap_or(now)
}

impl GridSource for GbCarbonIntensity {
    fn provider(&self) -> GridProvider {
        GridProvider::GbCarbonIntensity
    }

    fn reach(&self) -> Reach {
        Reach::Network
    }

    fn questions(&self) -> &'static [Question] {
        &[Question::Latest, Question::Forecast]
    }

    fn speaks_of(&self, region: &Region) -> Result<(), FetchError> {
        match region.zone.as_ref() {
            Some(zone) if zone.as_str() == ZONE => Ok(()),
            Some(zone) => {
                let detail = format!("zone {zone}: this provider speaks of zone {ZONE} only");
                Err(FetchError::new(Failure::NoData, detail))
            }
            None => Err(FetchError::new(Failure::NoData, "the region has no grid zone")),
        }
    }

    fn ask<'a>(&'a self, region: &'a Region, question: Question, now: Timestamp) -> Asked<'a, Answer> {
        Box::pin(self.answer(region, question, now))
    }
}
