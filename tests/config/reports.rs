//! How errors are told: all at once, each with its path, for any file there can be.

use std::path::Path;

use proptest::prelude::*;

use super::*;

#[test]
fn reports_all_errors_at_once_with_their_paths() {
    let yaml = "
mode: stear
baseline: {region: mars}
regions:
- {name: us-east-1, pue: 0.5, zone: DE}
- {name: dc-berlin, provider: on-prem, latitude: 200, longitude: 13.4}
carbon: {priceUsdPerTonne: -5, maxPriceUsdPerTonne: .inf}
grid: {provider: catalogue, refresh: soon, mock: {mars: 1, us-east-1: -1}}
decision: {deadline: 2s, holdout: 7}
ledger: {retentionDays: 10, rawRetentionDays: 30}
log: yes
";
    let paths: Vec<_> = parse(yaml).unwrap_err().iter().map(|error| error.path.clone()).collect();
    assert_eq!(
        paths,
        [
            "mode",
            "grid.refresh",
            "grid.mock.us-east-1",
            "regions[0].pue",
            "regions[0].zone",
            "regions[1].latitude",
            "regions[1].gridZone",
            "regions[1].pue",
            "baseline.region",
            "grid.mock.mars",
            "carbon.maxPriceUsdPerTonne",
            "carbon.priceUsdPerTonne",
            "decision.deadline",
            "decision.holdout",
            "ledger.rawRetentionDays",
            "log",
        ]
    );
}

#[test]
fn errors_are_shown_as_a_list_with_their_number_on_top() {
    let shown = |yaml| parse(yaml).unwrap_err().to_string();
    assert_eq!(
        shown("carbon: {priceUsdPerTonne: -5}\nmod: steer"),
        "2 errors in the configuration:\n\
         config: carbon.priceUsdPerTonne: -5 is negative; \
         give a price from 0 to carbon.maxPriceUsdPerTonne (100)\n\
         config: mod: is not a known key; did you mean `mode`?"
    );
    assert!(shown("mod: steer").starts_with("1 error in the configuration:\nconfig: mod: "));
}

#[test]
fn syntax_errors_name_line_and_column() {
    assert_eq!(
        errors("mode: steer\ncarbon: {priceUsdPerTonne: 5"),
        [
            "line 2, column 9: not valid YAML: unclosed bracket '{'; correct the syntax at that place; text with \
          special characters goes in quotes"
        ]
    );
    assert_eq!(
        errors("mode: steer\nherd: {jitter: 0, jitter: 1}"),
        ["line 2, column 19: the key `jitter` is there twice; keep one of them"]
    );
}

#[test]
fn a_file_is_read_and_named_in_its_errors() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let file = directory.path().join(name);
        std::fs::write(&file, content).unwrap();
        file
    };
    let good = write("good.yaml", LISTING.as_bytes());
    assert_eq!(Config::load(&good, &Facts).unwrap().grid.provider, GridProvider::Mock);

    let bad = write("bad.yaml", b"mode: stear");
    let shown = Config::load(&bad, &Facts).unwrap_err().to_string();
    let top =
        format!("1 error in the configuration {}:\nconfig: mode: `stear` is not known; ", bad.display());
    assert!(shown.starts_with(&top), "{shown}");

    let binary = write("binary.yaml", b"mode: \xff\xfe");
    let shown = Config::load(&binary, &Facts).unwrap_err().to_string();
    assert!(shown.contains("binary.yaml:\nconfig: cannot read the file: "), "{shown}");
    assert!(shown.ends_with("; give --config a readable file of YAML text in UTF-8"), "{shown}");

    let shown = Config::load(Path::new("/no/such/config.yaml"), &Facts).unwrap_err().to_string();
    let top =
        "1 error in the configuration /no/such/config.yaml:\nconfig: cannot read the file: No such file";
    assert!(shown.starts_with(top), "{shown}");
}

#[test]
fn a_catalogue_without_the_built_in_regions_is_an_error() {
    struct Nothing;
    impl RegionFacts for Nothing {
        fn region(&self, _: &str) -> Option<KnownRegion> {
            None
        }
        fn region_names(&self) -> Vec<&str> {
            Vec::new()
        }
        fn fleet_pue(&self, _: CloudProvider) -> Option<Pue> {
            None
        }
        fn cpu_power(&self, _: CloudProvider) -> CpuPower {
            CpuPower { idle: Watts(1.0), max: Watts(2.0) }
        }
        fn annual_mean(&self, _: &str) -> Option<GramsPerKwh> {
            None
        }
        fn egress(&self, _: &str, _: &str) -> Option<UsdPerGb> {
            None
        }
        fn round_trip(&self, _: &str, _: &str) -> Option<Milliseconds> {
            None
        }
        fn round_trip_between(&self, _: Location, _: Location) -> Milliseconds {
            Milliseconds(1.0)
        }
        fn knows_instance_type(&self, _: &str) -> bool {
            true
        }
    }
    assert_eq!(Config::built_in(&Nothing).unwrap_err().iter().count(), 3);
}

proptest! {
    /// Any slip of the hand in a good file gives a configuration or errors, each with what is wrong and a cure.
    #[test]
    fn a_damaged_file_is_read_or_refused(at in 0..LISTING.len(), length in 0..20_usize, put in "[ -~\\n]{0,6}") {
        let end = (at + length).min(LISTING.len());
        let damaged = [&LISTING[..at], &put, &LISTING[end..]].concat();
        if let Err(errors) = parse(&damaged) {
            prop_assert!(errors.iter().count() > 0);
            for error in errors.iter() {
                prop_assert!(!error.problem.is_empty() && !error.cure.is_empty());
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }
}
