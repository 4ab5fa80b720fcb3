//! The `eco-pulse.io/` labels and annotations: what people write on pods, read into hints, and the names of what
//! Eco-Pulse writes itself.
//!
//! Hints can narrow what policy allows, never widen it. A malformed one is ignored with a warning that names it and
//! what it should look like; it never rejects a pod.

use jiff::Timestamp;

use super::pod::Pod;
use crate::domain::demand::MAX_EGRESS;
use crate::domain::duration::parse_duration;
use crate::domain::units::{Gigabytes, Hours, Milliseconds};
use crate::domain::{RegionId, Regions};

/// Label on pods and namespaces.
pub const INJECT: &str = "eco-pulse.io/inject";
/// The value of [`INJECT`] that opts out.
pub const INJECT_DISABLED: &str = "disabled";

/// Expected run: `6h`, `90m`.
pub const EXPECTED_DURATION: &str = "eco-pulse.io/expected-duration";
/// Data moved over the run, in GB.
pub const EGRESS_GB: &str = "eco-pulse.io/egress-gb";
/// Where the pod's data are.
pub const DATA_REGION: &str = "eco-pulse.io/data-region";
/// Where the pod's users are.
pub const TRAFFIC_REGION: &str = "eco-pulse.io/traffic-region";
/// Whether the pod may run on capacity that can be taken away.
pub const INTERRUPTIBLE: &str = "eco-pulse.io/interruptible";
/// Round trip from the traffic region that must not be exceeded.
pub const MAX_LATENCY_MS: &str = "eco-pulse.io/max-latency-ms";
/// The only regions that may be preferred; also on namespaces.
pub const ALLOWED_REGIONS: &str = "eco-pulse.io/allowed-regions";

/// Output, as label (`steer`, `stay`, `holdout`) and as annotation (`v1;<id>;<unix seconds>`).
pub const DECISION: &str = "eco-pulse.io/decision";
/// Output: the region the pod was sent to.
pub const TARGET_REGION: &str = "eco-pulse.io/target-region";
/// Output: what it was compared with.
pub const BASELINE_REGION: &str = "eco-pulse.io/baseline-region";
/// Output: the target's net benefit.
pub const NET_BENEFIT_USD: &str = "eco-pulse.io/net-benefit-usd";
/// Output: cash expected to be saved.
pub const PROJECTED_SAVINGS_USD: &str = "eco-pulse.io/projected-savings-usd";
/// Output: emissions expected to be avoided.
pub const PROJECTED_CO2E_AVOIDED_G: &str = "eco-pulse.io/projected-co2e-avoided-g";

/// On a pod that is only rehearsed: asks whether Eco-Pulse was asked about it. Whoever was, writes [`CANARY_ANSWERED`].
pub const CANARY: &str = "eco-pulse.io/canary";
/// The value of [`CANARY`] in a pod that goes out.
pub const CANARY_ASKS: &str = "asks";
/// The value of [`CANARY`] in a pod that came by.
pub const CANARY_ANSWERED: &str = "answered";

/// Every annotation that only Eco-Pulse writes.
pub const OUTPUT_ANNOTATIONS: [&str; 6] = [
    DECISION,
    TARGET_REGION,
    BASELINE_REGION,
    NET_BENEFIT_USD,
    PROJECTED_SAVINGS_USD,
    PROJECTED_CO2E_AVOIDED_G,
];

/// What [`ALLOWED_REGIONS`] should have been, and what comes of it.
const RESIDENCY_EXPECTED: &str = "regions separated by commas; the pod is left alone";

/// How long after the first pass the API server may come with a second one; far above its own request time-out of
/// 30 s for webhooks together.
const REINVOCATION_SECONDS: i64 = 60;

/// The decision annotation: `v1;<id>;<unix seconds>`. Whoever can write pods can write one, so what it says is believed
/// only after it has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionMark<'a> {
    /// The decision's id.
    pub id: &'a str,
    /// When it was made.
    pub at: Timestamp,
}

impl<'a> DecisionMark<'a> {
    /// A pod's; `None` when it carries none, or one that is not of this form.
    #[must_use]
    pub fn of(pod: &'a Pod<'_>) -> Option<Self> {
        pod.annotation(DECISION).and_then(Self::parse)
    }

    /// Reads an annotation; `None` when it is not of this form.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';');
        let (Some("v1"), Some(id), Some(seconds), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let at = Timestamp::from_second(seconds.parse().ok()?).ok()?;
        (!id.is_empty()).then_some(Self { id, at })
    }

    /// Whether it may be of an earlier pass over a pod that is being admitted at `now`.
    #[must_use]
    pub fn is_of_this_admission(&self, now: Timestamp) -> bool {
        (0..=REINVOCATION_SECONDS).contains(&(now.as_second() - self.at.as_second()))
    }

    /// The annotation's text.
    #[must_use]
    pub fn write(id: impl std::fmt::Display, at: Timestamp) -> String {
        format!("v1;{id};{}", at.as_second())
    }
}

/// What a pod's annotations say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hints {
    /// Expected run.
    pub duration: Option<Hours>,
    /// Data moved over the run.
    pub egress: Option<Gigabytes>,
    /// Where its data are.
    pub data_region: Option<RegionId>,
    /// Where its users are.
    pub traffic_region: Option<RegionId>,
    /// Whether it may be interrupted.
    pub interruptible: Option<bool>,
    /// Round trip that must not be exceeded.
    pub max_latency: Option<Milliseconds>,
    /// What may be preferred.
    pub allowed_regions: AllowedRegions,
    /// What could not be read, for people.
    pub warnings: Vec<String>,
}

/// A wish for data residency.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum AllowedRegions {
    /// None was stated.
    #[default]
    Any,
    /// These; regions that are not configured are no candidates anyway and leave no trace here.
    Only(Vec<RegionId>),
    /// Something was stated that cannot be read: the safe answer is to prefer nothing.
    Malformed,
}

impl AllowedRegions {
    /// Reads a comma list of region names or labels.
    #[must_use]
    pub fn parse(text: &str, regions: &Regions) -> Self {
        let names: Vec<&str> = text.split(',').map(str::trim).collect();
        if names.iter().any(|name| name.is_empty() || name.contains(char::is_whitespace)) {
            return Self::Malformed;
        }
        Self::Only(names.iter().filter_map(|name| regions.find(name)).collect())
    }

    /// What is said to whoever creates a pod in a namespace whose wish, `text`, cannot be read.
    #[must_use]
    pub fn warning_for_namespace(&self, text: &str) -> Option<String> {
        let of_namespace = format!("{ALLOWED_REGIONS} of the namespace");
        (*self == Self::Malformed).then(|| warning(&of_namespace, text, RESIDENCY_EXPECTED))
    }

    /// Whether a region may be preferred.
    #[must_use]
    pub fn admits(&self, region: RegionId) -> bool {
        match self {
            Self::Any => true,
            Self::Only(allowed) => allowed.contains(&region),
            Self::Malformed => false,
        }
    }
}

/// Reads a pod's hints.
#[must_use]
pub fn read_hints(pod: &Pod<'_>, regions: &Regions) -> Hints {
    let mut warnings = Vec::new();
    let hints = Hints {
        duration: hint(pod, EXPECTED_DURATION, "a duration such as 6h or 90m", &mut warnings, |text| {
            let duration = parse_duration(text).ok().filter(|duration| !duration.is_zero())?;
            Some(Hours(duration.as_secs_f64() / 3600.0))
        }),
        egress: hint(pod, EGRESS_GB, "gigabytes over the run, such as 120", &mut warnings, |text| {
            non_negative(text).filter(|gigabytes| *gigabytes <= MAX_EGRESS.0).map(Gigabytes)
        }),
        data_region: hint(pod, DATA_REGION, "a configured region", &mut warnings, |text| regions.find(text)),
        traffic_region: hint(pod, TRAFFIC_REGION, "a configured region", &mut warnings, |text| {
            regions.find(text)
        }),
        interruptible: hint(pod, INTERRUPTIBLE, "true or false", &mut warnings, |text| text.parse().ok()),
        max_latency: hint(pod, MAX_LATENCY_MS, "milliseconds, such as 40", &mut warnings, |text| {
            non_negative(text).map(Milliseconds)
        }),
        allowed_regions: pod
            .annotation(ALLOWED_REGIONS)
            .map_or(AllowedRegions::Any, |text| AllowedRegions::parse(text, regions)),
        warnings: Vec::new(),
    };
    if hints.allowed_regions == AllowedRegions::Malformed {
        let text = pod.annotation(ALLOWED_REGIONS).unwrap_or_default();
        warnings.push(warning(ALLOWED_REGIONS, text, RESIDENCY_EXPECTED));
    }
    Hints { warnings, ..hints }
}

fn hint<T>(
    pod: &Pod<'_>,
    key: &str,
    expected: &str,
    warnings: &mut Vec<String>,
    parse: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let text = pod.annotation(key)?;
    let value = parse(text.trim());
    if value.is_none() {
        warnings.push(warning(key, text, &format!("{expected}; ignored")));
    }
    value
}

/// Kubernetes drops warnings with control characters and shortens long ones, so neither is sent.
fn warning(key: &str, value: &str, expected: &str) -> String {
    const MAX_SHOWN: usize = 40;
    let shown: String = value.chars().filter(|c| !c.is_control()).take(MAX_SHOWN).collect();
    format!("eco-pulse: annotation {key}: \"{shown}\" is not {expected}")
}

fn non_negative(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}
