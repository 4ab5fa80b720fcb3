//! The addresses that are asked: a region's question, and the page after a page.

use std::sync::Arc;

use reqwest::Url;

/// The version whose filters tell capitals from small letters, as they stand in the catalogue. The currency is not
/// named: it is US dollars unless asked otherwise, and every item says which it is in.
const VERSION: &str = "2023-01-01-preview";

/// The question for a region's prices.
pub(super) fn question(url: &Url, region: &str, types: &[Arc<str>]) -> Url {
    let types: Vec<String> = types.iter().map(|name| format!("armSkuName eq {}", quoted(name))).collect();
    let filter = format!(
        "serviceName eq 'Virtual Machines' and armRegionName eq {} and priceType eq 'Consumption' and ({})",
        quoted(region),
        types.join(" or ")
    );
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("api-version", VERSION).append_pair("$filter", &filter);
    url
}

/// A literal of OData: a quote within it is doubled.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The page a page names as the next one: only where the first one was.
pub(super) fn following(link: &str, asked: &Url) -> Result<Url, &'static str> {
    let next = Url::parse(link).map_err(|_| "names a next page that is no address")?;
    let same_place = next.origin() == asked.origin();
    if !same_place || !next.username().is_empty() || next.password().is_some() {
        return Err("goes on at another place, which is not followed");
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::catalogue::Catalogue;
    use crate::domain::region::CloudProvider;

    fn pairs(url: &Url) -> Vec<(String, String)> {
        url.query_pairs().into_owned().collect()
    }

    #[test]
    fn the_question_is_for_linux_types_of_one_region_pay_as_you_go() {
        let url = Url::parse("https://prices.azure.com/api/retail/prices").unwrap();
        let asked = question(&url, "swedencentral", &["Standard_D4s_v5".into(), "Standard_F4s_v2".into()]);
        assert!(asked.as_str().starts_with("https://prices.azure.com/api/retail/prices?"));
        assert!(!asked.as_str().contains(' ') && !asked.as_str().contains('\''), "{asked}");
        assert_eq!(
            pairs(&asked),
            [
                ("api-version".to_owned(), "2023-01-01-preview".to_owned()),
                (
                    "$filter".to_owned(),
                    "serviceName eq 'Virtual Machines' and armRegionName eq 'swedencentral' and priceType eq \
                     'Consumption' and (armSkuName eq 'Standard_D4s_v5' or armSkuName eq 'Standard_F4s_v2')"
                        .to_owned()
                ),
            ]
        );
    }

    #[test]
    fn names_stay_within_their_quotes() {
        let url = Url::parse("https://prices.azure.com/api/retail/prices").unwrap();
        let asked = question(&url, "x' or 'a' eq 'a&b=c#d", &["y".into()]);
        let filter = &pairs(&asked)[1].1;
        assert!(filter.contains("armRegionName eq 'x'' or ''a'' eq ''a&b=c#d' and"), "{filter}");
        assert_eq!((pairs(&asked).len(), asked.fragment()), (2, None));
    }

    /// 2,048 characters is what the most timid of proxies and servers take.
    #[test]
    fn the_question_for_the_whole_catalogue_fits_into_an_address() {
        let catalogue = Catalogue::built_in().unwrap();
        let azure = catalogue.instances().filter(|instance| instance.provider == CloudProvider::Azure);
        let types: Vec<Arc<str>> = azure.map(|instance| instance.name.clone()).collect();
        assert!(!types.is_empty());
        let url = Url::parse("https://prices.azure.com/api/retail/prices").unwrap();
        let longest = catalogue.regions().map(|row| question(&url, row.name.as_str(), &types).as_str().len());
        assert!(longest.max().unwrap() <= 2_048);
    }

    #[rstest]
    #[case::the_default_port_spelt_out("https://prices.azure.com:443/api/retail/prices?$skip=100", true)]
    #[case::another_path("https://prices.azure.com/api/v2?$skip=100", true)]
    #[case::another_host("https://prices.example/api/retail/prices?$skip=100", false)]
    #[case::a_host_that_begins_alike("https://prices.azure.com.example/?$skip=100", false)]
    #[case::unencrypted("http://prices.azure.com/api/retail/prices?$skip=100", false)]
    #[case::another_port("https://prices.azure.com:8443/api/retail/prices", false)]
    #[case::with_a_user("https://somebody@prices.azure.com/api/retail/prices", false)]
    #[case::a_file("file:///etc/passwd", false)]
    #[case::relative("/api/retail/prices?$skip=100", false)]
    fn a_next_page_is_followed_only_where_the_first_one_was(#[case] link: &str, #[case] followed: bool) {
        let url = Url::parse("https://prices.azure.com/api/retail/prices").unwrap();
        assert_eq!(following(link, &url).is_ok(), followed);
    }
}
