//! The energy model: what a pod's requests draw, by Cloud Carbon Footprint's method.
//!
//! `W = vcpu*(idle + u*(max - idle)) + GB*0.392 + gpus*(idle + u*(max - idle))`, and
//! `kWh = W/1000 * h * PUE`. On cloud machines this is a model, never a measurement; whoever shows it says so.

use serde::{Deserialize, Serialize};

use super::units::{Cores, Gibibytes, Watts};

/// Watts per gigabyte (10^9 bytes) of memory: 0.000392 kWh per GB and hour.
/// Source: Cloud Carbon Footprint methodology, "Memory", the mean of Crucial's and Micron's figures.
pub const MEMORY_WATTS_PER_GB: f64 = 0.392;

/// Power of one vCPU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CpuPower {
    /// When idle.
    pub idle: Watts,
    /// When fully used.
    pub max: Watts,
}

/// Power of one GPU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GpuPower {
    /// When idle.
    pub idle: Watts,
    /// When fully used.
    pub max: Watts,
}

/// A share of use, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Utilisation(f64);

impl Utilisation {
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

    fn between(self, idle: Watts, max: Watts) -> Watts {
        idle + (max - idle) * self.0
    }
}

/// How hard the requested resources are assumed to work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Utilisations {
    /// Of the requested CPU.
    pub cpu: Utilisation,
    /// Of the requested GPUs.
    pub gpu: Utilisation,
}

/// Power drawn by the requested resources, before the data centre's overhead. `gpu` is the power of one GPU and is
/// only read when `gpus` is above zero.
#[must_use]
pub fn power(
    cpu_cores: Cores,
    memory: Gibibytes,
    gpus: u32,
    cpu: CpuPower,
    gpu: Option<GpuPower>,
    utilisation: Utilisations,
) -> Watts {
    let gpu_watts =
        gpu.map_or(Watts::ZERO, |gpu| utilisation.gpu.between(gpu.idle, gpu.max) * f64::from(gpus));
    utilisation.cpu.between(cpu.idle, cpu.max) * cpu_cores.0
        + Watts(memory.to_gigabytes().0 * MEMORY_WATTS_PER_GB)
        + gpu_watts
}
