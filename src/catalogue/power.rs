//! Watts of processors, per vCPU and by microarchitecture, and of GPUs by model: Cloud Carbon Footprint's
//! coefficients, which are modelled from SPECpower results and data sheets, not measured in a cloud.

use super::table::{CatalogueError, Keyed, Sorted, Table};
use crate::domain::energy::{CpuPower, GpuPower};
use crate::domain::region::CloudProvider;
use crate::domain::units::Watts;

const CPUS: Table = Table {
    file: "cpu_power.csv",
    columns: &["provider", "architecture", "idle_w_per_vcpu", "max_w_per_vcpu", "source"],
};

const GPUS: Table = Table { file: "gpu_power.csv", columns: &["model", "idle_w", "max_w", "source"] };

/// The architecture under which a provider's average stands.
const AVERAGE: &str = "average";
/// Divides the architectures of a type that comes with one of several.
const ONE_OF: char = '+';
/// Far above any vCPU there is.
const POSSIBLE_CPU_WATTS: f64 = 20.0;
/// Far above any GPU there is.
const POSSIBLE_GPU_WATTS: f64 = 2000.0;

#[derive(Clone, Debug)]
struct Cpu {
    provider: CloudProvider,
    architecture: Box<str>,
    power: CpuPower,
}

impl Keyed for Cpu {
    fn key(&self) -> [&str; 3] {
        [self.provider.as_str(), &self.architecture, ""]
    }
}

#[derive(Clone, Debug)]
struct Gpu {
    model: Box<str>,
    power: GpuPower,
}

impl Keyed for Gpu {
    fn key(&self) -> [&str; 3] {
        [&self.model, "", ""]
    }
}

/// `cpu_power.csv` and `gpu_power.csv`.
#[derive(Clone, Debug)]
pub(super) struct Power {
    cpus: Sorted<Cpu>,
    gpus: Sorted<Gpu>,
    averages: Averages,
}

/// Apart from the table, so that asking for one cannot fail.
#[derive(Clone, Copy, Debug)]
struct Averages {
    aws: CpuPower,
    gcp: CpuPower,
    azure: CpuPower,
    on_prem: CpuPower,
}

impl Power {
    pub(super) fn read(cpus: &str, gpus: &str) -> Result<Self, CatalogueError> {
        let cpus = CPUS.read(cpus, |row| {
            row.text("source")?;
            let idle = row.number("idle_w_per_vcpu", 0.0..=POSSIBLE_CPU_WATTS)?;
            let max = row.number("max_w_per_vcpu", idle..=POSSIBLE_CPU_WATTS)?;
            Ok(Cpu {
                provider: row.provider("provider")?,
                architecture: row.text("architecture")?.into(),
                power: CpuPower { idle: Watts(idle), max: Watts(max) },
            })
        })?;
        let gpus = GPUS.read(gpus, |row| {
            row.text("source")?;
            let idle = row.number("idle_w", 0.0..=POSSIBLE_GPU_WATTS)?;
            let max = row.number("max_w", idle..=POSSIBLE_GPU_WATTS)?;
            Ok(Gpu {
                model: row.text("model")?.into(),
                power: GpuPower { idle: Watts(idle), max: Watts(max) },
            })
        })?;
        let average = |provider: CloudProvider| {
            let row = cpus.find([provider.as_str(), AVERAGE, ""]);
            row.map(|row| row.power)
                .ok_or_else(|| CPUS.absent(format!("`{}`, `{AVERAGE}`", provider.as_str())))
        };
        let averages = Averages {
            aws: average(CloudProvider::Aws)?,
            gcp: average(CloudProvider::Gcp)?,
            azure: average(CloudProvider::Azure)?,
            on_prem: average(CloudProvider::OnPrem)?,
        };
        Ok(Self { cpus, gpus, averages })
    }

    pub(super) fn average(&self, provider: CloudProvider) -> CpuPower {
        match provider {
            CloudProvider::Aws => self.averages.aws,
            CloudProvider::Gcp => self.averages.gcp,
            CloudProvider::Azure => self.averages.azure,
            CloudProvider::OnPrem => self.averages.on_prem,
        }
    }

    /// The power of an architecture, or the mean of several (`Skylake+Cascade Lake`) for a type that comes with one of
    /// them: Cloud Carbon Footprint's rule. `None` when one of them is not in the table.
    pub(super) fn cpu(&self, provider: CloudProvider, architectures: &str) -> Option<CpuPower> {
        let mut sum = (Watts::ZERO, Watts::ZERO);
        let mut count = 0.0;
        for architecture in architectures.split(ONE_OF) {
            let power = self.cpus.find([provider.as_str(), architecture, ""])?.power;
            sum = (sum.0 + power.idle, sum.1 + power.max);
            count += 1.0;
        }
        Some(CpuPower { idle: sum.0 / count, max: sum.1 / count })
    }

    pub(super) fn gpu(&self, model: &str) -> Option<GpuPower> {
        self.gpus.find([model, "", ""]).map(|row| row.power)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPU_TEXT: &str = "provider,architecture,idle_w_per_vcpu,max_w_per_vcpu,source\n\
        aws,average,1,2,x\ngcp,average,1,2,x\nazure,average,1,2,x\non-prem,average,3,4,x\n\
        aws,Old,2,6,x\naws,New,1,2,x\n";
    const GPU_TEXT: &str = "model,idle_w,max_w,source\nT4,8,71,x\n";

    #[test]
    fn a_type_with_one_of_two_processors_has_their_mean() {
        let power = Power::read(CPU_TEXT, GPU_TEXT).unwrap();
        let mean = CpuPower { idle: Watts(1.5), max: Watts(4.0) };
        assert_eq!(power.cpu(CloudProvider::Aws, "Old+New"), Some(mean));
        assert_eq!(power.cpu(CloudProvider::Aws, "Old+Unknown"), None);
        assert_eq!(power.cpu(CloudProvider::Gcp, "Old"), None, "another provider's figure is not borrowed");
    }

    #[test]
    fn a_provider_without_an_average_is_refused() {
        let text = CPU_TEXT.replace("azure,average,1,2,x\n", "");
        let error = Power::read(&text, GPU_TEXT).unwrap_err().to_string();
        assert_eq!(error, "cpu_power.csv: there is no row for `azure`, `average`: add it");
    }

    #[test]
    fn a_maximum_below_idle_is_refused() {
        let error = Power::read(CPU_TEXT, &GPU_TEXT.replace("8,71", "80,71")).unwrap_err().to_string();
        assert_eq!(error, "gpu_power.csv line 2: `max_w` is `71`: put a number from 80 to 2000 there");
    }
}
