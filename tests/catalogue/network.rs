//! Egress prices and round trips.

use std::collections::BTreeSet;

use eco_pulse::catalogue::{Catalogue, RoundTrip, RoundTripBasis};
use eco_pulse::domain::region::Location;
use eco_pulse::domain::units::{Milliseconds, UsdPerGb};
use rstest::rstest;

use super::{catalogue, close, raw};

#[rstest]
#[case::within_a_region("us-east-1", "us-east-1", Some(0.0))]
#[case::the_cheap_pair("us-east-1", "us-east-2", Some(0.01))]
#[case::aws("us-east-1", "eu-north-1", Some(0.02))]
#[case::aws_from_sao_paulo("sa-east-1", "us-east-1", Some(0.138))]
#[case::aws_not_in_the_list("us-east-1", "ca-west-1", None)]
#[case::aws_to_azure("us-east-1", "eastus", Some(0.09))]
#[case::aws_to_azure_from_mumbai("ap-south-1", "eastus", Some(0.1093))]
#[case::azure_within_na("eastus", "canadaeast", Some(0.02))]
#[case::azure_na_to_eu("eastus", "swedencentral", Some(0.05))]
#[case::azure_within_asia("southeastasia", "japaneast", Some(0.08))]
#[case::azure_from_sao_paulo("brazilsouth", "eastus", Some(0.16))]
#[case::azure_within_sa("brazilsouth", "chilecentral", Some(0.181))]
#[case::azure_to_aws("swedencentral", "eu-north-1", Some(0.0875))]
#[case::gcp_within_na("us-east4", "us-central1", Some(0.02))]
#[case::gcp_na_to_eu("us-east4", "europe-north1", Some(0.05))]
#[case::gcp_within_eu("europe-west1", "europe-north1", Some(0.02))]
#[case::gcp_within_asia("asia-northeast1", "asia-south1", Some(0.05))]
#[case::gcp_asia_to_jakarta("asia-southeast1", "asia-southeast2", Some(0.05))]
#[case::gcp_jakarta_to_na("asia-southeast2", "us-east4", Some(0.15))]
#[case::gcp_to_oceania("us-east4", "australia-southeast1", Some(0.15))]
#[case::gcp_between_continents("us-east4", "asia-northeast1", Some(0.08))]
#[case::gcp_middle_east_is_not_in_the_list("me-west1", "europe-west1", None)]
#[case::gcp_to_the_internet_is_not_in_the_list("us-east4", "us-east-1", None)]
fn egress_costs_what_the_senders_list_says(
    #[case] from: &str,
    #[case] to: &str,
    #[case] expected: Option<f64>,
) {
    assert_eq!(catalogue().egress(from, to), expected.map(UsdPerGb));
}

#[test]
fn every_egress_group_has_a_region_and_every_aws_pair_two() {
    let groups: BTreeSet<(String, String)> = raw("regions.csv")
        .into_iter()
        .map(|row| (row["provider"].clone(), row["egress_group"].clone()))
        .collect();
    for row in raw("egress.csv") {
        for end in ["from_group", "to_group"] {
            let known = groups.contains(&(row["provider"].clone(), row[end].clone()));
            assert!(known || (end == "to_group" && row[end] == "internet"), "{row:?}");
        }
    }
}

#[test]
fn sending_is_free_exactly_within_a_region() {
    let catalogue = catalogue();
    for from in catalogue.regions() {
        for to in catalogue.regions() {
            let price = catalogue.egress(from.name.as_str(), to.name.as_str());
            assert_eq!(price == Some(UsdPerGb::ZERO), from.name == to.name, "{} to {}", from.name, to.name);
        }
    }
}

#[rstest]
#[case::measured("us-east4", "northamerica-northeast1", 14.0, RoundTripBasis::Measured)]
#[case::measured_back("northamerica-northeast1", "us-east4", 14.0, RoundTripBasis::Measured)]
#[case::mean_of_both_directions("us-central1", "us-east4", 23.5, RoundTripBasis::Measured)]
#[case::the_same_cities("us-east-1", "ca-central-1", 14.0, RoundTripBasis::Metro)]
#[case::the_same_cities_across_providers("eu-central-1", "uksouth", 13.0, RoundTripBasis::Metro)]
#[case::one_city("us-east-1", "eastus", 4.0, RoundTripBasis::SameMetro)]
#[case::itself("eu-north-1", "eu-north-1", 0.0, RoundTripBasis::SameRegion)]
fn a_round_trip_is_measured_where_it_can_be(
    #[case] from: &str,
    #[case] to: &str,
    #[case] ms: f64,
    #[case] basis: RoundTripBasis,
) {
    assert_eq!(catalogue().round_trip(from, to), Some(RoundTrip { ms: Milliseconds(ms), basis }));
}

#[test]
fn a_round_trip_that_nobody_measured_is_fitted() {
    let catalogue = catalogue();
    let found = catalogue.round_trip("us-east-1", "eu-north-1").unwrap();
    let (from, to) = (catalogue.region("us-east-1").unwrap(), catalogue.region("eu-north-1").unwrap());
    let fitted = Catalogue::round_trip_between(from.location, to.location);
    assert_eq!(found, RoundTrip { ms: fitted, basis: RoundTripBasis::Fitted });
    // Google measured 103 ms from Virginia to Finland.
    assert!((90.0..150.0).contains(&fitted.0), "{fitted}");
}

#[test]
fn round_trips_are_symmetric_and_never_faster_than_light_in_glass() {
    const KM_PER_MS_IN_GLASS: f64 = 200.0;
    let catalogue = catalogue();
    for from in catalogue.regions() {
        for to in catalogue.regions() {
            let there = catalogue.round_trip(from.name.as_str(), to.name.as_str()).unwrap();
            let back = catalogue.round_trip(to.name.as_str(), from.name.as_str()).unwrap();
            assert!(
                close(there.ms.0, back.ms.0, 1e-9) && there.basis == back.basis,
                "{} {}",
                from.name,
                to.name
            );
            let least = from.location.distance_km(to.location) * 2.0 / KM_PER_MS_IN_GLASS;
            assert!(there.ms.0 >= least, "{} to {}: {} under {least} ms", from.name, to.name, there.ms);
            assert!(there.ms.0 < 400.0, "{} to {}: {}", from.name, to.name, there.ms);
        }
    }
}

#[test]
fn every_pair_of_measured_regions_is_measured() {
    let rows = raw("round_trip.csv");
    let regions: BTreeSet<&str> =
        rows.iter().flat_map(|row| [row["from"].as_str(), row["to"].as_str()]).collect();
    assert_eq!((regions.len(), rows.len()), (34, 34 * 33 / 2));
}

/// Least squares over the shipped table, from scratch.
#[test]
fn refitting_the_shipped_table_gives_the_shipped_fit() {
    let catalogue = catalogue();
    let points: Vec<(f64, f64)> = raw("round_trip.csv")
        .iter()
        .map(|row| {
            let place = |end: &str| catalogue.region(&row[end]).unwrap().location;
            (place("from").distance_km(place("to")), row["ms"].parse().unwrap())
        })
        .collect();
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (mean_km, mean_ms) = (mean(|point| point.0), mean(|point| point.1));
    let covariance: f64 = points.iter().map(|(km, ms)| (km - mean_km) * (ms - mean_ms)).sum();
    let variance: f64 = points.iter().map(|(km, _)| (km - mean_km).powi(2)).sum();
    let slope = covariance / variance;
    let intercept = mean_ms - slope * mean_km;

    // What the catalogue answers at no distance is its intercept; a quarter of the Earth further on, slope and all.
    let origin = Location { latitude_deg: 0.0, longitude_deg: 0.0 };
    let quarter = Location { latitude_deg: 0.0, longitude_deg: 90.0 };
    let shipped_intercept = Catalogue::round_trip_between(origin, origin).0;
    let shipped_slope =
        (Catalogue::round_trip_between(origin, quarter).0 - shipped_intercept) / origin.distance_km(quarter);
    assert!(close(shipped_intercept / intercept, 1.0, 1e-6), "the intercept is {intercept}");
    assert!(close(shipped_slope / slope, 1.0, 1e-6), "the slope is {slope}");

    let mut errors: Vec<f64> = points.iter().map(|(km, ms)| (ms - intercept - slope * km).abs()).collect();
    errors.sort_by(f64::total_cmp);
    let rmse = (errors.iter().map(|error| error * error).sum::<f64>() / count).sqrt();
    assert!(close(rmse, 39.5, 0.1), "the stated RMSE is 39.5, found {rmse}");
    assert!(close(errors[errors.len() / 2], 18.7, 0.1), "the stated median is 18.7, found {}", errors[280]);
}
