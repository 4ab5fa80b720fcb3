//! GPUs by resource name.

use rstest::rstest;

use super::list;
use crate::domain::requests::{GpuRequest, GpuVendor};

#[rstest]
#[case::none("{cpu: 8, memory: 32Gi, example.com/nic: 1}", GpuRequest::None)]
#[case::listed_at_zero("{nvidia.com/gpu: 0, nvidia.com/mig-1g.5gb: 0}", GpuRequest::None)]
#[case::negative("{nvidia.com/gpu: -1}", GpuRequest::None)]
#[case::nvidia("{cpu: 8, nvidia.com/gpu: 2}", GpuRequest::Whole { count: 2, vendor: GpuVendor::Nvidia })]
#[case::amd("{amd.com/gpu: 4}", GpuRequest::Whole { count: 4, vendor: GpuVendor::Amd })]
#[case::intel_i915("{gpu.intel.com/i915: 1}", GpuRequest::Whole { count: 1, vendor: GpuVendor::Intel })]
#[case::intel_both(
    "{gpu.intel.com/i915: 1, gpu.intel.com/xe: 2}",
    GpuRequest::Whole { count: 3, vendor: GpuVendor::Intel }
)]
#[case::intel_exporter(
    "{gpu.intel.com/i915_monitoring: 1, gpu.intel.com/xe_monitoring: 1}",
    GpuRequest::None
)]
#[case::intel_fraction(
    "{gpu.intel.com/i915: 1, gpu.intel.com/millicores: 250}",
    GpuRequest::Unknown("gpu.intel.com/millicores")
)]
#[case::mig_slice("{nvidia.com/mig-1g.5gb: 1}", GpuRequest::Unknown("nvidia.com/mig-1g.5gb"))]
#[case::mig_beside_whole(
    "{nvidia.com/gpu: 1, nvidia.com/mig-3g.20gb: 1}",
    GpuRequest::Unknown("nvidia.com/mig-3g.20gb")
)]
#[case::time_sliced("{nvidia.com/gpu.shared: 1}", GpuRequest::Unknown("nvidia.com/gpu.shared"))]
#[case::amd_partition("{amd.com/cpx_nps4: 8}", GpuRequest::Unknown("amd.com/cpx_nps4"))]
#[case::two_vendors("{amd.com/gpu: 1, nvidia.com/gpu: 1}", GpuRequest::Unknown("nvidia.com/gpu"))]
#[case::first_unknown_is_named(
    "{aws.amazon.com/neuroncore: 2, google.com/tpu: 4}",
    GpuRequest::Unknown("aws.amazon.com/neuroncore")
)]
#[case::tpu("{google.com/tpu: 4}", GpuRequest::Unknown("google.com/tpu"))]
#[case::nics_of_gpu_vendors("{amd.com/nic: 1, nvidia.com/hostdev: 2}", GpuRequest::None)]
fn gpus_are_told_by_their_resource_names(#[case] requests: &str, #[case] expected: GpuRequest<'_>) {
    assert_eq!(list(requests).gpus(), expected);
}
