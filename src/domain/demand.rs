//! What a pod asks for, and where it could go: the request's side of a decision.

use std::sync::Arc;

use super::region::RegionId;
use super::snapshot::CapacityType;
use super::units::{Cores, Gibibytes, Gigabytes, Hours, Milliseconds};

/// How sensitive to distance a workload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkloadClass {
    /// Somebody waits for its answers: the default.
    Serving,
    /// Owned by a Job, or not restarted always: it runs to an end.
    Batch,
}

impl WorkloadClass {
    /// The class in records and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Batch => "batch",
        }
    }
}

/// A figure that nobody stated and configuration filled in; named in the record, so that an auditor sees the guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defaulted {
    /// How long it runs.
    Duration,
    /// How much data it moves.
    EgressGb,
    /// Where its data are.
    DataRegion,
    /// Where its users are.
    TrafficRegion,
    /// What machine it runs on.
    InstanceType,
}

impl Defaulted {
    /// The figure's name in the record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Duration => "duration",
            Self::EgressGb => "egress_gb",
            Self::DataRegion => "data_region",
            Self::TrafficRegion => "traffic_region",
            Self::InstanceType => "instance_type",
        }
    }
}

/// More data than this over one run is a typing error: a million gigabytes, a petabyte.
pub const MAX_EGRESS: Gigabytes = Gigabytes(1e6);

/// More CPU than this in one pod is a typing error or mischief: fifty times the largest machine there is. The pod runs
/// nowhere, but counters that took its energy would show nothing else ever after.
pub const MAX_CPU: Cores = Cores(100_000.0);
/// More memory than this in one pod: a pebibyte.
pub const MAX_MEMORY: Gibibytes = Gibibytes(1_048_576.0);
/// More GPUs than this in one pod.
pub const MAX_GPUS: u32 = 10_000;

/// One pod's demand.
#[derive(Clone, Debug, PartialEq)]
pub struct PodDemand {
    /// Effective CPU request.
    pub cpu: Cores,
    /// Effective memory request.
    pub memory: Gibibytes,
    /// Whole GPUs requested.
    pub gpus: u32,
    /// Expected run.
    pub hours: Hours,
    /// Data moved between its data region and itself over the run.
    pub egress: Gigabytes,
    /// Where its data are; `None`: in the configured baseline region.
    pub data_region: Option<RegionId>,
    /// Where its users are; `None`: in the configured baseline region.
    pub traffic_region: Option<RegionId>,
    /// Serving or batch.
    pub class: WorkloadClass,
    /// Round trip from the traffic region that must not be exceeded.
    pub max_latency: Option<Milliseconds>,
    /// Hash of its owner's uid; decides holdout and jitter.
    pub owner_hash: u64,
    /// What was not stated.
    pub defaults: Vec<Defaulted>,
}

impl PodDemand {
    /// Whether it asks for more than any machine has, or for less than nothing.
    #[must_use]
    pub fn is_impossible(&self) -> bool {
        let possible =
            (0.0..=MAX_CPU.0).contains(&self.cpu.0) && (0.0..=MAX_MEMORY.0).contains(&self.memory.0);
        !possible || self.gpus > MAX_GPUS
    }
}

/// One place the pod could go: a region, on one kind of capacity, on one type of machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The region.
    pub region: RegionId,
    /// The capacity its price is for.
    pub capacity_type: CapacityType,
    /// The machine its price and power are for.
    pub instance_type: Arc<str>,
    /// Its weight in the scheduler mix: allocatable CPU where nodes are known, else 1.
    pub mix_weight: f64,
    /// How many more pods the herd limit lets in this minute; `None`: no limit.
    pub quota_left: Option<u32>,
}

/// Where the pod could go, in the order of the regions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    /// The eligible places.
    pub list: Vec<Candidate>,
    /// Where the owner's pods were sent last.
    pub incumbent: Option<RegionId>,
    /// Where the pod runs now; `None` for a new pod, which moving costs nothing.
    pub running_in: Option<RegionId>,
}
