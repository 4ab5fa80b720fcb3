//! What can be said of one candidate by itself, before it is compared with the base: its machine, its data's state,
//! and the figures of running the pod there.

use std::sync::Arc;

use jiff::Timestamp;

use super::demand::{Candidate, PodDemand};
use super::energy::{self, CpuPower, GpuPower};
use super::net_benefit::Figures;
use super::policy::EffectivePolicy;
use super::region::{Region, RegionId};
use super::snapshot::{CapacityType, DataState, Instance, PriceProvider, Reading, RegionData, Snapshot};
use super::units::{GramsPerKwh, Milliseconds, UsdPerGb, UsdPerHour, Watts};

/// Why a candidate cannot win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exclusion {
    /// Its grid data cannot be used; the state says why.
    GridData(DataState),
    /// Nobody says what its machine costs, or what was said is too old.
    PriceUnknown,
    /// The pod asks for GPUs, and this machine has none or of a model whose power is not known.
    GpuUnknown,
    /// The pod moves data, and no source prices the way.
    EgressUnknown,
    /// A limit on distance holds, and the distance is not known.
    LatencyUnknown,
    /// Farther from the base than its class allows.
    AddedLatency,
    /// Farther from its users than the pod allows.
    MaxLatency,
    /// More carbon than the base, and `decision.allowDirtier` is false.
    Dirtier,
    /// Saves less cash than a policy asks for.
    MinSavings,
    /// Avoids less carbon than a policy asks for.
    MinCarbonReduction,
}

impl Exclusion {
    /// The exclusion in records and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GridData(state) => state.as_str(),
            Self::PriceUnknown => "price_unknown",
            Self::GpuUnknown => "gpu_unknown",
            Self::EgressUnknown => "egress_unknown",
            Self::LatencyUnknown => "latency_unknown",
            Self::AddedLatency => "added_latency",
            Self::MaxLatency => "max_latency",
            Self::Dirtier => "dirtier",
            Self::MinSavings => "min_savings",
            Self::MinCarbonReduction => "min_carbon_reduction",
        }
    }
}

/// A machine's price as the decision used it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriceUsed {
    /// Of the whole machine, or of one vCPU where configuration prices those.
    pub per_hour: UsdPerHour,
    /// Half the width of what the source cannot tell apart.
    pub precision: UsdPerHour,
    /// Who said it.
    pub provider: PriceProvider,
    /// The pod's share of what is priced; may exceed 1.
    pub share: f64,
}

/// One candidate, assessed.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The region.
    pub region: RegionId,
    /// The capacity.
    pub capacity_type: CapacityType,
    /// The type of machine.
    pub instance_type: Arc<str>,
    /// Its weight in the scheduler mix.
    pub mix_weight: f64,
    /// Pods the herd limit had left for it.
    pub quota_left: Option<u32>,
    /// State of the grid data.
    pub state: DataState,
    /// The reading behind it, usable or not.
    pub reading: Option<Reading>,
    /// Mean intensity expected over the run.
    pub intensity: Option<GramsPerKwh>,
    /// The price used.
    pub price: Option<PriceUsed>,
    /// What running the pod here comes to, or why that cannot be said.
    pub figures: Result<Figures, Exclusion>,
}

/// Reference points of the request that every candidate is measured from; `None` where they are not known.
#[derive(Clone, Copy, Debug)]
pub struct Origins {
    /// Where the pod's data are.
    pub data: Option<RegionId>,
    /// Where its users are.
    pub traffic: Option<RegionId>,
}

/// Assesses one candidate.
#[must_use]
pub fn assess(
    candidate: &Candidate,
    demand: &PodDemand,
    origins: Origins,
    snapshot: &Snapshot,
    policy: &EffectivePolicy,
    now: Timestamp,
) -> Assessment {
    let region = snapshot.regions.get(candidate.region);
    let data = snapshot.data(candidate.region);
    let state = data.grid.state(now, policy.grid_max_age);
    let reading = data.grid.known();
    let intensity =
        reading.filter(|_| state.is_usable()).map(|reading| data.mean_over_run(reading, now, demand.hours));
    let instance = snapshot.instances.get(&candidate.instance_type).map(Arc::as_ref);
    let price = price_used(candidate, demand, data, instance, policy, now);

    let figures = match (intensity, price) {
        (None, _) => Err(Exclusion::GridData(state)),
        _ if demand.gpus > 0 && gpu_power(instance).is_none() => Err(Exclusion::GpuUnknown),
        (_, None) => Err(Exclusion::PriceUnknown),
        (Some(intensity), Some(price)) => Ok(figures(
            candidate.region,
            demand,
            origins,
            snapshot,
            policy,
            region,
            instance,
            intensity,
            price,
        )),
    };
    Assessment {
        region: candidate.region,
        capacity_type: candidate.capacity_type,
        instance_type: candidate.instance_type.clone(),
        mix_weight: candidate.mix_weight,
        quota_left: candidate.quota_left,
        state,
        reading: reading.cloned(),
        intensity,
        price,
        figures,
    }
}

#[expect(clippy::too_many_arguments, reason = "the inputs of the model, each of another kind")]
fn figures(
    id: RegionId,
    demand: &PodDemand,
    origins: Origins,
    snapshot: &Snapshot,
    policy: &EffectivePolicy,
    region: &Region,
    instance: Option<&Instance>,
    intensity: GramsPerKwh,
    price: PriceUsed,
) -> Figures {
    let energy = draw(demand, region, instance, policy).over(demand.hours, region.pue);
    Figures {
        cost: (price.per_hour * price.share).over(demand.hours),
        cost_precision: (price.precision * price.share).over(demand.hours),
        energy,
        emissions: intensity.of(energy),
        egress_per_gb: egress(origins.data, id, snapshot),
        round_trip: origins.traffic.and_then(|from| {
            way(from, id, Milliseconds::ZERO, |from, to| snapshot.regions.round_trip(from, to))
        }),
    }
}

/// Within one region neither transfer between regions nor distance between them is there to be charged.
fn way<T>(
    from: RegionId,
    to: RegionId,
    none: T,
    between: impl Fn(RegionId, RegionId) -> Option<T>,
) -> Option<T> {
    if from == to { Some(none) } else { between(from, to) }
}

/// Power drawn by what the pod asks for, on one type of machine, before the data centre's overhead. What it says of GPUs holds
/// only where the machine's are known.
fn draw(demand: &PodDemand, region: &Region, instance: Option<&Instance>, policy: &EffectivePolicy) -> Watts {
    energy::power(
        demand.cpu,
        demand.memory,
        demand.gpus,
        cpu_power(region, instance),
        gpu_power(instance),
        policy.utilisation,
    )
}

/// What running a pod in one place takes, whatever grid and market say at the moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Needs {
    /// Power drawn, before the data centre's overhead; `None`: the model of the GPUs is not known.
    pub power: Option<Watts>,
    /// The pod's share of what is priced; `None`: it cannot be told.
    pub share: Option<f64>,
    /// Whether a vCPU is priced, as configuration says, and not a machine.
    pub by_vcpu: bool,
    /// Data transfer between the pod's data and here; `None`: no source says.
    pub egress_per_gb: Option<UsdPerGb>,
}

/// What running a pod takes in `region`, on a machine of `instance_type`, with its data in `data`.
#[must_use]
pub fn needs(
    region: RegionId,
    instance_type: &str,
    demand: &PodDemand,
    data: Option<RegionId>,
    snapshot: &Snapshot,
    policy: &EffectivePolicy,
) -> Needs {
    let instance = snapshot.instances.get(instance_type).map(Arc::as_ref);
    let by_vcpu = snapshot.data(region).per_vcpu.is_some();
    let gpu_unknown = demand.gpus > 0 && gpu_power(instance).is_none();
    Needs {
        power: (!gpu_unknown).then(|| draw(demand, snapshot.regions.get(region), instance, policy)),
        share: if by_vcpu {
            vcpus_taken(demand, instance).filter(|_| demand.gpus == 0)
        } else {
            instance.and_then(|instance| dominant_share(demand, instance))
        },
        by_vcpu,
        egress_per_gb: egress(data, region, snapshot),
    }
}

fn egress(data: Option<RegionId>, to: RegionId, snapshot: &Snapshot) -> Option<UsdPerGb> {
    way(data?, to, UsdPerGb::ZERO, |from, to| snapshot.regions.egress(from, to))
}

fn cpu_power(region: &Region, instance: Option<&Instance>) -> CpuPower {
    instance.and_then(|instance| instance.cpu).unwrap_or(region.default_cpu)
}

fn gpu_power(instance: Option<&Instance>) -> Option<GpuPower> {
    instance.filter(|instance| instance.gpus > 0).and_then(|instance| instance.gpu)
}

/// The price of the candidate's machine with the pod's share of it; `None` when either is not known.
fn price_used(
    candidate: &Candidate,
    demand: &PodDemand,
    data: &RegionData,
    instance: Option<&Instance>,
    policy: &EffectivePolicy,
    now: Timestamp,
) -> Option<PriceUsed> {
    if let Some(per_vcpu) = data.per_vcpu {
        // The configured price is of a vCPU with all that comes with it, on any capacity; a GPU is not part of it.
        return Some(PriceUsed {
            per_hour: per_vcpu,
            precision: UsdPerHour::ZERO,
            provider: PriceProvider::Configuration,
            share: vcpus_taken(demand, instance).filter(|_| demand.gpus == 0)?,
        });
    }
    let price = data.price(&candidate.instance_type, candidate.capacity_type)?;
    if price.is_stale(now, policy.price_max_age) {
        return None;
    }
    Some(PriceUsed {
        per_hour: price.per_hour,
        precision: price.precision,
        provider: price.provider,
        share: dominant_share(demand, instance?)?,
    })
}

/// vCPUs whose like nobody else can use: those asked for, or those that come with the memory asked for, if more. `None`
/// when only memory is asked for, of a machine that nobody knows: that it is free would be made up.
fn vcpus_taken(demand: &PodDemand, instance: Option<&Instance>) -> Option<f64> {
    let with_memory = instance
        .filter(|instance| instance.memory.0 > 0.0)
        .map(|instance| demand.memory.0 / instance.memory.0 * instance.vcpus.0);
    let taken = demand.cpu.0.max(with_memory.unwrap_or(0.0));
    (taken > 0.0).then_some(taken)
}

/// The largest of the pod's shares of the machine's CPU, memory and GPUs: what of the machine nobody else can use.
/// `None` when the pod asks for something the machine has none of.
fn dominant_share(demand: &PodDemand, instance: &Instance) -> Option<f64> {
    let share = |asked: f64, has: f64| match (asked, has) {
        (asked, _) if asked <= 0.0 => Some(0.0),
        (_, has) if has <= 0.0 => None,
        (asked, has) => Some(asked / has),
    };
    let cpu = share(demand.cpu.0, instance.vcpus.0)?;
    let memory = share(demand.memory.0, instance.memory.0)?;
    let gpu = share(f64::from(demand.gpus), f64::from(instance.gpus))?;
    Some(cpu.max(memory).max(gpu))
}
