//! `prices`: what each provider needs, and which regions it can price.

use super::*;

/// A region of each kind: AWS, Azure, one of one's own with a price, one without.
const MIXED: &str = "
regions:
- {name: us-east-1}
- {name: swedencentral}
- {name: dc, provider: on-prem, gridZone: DE, pue: 1.2, priceUsdPerVcpuHour: 0.02}
- {name: attic, provider: on-prem, gridZone: DE, pue: 1.2}
";

#[rstest]
#[case("catalogue", PriceProviderKind::Catalogue, None)]
#[case("aws-spot-advisor", PriceProviderKind::AwsSpotAdvisor, None)]
#[case("azure-retail", PriceProviderKind::AzureRetail, None)]
#[case("file", PriceProviderKind::File, Some("p.csv"))]
fn every_provider_may_be_asked(
    #[case] word: &str,
    #[case] provider: PriceProviderKind,
    #[case] file: Option<&str>,
) {
    let prices = parse(&format!("prices: {{provider: {word}, file: p.csv}}")).unwrap().prices;
    assert_eq!(prices.provider, provider);
    assert_eq!(prices.file.as_deref(), file.map(std::path::Path::new), "there exactly when it is asked");
}

#[test]
fn addresses_reach_their_settings() {
    let yaml = "
prices:
  awsSpotAdvisor: {url: 'http://mirror.example/advisor.json'}
  azureRetail: {url: 'https://mirror.example/retail'}
";
    let prices = parse(yaml).unwrap().prices;
    assert_eq!(prices.aws_spot_advisor_url, "http://mirror.example/advisor.json");
    assert_eq!(prices.azure_retail_url, "https://mirror.example/retail");
}

#[rstest]
#[case("prices: {provider: file}", "prices.file: is missing; give the CSV file of the prices")]
#[case("prices: {provider: file, file: null}", "prices.file: is missing; give the CSV file of the prices")]
#[case("prices: {provider: file, file: ''}", "prices.file: is empty; give a text")]
#[case("prices: {file: [p.csv]}", "prices.file: is a list, not text; give a text")]
#[case(
    "prices: {provider: azure}",
    "prices.provider: `azure` is not known; choose one of: catalogue, aws-spot-advisor, azure-retail, file"
)]
#[case(
    "prices: {provider: configuration}",
    "prices.provider: `configuration` is not known; choose one of: catalogue, aws-spot-advisor, azure-retail, file"
)]
#[case(
    "prices: {awsSpotAdvisor: {url: 's3://spot-bid-advisor/spot-advisor-data.json'}}",
    "prices.awsSpotAdvisor.url: has another scheme; give https:// or http://host[:port][/path], without user, query or fragment"
)]
#[case(
    "prices: {azureRetail: {url: 'https://prices.azure.com/api/retail/prices?api-version=2023-01-01-preview'}}",
    "prices.azureRetail.url: has a query or fragment; give https:// or http://host[:port][/path], without user, query or fragment"
)]
#[case(
    "prices: {azureRetail: {url: null}}",
    "prices.azureRetail.url: has no value; give one, or leave the key out for its default"
)]
fn refuses_prices_that_cannot_be_asked_so(#[case] yaml: &str, #[case] expected: &str) {
    assert_eq!(errors(yaml), [expected]);
}

#[rstest]
#[case::azure(
    "{provider: azure-retail, instanceType: Standard_D4s_v5}",
    &["prices.provider: azure-retail has prices of azure only: no pod goes to us-east-1, attic without one"]
)]
#[case::azure_with_a_machine_of_anothers(
    "{provider: azure-retail}",
    &[
        "prices.instanceType: m5.xlarge is no machine of Azure's, the only ones that azure-retail prices: pods that name no type of their own have no price",
        "prices.provider: azure-retail has prices of azure only: no pod goes to us-east-1, attic without one",
    ]
)]
#[case::azure_with_an_unknown_machine(
    "{provider: azure-retail, instanceType: Standard_X}",
    &[
        "prices.instanceType: Standard_X is not in the catalogue: pods that name no type of their own have no price",
        "prices.provider: azure-retail has prices of azure only: no pod goes to us-east-1, attic without one",
    ]
)]
#[case::spot_of_aws(
    "{provider: aws-spot-advisor, capacityType: spot}",
    &["prices.provider: aws-spot-advisor has spot prices of aws only: no pod goes to swedencentral, attic without one"]
)]
#[case::on_demand_is_built_in("{provider: aws-spot-advisor}", &[])]
#[case::the_catalogue_is_not_judged("{provider: catalogue, capacityType: spot}", &[])]
#[case::nor_is_a_file("{provider: file, file: p.csv}", &[])]
fn warns_of_regions_without_prices(#[case] prices: &str, #[case] expected: &[&str]) {
    assert_eq!(parse(&format!("{MIXED}prices: {prices}")).unwrap().warnings, expected);
}

#[test]
fn an_advisor_without_any_region_of_aws_is_a_warning() {
    let regions = "regions: [{name: swedencentral}, {name: dc, provider: on-prem, gridZone: DE, pue: 1.2}]";
    assert_eq!(
        parse(&format!("{regions}\nprices: {{provider: aws-spot-advisor}}")).unwrap().warnings,
        [
            "prices.provider: aws-spot-advisor knows regions of aws only, and there is none: all prices are built in"
        ]
    );
}
