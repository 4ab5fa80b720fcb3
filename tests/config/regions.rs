//! Regions: the file's details over the catalogue's, and the tables between them.

use eco_pulse::catalogue::Catalogue;
use eco_pulse::config::MAX_REGIONS;

use super::*;

#[test]
fn details_come_from_the_catalogue_unless_the_file_gives_them() {
    let config = parse(
        "regions:
- {name: us-east-1}
- {name: eu-north-1, alias: eu-north, gridZone: SE-SE4, pue: 1.1, priceUsdPerVcpuHour: 0.05}
- {name: swedencentral, provider: azure}
",
    )
    .unwrap();
    let [virginia, stockholm, gavle] = [0, 1, 2].map(|id| config.regions.get(RegionId(id)).clone());
    assert_eq!((virginia.name.as_str(), &*virginia.label), ("us-east-1", "us-east-1"));
    assert_eq!(virginia.zone, Some(GridZone::from("US-MIDA-PJM")));
    assert_eq!((virginia.pue, virginia.annual_mean), (Pue(1.135), None));
    assert_eq!(virginia.location, Some(Location { latitude_deg: 39.0, longitude_deg: -77.5 }));
    assert_eq!(virginia.default_cpu, CpuPower { idle: Watts(0.74), max: Watts(3.5) });
    assert_eq!((stockholm.name.as_str(), &*stockholm.label), ("eu-north-1", "eu-north"));
    assert_eq!(stockholm.zone, Some(GridZone::from("SE-SE4")));
    assert_eq!((stockholm.pue, stockholm.provider), (Pue(1.1), CloudProvider::Aws));
    assert_eq!(stockholm.annual_mean, None, "the mean is of the zone that the file names");
    assert_eq!(gavle.pue, Pue(1.185), "the fleet's, when the catalogue has none of the region");
    assert_eq!(gavle.annual_mean, Some(GramsPerKwh(23.0)));
    assert_eq!(config.per_vcpu.into_iter().collect::<Vec<_>>(), [(RegionId(1), UsdPerHour(0.05))]);
}

#[test]
fn a_region_of_ones_own_is_what_the_file_says() {
    let config = parse(
        "regions:
- {name: dc-berlin, provider: on-prem, gridZone: DE, latitude: 52.5, longitude: 13.4, pue: 1.5}
- {name: dc-oslo, provider: on-prem, gridZone: 'NO-NO1', pue: 1.2}
- {name: us-new-9, provider: azure, gridZone: US-CAL-CISO}
",
    )
    .unwrap();
    let [berlin, oslo, new] = [0, 1, 2].map(|id| config.regions.get(RegionId(id)).clone());
    assert_eq!((berlin.provider, berlin.pue), (CloudProvider::OnPrem, Pue(1.5)));
    assert_eq!(berlin.location, Some(Location { latitude_deg: 52.5, longitude_deg: 13.4 }));
    assert_eq!(berlin.default_cpu.max, Watts(4.0));
    assert_eq!((oslo.location, oslo.zone), (None, Some(GridZone::from("NO-NO1"))));
    assert_eq!((new.provider, new.pue), (CloudProvider::Azure, Pue(1.185)));
}

#[test]
fn a_mock_grid_needs_no_zone() {
    let config = parse(
        "regions: [{name: dc, provider: on-prem, pue: 1.5}, {name: us-east-1}]\n\
        grid: {provider: mock, mock: {dc: low, us-east-1: 0}}",
    );
    let config = config.unwrap();
    assert_eq!(config.regions.get(RegionId(0)).zone, None);
    assert!(config.warnings.is_empty());
}

#[test]
fn tables_between_regions_hold_only_for_the_catalogues_own() {
    let config = parse(
        "regions:
- {name: us-east-1}
- {name: eu-north-1}
- {name: eu-west-1, latitude: 53.0, longitude: -6.0}
- {name: dc-berlin, provider: on-prem, gridZone: DE, latitude: 52.5, longitude: 13.4, pue: 1.5}
- {name: dc-oslo, provider: on-prem, gridZone: DE, pue: 1.5}
- {name: swedencentral}
",
    )
    .unwrap();
    let egress = |from, to| config.regions.egress(RegionId(from), RegionId(to)).map(|price| price.0);
    let round_trip = |from, to| config.regions.round_trip(RegionId(from), RegionId(to)).map(|ms| ms.0);
    assert_eq!((egress(0, 1), round_trip(0, 1)), (Some(0.02), Some(100.0)), "by name");
    assert_eq!((egress(0, 2), round_trip(0, 2)), (Some(0.02), Some(33.0)), "moved: by distance");
    assert_eq!((egress(0, 3), round_trip(0, 3)), (None, Some(33.0)), "one's own: by distance, no price");
    assert_eq!((egress(4, 0), round_trip(4, 0)), (None, None), "without a place: unknown");
    assert_eq!((egress(3, 3), egress(4, 4)), (Some(0.0), Some(0.0)), "what stays is free");
    assert_eq!((round_trip(3, 3), round_trip(4, 4)), (Some(0.0), Some(0.0)));
    assert_eq!((egress(0, 5), egress(5, 0)), (None, Some(0.02)), "what the catalogue lacks is not made up");
}

#[rstest]
#[case("baseline: {region: eu-north-1}", Baseline::Region(RegionId(2)))]
#[case("baseline: {region: null}", Baseline::Region(RegionId(0)))]
#[case("baseline: {}", Baseline::Region(RegionId(0)))]
#[case("baseline: {region: scheduler}", Baseline::SchedulerMix)]
fn baselines(#[case] yaml: &str, #[case] expected: Baseline) {
    assert_eq!(parse(yaml).unwrap().baseline, expected);
}

#[rstest]
#[case(
    "regions: [{name: us-east-1}]",
    "regions: there is one region only: every pod stays, nothing is gained"
)]
#[case(
    "baseline: {region: scheduler}",
    "baseline.region: without a node cache the scheduler's mix weighs all eligible regions the same"
)]
#[case(
    "carbon: {priceUsdPerTonne: 150}",
    "carbon.priceUsdPerTonne: 150 is above carbon.maxPriceUsdPerTonne (100): 100 counts"
)]
#[case(
    "prices: {instanceType: x9.huge}",
    "prices.instanceType: x9.huge is not in the catalogue: pods that name no type of their own have no price"
)]
#[case(
    "grid: {provider: mock, mock: {us-east-1: high, eu-west-1: low}}",
    "grid.mock: has no value for eu-north-1: no pod goes there until PUT /mock/eu-north-1 gives one"
)]
fn warns_of_what_is_legal_and_hardly_meant(#[case] yaml: &str, #[case] expected: &str) {
    assert_eq!(parse(yaml).unwrap().warnings, [expected]);
}

#[test]
fn a_fallback_fills_what_the_mock_leaves_open() {
    let config = parse("grid: {provider: mock, fallback: [catalogue], mock: {us-east-1: high}}").unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn the_cap_holds_a_price_above_it() {
    let config = parse("carbon: {priceUsdPerTonne: 1000}").unwrap();
    assert_eq!(config.carbon.effective(), UsdPerTonne(100.0));
}

#[test]
fn the_built_in_catalogue_is_enough_for_the_built_in_regions() {
    let catalogue = Catalogue::built_in().unwrap();
    let config = Config::built_in(&catalogue).unwrap();
    assert_defaults(&config);
    for (id, region) in config.regions.iter() {
        let row = catalogue.region(region.name.as_str()).unwrap();
        assert_eq!((region.provider, region.pue), (row.provider, row.pue.value));
        assert_eq!((&region.zone, region.location), (&Some(row.zone.clone()), Some(row.location)));
        assert_eq!(region.default_cpu, catalogue.cpu_power(row.provider));
        let mean = catalogue.climatology(row.zone.as_str()).map(|climatology| climatology.annual_mean());
        assert_eq!(region.annual_mean, mean);
        for (other, to) in config.regions.iter() {
            let (from, to) = (region.name.as_str(), to.name.as_str());
            assert_eq!(config.regions.egress(id, other), catalogue.egress(from, to));
            assert_eq!(
                config.regions.round_trip(id, other),
                catalogue.round_trip(from, to).map(|trip| trip.ms)
            );
        }
    }
}

#[test]
fn the_listing_is_legal_with_the_built_in_catalogue() {
    let config = Config::parse(LISTING, &Catalogue::built_in().unwrap()).unwrap();
    assert_defaults(&config);
    let (virginia, berlin) = (RegionId(0), RegionId(2));
    assert_eq!(config.regions.egress(virginia, berlin), None);
    let places = [virginia, berlin].map(|id| config.regions.get(id).location.unwrap());
    let by_distance = Catalogue::round_trip_between(places[0], places[1]);
    assert_eq!(config.regions.round_trip(virginia, berlin), Some(by_distance));
}

#[test]
fn a_slip_in_a_name_is_answered_with_the_catalogues_names() {
    let errors = Config::parse("regions: [{name: eu-nort-1}]", &Catalogue::built_in().unwrap()).unwrap_err();
    assert!(errors.to_string().contains("did you mean eu-north-1"), "{errors}");
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
fn a_bad_region_does_not_make_its_name_unknown() {
    let yaml = "regions: [{name: us-east-1}, {name: dc, provider: on-prem, gridZone: DE, pue: 0.5}]
baseline: {region: dc}
grid: {mock: {dc: high}}";
    assert_eq!(
        errors(yaml),
        ["regions[1].pue: 0.5 is below 1; give a power usage effectiveness from 1 to 10"]
    );
}
