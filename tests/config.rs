//! The configuration as its users meet it: what a file may say, and what is answered when it says something wrong.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::time::Duration;

use eco_pulse::config::{
    Config, ConfigErrors, ElectricityMapsSettings, FilterMode, GbSettings, KnownRegion, Mode,
    PriceProviderKind, RedisSettings, RegionFacts, ReplaySettings, SpotSteering, TlsMode,
};
use eco_pulse::domain::energy::{CpuPower, Utilisation, Utilisations};
use eco_pulse::domain::policy::{Baseline, LatencyPolicy};
use eco_pulse::domain::region::{CloudProvider, GridZone, Location, RegionId};
use eco_pulse::domain::snapshot::{CapacityType, GridProvider};
use eco_pulse::domain::units::{
    Gigabytes, GramsPerKwh, Hours, Milliseconds, Pue, Usd, UsdPerGb, UsdPerHour, UsdPerMsHour, UsdPerTonne,
    Watts,
};
use rstest::rstest;

#[path = "config/grid.rs"]
mod grid;
#[path = "config/prices.rs"]
mod prices;
#[path = "config/refusals.rs"]
mod refusals;
#[path = "config/regions.rs"]
mod regions;
#[path = "config/reports.rs"]
mod reports;
#[path = "config/secrets.rs"]
mod secrets;
#[path = "config/store.rs"]
mod store;

/// A catalogue of four regions. Its numbers are the test's own and easy to tell apart.
struct Facts;

const REGIONS: [(&str, CloudProvider, &str, f64, f64); 4] = [
    ("us-east-1", CloudProvider::Aws, "US-MIDA-PJM", 39.0, -77.5),
    ("eu-west-1", CloudProvider::Aws, "IE", 53.3, -6.3),
    ("eu-north-1", CloudProvider::Aws, "SE-SE3", 59.3, 18.1),
    ("swedencentral", CloudProvider::Azure, "SE-SE3", 60.7, 17.1),
];

impl RegionFacts for Facts {
    fn region(&self, name: &str) -> Option<KnownRegion> {
        REGIONS.iter().find(|region| region.0 == name).map(
            |(_, provider, zone, latitude_deg, longitude_deg)| KnownRegion {
                provider: *provider,
                zone: Some(GridZone::from(*zone)),
                location: Some(Location { latitude_deg: *latitude_deg, longitude_deg: *longitude_deg }),
                pue: (*provider == CloudProvider::Aws).then_some(Pue(1.135)),
            },
        )
    }

    fn region_names(&self) -> Vec<&str> {
        REGIONS.iter().map(|region| region.0).collect()
    }

    fn fleet_pue(&self, provider: CloudProvider) -> Option<Pue> {
        (provider == CloudProvider::Azure).then_some(Pue(1.185))
    }

    fn cpu_power(&self, provider: CloudProvider) -> CpuPower {
        let max = if provider == CloudProvider::OnPrem { 4.0 } else { 3.5 };
        CpuPower { idle: Watts(0.74), max: Watts(max) }
    }

    fn annual_mean(&self, zone: &str) -> Option<GramsPerKwh> {
        (zone == "SE-SE3").then_some(GramsPerKwh(23.0))
    }

    fn egress(&self, _: &str, to: &str) -> Option<UsdPerGb> {
        (to != "swedencentral").then_some(UsdPerGb(0.02))
    }

    fn round_trip(&self, _: &str, _: &str) -> Option<Milliseconds> {
        Some(Milliseconds(100.0))
    }

    fn round_trip_between(&self, _: Location, _: Location) -> Milliseconds {
        Milliseconds(33.0)
    }

    fn knows_instance_type(&self, name: &str) -> bool {
        ["m5.xlarge", "Standard_D4s_v5"].contains(&name)
    }
}

fn parse(yaml: &str) -> Result<Config, ConfigErrors> {
    Config::parse(yaml, &Facts)
}

/// Every error of a bad configuration, as it is shown.
fn errors(yaml: &str) -> Vec<String> {
    parse(yaml).unwrap_err().iter().map(ToString::to_string).collect()
}

/// The configuration's own listing, with what a later version has left out.
const LISTING: &str = "
mode: steer
topologyKey: topology.kubernetes.io/region
baseline: {region: us-east-1}
regions:
- {name: us-east-1}
- {name: eu-north-1, alias: eu-north, gridZone: SE-SE3, pue: 1.10}
- {name: dc-berlin, provider: on-prem, gridZone: DE, latitude: 52.5, longitude: 13.4, pue: 1.5, priceUsdPerVcpuHour: 0.02}
carbon: {priceUsdPerTonne: 50, maxPriceUsdPerTonne: 100}
grid:
  provider: mock
  fallback: [catalogue]
  refresh: 5m
  maxAge: 2h
  mock: {us-east-1: high, eu-north-1: low, dc-berlin: 123.5}
  replay: {file: trace.csv, speed: 1}
  electricityMaps: {baseUrl: https://api.electricitymaps.com/v4, tokenFile: /var/run/secrets/eco-pulse/electricity-maps-token}
  gbCarbonIntensity: {baseUrl: https://api.carbonintensity.org.uk}
prices:
  provider: catalogue
  capacityType: on-demand
  instanceType: m5.xlarge
  refresh: 1h
  maxAge: 48h
  file: null
  awsSpotAdvisor: {url: https://spot-bid-advisor.s3.amazonaws.com/spot-advisor-data.json}
  azureRetail: {url: https://prices.azure.com/api/retail/prices}
workload: {defaultDuration: 24h, cpuUtilisation: 0.5, gpuUtilisation: 0.5, egressGb: 0}
spot: {steer: never}
latency: {serving: {maxAddedMs: 50}, batch: {maxAddedMs: null}, usdPerMsHour: 0}
decision: {deadline: 190ms, affinityWeight: 100, minNetBenefitUsd: 0, allowDirtier: false, migrationUsd: 0, holdout: 0}
herd: {maxPodsPerMinute: 600, jitter: 0.1, hysteresis: 0.1}
extender: {filter: enforce}
server: {maxBodyMiB: 6, maxFilterBodyMiB: 96, maxConcurrent: 256, clientCaFile: null}
tls: {mode: files}
store: {redis: null}
ledger: {file: null, retentionDays: 400, rawRetentionDays: 30}
log: {level: info, decisions: true}
";

/// What the listing and no file at all have in common.
fn assert_defaults(config: &Config) {
    assert_eq!(config.mode, Mode::Steer);
    assert_eq!(config.topology_key, "topology.kubernetes.io/region");
    assert_eq!(config.baseline, Baseline::Region(RegionId(0)));
    assert_eq!(config.carbon.effective(), UsdPerTonne(50.0));
    assert_eq!(config.grid.refresh, Duration::from_mins(5));
    assert_eq!(config.grid.max_age, Duration::from_hours(2));
    assert_eq!(config.grid.replay, None);
    let electricity_maps = ElectricityMapsSettings {
        base_url: "https://api.electricitymaps.com/v4".to_owned(),
        token_file: "/var/run/secrets/eco-pulse/electricity-maps-token".into(),
    };
    assert_eq!(config.grid.electricity_maps, electricity_maps);
    let gb = GbSettings { base_url: "https://api.carbonintensity.org.uk".to_owned() };
    assert_eq!(config.grid.gb_carbon_intensity, gb);
    assert_eq!(config.prices.file, None);
    assert_eq!(
        config.prices.aws_spot_advisor_url,
        "https://spot-bid-advisor.s3.amazonaws.com/spot-advisor-data.json"
    );
    assert_eq!(config.prices.azure_retail_url, "https://prices.azure.com/api/retail/prices");
    assert_eq!(config.store.redis, None);
    assert_eq!(config.prices.provider, PriceProviderKind::Catalogue);
    assert_eq!(config.prices.capacity_type, CapacityType::OnDemand);
    assert_eq!(&*config.prices.instance_type, "m5.xlarge");
    assert_eq!(config.prices.refresh, Duration::from_hours(1));
    assert_eq!(config.prices.max_age, Duration::from_hours(48));
    assert_eq!(config.workload.default_duration, Hours(24.0));
    let half = Utilisation::new(0.5).unwrap();
    assert_eq!(config.workload.utilisation, Utilisations { cpu: half, gpu: half });
    assert_eq!(config.workload.egress, Gigabytes(0.0));
    assert_eq!(config.spot, SpotSteering::Never);
    let latency = LatencyPolicy {
        serving_max_added: Some(Milliseconds(50.0)),
        batch_max_added: None,
        price: UsdPerMsHour(0.0),
    };
    assert_eq!(config.latency, latency);
    assert_eq!(config.decision.deadline, Duration::from_millis(190));
    assert_eq!(config.decision.affinity_weight.get(), 100);
    assert_eq!(config.decision.min_net_benefit, Usd(0.0));
    assert!(!config.decision.allow_dirtier);
    assert_eq!(config.decision.migration, Usd(0.0));
    assert!(!config.decision.holdout.contains(0));
    assert_eq!(config.herd.max_pods_per_minute.get(), 600);
    assert!(config.herd.jitter.contains(u64::MAX / 11) && !config.herd.jitter.contains(u64::MAX / 9));
    assert_eq!(config.herd.hysteresis.to_bits(), 0.1_f64.to_bits());
    assert_eq!(config.extender.filter, FilterMode::Enforce);
    assert_eq!(config.server.max_body_bytes, 6 << 20);
    assert_eq!(config.server.max_filter_body_bytes, 96 << 20);
    assert_eq!(config.server.max_concurrent.get(), 256);
    assert_eq!(config.server.client_ca_file, None);
    assert!(config.tls.hosts.is_empty());
    assert_eq!((config.ledger.retention_days, config.ledger.raw_retention_days), (400, 30));
    assert_eq!(config.log.level, tracing::Level::INFO);
    assert!(config.log.decisions);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn the_listing_is_read_as_it_says() {
    let config = parse(LISTING).unwrap();
    assert_defaults(&config);
    assert_eq!(config.tls.mode, Some(TlsMode::Files));
    assert_eq!(config.grid.provider, GridProvider::Mock);
    assert_eq!(config.grid.fallback, [GridProvider::Catalogue]);
    let mock: Vec<_> = config.grid.mock.iter().map(|(id, value)| (id.0, value.0)).collect();
    assert_eq!(mock, [(0, 700.0), (1, 50.0), (2, 123.5)]);
    assert_eq!(config.per_vcpu.get(&RegionId(2)), Some(&UsdPerHour(0.02)));
    assert_eq!(config.per_vcpu.len(), 1);
}

#[test]
fn without_a_file_the_listings_defaults_hold() {
    let config = Config::built_in(&Facts).unwrap();
    assert_defaults(&config);
    assert_eq!(config.tls.mode, None);
    assert_eq!(config.grid.provider, GridProvider::Catalogue);
    assert!(config.grid.fallback.is_empty() && config.grid.mock.is_empty() && config.per_vcpu.is_empty());
    let names: Vec<_> = config.regions.iter().map(|(_, region)| region.name.as_str()).collect();
    assert_eq!(names, ["us-east-1", "eu-west-1", "eu-north-1"]);
}

#[rstest]
#[case::sections_whose_lines_are_commented_out("grid:\nprices:\nlatency: {serving: }\n")]
#[case::yaml_11_switch("mode: steer\ntls: {hosts: []}\n")]
#[case::integers_as_templates_write_them(
    "decision: {affinityWeight: 1e2}\nherd: {maxPodsPerMinute: 6e+02}\n"
)]
fn the_same_said_otherwise(#[case] yaml: &str) {
    assert_defaults(&parse(yaml).unwrap());
}

#[test]
fn every_choice_reaches_its_type() {
    let config = parse(
        "
mode: off
topologyKey: example.com/region
baseline: {region: scheduler}
regions: [{name: us-east-1}, {name: eu-north-1}]
carbon: {priceUsdPerTonne: 80.5, maxPriceUsdPerTonne: 90}
grid: {provider: catalogue, refresh: 1m30s, maxAge: 3h}
prices: {capacityType: spot, refresh: 2h, maxAge: 3h}
workload: {defaultDuration: 90m, cpuUtilisation: 1, gpuUtilisation: 0, egressGb: 2.5}
latency: {serving: {maxAddedMs: null}, batch: {maxAddedMs: 120}, usdPerMsHour: 0.001}
decision: {deadline: 1s, affinityWeight: 1, minNetBenefitUsd: 0.5, allowDirtier: true, migrationUsd: 2, holdout: 1}
herd: {maxPodsPerMinute: 7, jitter: 0, hysteresis: 1}
extender: {filter: observe}
server: {maxBodyMiB: 1, maxFilterBodyMiB: 2, maxConcurrent: 3, clientCaFile: ca.crt}
tls: {mode: self-signed, hosts: [eco-pulse.eco-pulse.svc, 127.0.0.1, '::1']}
ledger: {file: /var/lib/eco-pulse/ledger.jsonl, retentionDays: 20}
log: {level: debug, decisions: false}
",
    )
    .unwrap();
    assert_eq!(config.mode, Mode::Off);
    assert_eq!(config.topology_key, "example.com/region");
    assert_eq!(config.baseline, Baseline::SchedulerMix);
    assert_eq!(config.carbon.effective(), UsdPerTonne(80.5));
    assert_eq!(
        (config.grid.refresh, config.grid.max_age),
        (Duration::from_secs(90), Duration::from_hours(3))
    );
    assert_eq!(config.prices.capacity_type, CapacityType::Spot);
    assert_eq!(
        (config.prices.refresh, config.prices.max_age),
        (Duration::from_hours(2), Duration::from_hours(3))
    );
    assert_eq!(config.workload.default_duration, Hours(1.5));
    assert_eq!(config.workload.utilisation.cpu, Utilisation::new(1.0).unwrap());
    assert_eq!(config.workload.utilisation.gpu, Utilisation::new(0.0).unwrap());
    assert_eq!(config.workload.egress, Gigabytes(2.5));
    assert_eq!(config.latency.serving_max_added, None);
    assert_eq!(config.latency.batch_max_added, Some(Milliseconds(120.0)));
    assert_eq!(config.latency.price, UsdPerMsHour(0.001));
    assert_eq!(config.decision.deadline, Duration::from_secs(1));
    assert_eq!(config.decision.affinity_weight.get(), 1);
    assert_eq!(config.decision.min_net_benefit, Usd(0.5));
    assert!(config.decision.allow_dirtier);
    assert_eq!(config.decision.migration, Usd(2.0));
    assert!(config.decision.holdout.contains(0));
    assert_eq!(config.herd.max_pods_per_minute.get(), 7);
    assert!(!config.herd.jitter.contains(0));
    assert_eq!(config.herd.hysteresis.to_bits(), 1.0_f64.to_bits());
    assert_eq!(config.extender.filter, FilterMode::Observe);
    assert_eq!(config.server.max_body_bytes, 1 << 20);
    assert_eq!(config.server.max_filter_body_bytes, 2 << 20);
    assert_eq!(config.server.max_concurrent.get(), 3);
    assert_eq!(config.server.client_ca_file.as_deref(), Some("ca.crt".as_ref()));
    assert_eq!(config.tls.mode, Some(TlsMode::SelfSigned));
    assert_eq!(config.tls.hosts, ["eco-pulse.eco-pulse.svc", "127.0.0.1", "::1"]);
    assert_eq!((config.ledger.retention_days, config.ledger.raw_retention_days), (20, 20));
    assert_eq!(config.ledger.file.as_deref(), Some(Path::new("/var/lib/eco-pulse/ledger.jsonl")));
    assert_eq!(config.log.level, tracing::Level::DEBUG);
    assert!(!config.log.decisions);

    let policy = config.policy();
    assert_eq!(policy.baseline, Baseline::SchedulerMix);
    assert_eq!(policy.carbon_price, config.carbon);
    assert_eq!(policy.latency, config.latency);
    assert_eq!((policy.min_net_benefit, policy.migration), (Usd(0.5), Usd(2.0)));
    assert!(policy.allow_dirtier && policy.holdout.contains(0));
    assert_eq!(policy.hysteresis.to_bits(), 1.0_f64.to_bits());
    assert_eq!(policy.grid_max_age.as_secs(), 3 * 3600);
    assert_eq!(policy.price_max_age.as_secs(), 3 * 3600);
    assert_eq!(policy.utilisation, config.workload.utilisation);
}
