//! Every item that is no price, and which of several is.

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;
use crate::domain::snapshot::Failure;

const NOW: &str = "2026-06-18T12:00:00Z";

/// An on-demand item as the list has them.
fn item() -> Value {
    json!({
        "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": 0.204, "unitPrice": 0.204,
        "armRegionName": "swedencentral", "location": "SE Central", "effectiveStartDate": "2021-11-01T00:00:00Z",
        "meterId": "c2f5b7a0-1f43-5b1e-9a55-2f6d0a3c8d11", "meterName": "D4s v5", "productId": "DZH318Z09V4L",
        "skuId": "DZH318Z09V4L/00G1", "productName": "Virtual Machines Dsv5 Series", "skuName": "Standard_D4s_v5",
        "serviceName": "Virtual Machines", "serviceId": "DZH313Z7MMC8", "serviceFamily": "Compute",
        "unitOfMeasure": "1 Hour", "type": "Consumption", "isPrimaryMeterRegion": true,
        "armSkuName": "Standard_D4s_v5"
    })
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut item = item();
    for (field, value) in changes {
        item[*field] = value.clone();
    }
    item
}

fn body(items: &[Value]) -> String {
    json!({"BillingCurrency": "USD", "CustomerEntityId": "Default", "CustomerEntityType": "Retail",
           "Items": items, "NextPageLink": null, "Count": items.len()})
    .to_string()
}

/// What the list gives for `Standard_D4s_v5` and `Standard_D4as_v5` in a region.
fn listed_in(region: &str, items: &[Value]) -> Result<Vec<(String, CapacityType, f64)>, FetchError> {
    let types = ["Standard_D4as_v5".into(), "Standard_D4s_v5".into()];
    let mut listing = Listing::new(region, &types, NOW.parse().unwrap());
    let text = body(items);
    listing.take(&Page::read(text.as_bytes())?)?;
    let plain = |price: Price| (price.instance_type.to_string(), price.capacity_type, price.per_hour.0);
    Ok(listing.prices().into_iter().map(plain).collect())
}

fn listed(items: &[Value]) -> Vec<(String, CapacityType, f64)> {
    listed_in("swedencentral", items).unwrap()
}

fn on_demand(price: f64) -> Vec<(String, CapacityType, f64)> {
    vec![("Standard_D4s_v5".to_owned(), CapacityType::OnDemand, price)]
}

#[test]
fn a_price_says_who_said_it_when_and_how_exactly() {
    let types = ["Standard_D4s_v5".into()];
    let mut listing = Listing::new("swedencentral", &types, NOW.parse().unwrap());
    let text = body(&[item(), with(&[("meterName", json!("D4s v5 Spot")), ("retailPrice", json!(0.0414))])]);
    listing.take(&Page::read(text.as_bytes()).unwrap()).unwrap();
    let price = |capacity_type, usd| Price {
        instance_type: "Standard_D4s_v5".into(),
        capacity_type,
        per_hour: UsdPerHour(usd),
        precision: UsdPerHour::ZERO,
        provider: PriceProvider::AzureRetail,
        reported_at: Some(NOW.parse().unwrap()),
        interruption: None,
    };
    assert_eq!(listing.prices(), [price(CapacityType::OnDemand, 0.204), price(CapacityType::Spot, 0.0414)]);
}

/// The Windows price of a `D4as_v5` in northeurope is 0.376; a table that has it beside eastus' 0.172 let it leak in.
#[test]
fn a_windows_price_does_not_pass_for_the_machines() {
    let machine = |price: f64, product: &str| {
        with(&[
            ("armSkuName", json!("Standard_D4as_v5")),
            ("armRegionName", json!("northeurope")),
            ("productName", json!(product)),
            ("retailPrice", json!(price)),
        ])
    };
    let windows = machine(0.376, "Virtual Machines Dasv5 Series Windows");
    let linux = machine(0.192, "Virtual Machines Dasv5 Series");
    for items in [[windows.clone(), linux.clone()], [linux, windows.clone()]] {
        let expected = [("Standard_D4as_v5".to_owned(), CapacityType::OnDemand, 0.192)];
        assert_eq!(listed_in("northeurope", &items).unwrap(), expected);
    }
    assert_eq!(listed_in("northeurope", &[windows]).unwrap(), [], "no price, rather than a wrong one");
}

#[rstest]
#[case::windows("productName", json!("Virtual Machines Dsv5 Series Windows"))]
#[case::cloud_services("productName", json!("Dsv5 Series Cloud Services"))]
#[case::cloud_services_in_one_word("productName", json!("Virtual Machines Dsv5 Series CloudServices"))]
#[case::low_priority("meterName", json!("D4s v5 Low Priority"))]
#[case::reserved("type", json!("Reservation"))]
#[case::for_development("type", json!("DevTestConsumption"))]
#[case::a_higher_tier("tierMinimumUnits", json!(100.0))]
#[case::by_the_month("unitOfMeasure", json!("1/Month"))]
#[case::by_a_hundred_hours("unitOfMeasure", json!("100 Hours"))]
#[case::euros("currencyCode", json!("EUR"))]
#[case::another_region("armRegionName", json!("SwedenCentral"))]
#[case::another_type("armSkuName", json!("standard_d4s_v5"))]
#[case::not_sold_yet("retailPrice", json!(0.0))]
#[case::negative("retailPrice", json!(-0.204))]
#[case::effective_later("effectiveStartDate", json!("2026-06-18T12:00:01Z"))]
#[case::no_date("effectiveStartDate", json!("soon"))]
#[case::price_in_quotes("retailPrice", json!("0.1"))]
#[case::no_price("retailPrice", Value::Null)]
fn what_is_no_price_neither_counts_nor_hides_one(#[case] field: &str, #[case] value: Value) {
    let changes = [(field, value.clone()), ("retailPrice", json!(0.1))];
    let changes = if field == "retailPrice" { &changes[..1] } else { &changes[..] };
    let trap = with(changes);
    assert_eq!(listed(&[trap.clone(), item()]), on_demand(0.204));
    assert_eq!(listed(&[item(), trap]), on_demand(0.204));
}

#[rstest]
#[case::the_ends_of_a_floating_number("1e999")]
#[case::not_a_number("NaN")]
fn a_price_that_is_no_finite_number_is_none(#[case] number: &str) {
    let text = body(&[item()]).replace("\"retailPrice\":0.204", &format!("\"retailPrice\":{number}"));
    assert!(text.contains(number));
    let types = ["Standard_D4s_v5".into()];
    let mut listing = Listing::new("swedencentral", &types, NOW.parse().unwrap());
    let taken = Page::read(text.as_bytes()).and_then(|page| listing.take(&page));
    assert_eq!(taken.unwrap_err().failure, Failure::Unreadable);
    assert_eq!(listing.prices(), []);
}

#[test]
fn the_price_that_took_effect_last_counts() {
    let since =
        |date: &str, price: f64| with(&[("effectiveStartDate", json!(date)), ("retailPrice", json!(price))]);
    let old = since("2022-04-01T00:00:00Z", 0.19);
    let new = since("2026-06-01T00:00:00Z", 0.21);
    let announced = since("2026-07-01T00:00:00Z", 0.25);
    assert_eq!(listed(&[old.clone(), new.clone(), announced.clone()]), on_demand(0.21));
    assert_eq!(listed(&[announced, new, old]), on_demand(0.21));
}

#[test]
fn the_meters_own_region_counts_before_another_ones() {
    let foreign = with(&[
        ("isPrimaryMeterRegion", json!(false)),
        ("effectiveStartDate", json!("2026-06-01T00:00:00Z")),
        ("retailPrice", json!(0.3)),
    ]);
    assert_eq!(listed(&[item(), foreign.clone()]), on_demand(0.204));
    assert_eq!(listed(&[foreign.clone(), item()]), on_demand(0.204));
    assert_eq!(listed(&[foreign]), on_demand(0.3), "better than none");
}

#[test]
fn the_same_item_twice_is_one_and_a_contradiction_is_none() {
    assert_eq!(listed(&[item(), item()]), on_demand(0.204));
    let other = with(&[("retailPrice", json!(0.205))]);
    assert_eq!(listed(&[item(), other.clone()]), []);
    assert_eq!(listed(&[item(), other.clone(), item()]), [], "not settled by a majority");
    let newer = with(&[("effectiveStartDate", json!("2026-06-01T00:00:00Z"))]);
    assert_eq!(listed(&[item(), other, newer]), on_demand(0.204), "settled by a newer one");
}

#[test]
fn a_list_without_items_is_no_price_and_one_of_another_shape_no_news() {
    assert_eq!(listed(&[]), []);
    let renamed = json!({"sku": "Standard_D4s_v5", "price": 0.204});
    let error = listed_in("swedencentral", &[renamed.clone(), renamed.clone()]).unwrap_err();
    assert_eq!(error.failure, Failure::Unreadable);
    assert_eq!(listed(&[renamed, item()]), on_demand(0.204));
}

#[rstest]
#[case::empty("")]
#[case::a_web_page("<html>Service unavailable</html>")]
#[case::cut_off(r#"{"Items": [{"currencyCode": "US"#)]
#[case::an_error(r#"{"Error": {"Code": "BadRequest", "Message": "Invalid OData"}}"#)]
#[case::items_of_another_shape(r#"{"Items": {"0": {}}}"#)]
fn what_is_no_list_is_unreadable(#[case] text: &str) {
    let error = Page::read(text.as_bytes()).unwrap_err();
    assert_eq!(error.failure, Failure::Unreadable);
    assert!(error.detail.contains("line"), "{error}");
}

#[rstest]
#[case::null(r#"{"Items": [], "NextPageLink": null}"#, None)]
#[case::absent(r#"{"Items": []}"#, None)]
#[case::empty(r#"{"Items": [], "NextPageLink": ""}"#, None)]
#[case::escaped(r#"{"Items": [], "NextPageLink": "https:\/\/x\/?a=1\u0026b"}"#, Some("https://x/?a=1&b"))]
fn the_next_page_is_as_the_list_names_it(#[case] text: &str, #[case] next: Option<&str>) {
    assert_eq!(Page::read(text.as_bytes()).unwrap().next(), next);
}

fn any_item() -> impl Strategy<Value = Value> {
    let product =
        prop_oneof![Just("Virtual Machines Dsv5 Series"), Just("Virtual Machines Dsv5 Series Windows")];
    let meter = prop_oneof![Just("D4s v5"), Just("D4s v5 Spot"), Just("D4s v5 Low Priority")];
    (product, meter, 1..4_u8, 0..4_u8, any::<bool>()).prop_map(|(product, meter, month, cents, primary)| {
        with(&[
            ("productName", json!(product)),
            ("meterName", json!(meter)),
            ("effectiveStartDate", json!(format!("2026-0{month}-01T00:00:00Z"))),
            ("retailPrice", json!(f64::from(cents) / 10.0)),
            ("isPrimaryMeterRegion", json!(primary)),
        ])
    })
}

proptest! {
    #[test]
    fn the_order_of_items_does_not_matter(
        (items, shuffled) in prop::collection::vec(any_item(), 0..8)
            .prop_flat_map(|items| (Just(items.clone()), Just(items).prop_shuffle()))
    ) {
        prop_assert_eq!(listed(&items), listed(&shuffled));
        prop_assert!(listed(&items).iter().all(|(_, _, price)| *price > 0.0));
    }
}
