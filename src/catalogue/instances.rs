//! Instance types: how much CPU, memory and how many GPUs each has, and what drives its power.

use std::sync::Arc;

use super::power::Power;
use super::table::{CatalogueError, Keyed, Sorted, Table};
use crate::domain::energy::{CpuPower, GpuPower};
use crate::domain::region::CloudProvider;
use crate::domain::units::{Cores, Gibibytes};

const INSTANCES: Table = Table {
    file: "instances.csv",
    columns: &[
        "instance_type",
        "provider",
        "vcpus",
        "memory_gib",
        "gpus",
        "gpu_model",
        "cpu_architecture",
        "source",
    ],
};

/// The largest machines rented have some 900 vCPUs and 32 TiB.
const POSSIBLE_VCPUS: f64 = 2048.0;
const POSSIBLE_GIB: f64 = 65536.0;

/// One instance type.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The name in the label `node.kubernetes.io/instance-type`.
    pub name: Arc<str>,
    /// Whose it is.
    pub provider: CloudProvider,
    /// Its vCPUs.
    pub vcpus: Cores,
    /// Its memory.
    pub memory: Gibibytes,
    /// How many GPUs it has.
    pub gpus: u32,
    /// Which; `None` when it has none.
    pub gpu: Option<Gpu>,
    /// The processor's power per vCPU; `None` when the processor is not known, or no coefficient for it is.
    pub cpu: Option<CpuPower>,
    /// Keys into `docs/catalogue.md`, joined by `+`.
    pub source: Arc<str>,
}

/// A GPU model.
#[derive(Clone, Debug, PartialEq)]
pub struct Gpu {
    /// Its maker's name for it, without the maker: `A100`.
    pub model: Arc<str>,
    /// The power of one.
    pub power: GpuPower,
}

impl Keyed for Instance {
    fn key(&self) -> [&str; 3] {
        [&self.name, "", ""]
    }
}

/// `instances.csv`.
#[derive(Clone, Debug)]
pub(super) struct Instances(Sorted<Instance>);

impl Instances {
    pub(super) fn read(text: &str, power: &Power) -> Result<Self, CatalogueError> {
        let rows = INSTANCES.read(text, |row| {
            let provider = row.provider("provider")?;
            let gpus = row.parsed("gpus", "a whole number, 0 for none")?;
            let gpu = match (gpus, row.optional("gpu_model")) {
                (0, None) => None,
                (0, Some(_)) => {
                    return Err(row.invalid("gpu_model", "nothing, or a number above 0 in `gpus`"));
                }
                (_, model) => {
                    let found =
                        model.and_then(|model| Some(Gpu { model: model.into(), power: power.gpu(model)? }));
                    Some(found.ok_or_else(|| row.invalid("gpu_model", "a model of gpu_power.csv"))?)
                }
            };
            let cpu = row.optional("cpu_architecture").map(|architectures| {
                power.cpu(provider, architectures).ok_or_else(|| {
                    let expected =
                        "architectures that cpu_power.csv has for this provider, joined by `+`, or nothing";
                    row.invalid("cpu_architecture", expected)
                })
            });
            Ok(Instance {
                name: row.text("instance_type")?.into(),
                provider,
                vcpus: Cores(row.number("vcpus", 1.0..=POSSIBLE_VCPUS)?),
                memory: Gibibytes(row.number("memory_gib", 0.5..=POSSIBLE_GIB)?),
                gpus,
                gpu,
                cpu: cpu.transpose()?,
                source: row.text("source")?.into(),
            })
        })?;
        Ok(Self(rows))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Instance> {
        self.0.iter()
    }

    pub(super) fn find(&self, name: &str) -> Option<&Instance> {
        self.0.find([name, "", ""])
    }
}
