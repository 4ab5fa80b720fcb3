//! What a broken table makes of the catalogue. What the shipped tables say is tested in `tests/catalogue`.
use super::*;

/// A built-in table with one piece of its text replaced, for as long as the test process lives.
fn with(text: &str, old: &str, new: &str) -> &'static str {
    assert!(text.contains(old), "the table has no `{old}` to replace");
    Box::leak(text.replacen(old, new, 1).into_boxed_str())
}

fn error_of(texts: &Texts) -> CatalogueError {
    Catalogue::read(texts).unwrap_err()
}

#[test]
fn a_field_out_of_range_is_named_with_file_line_field_and_value() {
    let regions = with(BUILT_IN.regions, "39.01,-77.43,1.15", "39.01,-77.43,0.15");
    let error = error_of(&Texts { regions, ..BUILT_IN });
    assert_eq!(error.to_string(), "regions.csv line 2: `pue` is `0.15`: put a number from 1 to 2 there");
}

#[test]
fn lines_are_counted_with_the_comments_in_front() {
    let climatology = with(BUILT_IN.climatology, "AU-NSW,1,458.89", "AU-NSW,1,n/a");
    let error = error_of(&Texts { climatology, ..BUILT_IN });
    assert_eq!(
        error.to_string(),
        "climatology.csv line 6: `h00` is `n/a`: put a number from 0 to 1500 there"
    );
}

#[test]
fn not_a_number_and_infinity_are_refused() {
    for value in ["NaN", "inf", "-inf", "1e999"] {
        let regions =
            with(BUILT_IN.regions, "us-east-1,aws,US-MIDA-PJM,39.01", &format!("us-east-1,aws,X,{value}"));
        let error = error_of(&Texts { regions, ..BUILT_IN }).to_string();
        let expected =
            format!("regions.csv line 2: `latitude` is `{value}`: put a number from -90 to 90 there");
        assert_eq!(error, expected);
    }
}

#[test]
fn an_empty_field_is_refused() {
    let regions = with(BUILT_IN.regions, "aws,US-MIDA-PJM,39.01", "aws,,39.01");
    let error = error_of(&Texts { regions, ..BUILT_IN });
    assert_eq!(error.to_string(), "regions.csv line 2: `grid_zone` is ``: put a value there");
}

#[test]
fn a_key_given_twice_is_refused_at_its_second_line() {
    let row = "us-east1,us-east4,12,x\n";
    let text = format!("from,to,ms,source\n{row}asia-east1,asia-east2,13,x\n{row}");
    let error = error_of(&Texts { round_trip: Box::leak(text.into_boxed_str()), ..BUILT_IN });
    let expected = "round_trip.csv line 4: `us-east1 us-east4` has a row already: remove one of the two";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_renamed_column_is_refused() {
    let providers = with(BUILT_IN.providers, "fleet_pue", "pue");
    let error = error_of(&Texts { providers, ..BUILT_IN });
    let expected =
        "providers.csv: the columns are `provider,pue,source`: they must be `provider,fleet_pue,source`";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_short_row_is_refused_with_its_line() {
    let providers = with(BUILT_IN.providers, "gcp,1.1,ccf-pue", "gcp,1.1");
    let error = error_of(&Texts { providers, ..BUILT_IN });
    assert!(matches!(error, CatalogueError::Csv { file: "providers.csv", .. }));
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("line: 3"), "{cause}");
}

#[test]
fn a_region_without_a_pue_needs_its_providers() {
    let providers = with(BUILT_IN.providers, "gcp,1.1,ccf-pue\n", "");
    let error = error_of(&Texts { providers, ..BUILT_IN });
    assert_eq!(error.to_string(), "providers.csv: there is no row for `gcp`: add it");
}

#[test]
fn a_price_in_a_region_that_is_not_known_is_refused() {
    let prices_on_demand = with(BUILT_IN.prices_on_demand, "af-south-1", "af-south-9");
    let error = error_of(&Texts { prices_on_demand, ..BUILT_IN }).to_string();
    let expected = "prices_on_demand.csv line 2: `region` is `af-south-9`: put a region of regions.csv there";
    assert_eq!(error, expected);
}

#[test]
fn a_type_of_another_provider_is_not_sold_in_a_region() {
    let prices_on_demand =
        with(BUILT_IN.prices_on_demand, "af-south-1,m5.xlarge", "af-south-1,n2-standard-4");
    let error = error_of(&Texts { prices_on_demand, ..BUILT_IN }).to_string();
    let expected = "prices_on_demand.csv line 2: `instance_type` is `n2-standard-4`: \
                    put a type that instances.csv has for `aws` there";
    assert_eq!(error, expected);
}

#[test]
fn a_price_with_a_slipped_decimal_point_is_refused() {
    let prices_on_demand = with(BUILT_IN.prices_on_demand, "m5.xlarge,0.254", "m5.xlarge,254");
    let error = error_of(&Texts { prices_on_demand, ..BUILT_IN }).to_string();
    let expected =
        "prices_on_demand.csv line 2: `usd_per_hour` is `254`: put a number from 0.001 to 100 there";
    assert_eq!(error, expected);
}

#[test]
fn an_impossible_date_is_refused() {
    let prices_on_demand = with(BUILT_IN.prices_on_demand, "2026-01-01", "2026-02-30");
    let error = error_of(&Texts { prices_on_demand, ..BUILT_IN }).to_string();
    let expected =
        "prices_on_demand.csv line 2: `as_of` is `2026-02-30`: put a date such as 2026-06-18 there";
    assert_eq!(error, expected);
}

#[test]
fn a_saving_of_all_of_the_price_or_an_unknown_band_is_refused() {
    let first = "af-south-1,c5.2xlarge,71,4";
    for (bad, expected) in [
        ("af-south-1,c5.2xlarge,100,4", "`saving_percent` is `100`: put a whole number from 0 to 99 there"),
        ("af-south-1,c5.2xlarge,-1,4", "`saving_percent` is `-1`: put a whole number from 0 to 99 there"),
        ("af-south-1,c5.2xlarge,71,5", "`interruption_band` is `5`: put a whole number from 0 to 4 there"),
    ] {
        let spot_savings = with(BUILT_IN.spot_savings, first, bad);
        let error = error_of(&Texts { spot_savings, ..BUILT_IN }).to_string();
        assert_eq!(error, format!("spot_savings.csv line 2: {expected}"));
    }
}

#[test]
fn a_gpu_that_has_no_power_figure_is_refused() {
    let instances = with(BUILT_IN.instances, "8,61,1,V100", "8,61,1,V99");
    let error = error_of(&Texts { instances, ..BUILT_IN }).to_string();
    assert!(error.contains("`gpu_model` is `V99`: put a model of gpu_power.csv there"), "{error}");
    let instances = with(BUILT_IN.instances, "8,61,1,V100", "8,61,0,V100");
    let error = error_of(&Texts { instances, ..BUILT_IN }).to_string();
    assert!(
        error.contains("`gpu_model` is `V100`: put nothing, or a number above 0 in `gpus` there"),
        "{error}"
    );
}

#[test]
fn a_processor_without_a_coefficient_is_refused() {
    let instances = with(BUILT_IN.instances, "Skylake+Cascade Lake", "Skylake+Pond");
    let error = error_of(&Texts { instances, ..BUILT_IN }).to_string();
    assert!(error.contains("`cpu_architecture` is `Skylake+Pond`"), "{error}");
}

#[test]
fn a_pair_in_the_wrong_order_is_refused() {
    let round_trip = with(BUILT_IN.round_trip, "asia-east1,asia-east2", "asia-east2,asia-east1");
    let error = error_of(&Texts { round_trip, ..BUILT_IN }).to_string();
    let expected = "round_trip.csv line 2: `from` is `asia-east2`: \
                    put the alphabetically first of the two regions there";
    assert_eq!(error, expected);
}

#[test]
fn two_measured_regions_in_one_city_are_refused() {
    let round_trip = with(BUILT_IN.round_trip, "us-west3,us-west4", "us-east-1,us-west4");
    let error = error_of(&Texts { round_trip, ..BUILT_IN }).to_string();
    assert!(error.contains("only one measured region in `ashburn`, which has `us-east4`"), "{error}");
}
