//! The snapshot for people and scripts: `GET /snapshot`, and `check --output json`.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::audit::record::SixDigits;
use crate::domain::region::GridZone;
use crate::domain::snapshot::{CapacityType, GridReading, Reading, RegionData, Trouble};
use crate::domain::{Region, Snapshot};

/// The snapshot for people and scripts.
#[derive(Debug, Serialize)]
pub struct SnapshotView<'a> {
    version: u64,
    captured_at: Timestamp,
    prices_asked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price_trouble: Option<TroubleView<'a>>,
    regions: Vec<RegionView<'a>>,
}

#[derive(Debug, Serialize)]
struct RegionView<'a> {
    name: &'a str,
    label: &'a str,
    provider: &'static str,
    zone: Option<&'a str>,
    pue: f64,
    state: &'static str,
    age_seconds: Option<f64>,
    /// Whether the value has not moved for so long that it is no measurement.
    stuck: bool,
    asked_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trouble: Vec<TroubleView<'a>>,
    grid: &'a GridReading,
    prices: Vec<PriceView<'a>>,
}

/// What is wrong with getting data, and what can be done about it.
#[derive(Debug, Serialize)]
struct TroubleView<'a> {
    provider: &'static str,
    failure: &'static str,
    detail: &'a str,
    since: Timestamp,
    cure: &'static str,
}

impl<'a> TroubleView<'a> {
    fn new<P>(trouble: &'a Trouble<P>, provider: &'static str) -> Self {
        Self {
            provider,
            failure: trouble.failure.as_str(),
            detail: &trouble.detail,
            since: trouble.since,
            cure: trouble.failure.cure(),
        }
    }
}

#[derive(Debug, Serialize)]
struct PriceView<'a> {
    instance_type: &'a str,
    capacity_type: CapacityType,
    usd_per_hour: SixDigits,
    precision_usd_per_hour: SixDigits,
    provider: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reported_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interruption: Option<&'a str>,
}

impl<'a> SnapshotView<'a> {
    /// As of `now`.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot, max_age: SignedDuration, now: Timestamp) -> Self {
        let view = |(_, region, data): (_, &'a Region, &'a RegionData)| RegionView {
            name: region.name.as_str(),
            label: &region.label,
            provider: region.provider.as_str(),
            zone: region.zone.as_ref().map(GridZone::as_str),
            pue: region.pue.0,
            state: data.grid.state(now, max_age).as_str(),
            age_seconds: data.grid.known().map(|reading| reading.age(now).as_secs_f64()),
            stuck: data.grid.known().is_some_and(Reading::is_stuck),
            asked_at: data.asked_at,
            trouble: data
                .trouble
                .iter()
                .map(|trouble| TroubleView::new(trouble, trouble.provider.as_str()))
                .collect(),
            grid: &data.grid,
            prices: data
                .prices
                .iter()
                .map(|price| PriceView {
                    instance_type: &price.instance_type,
                    capacity_type: price.capacity_type,
                    usd_per_hour: SixDigits(price.per_hour.0),
                    precision_usd_per_hour: SixDigits(price.precision.0),
                    provider: price.provider.as_str(),
                    reported_at: price.reported_at,
                    interruption: price.interruption.as_deref(),
                })
                .collect(),
        };
        Self {
            version: snapshot.version,
            captured_at: snapshot.captured_at,
            prices_asked_at: snapshot.prices_asked_at,
            price_trouble: snapshot
                .price_trouble
                .as_ref()
                .map(|trouble| TroubleView::new(trouble, trouble.provider.as_str())),
            regions: snapshot.iter().map(view).collect(),
        }
    }
}
