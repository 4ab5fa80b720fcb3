//! Refusals, key by key: each names the path, the value and the cure.

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
