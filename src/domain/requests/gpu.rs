//! GPUs among a pod's requests, told by the names under which device plugins offer them.
//!
//! A resource name tells the vendor at most; the model, and so the power it draws, is for the catalogue to
//! find out from the node or the region. What is offered in slices, or is no GPU but as hungry as one, is
//! reported as unknown, so that nobody prices it at zero.

use super::ResourceList;

/// Who makes the GPU, as far as the resource name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GpuVendor {
    /// `nvidia.com/gpu`.
    Nvidia,
    /// `amd.com/gpu`.
    Amd,
    /// `gpu.intel.com/i915` and `gpu.intel.com/xe`, after the kernel driver.
    Intel,
}

/// The GPUs that a pod asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuRequest<'a> {
    /// None.
    None,
    /// Whole devices of one vendor.
    Whole {
        /// How many, at least 1.
        count: u64,
        /// Whose.
        vendor: GpuVendor,
    },
    /// Something that draws power nobody can name: a slice or share of a GPU, another kind of accelerator, or
    /// GPUs of several vendors together. Holds the first resource name that could not be accounted for.
    Unknown(&'a str),
}

/// Names of accelerators that say nothing of what one unit draws, by how they begin.
const UNKNOWN_PREFIXES: [&str; 6] = [
    // Slices of a partitioned GPU, such as nvidia.com/mig-1g.5gb.
    "nvidia.com/mig-",
    // Time-sliced or MPS shares: nvidia.com/gpu.shared.
    "nvidia.com/gpu.",
    // Fractions beside a device: gpu.intel.com/millicores, /tiles, /memory.max.
    "gpu.intel.com/",
    // Accelerators that are not GPUs.
    "aws.amazon.com/neuron",
    "google.com/tpu",
    "habana.ai/gaudi",
];

impl ResourceList<'_> {
    /// The GPUs listed at more than zero.
    #[must_use]
    pub fn gpus(&self) -> GpuRequest<'_> {
        let mut found = GpuRequest::None;
        for (resource, amount) in self.iter() {
            // Devices come whole: the API server refuses a fraction or a negative number after admission.
            let Ok(count @ 1..) = u64::try_from(amount.value()) else { continue };
            let Some(device) = device(resource) else { continue };
            found = match (found, device) {
                (GpuRequest::Unknown(_), _) => break,
                (GpuRequest::None, Device::Whole(vendor)) => GpuRequest::Whole { count, vendor },
                (GpuRequest::Whole { count: others, vendor }, Device::Whole(same)) if vendor == same => {
                    GpuRequest::Whole { count: others.saturating_add(count), vendor }
                }
                _ => GpuRequest::Unknown(resource),
            };
        }
        found
    }
}

enum Device {
    Whole(GpuVendor),
    Unknown,
}

fn device(resource: &str) -> Option<Device> {
    match resource {
        "nvidia.com/gpu" => Some(Device::Whole(GpuVendor::Nvidia)),
        "amd.com/gpu" => Some(Device::Whole(GpuVendor::Amd)),
        "gpu.intel.com/i915" | "gpu.intel.com/xe" => Some(Device::Whole(GpuVendor::Intel)),
        // A view on every GPU of the node, for exporters: it puts no load on them.
        "gpu.intel.com/i915_monitoring" | "gpu.intel.com/xe_monitoring" => None,
        _ if is_amd_partition(resource) => Some(Device::Unknown),
        _ => UNKNOWN_PREFIXES.iter().any(|prefix| resource.starts_with(prefix)).then_some(Device::Unknown),
    }
}

/// A partition of an AMD Instinct is named after its compute and memory modes, such as `amd.com/cpx_nps4`.
fn is_amd_partition(resource: &str) -> bool {
    resource.strip_prefix("amd.com/").is_some_and(|partition| partition.contains("_nps"))
}
