//! A file of prices as it lies on a disk: read at the start, read again, replaced, damaged and gone.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use eco_pulse::domain::snapshot::{CapacityType, Failure, Price, PriceProvider};
use eco_pulse::domain::units::UsdPerHour;
use eco_pulse::providers::price::{FilePrices, PriceFileError, PriceSource};
use rstest::rstest;
use tempfile::TempDir;

use crate::support::{ask, price};

const HEADER: &str =
    "region,instance_type,capacity_type,usd_per_hour,precision_usd_per_hour,interruption,as_of\n";

fn write(rows: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prices.csv");
    fs::write(&path, format!("{HEADER}{rows}")).unwrap();
    (folder, path)
}

async fn usd(source: &FilePrices) -> f64 {
    let prices = ask(source, &["eu-north-1"]).await.unwrap();
    price(&prices, "eu-north-1", "m5.xlarge", CapacityType::OnDemand).unwrap().per_hour.0
}

#[tokio::test]
async fn rows_of_configured_regions_are_prices_and_those_of_others_are_other_clusters() {
    let (_folder, path) = write(
        "eu-north-1,m5.xlarge,on-demand,0.204,,,\n\
         eu-north-1,m5.xlarge,spot,0.0612,0.001,>20 %,2026-06-18T08:00:00Z\n\
         dc-berlin,blade,on-demand,0.5,,,\n",
    );
    let source = FilePrices::load(&path).unwrap();
    assert_eq!(source.provider(), PriceProvider::File);
    let prices = ask(&source, &["eu-north-1", "us-east-1"]).await.unwrap();
    let listed = Price {
        instance_type: "m5.xlarge".into(),
        capacity_type: CapacityType::OnDemand,
        per_hour: UsdPerHour(0.204),
        precision: UsdPerHour::ZERO,
        provider: PriceProvider::File,
        reported_at: None,
        interruption: None,
    };
    let spot = Price {
        capacity_type: CapacityType::Spot,
        per_hour: UsdPerHour(0.0612),
        precision: UsdPerHour(0.001),
        reported_at: Some("2026-06-18T08:00:00Z".parse().unwrap()),
        interruption: Some(">20 %".into()),
        ..listed.clone()
    };
    assert_eq!(prices[&"eu-north-1".into()], [listed, spot]);
    assert_eq!(prices[&"us-east-1".into()], [], "configured, and without a price");
    assert_eq!(prices.len(), 2);
}

#[tokio::test]
async fn a_file_without_a_region_of_ours_is_a_mistake() {
    let (_folder, path) =
        write("b,x,spot,1,,,\na,x,spot,1,,,\nd,x,spot,1,,,\nc,x,spot,1,,,\nb,y,spot,1,,,\n");
    let error = ask(&FilePrices::load(&path).unwrap(), &["eu-north-1"]).await.unwrap_err();
    assert_eq!(error.failure, Failure::NoData);
    assert!(error.detail.contains("none of its regions (a, b, c, ...) is configured"), "{error}");
}

/// The kubelet replaces a mounted ConfigMap by turning one link to another folder.
#[tokio::test]
async fn a_config_map_that_is_replaced_is_read_anew() {
    let mount = tempfile::tempdir().unwrap();
    let version = |name: &str, usd: &str| {
        let folder = mount.path().join(name);
        fs::create_dir(&folder).unwrap();
        let text = format!("{HEADER}eu-north-1,m5.xlarge,on-demand,{usd},,,\n");
        fs::write(folder.join("prices.csv"), text).unwrap();
        symlink(name, mount.path().join("..data_tmp")).unwrap();
        fs::rename(mount.path().join("..data_tmp"), mount.path().join("..data")).unwrap();
    };
    version("..2026_06_17", "0.204");
    let path = mount.path().join("prices.csv");
    symlink(Path::new("..data").join("prices.csv"), &path).unwrap();
    let source = FilePrices::load(&path).unwrap();
    assert!((usd(&source).await - 0.204).abs() < 1e-12);
    version("..2026_06_18", "0.21");
    assert!((usd(&source).await - 0.21).abs() < 1e-12);
}

#[tokio::test]
async fn a_file_that_turns_bad_is_a_failure_until_it_is_mended() {
    let good = "eu-north-1,m5.xlarge,on-demand,0.204,,,\n";
    let (_folder, path) = write(good);
    let source = FilePrices::load(&path).unwrap();
    let failure = async || {
        let error = ask(&source, &["eu-north-1"]).await.unwrap_err();
        assert_eq!(error.failure, Failure::Unreadable);
        assert!(error.detail.contains(path.to_str().unwrap()), "{error}");
        error.detail.to_string()
    };
    fs::write(&path, format!("{HEADER}eu-north-1,m5.xlarge,on-demand,0,,,\n")).unwrap();
    assert!(failure().await.contains("line 2: `usd_per_hour` is `0`"));
    fs::write(&path, "").unwrap();
    assert!(failure().await.contains("is empty"));
    fs::remove_file(&path).unwrap();
    assert!(failure().await.contains("put the prices there, or correct `prices.file`"));
    fs::write(&path, format!("{HEADER}{good}")).unwrap();
    assert!((usd(&source).await - 0.204).abs() < 1e-12);
}

/// A day that has begun somewhere is taken as now; what is farther ahead would never grow old.
#[rstest]
#[case::today("2026-06-18", Some("2026-06-18T00:00:00Z"))]
#[case::long_ago("2020-01-01", Some("2020-01-01T00:00:00Z"))]
#[case::tomorrow_here_today_elsewhere("2026-06-19", Some("2026-06-18T12:00:00Z"))]
#[case::a_day_ahead_to_the_second("2026-06-19T12:00:00Z", Some("2026-06-18T12:00:00Z"))]
#[case::more_than_a_day_ahead("2026-06-19T12:00:01Z", None)]
#[case::another_year("2062-06-18", None)]
#[tokio::test]
async fn a_row_is_as_old_as_it_says(#[case] as_of: &str, #[case] reported_at: Option<&str>) {
    let (_folder, path) = write(&format!("eu-north-1,m5.xlarge,on-demand,0.204,,,{as_of}\n"));
    let asked = ask(&FilePrices::load(&path).unwrap(), &["eu-north-1"]).await;
    let Some(reported_at) = reported_at else {
        let error = asked.unwrap_err();
        assert_eq!(error.failure, Failure::Unreadable);
        assert!(error.detail.contains("line 2: `as_of` is `20"), "{error}");
        assert!(error.detail.contains("put a time that has passed there"), "{error}");
        return;
    };
    let prices = asked.unwrap();
    let listed = price(&prices, "eu-north-1", "m5.xlarge", CapacityType::OnDemand).unwrap();
    assert_eq!(listed.reported_at, Some(reported_at.parse().unwrap()));
}

#[test]
fn a_mistake_is_seen_at_the_start() {
    let (folder, path) =
        write("eu-north-1,m5.xlarge,on-demand,0.204,,,\neu-north-1,m5.xlarge,on-demand,0.2,,,\n");
    let text = FilePrices::load(&path).unwrap_err().to_string();
    assert!(
        text.starts_with(&format!("`{}` line 3: eu-north-1 m5.xlarge on-demand", path.display())),
        "{text}"
    );
    assert!(text.contains("line 2 already"), "{text}");

    let absent = FilePrices::load(folder.path().join("absent.csv")).unwrap_err();
    assert!(matches!(absent, PriceFileError::Unreadable { .. }), "{absent}");
    let a_folder = FilePrices::load(folder.path()).unwrap_err().to_string();
    assert!(a_folder.contains("it is no regular file"), "{a_folder}");
    let endless = FilePrices::load("/dev/zero").unwrap_err().to_string();
    assert!(endless.contains("it is no regular file"), "{endless}");
    let long = folder.path().join("long.csv");
    fs::write(&long, " ".repeat(4 * 1024 * 1024 + 1)).unwrap();
    assert!(matches!(FilePrices::load(&long).unwrap_err(), PriceFileError::TooLong { .. }));
}
