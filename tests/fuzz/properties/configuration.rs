//! The configuration: any text is read or refused with words that help, within limits, and no secret in it is repeated.

use eco_pulse::config::{Config, changed_sections};

use super::world::catalogue;

/// Stands in no text by chance.
const SECRET: &str = "sw0rdf1sh";

pub fn holds(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Config::parse(text, &**catalogue()) {
        Ok(config) => judge(&config),
        Err(errors) => {
            assert!(errors.iter().count() > 0);
            for error in errors.iter() {
                assert!(!error.problem.is_empty() && !error.cure.is_empty(), "{error:?}");
                assert!(error.to_string().chars().count() < 2000, "{error}");
            }
            assert!(!errors.to_string().contains('\u{1b}'), "{errors}");
        }
    }
    assert!(changed_sections(text, text).is_empty());
    if text.contains(SECRET) {
        return;
    }
    for secret in ["store: {redis: {password: SECRET}}", "grid: {electricityMaps: {token: SECRET}}"] {
        let secret = secret.replace("SECRET", SECRET);
        for planted in [format!("{secret}\n{text}"), format!("{text}\n{secret}\n")] {
            let errors = Config::parse(&planted, &**catalogue()).expect_err("a secret is accepted");
            assert!(!errors.to_string().contains(SECRET), "{errors}");
            assert!(!format!("{errors:?}").contains(SECRET), "{errors:?}");
        }
    }
}

/// What no configuration that is accepted may say.
fn judge(config: &Config) {
    let policy = config.policy();
    assert!(!config.regions.is_empty());
    assert!((0.0..=1000.0).contains(&policy.carbon_price.effective().0), "{:?}", policy.carbon_price);
    assert!((1..=100).contains(&config.decision.affinity_weight.get()));
    assert!((0.0..=1.0).contains(&policy.holdout.get()) && policy.hysteresis >= 0.0);
    assert!(policy.migration.0.is_finite() && policy.min_net_benefit.0.is_finite());
    for (id, region) in config.regions.iter() {
        assert!(region.pue.0 >= 1.0 && region.pue.0.is_finite(), "{region:?}");
        let price = config.per_vcpu.get(&id);
        assert!(price.is_none_or(|usd| usd.0.is_finite() && usd.0 >= 0.0), "{price:?}");
    }
}
