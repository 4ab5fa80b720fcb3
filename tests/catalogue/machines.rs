//! Instance types and the watts of their parts.

use eco_pulse::domain::energy::CpuPower;
use eco_pulse::domain::region::CloudProvider;
use eco_pulse::domain::units::{Cores, Gibibytes, Watts};

use super::{CLOUDS, catalogue, close, raw};

#[test]
fn an_instance_is_what_its_provider_says() {
    let catalogue = catalogue();
    let instance = catalogue.instance("m5.xlarge").unwrap();
    assert_eq!((instance.provider, instance.vcpus), (CloudProvider::Aws, Cores(4.0)));
    assert_eq!((instance.memory, instance.gpus), (Gibibytes(16.0), 0));
    assert_eq!(instance.gpu, None);
    // Skylake 0.6130 to 4.1042 W or Cascade Lake 0.6903 to 4.0632 W: the mean of both.
    let cpu = instance.cpu.unwrap();
    assert!(close(cpu.idle.0, 0.651_65, 1e-9) && close(cpu.max.0, 4.0837, 1e-9), "{cpu:?}");
}

#[test]
fn a_gpu_instance_has_the_model_and_its_power() {
    let catalogue = catalogue();
    let instance = catalogue.instance("p3.8xlarge").unwrap();
    let gpu = instance.gpu.as_ref().unwrap();
    assert_eq!((instance.gpus, gpu.model.as_ref()), (4, "V100"));
    assert_eq!((gpu.power.idle, gpu.power.max), (Watts(35.0), Watts(306.0)));
    assert_eq!(catalogue.gpu_power("V100"), Some(gpu.power));
    assert_eq!(catalogue.gpu_power("V1000"), None);
}

#[test]
fn a_processor_without_a_coefficient_is_left_to_the_average() {
    let catalogue = catalogue();
    let ampere = catalogue.instance("Standard_D4ps_v5").unwrap();
    assert_eq!(ampere.cpu, None);
    assert!(catalogue.cpu_power(CloudProvider::Azure).max > Watts(0.0));
}

#[test]
fn averages_are_the_published_ones_or_the_means_they_claim_to_be() {
    let catalogue = catalogue();
    let mut all = Vec::new();
    for provider in CLOUDS {
        let rows = raw("cpu_power.csv");
        let own: Vec<(f64, f64)> = rows
            .iter()
            .filter(|row| row["provider"] == provider.as_str() && row["architecture"] != "average")
            .map(|row| (row["idle_w_per_vcpu"].parse().unwrap(), row["max_w_per_vcpu"].parse().unwrap()))
            .collect();
        if provider == CloudProvider::Aws {
            let published = CpuPower { idle: Watts(0.74), max: Watts(3.5) };
            assert_eq!(catalogue.cpu_power(provider), published);
        } else {
            assert_mean(catalogue.cpu_power(provider), &own);
        }
        all.extend(own);
    }
    assert_mean(catalogue.cpu_power(CloudProvider::OnPrem), &all);
}

fn assert_mean(average: CpuPower, rows: &[(f64, f64)]) {
    let count = rows.len() as f64;
    assert!(close(average.idle.0, rows.iter().map(|row| row.0).sum::<f64>() / count, 1e-4), "{average:?}");
    assert!(close(average.max.0, rows.iter().map(|row| row.1).sum::<f64>() / count, 1e-4), "{average:?}");
}

#[test]
fn the_suspect_processor_is_left_out() {
    assert!(raw("cpu_power.csv").iter().all(|row| row["architecture"] != "EPYC 5th Gen"));
}
