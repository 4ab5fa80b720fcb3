//! Figures about the catalogue that the documents state.

use std::collections::BTreeMap;

use eco_pulse::config::MAX_REGIONS;
use eco_pulse::domain::region::CloudProvider;

use crate::markdown::flowing;
use crate::worked_example::decided;
use crate::{CONFIGURATION, README, catalogue};

const WHOLE_MACHINE_FOR_AN_HOUR: &str = r#"
spec:
  template:
    metadata: {annotations: {eco-pulse.io/expected-duration: 1h}}
    spec:
      restartPolicy: Never
      containers: [{name: main, resources: {requests: {cpu: "4", memory: 16Gi}}}]
"#;

#[test]
fn carbon_is_as_small_beside_transfer_as_the_readme_says() {
    let mean = |zone| catalogue().climatology(zone).unwrap().annual_mean().0;
    let config = format!(
        "regions: [{{name: us-east-1}}, {{name: ca-central-1}}]\n\
         carbon: {{priceUsdPerTonne: 100}}\n\
         grid: {{provider: mock, mock: {{us-east-1: {}, ca-central-1: {}}}}}",
        mean("US-MIDA-PJM"),
        mean("CA-QC"),
    );
    let decided = decided(&config, WHOLE_MACHINE_FOR_AN_HOUR);
    let regions = &decided.snapshot.as_deref().unwrap().regions;
    let (pjm, quebec) = (regions.by_name("us-east-1").unwrap(), regions.by_name("ca-central-1").unwrap());
    let score = decided.decision.scores.iter().find(|score| score.region() == quebec).unwrap();
    let (carbon, per_gb) = (score.terms.unwrap().carbon.0, regions.egress(pjm, quebec).unwrap().0);
    let text = flowing(README);
    for phrase in [
        format!("avoids carbon worth {carbon:.4} USD an hour at 100 USD/t"),
        format!("one GB of transfer at {per_gb:.2} USD takes {:.0} hours to earn back", per_gb / carbon),
    ] {
        assert!(text.contains(&phrase), "README.md does not say: {phrase}");
    }
}

#[test]
fn the_catalogue_is_as_large_as_the_documents_say() {
    let regions = |provider| catalogue().regions().filter(|region| region.provider == provider).count();
    let counts = [CloudProvider::Aws, CloudProvider::Gcp, CloudProvider::Azure].map(regions);
    let listed = format!("{} AWS, {} Google, {} Azure", counts[0], counts[1], counts[2]);
    for phrase in [listed, format!("at most {MAX_REGIONS};")] {
        assert!(flowing(CONFIGURATION).contains(&phrase), "docs/configuration.md does not say: {phrase}");
    }

    let with_climatology =
        catalogue().regions().filter(|region| catalogue().climatology(region.zone.as_str()).is_some());
    let mut priced_in: BTreeMap<&str, usize> = BTreeMap::new();
    for region in catalogue().regions() {
        for price in catalogue().prices_in(region.name.as_str()) {
            *priced_in.entry(&price.instance_type).or_default() += 1;
        }
    }
    let azure = priced_in.keys().filter(|name| name.starts_with("Standard_")).count();
    assert_eq!(priced_in.len(), azure + 2, "the README names two other types");
    let text = flowing(README);
    for phrase in [
        format!("for {} of {} regions", with_climatology.count(), counts.iter().sum::<usize>()),
        format!("`m5.xlarge` in {} AWS regions", priced_in["m5.xlarge"]),
        format!("`n2-standard-4` in {} Google regions", priced_in["n2-standard-4"]),
        format!("{azure} types on Azure"),
    ] {
        assert!(text.contains(&phrase), "README.md does not say: {phrase}");
    }
}
