//! What the operator wants of a decision, merged into one value before any request asks.

use jiff::SignedDuration;

use super::demand::WorkloadClass;
use super::energy::Utilisations;
use super::region::RegionId;
use super::units::{Grams, Milliseconds, Usd, UsdPerMsHour, UsdPerTonne};

/// What every region is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Baseline {
    /// One region: where pods went before Eco-Pulse came.
    Region(RegionId),
    /// What Kubernetes alone does: spread over the pod's eligible regions.
    SchedulerMix,
}

/// The price of carbon, which no configuration can raise above its cap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CarbonPrice {
    configured: UsdPerTonne,
    cap: UsdPerTonne,
}

impl CarbonPrice {
    /// A price and the cap that holds it.
    #[must_use]
    pub const fn new(configured: UsdPerTonne, cap: UsdPerTonne) -> Self {
        Self { configured, cap }
    }

    /// The cap.
    #[must_use]
    pub const fn cap(self) -> UsdPerTonne {
        self.cap
    }

    /// Another price under the same cap.
    #[must_use]
    pub const fn priced_at(self, price: UsdPerTonne) -> Self {
        Self { configured: price, ..self }
    }

    /// The price that counts: the lower of the two.
    #[must_use]
    pub fn effective(self) -> UsdPerTonne {
        UsdPerTonne(self.configured.0.min(self.cap.0))
    }

    /// What avoiding `grams` is worth.
    #[must_use]
    pub fn of(self, grams: Grams) -> Usd {
        self.effective().of(grams)
    }
}

/// How far from its users a pod may go, and what the distance is charged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyPolicy {
    /// Round trip that may be added for a serving pod; `None`: any.
    pub serving_max_added: Option<Milliseconds>,
    /// The same for a batch pod.
    pub batch_max_added: Option<Milliseconds>,
    /// Charge per added millisecond and hour.
    pub price: UsdPerMsHour,
}

impl LatencyPolicy {
    /// The limit for a class of workload.
    #[must_use]
    pub fn max_added(&self, class: WorkloadClass) -> Option<Milliseconds> {
        match class {
            WorkloadClass::Serving => self.serving_max_added,
            WorkloadClass::Batch => self.batch_max_added,
        }
    }
}

/// A share of owners, 0 to 1, chosen by hash so that the same owner is always in or always out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OwnerShare(f64);

impl OwnerShare {
    /// `None` unless 0 <= `share` <= 1.
    #[must_use]
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    /// The share.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Whether the owner with this hash belongs to the share.
    #[must_use]
    pub fn contains(self, owner_hash: u64) -> bool {
        // The hash as a fraction of its range: uniform in [0, 1).
        (owner_hash as f64) / 2f64.powi(64) < self.0
    }
}

/// Everything `decide` needs to know of the operator's will.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectivePolicy {
    /// What regions are compared with.
    pub baseline: Baseline,
    /// What a tonne is worth.
    pub carbon_price: CarbonPrice,
    /// How far pods may go.
    pub latency: LatencyPolicy,
    /// A move must be worth more than this.
    pub min_net_benefit: Usd,
    /// A move must save at least so much cash; `None`: any.
    pub min_savings: Option<Usd>,
    /// A move must avoid at least this share, 0 to 1, of what the pod emits at the base; `None`: any.
    pub min_carbon_reduction: Option<f64>,
    /// Whether a region with more carbon than the base may win for its price.
    pub allow_dirtier: bool,
    /// Charged when a pod that runs is moved; the admission of a new pod moves nothing.
    pub migration: Usd,
    /// The control group.
    pub holdout: OwnerShare,
    /// A challenger must beat the incumbent's net benefit by this fraction of its absolute value.
    pub hysteresis: f64,
    /// Grid data older than this do not count; age runs from the end of the interval they describe.
    pub grid_max_age: SignedDuration,
    /// Prices that a feed reported longer ago than this do not count.
    pub price_max_age: SignedDuration,
    /// How hard requested resources are assumed to work.
    pub utilisation: Utilisations,
}
