//! `grid`: which providers may be asked together, and what each of them needs.

use super::*;

/// Three regions in three zones, one of them Great Britain's.
const WITH_LONDON: &str = "
regions: [{name: us-east-1}, {name: eu-north-1}, {name: london, provider: aws, gridZone: GB, pue: 1.2}]
";

#[rstest]
#[case("mock", GridProvider::Mock)]
#[case("catalogue", GridProvider::Catalogue)]
#[case("replay", GridProvider::Replay)]
#[case("electricity-maps", GridProvider::ElectricityMaps)]
#[case("gb-carbon-intensity", GridProvider::GbCarbonIntensity)]
fn every_provider_may_be_the_first(#[case] word: &str, #[case] provider: GridProvider) {
    let yaml = format!("{WITH_LONDON}grid: {{provider: {word}, replay: {{file: t.csv}}}}");
    let grid = parse(&yaml).unwrap().grid;
    assert_eq!((grid.provider, grid.fallback.as_slice()), (provider, [].as_slice()));
    assert!(GridProvider::ALL.iter().all(|other| grid.asks(*other) == (*other == provider)));
}

#[test]
fn fallbacks_keep_their_order() {
    let yaml = "grid: {provider: electricity-maps, fallback: [replay, catalogue], replay: {file: t.csv}}";
    let grid = parse(yaml).unwrap().grid;
    assert_eq!(grid.fallback, [GridProvider::Replay, GridProvider::Catalogue]);
    assert!(grid.asks(GridProvider::Replay) && grid.asks(GridProvider::ElectricityMaps));
    assert!(!grid.asks(GridProvider::Mock) && !grid.asks(GridProvider::GbCarbonIntensity));
}

#[test]
fn what_a_provider_needs_reaches_its_settings() {
    let yaml = "
grid:
  provider: electricity-maps
  fallback: [replay]
  replay: {file: /data/trace.csv, speed: 3600}
  electricityMaps: {baseUrl: 'http://[::1]:8080/v3/', tokenFile: /run/token}
  gbCarbonIntensity: {baseUrl: 'http://mirror.example/'}
";
    let grid = parse(yaml).unwrap().grid;
    assert_eq!(grid.replay, Some(ReplaySettings { file: "/data/trace.csv".into(), speed: 3600.0 }));
    let electricity_maps = ElectricityMapsSettings {
        base_url: "http://[::1]:8080/v3".to_owned(),
        token_file: "/run/token".into(),
    };
    assert_eq!(grid.electricity_maps, electricity_maps);
    assert_eq!(grid.gb_carbon_intensity.base_url, "http://mirror.example");
}

#[rstest]
#[case::first("grid: {provider: replay, replay: {file: t.csv}}", Some(1.0))]
#[case::fallback("grid: {fallback: [replay], replay: {file: t.csv, speed: 0.5}}", Some(0.5))]
#[case::not_asked("grid: {replay: {file: t.csv, speed: 2}}", None)]
fn the_trace_is_there_when_it_is_asked(#[case] yaml: &str, #[case] speed: Option<f64>) {
    let replay = parse(yaml).unwrap().grid.replay;
    assert_eq!(replay, speed.map(|speed| ReplaySettings { file: "t.csv".into(), speed }));
}

#[rstest]
#[case(
    "grid: {provider: replay}",
    "grid.replay.file: is missing; give the CSV file of the trace that replay is to read"
)]
#[case(
    "grid: {fallback: [replay]}",
    "grid.replay.file: is missing; give the CSV file of the trace that replay is to read"
)]
#[case(
    "grid: {provider: replay, replay: {file: null}}",
    "grid.replay.file: is missing; give the CSV file of the trace that replay is to read"
)]
#[case("grid: {provider: replay, replay: {file: ''}}", "grid.replay.file: is empty; give a text")]
#[case("grid: {replay: {file: 5}}", "grid.replay.file: 5 is a number, not text; put it in quotes")]
#[case(
    "grid: {replay: {speed: .inf}}",
    "grid.replay.speed: `.inf` is not a finite number; give a factor from 0.001 to 1000000"
)]
#[case(
    "grid: {replay: {speed: -1}}",
    "grid.replay.speed: -1 is negative; give a factor from 0.001 to 1000000"
)]
#[case(
    "grid: {fallback: [electricity-map]}",
    "grid.fallback[0]: `electricity-map` is not known; choose one of: catalogue, replay, electricity-maps, gb-carbon-intensity (did you mean `electricity-maps`?)"
)]
#[case(
    "grid: {provider: electricity-maps, fallback: [electricity-maps]}",
    "grid.fallback[0]: `electricity-maps` is asked already; name each provider once"
)]
#[case(
    "grid: {provider: electricity-maps, fallback: [catalogue, catalogue]}",
    "grid.fallback[1]: `catalogue` is asked already; name each provider once"
)]
#[case(
    "grid: {provider: electricity-maps, fallback: [catalogue, mock]}",
    "grid.fallback[1]: `mock` would fill the gaps of real readings with made-up ones; leave it out: a region without a reading is no candidate"
)]
#[case(
    "grid: {provider: electricity-maps, fallback: [gb-carbon-intensity]}",
    "grid.fallback[0]: `gb-carbon-intensity` counts emissions of burning fuel only, and grid.provider electricity-maps emissions of the whole life cycle; leave it out: the two are never compared, so it would only exclude regions"
)]
#[case(
    "regions: [{name: london, provider: aws, gridZone: GB, pue: 1.2}]\ngrid: {provider: gb-carbon-intensity, fallback: [catalogue]}",
    "grid.fallback[0]: `catalogue` counts emissions of the whole life cycle, and grid.provider gb-carbon-intensity emissions of burning fuel only; leave it out: the two are never compared, so it would only exclude regions"
)]
#[case(
    "grid: {provider: gb-carbon-intensity}",
    "grid.provider: `gb-carbon-intensity` knows grid zone GB only, and no region is in it; name a region in zone GB, such as eu-west-2, or choose another provider"
)]
#[case(
    "grid: {electricityMaps: {baseUrl: 'http://api.electricitymaps.com/v4'}}",
    "grid.electricityMaps.baseUrl: would send the token in the clear; give an https:// address; http:// is for this machine only (localhost, 127.0.0.1, [::1])"
)]
#[case(
    "grid: {electricityMaps: {baseUrl: 'http://127.0.0.1.example.com'}}",
    "grid.electricityMaps.baseUrl: would send the token in the clear; give an https:// address; http:// is for this machine only (localhost, 127.0.0.1, [::1])"
)]
#[case(
    "grid: {electricityMaps: {tokenFile: null}}",
    "grid.electricityMaps.tokenFile: has no value; give one, or leave the key out for its default"
)]
#[case(
    "grid: {gbCarbonIntensity: {baseUrl: api.carbonintensity.org.uk}}",
    "grid.gbCarbonIntensity.baseUrl: has another scheme; give https:// or http://host[:port][/path], without user, query or fragment"
)]
#[case(
    "grid: {gbCarbonIntensity: {token: hunter2}}",
    "grid.gbCarbonIntensity.token: is not a known key; take it out; secrets come from files mounted from a Secret, see tokenFile and passwordFile"
)]
fn refuses_providers_that_cannot_be_asked_so(#[case] yaml: &str, #[case] expected: &str) {
    assert_eq!(errors(yaml), [expected]);
}

/// The default that stands in for a bad provider is not what the fallbacks are judged by.
#[test]
fn a_provider_that_cannot_be_read_makes_no_fallback_wrong() {
    for fallback in ["catalogue", "gb-carbon-intensity"] {
        let errors = errors(&format!("grid: {{provider: electricity-map, fallback: [{fallback}]}}"));
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with("grid.provider: `electricity-map` is not known; "), "{errors:?}");
    }
}

/// A region that could not be read may well have been in Great Britain.
#[test]
fn a_bad_region_does_not_make_great_britain_empty() {
    let yaml = "regions: [{name: us-east-1}, {name: london, provider: aws, gridZone: GB, pue: 0.5}]
grid: {provider: gb-carbon-intensity}";
    assert_eq!(
        errors(yaml),
        ["regions[1].pue: 0.5 is below 1; give a power usage effectiveness from 1 to 10"]
    );
}

#[rstest]
#[case::regions_elsewhere(
    "grid: {provider: gb-carbon-intensity}",
    &["grid.provider: gb-carbon-intensity knows grid zone GB only: no pod goes to us-east-1, eu-north-1, which are not in it"]
)]
#[case::often(
    "grid: {provider: electricity-maps, refresh: 59s}",
    &["grid.refresh: 59s is shorter than 1m: electricity-maps has nothing new so often, and may throttle"]
)]
#[case::often_as_a_fallback(
    "grid: {fallback: [electricity-maps], refresh: 1s}",
    &["grid.refresh: 1s is shorter than 1m: electricity-maps has nothing new so often, and may throttle"]
)]
#[case::longer_than_what_is_asked_for_is_good_for(
    "grid: {provider: electricity-maps, refresh: 61m, maxAge: 2h}",
    &["grid.refresh: 1h1m is longer than 1h: electricity-maps is asked for its newest value alone, and hours of pods for which a value is missing stay open and then count as missing"]
)]
#[case::often_enough("grid: {provider: electricity-maps, refresh: 1m}", &[])]
#[case::often_but_nobody_is_bothered("grid: {provider: replay, refresh: 1s, replay: {file: t.csv}}", &[])]
#[case::mock_with_a_fallback("grid: {provider: mock, fallback: [electricity-maps]}", &[])]
fn warns_of_what_is_hardly_meant(#[case] grid: &str, #[case] expected: &[&str]) {
    assert_eq!(parse(&format!("{WITH_LONDON}{grid}")).unwrap().warnings, expected);
}

/// Only the mock grid goes by the region's own name.
#[rstest]
#[case("catalogue")]
#[case("replay")]
#[case("electricity-maps")]
#[case("gb-carbon-intensity")]
fn all_but_the_mock_grid_need_zones(#[case] provider: &str) {
    let yaml = format!(
        "regions: [{{name: london, provider: aws, gridZone: GB, pue: 1.2}}, {{name: dc, provider: on-prem, pue: 1.2}}]\n\
         grid: {{provider: {provider}, replay: {{file: t.csv}}}}"
    );
    let paths: Vec<_> = parse(&yaml).unwrap_err().iter().map(|error| error.path.clone()).collect();
    assert_eq!(paths, ["regions[1].gridZone"]);
}
