//! Refusals: each names the path, the value and the cure, all of them at once, and none shows a secret.

use std::path::Path;

use eco_pulse::config::MAX_REGIONS;
use proptest::prelude::*;

use super::*;

#[rstest]
#[case("grid: 5", "grid: is a number, not a map; write keys and values below it")]
#[case("regions: us-east-1", "regions: is text, not a list; write `[one, another]`")]
#[case("regions: [us-east-1]", "regions[0]: is text, not a map; write keys and values, as in `{name: this}`")]
#[case("mode:", "mode: has no value; give one, or leave the key out for its default")]
#[case("mode: steering", "mode: `steering` is not known; choose one of: steer, shadow, off")]
#[case(
    "mode: shaddow",
    "mode: `shaddow` is not known; choose one of: steer, shadow, off (did you mean `shadow`?)"
)]
#[case(
    "mode: false",
    "mode: false is not text; choose one of: steer, shadow, off (some tools turn a bare off into false: write \"off\" in quotes)"
)]
#[case(
    "colour: red",
    "colour: is not a known key; known here: mode, topologyKey, baseline, grid, regions, carbon, prices, store, workload, spot, latency, decision, herd, extender, server, tls, ledger, log"
)]
#[case("grid: {max_age: 2h}", "grid.max_age: is not a known key; did you mean `maxAge`?")]
#[case("carbn: {priceUsdPerTonne: 1}", "carbn: is not a known key; did you mean `carbon`?")]
#[case("herd: {jiter: 1}", "herd.jiter: is not a known key; did you mean `jitter`?")]
#[case(
    "topologyKey: 'a b'",
    "topologyKey: `a b` is not a label key; give one such as topology.kubernetes.io/region"
)]
#[case("topologyKey: 5", "topologyKey: 5 is a number, not text; put it in quotes")]
fn refuses_wrong_shapes_and_keys(#[case] yaml: &str, #[case] expected: &str) {
    assert_eq!(errors(yaml), [expected]);
}

#[rstest]
#[case(
    "carbon: {priceUsdPerTonne: -5}",
    "carbon.priceUsdPerTonne: -5 is negative; give a price from 0 to carbon.maxPriceUsdPerTonne (100)"
)]
#[case(
    "carbon: {priceUsdPerTonne: .nan}",
    "carbon.priceUsdPerTonne: `.nan` is not a finite number; give a price from 0 to carbon.maxPriceUsdPerTonne (100)"
)]
#[case(
    "carbon: {priceUsdPerTonne: .inf}",
    "carbon.priceUsdPerTonne: `.inf` is not a finite number; give a price from 0 to carbon.maxPriceUsdPerTonne (100)"
)]
#[case(
    "carbon: {priceUsdPerTonne: 1e999}",
    "carbon.priceUsdPerTonne: `.inf` is not a finite number; give a price from 0 to carbon.maxPriceUsdPerTonne (100)"
)]
#[case(
    "carbon: {priceUsdPerTonne: '50'}",
    "carbon.priceUsdPerTonne: `50` is text; give a price from 0 to carbon.maxPriceUsdPerTonne (100), without quotes"
)]
#[case(
    "carbon: {priceUsdPerTonne: fifty}",
    "carbon.priceUsdPerTonne: `fifty` is not a number; give a price from 0 to carbon.maxPriceUsdPerTonne (100)"
)]
#[case(
    "carbon: {priceUsdPerTonne: [50]}",
    "carbon.priceUsdPerTonne: a list is not a number; give a price from 0 to carbon.maxPriceUsdPerTonne (100)"
)]
#[case(
    "carbon: {priceUsdPerTonne: 5, maxPriceUsdPerTonne: -1}",
    "carbon.maxPriceUsdPerTonne: -1 is negative; give a cap from 0 to 10000 USD per tonne"
)]
#[case(
    "carbon: {maxPriceUsdPerTonne: 10001}",
    "carbon.maxPriceUsdPerTonne: 10001 is above 10000; give a cap from 0 to 10000 USD per tonne"
)]
#[case(
    "carbon: {maxPriceUsdPerTonne: .nan}",
    "carbon.maxPriceUsdPerTonne: `.nan` is not a finite number; give a cap from 0 to 10000 USD per tonne"
)]
fn refuses_impossible_prices_of_carbon(#[case] yaml: &str, #[case] expected: &str) {
    assert_eq!(errors(yaml), [expected]);
}

#[rstest]
#[case("regions: []", "regions: is empty; give at least one entry, or leave the key out for its default")]
#[case("regions:", "regions: is empty; give at least one entry, or leave the key out for its default")]
#[case(
    "regions: [{alias: x}]",
    "regions[0].name: is missing; give the region's name at its provider, or one of your own"
)]
#[case(
    "regions: [{name: us-east-2}]",
    "regions[0].name: `us-east-2` is not in the catalogue; did you mean us-east-1? Else describe it with provider (on-prem, or aws, gcp, azure), gridZone, pue, and latitude and longitude if known"
)]
#[case(
    "regions: [{name: dc-berlin}]",
    "regions[0].name: `dc-berlin` is not in the catalogue; describe it with provider (on-prem, or aws, gcp, azure), gridZone, pue, and latitude and longitude if known"
)]
#[case(
    "regions: [{name: scheduler, provider: on-prem, gridZone: DE, pue: 1.2}]",
    "regions[0].name: `scheduler` is a reserved word; give the region another name; baseline.region gives this one a meaning of its own"
)]
#[case(
    "regions: [{name: 'dc berlin', provider: on-prem, gridZone: DE, pue: 1.2}]",
    "regions[0].name: `dc berlin` cannot be the value of a label; give up to 63 letters, digits, `-`, `_` or `.`, a letter or digit at both ends"
)]
#[case(
    "regions: [{name: 7, provider: on-prem, gridZone: DE, pue: 1.2}]",
    "regions[0].name: 7 is a number, not text; put it in quotes"
)]
#[case(
    "regions: [{name: dc, provider: on-prem, pue: 1.2}]",
    "regions[0].gridZone: is missing; give the Electricity Maps key of the grid that feeds it, such as DE or SE-SE3"
)]
#[case(
    "regions: [{name: dc, provider: on-prem, gridZone: DE}]",
    "regions[0].pue: is missing; give its power usage effectiveness, from 1 to 10; the catalogue has none for it"
)]
#[case(
    "regions: [{name: dc, provider: onprem, gridZone: DE, pue: 1.2}]",
    "regions[0].provider: `onprem` is not known; choose one of: aws, gcp, azure, on-prem (did you mean `on-prem`?)"
)]
#[case(
    "regions: [{name: us-east-1, provider: on-prem, gridZone: DE, pue: 1.2}]",
    "regions[0].provider: `on-prem` is not whose region the catalogue knows by that name (aws); leave it out, or give your region another name and the label's value as alias"
)]
#[case(
    "regions: [{name: us-east-1, pue: 0.9}]",
    "regions[0].pue: 0.9 is below 1; give a power usage effectiveness from 1 to 10"
)]
#[case(
    "regions: [{name: us-east-1, pue: 110}]",
    "regions[0].pue: 110 is above 10; give a power usage effectiveness from 1 to 10"
)]
#[case(
    "regions: [{name: us-east-1, gridZone: pjm}]",
    "regions[0].gridZone: `pjm` is not a grid zone; give the zone's Electricity Maps key, such as DE, SE-SE3 or US-MIDA-PJM"
)]
#[case(
    "regions: [{name: us-east-1, latitude: 52.5}]",
    "regions[0].longitude: is missing; give it with latitude, or leave out both"
)]
#[case(
    "regions: [{name: us-east-1, longitude: 13.4}]",
    "regions[0].latitude: is missing; give it with longitude, or leave out both"
)]
#[case(
    "regions: [{name: us-east-1, latitude: 91, longitude: 13.4}]",
    "regions[0].latitude: 91 is above 90; give degrees from -90 to 90, north positive"
)]
#[case(
    "regions: [{name: us-east-1, latitude: 52.5, longitude: -181}]",
    "regions[0].longitude: -181 is below -180; give degrees from -180 to 180, east positive"
)]
#[case(
    "regions: [{name: us-east-1, priceUsdPerVcpuHour: -0.1}]",
    "regions[0].priceUsdPerVcpuHour: -0.1 is negative; give USD per vCPU and hour from 0 to 100"
)]
#[case(
    "regions: [{name: us-east-1, alias: '-'}]",
    "regions[0].alias: `-` cannot be the value of a label; give up to 63 letters, digits, `-`, `_` or `.`, a letter or digit at both ends"
)]
#[case(
    "baseline: {region: mars}",
    "baseline.region: `mars` is not a region of `regions`; write scheduler or one of: us-east-1, eu-west-1, eu-north-1"
)]
#[case("baseline: mars", "baseline: is text, not a map; write keys and values below it")]
#[case(
    "regions: [{name: us-east-1}, {name: eu-north-1, alias: north}]\nbaseline: {region: north}",
    "baseline.region: `north` is an alias; write the region's name, eu-north-1"
)]
fn refuses_regions_that_cannot_be(#[case] yaml: &str, #[case] expected: &str) {
    assert_eq!(errors(yaml), [expected]);
}

#[rstest]
#[case(
    "grid: {provider: mock, mock: {mars: high}}",
    "grid.mock.mars: is not a region of `regions`; write one of: us-east-1, eu-west-1, eu-north-1"
)]
#[case(
    "grid: {mock: {us-east-1: medium}}",
    "grid.mock.us-east-1: `medium` is not high, low or a number; give high (700), low (50) or a number from 0 to 2000, gCO2eq/kWh"
)]
#[case(
    "grid: {mock: {us-east-1: -1}}",
    "grid.mock.us-east-1: -1 is negative; give high (700), low (50) or a number from 0 to 2000, gCO2eq/kWh"
)]
#[case(
    "grid: {mock: {us-east-1: 2001}}",
    "grid.mock.us-east-1: 2001 is above 2000; give high (700), low (50) or a number from 0 to 2000, gCO2eq/kWh"
)]
#[case(
    "grid: {mock: {us-east-1: .nan}}",
    "grid.mock.us-east-1: `.nan` is not a finite number; give high (700), low (50) or a number from 0 to 2000, gCO2eq/kWh"
)]
#[case(
    "grid: {mock: {us-east-1: .inf}}",
    "grid.mock.us-east-1: `.inf` is not a finite number; give high (700), low (50) or a number from 0 to 2000, gCO2eq/kWh"
)]
#[case(
    "grid: {mock: {us-east-1: null}}",
    "grid.mock.us-east-1: null is not high, low or a number; give high (700), low (50) or a number from 0 to 2000, gCO2eq/kWh"
)]
#[case("grid: {mock: high}", "grid.mock: is text, not a map; write keys and values below it")]
#[case(
    "grid: {provider: catalog}",
    "grid.provider: `catalog` is not known; choose one of: mock, catalogue, replay, electricity-maps, gb-carbon-intensity (did you mean `catalogue`?)"
)]
#[case("grid: {fallback: catalogue}", "grid.fallback: is text, not a list; write `[one, another]`")]
#[case(
    "grid: {fallback: [catalogue]}",
    "grid.fallback[0]: `catalogue` is asked already; name each provider once"
)]
#[case(
    "grid: {fallback: [mock]}",
    "grid.fallback[0]: `mock` would fill the gaps of real readings with made-up ones; leave it out: a region without a reading is no candidate"
)]
#[case(
    "grid: {refresh: 5}",
    "grid.refresh: 5 has no unit; give a length of time such as 190ms, 5m, 1h30m or 7d, from 100ms to 1d"
)]
#[case(
    "grid: {refresh: 0s}",
    "grid.refresh: `0s` is zero; give a length of time such as 190ms, 5m, 1h30m or 7d, from 100ms to 1d"
)]
#[case(
    "grid: {refresh: -5m}",
    "grid.refresh: `-5m` is negative; give a length of time such as 190ms, 5m, 1h30m or 7d, from 100ms to 1d"
)]
#[case(
    "grid: {refresh: 25h, maxAge: 48h}",
    "grid.refresh: `25h` is longer than 1d; give a length of time such as 190ms, 5m, 1h30m or 7d, from 100ms to 1d"
)]
#[case(
    "grid: {refresh: 5 minutes}",
    "grid.refresh: `5 minutes` is not a length of time; give a length of time such as 190ms, 5m, 1h30m or 7d, from 100ms to 1d"
)]
#[case(
    "grid: {refresh: 1w}",
    "grid.refresh: `1w` has an unknown unit; give a length of time such as 190ms, 5m, 1h30m or 7d, from 100ms to 1d"
)]
#[case(
    "grid: {maxAge: 1m}",
    "grid.maxAge: 1m is shorter than refresh (5m); give at least refresh, or every value is stale before the next comes"
)]
#[case(
    "grid: {maxAge: 1000000d}",
    "grid.maxAge: `1000000d` is longer than 10 years; give a length of time such as 190ms, 5m, 1h30m or 7d, from 100ms to 30d"
)]
#[case(
    "grid: {replay: {speed: 0}}",
    "grid.replay.speed: 0 is below 0.001; give a factor from 0.001 to 1000000"
)]
#[case(
    "prices: {maxAge: 1m}",
    "prices.maxAge: 1m is shorter than refresh (1h); give at least refresh, or every value is stale before the next comes"
)]
#[case(
    "prices: {capacityType: reserved}",
    "prices.capacityType: `reserved` is not known; choose one of: on-demand, spot"
)]
#[case("prices: {instanceType: ''}", "prices.instanceType: is empty; give a text")]
#[case(
    "prices: {azureRetail: {url: 'ftp://x'}}",
    "prices.azureRetail.url: has another scheme; give https:// or http://host[:port][/path], without user, query or fragment"
)]
fn refuses_grid_and_price_sources_that_cannot_be(#[case] yaml: &str, #[case] expected: &str) {
    assert_eq!(errors(yaml), [expected]);
}

#[rstest]
#[case(
    "spot: {steer: interruptible}",
    "spot.steer: `interruptible` is not in this version; choose one of: never"
)]
#[case(
    "tls: {mode: managed}",
    "tls.mode: `managed` is not in this version; choose one of: files, self-signed"
)]
#[case(
    "ledger: {file: /var/lib/eco-pulse/ledger.jsonl}",
    "ledger.file: is not in this version; leave it out: without it, decisions are written to standard output"
)]
fn refuses_what_this_version_does_not_have(#[case] yaml: &str, #[case] expected: &str) {
    assert_eq!(errors(yaml), [expected]);
}

#[rstest]
#[case(
    "workload: {defaultDuration: 0h}",
    "workload.defaultDuration: `0h` is zero; give a length of time such as 190ms, 5m, 1h30m or 7d, from 1s to 3650d"
)]
#[case(
    "workload: {cpuUtilisation: 1.5}",
    "workload.cpuUtilisation: 1.5 is above 1; give a share from 0 to 1"
)]
#[case(
    "workload: {gpuUtilisation: -0.1}",
    "workload.gpuUtilisation: -0.1 is negative; give a share from 0 to 1"
)]
#[case("workload: {egressGb: -1}", "workload.egressGb: -1 is negative; give gigabytes from 0 to 1000000")]
#[case(
    "latency: {serving: {maxAddedMs: -1}}",
    "latency.serving.maxAddedMs: -1 is negative; give milliseconds from 0 to 60000, or null for no limit"
)]
#[case(
    "latency: {batch: {maxAddedMs: .nan}}",
    "latency.batch.maxAddedMs: `.nan` is not a finite number; give milliseconds from 0 to 60000, or null for no limit"
)]
#[case(
    "latency: {usdPerMsHour: -1}",
    "latency.usdPerMsHour: -1 is negative; give USD per ms and hour from 0 to 1000"
)]
#[case(
    "decision: {deadline: 0ms}",
    "decision.deadline: `0ms` is zero; give a length of time such as 190ms, 5m, 1h30m or 7d, from 1ms to 1s"
)]
#[case(
    "decision: {deadline: 1001ms}",
    "decision.deadline: `1001ms` is longer than 1s; give a length of time such as 190ms, 5m, 1h30m or 7d, from 1ms to 1s"
)]
#[case(
    "decision: {deadline: 0.5ms}",
    "decision.deadline: `0.5ms` is shorter than 1ms; give a length of time such as 190ms, 5m, 1h30m or 7d, from 1ms to 1s"
)]
#[case(
    "decision: {affinityWeight: 0}",
    "decision.affinityWeight: 0 is below 1; give a whole number of points from 1 to 100"
)]
#[case(
    "decision: {affinityWeight: 101}",
    "decision.affinityWeight: 101 is above 100; give a whole number of points from 1 to 100"
)]
#[case(
    "decision: {affinityWeight: 50.5}",
    "decision.affinityWeight: 50.5 is not a whole number; give a whole number of points from 1 to 100"
)]
#[case(
    "decision: {minNetBenefitUsd: -1}",
    "decision.minNetBenefitUsd: -1 is negative; give USD from 0 to 1000000"
)]
#[case(
    "decision: {allowDirtier: 'yes'}",
    "decision.allowDirtier: `yes` is not true or false; give true or false"
)]
#[case("decision: {migrationUsd: -1}", "decision.migrationUsd: -1 is negative; give USD from 0 to 1000000")]
#[case("decision: {holdout: 5}", "decision.holdout: 5 is above 1; give a share from 0 to 1")]
#[case("decision: {holdout: -0.1}", "decision.holdout: -0.1 is negative; give a share from 0 to 1")]
#[case(
    "herd: {maxPodsPerMinute: 0}",
    "herd.maxPodsPerMinute: 0 is below 1; give a whole number of pods from 1 to 1000000; to steer none, set mode: shadow"
)]
#[case("herd: {jitter: 1.1}", "herd.jitter: 1.1 is above 1; give a share from 0 to 1")]
#[case("herd: {hysteresis: 2}", "herd.hysteresis: 2 is above 1; give a share from 0 to 1")]
#[case(
    "extender: {filter: enforced}",
    "extender.filter: `enforced` is not known; choose one of: enforce, observe (did you mean `enforce`?)"
)]
fn refuses_decisions_that_cannot_be(#[case] yaml: &str, #[case] expected: &str) {
    assert_eq!(errors(yaml), [expected]);
}

#[rstest]
#[case("server: {maxBodyMiB: 0}", "server.maxBodyMiB: 0 is below 1; give a whole number of MiB from 1 to 64")]
#[case(
    "server: {maxBodyMiB: 65}",
    "server.maxBodyMiB: 65 is above 64; give a whole number of MiB from 1 to 64"
)]
#[case(
    "server: {maxFilterBodyMiB: 0}",
    "server.maxFilterBodyMiB: 0 is below 1; give a whole number of MiB from 1 to 1024"
)]
#[case(
    "server: {maxFilterBodyMiB: 1000000}",
    "server.maxFilterBodyMiB: 1000000 is above 1024; give a whole number of MiB from 1 to 1024"
)]
#[case(
    "server: {maxConcurrent: 0}",
    "server.maxConcurrent: 0 is below 1; give a whole number of requests from 1 to 65536"
)]
#[case("server: {clientCaFile: ''}", "server.clientCaFile: is empty; give a text")]
#[case(
    "tls: {mode: files, hosts: [example.com]}",
    "tls.hosts: has no effect with tls.mode files: the certificate's own names count; leave out tls.hosts, or set tls.mode to self-signed"
)]
#[case(
    "tls: {mode: self-signed, hosts: ['https://example.com']}",
    "tls.hosts[0]: `https://example.com` is not a host; give a DNS name in lower case or an IP address, without scheme or port"
)]
#[case(
    "ledger: {retentionDays: 0}",
    "ledger.retentionDays: 0 is below 1; give a whole number of days from 1 to 3650"
)]
#[case(
    "ledger: {retentionDays: 10, rawRetentionDays: 30}",
    "ledger.rawRetentionDays: 30 is more than ledger.retentionDays (10); give at most as many days"
)]
#[case(
    "log: {level: verbose}",
    "log.level: `verbose` is not known; choose one of: error, warn, info, debug, trace"
)]
#[case("log: {decisions: 1}", "log.decisions: 1 is not true or false; give true or false")]
fn refuses_a_process_that_cannot_be(#[case] yaml: &str, #[case] expected: &str) {
    assert_eq!(errors(yaml), [expected]);
}

#[rstest]
#[case(
    "grid: {electricityMaps: {token: hunter2}}",
    "grid.electricityMaps.token: holds a secret, which has no place in a configuration file; put it into a Secret, mount that, and name the file: grid.electricityMaps.tokenFile; and replace the secret that was written here"
)]
#[case(
    "grid: {electricityMaps: {authToken: hunter2}}",
    "grid.electricityMaps.authToken: holds a secret, which has no place in a configuration file; put it into a Secret, mount that, and name the file: grid.electricityMaps.tokenFile; and replace the secret that was written here"
)]
#[case(
    "grid: {electricityMaps: {apiKey: hunter2}}",
    "grid.electricityMaps.apiKey: holds a secret, which has no place in a configuration file; put it into a Secret, mount that, and name the file: grid.electricityMaps.tokenFile; and replace the secret that was written here"
)]
#[case(
    "grid: {electricityMaps: {tokenFile: hunter2}}",
    "grid.electricityMaps.tokenFile: is not an absolute path; give the path of a file mounted from a Secret, such as /var/run/secrets/eco-pulse/token; never the secret itself"
)]
#[case(
    "grid: {electricityMaps: hunter2}",
    "grid.electricityMaps: is text, not a map; write keys and values below it"
)]
#[case(
    "grid: {electricityMaps: {baseUrl: 'https://hunter2@api.electricitymaps.com'}}",
    "grid.electricityMaps.baseUrl: holds a user or password; put the password into a Secret and name its file (tokenFile, passwordFile); give https:// or http://host[:port][/path], without user, query or fragment"
)]
#[case(
    "grid: {electricityMaps: {baseUrl: 'https://api.electricitymaps.com?auth-token=hunter2'}}",
    "grid.electricityMaps.baseUrl: has a query or fragment; give https:// or http://host[:port][/path], without user, query or fragment"
)]
#[case(
    "token: hunter2",
    "token: is not a known key; take it out; secrets come from files mounted from a Secret, see tokenFile and passwordFile"
)]
#[case(
    "store: {redis: null, password: hunter2}",
    "store.password: is not a known key; take it out; secrets come from files mounted from a Secret, see tokenFile and passwordFile"
)]
fn refuses_secrets_without_showing_them(#[case] yaml: &str, #[case] expected: &str) {
    assert_eq!(errors(yaml), [expected]);
}

#[test]
fn shared_names_and_aliases_are_all_reported() {
    let yaml = "regions:
- {name: us-east-1}
- {name: eu-north-1, alias: north}
- {name: us-east-1}
- {name: swedencentral, alias: north}
- {name: eu-west-1, alias: us-east-1}
- {name: dc, alias: dc, provider: on-prem, gridZone: DE, pue: 1.2}
";
    let cure = "already; give each region a name and an alias of its own";
    assert_eq!(
        errors(yaml),
        [
            format!("regions[2].name: `us-east-1` is the name or alias of regions[0] {cure}"),
            format!("regions[3].alias: `north` is the name or alias of regions[1] {cure}"),
            format!("regions[4].alias: `us-east-1` is the name or alias of regions[0] {cure}"),
        ]
    );
}

#[test]
fn the_number_of_regions_has_a_limit() {
    let regions = |count: usize| {
        (0..count).fold("regions:\n".to_owned(), |yaml, index| {
            yaml + &format!("- {{name: dc-{index}, provider: on-prem, gridZone: DE, pue: 1.2}}\n")
        })
    };
    assert_eq!(parse(&regions(MAX_REGIONS)).unwrap().regions.len(), MAX_REGIONS);
    assert_eq!(
        errors(&regions(MAX_REGIONS + 1)),
        ["regions: has 501 entries, more than 500; name the regions this cluster has"]
    );
}

#[test]
fn reports_all_errors_at_once_with_their_paths() {
    let yaml = "
mode: stear
baseline: {region: mars}
regions:
- {name: us-east-1, pue: 0.5, zone: DE}
- {name: dc-berlin, provider: on-prem, latitude: 200, longitude: 13.4}
carbon: {priceUsdPerTonne: -5, maxPriceUsdPerTonne: .inf}
grid: {provider: catalogue, refresh: soon, mock: {mars: 1, us-east-1: -1}}
decision: {deadline: 2s, holdout: 7}
ledger: {retentionDays: 10, rawRetentionDays: 30}
log: yes
";
    let paths: Vec<_> = parse(yaml).unwrap_err().iter().map(|error| error.path.clone()).collect();
    assert_eq!(
        paths,
        [
            "mode",
            "grid.refresh",
            "grid.mock.us-east-1",
            "regions[0].pue",
            "regions[0].zone",
            "regions[1].latitude",
            "regions[1].gridZone",
            "regions[1].pue",
            "baseline.region",
            "grid.mock.mars",
            "carbon.maxPriceUsdPerTonne",
            "carbon.priceUsdPerTonne",
            "decision.deadline",
            "decision.holdout",
            "ledger.rawRetentionDays",
            "log",
        ]
    );
}

#[test]
fn a_bad_region_does_not_make_its_name_unknown() {
    let yaml = "regions: [{name: us-east-1}, {name: dc, provider: on-prem, gridZone: DE, pue: 0.5}]
baseline: {region: dc}
grid: {mock: {dc: high}}";
    assert_eq!(
        errors(yaml),
        ["regions[1].pue: 0.5 is below 1; give a power usage effectiveness from 1 to 10"]
    );
}

#[test]
fn errors_are_shown_as_a_list_with_their_number_on_top() {
    let shown = |yaml| parse(yaml).unwrap_err().to_string();
    assert_eq!(
        shown("carbon: {priceUsdPerTonne: -5}\nmod: steer"),
        "2 errors in the configuration:\n\
         config: carbon.priceUsdPerTonne: -5 is negative; \
         give a price from 0 to carbon.maxPriceUsdPerTonne (100)\n\
         config: mod: is not a known key; did you mean `mode`?"
    );
    assert!(shown("mod: steer").starts_with("1 error in the configuration:\nconfig: mod: "));
}

/// Every place where people put secrets, and some where the secret breaks the YAML or the type.
#[rstest]
#[case("grid: {electricityMaps: {token: hunter2, authToken: [hunter2], apiKey: {a: hunter2}}}", 3)]
#[case("grid: {electricityMaps: {tokenFile: hunter2, baseUrl: 'hunter2'}}", 2)]
#[case("grid: {electricityMaps: [hunter2], gbCarbonIntensity: hunter2}", 2)]
#[case(
    "store: {redis: {url: 'redis://:hunter2@localhost:6379', password: hunter2, passwordFile: hunter2}}",
    3
)]
#[case("store: {redis: {url: 'redis://localhost?password=hunter2'}}", 1)]
#[case("store: {redis: {url: 'rediss-sentinel://a?sentinelServiceName=b&sentinelPassword=hunter2'}}", 1)]
#[case("store: {redis: {url: hunter2, caFile: {hunter2: hunter2}}}", 2)]
#[case("store: {redis: 'redis://:hunter2@localhost'}", 1)]
#[case("store: 'redis://:hunter2@localhost'", 1)]
#[case("redisPassword: hunter2\nauth: {token: hunter2}", 2)]
#[case("topologyKey: 'redis://:hunter2@localhost'", 1)]
#[case("store: {redis: {password: !hunter2}}", 1)]
#[case("store: {redis: {password: *hunter2}}", 1)]
#[case("store: {redis: {password: 'hunter2}}", 1)]
fn no_error_shows_a_secret(#[case] yaml: &str, #[case] count: usize) {
    let errors = parse(yaml).unwrap_err();
    assert_eq!(errors.iter().count(), count, "{errors}");
    assert!(!errors.to_string().contains("hunter2"), "{errors}");
    assert!(!format!("{errors:?}").contains("hunter2"), "{errors:?}");
}

#[test]
fn syntax_errors_name_line_and_column() {
    assert_eq!(
        errors("mode: steer\ncarbon: {priceUsdPerTonne: 5"),
        [
            "line 2, column 9: not valid YAML: unclosed bracket '{'; correct the syntax at that place; text with \
          special characters goes in quotes"
        ]
    );
    assert_eq!(
        errors("mode: steer\nherd: {jitter: 0, jitter: 1}"),
        ["line 2, column 19: the key `jitter` is there twice; keep one of them"]
    );
}

#[test]
fn a_file_is_read_and_named_in_its_errors() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let file = directory.path().join(name);
        std::fs::write(&file, content).unwrap();
        file
    };
    let good = write("good.yaml", LISTING.as_bytes());
    assert_eq!(Config::load(&good, &Facts).unwrap().grid.provider, GridProvider::Mock);

    let bad = write("bad.yaml", b"mode: stear");
    let shown = Config::load(&bad, &Facts).unwrap_err().to_string();
    let top =
        format!("1 error in the configuration {}:\nconfig: mode: `stear` is not known; ", bad.display());
    assert!(shown.starts_with(&top), "{shown}");

    let binary = write("binary.yaml", b"mode: \xff\xfe");
    let shown = Config::load(&binary, &Facts).unwrap_err().to_string();
    assert!(shown.contains("binary.yaml:\nconfig: cannot read the file: "), "{shown}");
    assert!(shown.ends_with("; give --config a readable file of YAML text in UTF-8"), "{shown}");

    let shown = Config::load(Path::new("/no/such/config.yaml"), &Facts).unwrap_err().to_string();
    let top =
        "1 error in the configuration /no/such/config.yaml:\nconfig: cannot read the file: No such file";
    assert!(shown.starts_with(top), "{shown}");
}

#[test]
fn a_catalogue_without_the_built_in_regions_is_an_error() {
    struct Nothing;
    impl RegionFacts for Nothing {
        fn region(&self, _: &str) -> Option<KnownRegion> {
            None
        }
        fn region_names(&self) -> Vec<&str> {
            Vec::new()
        }
        fn fleet_pue(&self, _: CloudProvider) -> Option<Pue> {
            None
        }
        fn cpu_power(&self, _: CloudProvider) -> CpuPower {
            CpuPower { idle: Watts(1.0), max: Watts(2.0) }
        }
        fn annual_mean(&self, _: &str) -> Option<GramsPerKwh> {
            None
        }
        fn egress(&self, _: &str, _: &str) -> Option<UsdPerGb> {
            None
        }
        fn round_trip(&self, _: &str, _: &str) -> Option<Milliseconds> {
            None
        }
        fn round_trip_between(&self, _: Location, _: Location) -> Milliseconds {
            Milliseconds(1.0)
        }
        fn knows_instance_type(&self, _: &str) -> bool {
            true
        }
    }
    assert_eq!(Config::built_in(&Nothing).unwrap_err().iter().count(), 3);
}

proptest! {
    /// Any slip of the hand in a good file gives a configuration or errors, each with what is wrong and a cure.
    #[test]
    fn a_damaged_file_is_read_or_refused(at in 0..LISTING.len(), length in 0..20_usize, put in "[ -~\\n]{0,6}") {
        let end = (at + length).min(LISTING.len());
        let damaged = [&LISTING[..at], &put, &LISTING[end..]].concat();
        if let Err(errors) = parse(&damaged) {
            prop_assert!(errors.iter().count() > 0);
            for error in errors.iter() {
                prop_assert!(!error.problem.is_empty() && !error.cure.is_empty());
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }
}
