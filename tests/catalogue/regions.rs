//! Where the regions are, what feeds them and what their cooling costs.

use std::collections::{BTreeMap, BTreeSet};

use eco_pulse::catalogue::{PueBasis, RegionRow};
use eco_pulse::domain::region::CloudProvider;
use eco_pulse::domain::units::Pue;
use rstest::rstest;

use super::{CLOUDS, catalogue, raw, zone};

#[test]
fn every_cloud_has_the_regions_that_matter() {
    let catalogue = catalogue();
    let count = |provider| catalogue.regions().filter(|region| region.provider == provider).count();
    assert_eq!(CLOUDS.map(count), [33, 42, 54], "AWS, Google, Azure");
    assert_eq!(catalogue.regions().count(), raw("regions.csv").len());
}

#[test]
fn every_region_is_somewhere_and_has_a_possible_pue() {
    for region in catalogue().regions() {
        assert!((-60.0..=70.0).contains(&region.location.latitude_deg), "{}", region.name);
        assert!((-180.0..=180.0).contains(&region.location.longitude_deg), "{}", region.name);
        assert!((1.0..=2.0).contains(&region.pue.value.0), "{}", region.name);
    }
}

#[test]
fn chicago_is_in_pjm() {
    let catalogue = catalogue();
    let chicago = catalogue.region("northcentralus").unwrap();
    assert_eq!(chicago.metro.as_ref(), "chicago");
    assert_eq!(chicago.zone.as_str(), "US-MIDA-PJM");
}

#[rstest]
#[case("us-east-1", "US-MIDA-PJM")]
#[case("us-east-2", "US-MIDA-PJM")]
#[case("us-west-2", "US-NW-PACW")]
#[case("ca-central-1", "CA-QC")]
#[case("eu-north-1", "SE-SE3")]
#[case("northamerica-northeast1", "CA-QC")]
#[case("northamerica-northeast2", "CA-ON")]
#[case("us-central1", "US-CENT-SWPP")]
#[case("us-east1", "US-CAR-SCEG")]
#[case("canadaeast", "CA-QC")]
#[case("canadacentral", "CA-ON")]
#[case("centralus", "US-MIDW-MISO")]
#[case("westus2", "US-NW-BPAT")]
#[case("japaneast", "JP-TK")]
#[case("japanwest", "JP-KN")]
#[case("southeastasia", "SG")]
#[case("israelcentral", "IL")]
#[case("norwayeast", "NO-NO1")]
#[case("norwaywest", "NO-NO2")]
#[case("swedencentral", "SE-SE3")]
#[case("swedensouth", "SE-SE4")]
fn a_region_is_fed_by_its_own_grid(#[case] region: &str, #[case] expected: &str) {
    assert_eq!(zone(catalogue(), region), expected);
}

#[test]
fn every_grid_zone_is_one_of_electricity_maps() {
    let known: BTreeSet<_> = include_str!("../data/electricity_maps_zones.txt").split_whitespace().collect();
    assert!(known.len() > 300, "the list was not read");
    for region in catalogue().regions() {
        assert!(known.contains(region.zone.as_str()), "{}: {}", region.name, region.zone);
    }
}

#[test]
fn regions_are_south_of_the_equator_exactly_where_their_grid_is() {
    let southern = ["AU-NSW", "AU-VIC", "BR-CS", "CL-SEN", "ID", "NZ", "ZA"];
    for region in catalogue().regions() {
        let south = southern.contains(&region.zone.as_str());
        assert_eq!(region.location.latitude_deg < 0.0, south, "{} in {}", region.name, region.zone);
    }
}

#[test]
fn regions_are_west_of_greenwich_exactly_where_their_grid_is() {
    let western = ["BR-CS", "CA-AB", "CA-ON", "CA-QC", "CL-SEN", "ES", "GB", "IE", "MX"];
    for region in catalogue().regions() {
        let west = region.zone.as_str().starts_with("US-") || western.contains(&region.zone.as_str());
        assert_eq!(region.location.longitude_deg < 0.0, west, "{} in {}", region.name, region.zone);
    }
}

#[test]
fn regions_of_one_metro_are_close_and_on_one_grid() {
    let catalogue = catalogue();
    let mut by_metro: BTreeMap<&str, Vec<&RegionRow>> = BTreeMap::new();
    for region in catalogue.regions() {
        by_metro.entry(region.metro.as_ref()).or_default().push(region);
    }
    assert!(by_metro.values().filter(|regions| regions.len() > 1).count() > 20, "metros are not shared");
    for regions in by_metro.values() {
        for pair in regions.windows(2) {
            let km = pair[0].location.distance_km(pair[1].location);
            assert!(km < 75.0, "{} and {} are {km} km apart", pair[0].name, pair[1].name);
            assert_eq!(pair[0].zone, pair[1].zone, "{} and {}", pair[0].name, pair[1].name);
        }
    }
}

#[rstest]
#[case("us-east-1", 1.15, PueBasis::Region)]
#[case("eu-central-1", 1.35, PueBasis::Region)]
#[case("eu-west-3", 1.11, PueBasis::Region)]
#[case("ap-southeast-2", 1.27, PueBasis::Region)]
#[case("us-east4", 1.08, PueBasis::Region)]
#[case("europe-west2", 1.1, PueBasis::Fleet)]
#[case("northeurope", 1.16, PueBasis::Region)]
#[case("japaneast", 1.28, PueBasis::Region)]
fn a_region_has_its_own_pue_or_says_that_it_is_the_fleets(
    #[case] region: &str,
    #[case] pue: f64,
    #[case] basis: PueBasis,
) {
    let found = catalogue().region(region).unwrap().pue;
    assert_eq!((found.value, found.basis), (Pue(pue), basis));
}

#[test]
fn a_fleet_pue_is_known_for_clouds_only() {
    let catalogue = catalogue();
    let known = CloudProvider::ALL.map(|(_, provider)| catalogue.fleet_pue(provider));
    assert_eq!(known, [Some(Pue(1.135)), Some(Pue(1.1)), Some(Pue(1.185)), None]);
}
