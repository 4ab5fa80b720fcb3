//! On-demand and spot prices.

use std::collections::BTreeMap;

use eco_pulse::catalogue::InterruptionBand;
use eco_pulse::domain::region::CloudProvider;
use eco_pulse::domain::units::UsdPerHour;
use rstest::rstest;

use super::{catalogue, close, raw};

#[test]
fn every_cloud_has_prices_for_a_common_type() {
    let catalogue = catalogue();
    let priced_in = |kind: &str| {
        catalogue.regions().filter(|region| catalogue.on_demand(region.name.as_str(), kind).is_some()).count()
    };
    assert_eq!(priced_in("m5.xlarge"), 11);
    assert_eq!(priced_in("n2-standard-4"), 12);
    // All but belgiumcentral, which the price list does not have.
    assert_eq!(priced_in("Standard_D4s_v5"), 53);
}

#[rstest]
#[case("us-east-1", "m5.xlarge", 0.192, 0.0)]
#[case("af-south-1", "m5.xlarge", 0.254, 0.0)]
#[case("us-east4", "n2-standard-4", 0.219, 0.0005)]
#[case("swedencentral", "Standard_D4s_v5", 0.204, 0.0005)]
#[case("eastus", "Standard_NC24ads_A100_v4", 3.673, 0.0005)]
fn an_on_demand_price_is_the_listed_one(
    #[case] region: &str,
    #[case] kind: &str,
    #[case] price: f64,
    #[case] precision: f64,
) {
    let catalogue = catalogue();
    let found = catalogue.on_demand(region, kind).unwrap();
    assert_eq!((found.price, found.precision), (UsdPerHour(price), UsdPerHour(precision)));
    assert!(catalogue.prices_in(region).any(|row| *row.instance_type == *kind));
}

#[test]
fn every_price_is_possible_and_belongs_to_a_known_type_and_region() {
    let catalogue = catalogue();
    let mut seen = 0;
    for region in catalogue.regions() {
        for row in catalogue.prices_in(region.name.as_str()) {
            assert!(row.price.0 > 0.0 && row.price.0 < 100.0, "{row:?}");
            assert!(row.precision.0 >= 0.0 && row.precision.0 < 0.01 * row.price.0, "{row:?}");
            assert_eq!(catalogue.instance(&row.instance_type).unwrap().provider, region.provider, "{row:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, raw("prices_on_demand.csv").len(), "a price stands in a region that is not listed");
}

/// A Windows licence would make a row 1.3 to 2 times as dear, beside its region's D4s_v5, as the same row elsewhere.
#[test]
fn no_windows_price_has_leaked_in() {
    let catalogue = catalogue();
    let mut relative: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for region in catalogue.regions().filter(|region| region.provider == CloudProvider::Azure) {
        let Some(reference) = catalogue.on_demand(region.name.as_str(), "Standard_D4s_v5") else { continue };
        for row in catalogue.prices_in(region.name.as_str()) {
            relative.entry(row.instance_type.to_string()).or_default().push(row.price.0 / reference.price.0);
        }
    }
    assert_eq!(relative.len(), 12);
    for (kind, mut ratios) in relative {
        ratios.sort_by(f64::total_cmp);
        let (median, highest) = (ratios[ratios.len() / 2], ratios[ratios.len() - 1]);
        assert!(highest < 1.25 * median, "{kind}: {highest} beside a median of {median}");
    }
}

#[test]
fn a_spot_price_is_the_on_demand_price_less_the_saving() {
    let spot = catalogue().spot("us-east-1", "m5.xlarge").unwrap();
    // 66 % off 0.192, by whole percents: within half a percent of 0.192.
    assert!(close(spot.price.0, 0.065_28, 1e-12), "{spot:?}");
    assert!(close(spot.precision.0, 0.000_96, 1e-12), "{spot:?}");
    assert_eq!((spot.interruption, spot.interruption.as_str()), (InterruptionBand::Over20, ">20 %"));
    assert_eq!(spot.as_of, jiff::civil::date(2025, 7, 1));
}

/// The spot markets as another source saw them in 2026, in zones from cheapest to dearest: the price computed from the
/// advisor's percentage of 2025 is of that size.
#[rstest]
#[case("us-east-1", 0.060, 0.067)]
#[case("eu-west-2", 0.062, 0.072)]
#[case("eu-central-1", 0.058, 0.073)]
#[case("eu-north-1", 0.062, 0.067)]
#[case("ap-northeast-1", 0.066, 0.103)]
fn a_computed_spot_price_is_of_the_size_seen_on_the_market(
    #[case] region: &str,
    #[case] least: f64,
    #[case] most: f64,
) {
    let price = catalogue().spot(region, "m5.xlarge").unwrap().price.0;
    assert!((least / 1.6..most * 1.6).contains(&price), "{region}: {price}");
}

#[test]
fn a_spot_price_needs_an_on_demand_price() {
    let catalogue = catalogue();
    assert!(catalogue.spot_saving("us-west-2", "m5.xlarge").is_some());
    assert!(catalogue.on_demand("us-west-2", "m5.xlarge").is_none());
    assert!(catalogue.spot("us-west-2", "m5.xlarge").is_none());
}

#[test]
fn interruption_bands_are_numbered_as_the_advisor_does() {
    let texts = (0..5).map(|index| InterruptionBand::from_index(index).unwrap().to_string());
    assert_eq!(texts.collect::<Vec<_>>(), ["<5 %", "5-10 %", "10-15 %", "15-20 %", ">20 %"]);
    assert_eq!(InterruptionBand::from_index(5), None);
}
