//! Texts that are a table of prices, and texts that are not.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const HEADER: &str =
    "region,instance_type,capacity_type,usd_per_hour,precision_usd_per_hour,interruption,as_of";
const TEXT: &str = "region,instance_type,capacity_type,usd_per_hour,precision_usd_per_hour,interruption,as_of
eu-north-1,m5.xlarge,on-demand,0.204,,,
eu-north-1,m5.xlarge,spot,0.0612,0.001,>20 %,2026-06-18
us-east-1,m5.xlarge,on-demand,0.192,0.0005,,2026-06-18T14:30:00+02:00
";

fn row(line: u64, region: &str, capacity_type: CapacityType, usd_per_hour: f64) -> Row {
    Row {
        line,
        region: region.into(),
        instance_type: "m5.xlarge".into(),
        capacity_type,
        per_hour: UsdPerHour(usd_per_hour),
        precision: UsdPerHour::ZERO,
        interruption: None,
        as_of: None,
    }
}

fn rows() -> Vec<Row> {
    vec![
        row(2, "eu-north-1", CapacityType::OnDemand, 0.204),
        Row {
            precision: UsdPerHour(0.001),
            interruption: Some(">20 %".into()),
            as_of: Some("2026-06-18T00:00:00Z".parse().unwrap()),
            ..row(3, "eu-north-1", CapacityType::Spot, 0.0612)
        },
        Row {
            precision: UsdPerHour(0.0005),
            as_of: Some("2026-06-18T12:30:00Z".parse().unwrap()),
            ..row(4, "us-east-1", CapacityType::OnDemand, 0.192)
        },
    ]
}

/// The text of what is wrong with `text`.
fn refusal(text: &str) -> String {
    read(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn rows_are_read_with_everything_they_say() {
    assert_eq!(read(TEXT.as_bytes()).unwrap(), rows());
}

#[rstest]
#[case::byte_order_mark(format!("\u{feff}{TEXT}"))]
#[case::windows_lines(TEXT.replace('\n', "\r\n"))]
#[case::both(format!("\u{feff}{}", TEXT.replace('\n', "\r\n")))]
#[case::no_line_end_at_the_end(TEXT.trim_end().to_owned())]
#[case::spaces(TEXT.replace(',', " , "))]
#[case::quotes(TEXT.replace("m5.xlarge", "\"m5.xlarge\"").replace(">20 %", "\">20 %\""))]
#[case::a_quoted_header(TEXT.replace("region,", "\"region\","))]
#[case::blank_lines_at_the_end(format!("{TEXT}\n\n"))]
fn how_it_was_saved_makes_no_difference(#[case] text: String) {
    assert_eq!(read(text.as_bytes()).unwrap(), rows());
}

#[test]
fn columns_are_found_by_their_names_and_only_four_are_needed() {
    let text = "usd_per_hour,capacity_type,region,instance_type\n0.204,on-demand,eu-north-1,m5.xlarge\n";
    assert_eq!(read(text.as_bytes()).unwrap(), rows()[..1]);
}

/// Line, column, value and cure of every field that is wrong; the rows before it are good.
#[rstest]
#[case::no_region(",m5.xlarge,spot,0.1,,,", "region", "", "a name")]
#[case::a_long_region(
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,x,spot,0.1,,,",
    "region",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...",
    "at most 63"
)]
#[case::no_type("de,,spot,0.1,,,", "instance_type", "", "a name")]
#[case::a_tab_within("de,a\tb,spot,0.1,,,", "instance_type", "a b", "a name")]
#[case::no_capacity("de,x,,0.1,,,", "capacity_type", "", "`on-demand` or `spot`")]
#[case::another_capacity("de,x,reserved,0.1,,,", "capacity_type", "reserved", "`on-demand` or `spot`")]
#[case::capital_letters("de,x,Spot,0.1,,,", "capacity_type", "Spot", "`on-demand` or `spot`")]
#[case::no_price("de,x,spot,,,,", "usd_per_hour", "", "a number above 0")]
#[case::free("de,x,spot,0,,,", "usd_per_hour", "0", "above 0")]
#[case::negative("de,x,spot,-0.1,,,", "usd_per_hour", "-0.1", "above 0")]
#[case::not_a_number("de,x,spot,NaN,,,", "usd_per_hour", "NaN", "a number")]
#[case::infinite("de,x,spot,inf,,,", "usd_per_hour", "inf", "a number")]
#[case::too_large_to_count("de,x,spot,1e999,,,", "usd_per_hour", "1e999", "a number")]
#[case::by_the_month("de,x,spot,10000.01,,,", "usd_per_hour", "10000.01", "at most 10000")]
#[case::with_a_unit("de,x,spot,$0.1,,,", "usd_per_hour", "$0.1", "such as 0.192")]
#[case::a_decimal_comma("de,x,spot,\"0,192\",,,", "usd_per_hour", "0,192", "such as 0.192")]
#[case::unknown("de,x,spot,n/a,,,", "usd_per_hour", "n/a", "a number")]
#[case::negative_precision("de,x,spot,0.1,-0.1,,", "precision_usd_per_hour", "-0.1", "from 0 to the price")]
#[case::precision_above_price("de,x,spot,0.1,0.2,,", "precision_usd_per_hour", "0.2", "from 0 to the price")]
#[case::no_precision("de,x,spot,0.1,?,,", "precision_usd_per_hour", "?", "or nothing")]
#[case::band_on_demand("de,x,on-demand,0.1,,5 %,", "interruption", "5 %", "nothing but for spot")]
#[case::another_date("de,x,spot,0.1,,,18.06.2026", "as_of", "18.06.2026", "a date such as")]
#[case::no_such_day("de,x,spot,0.1,,,2026-02-30", "as_of", "2026-02-30", "a date such as")]
#[case::a_time_without_zone(
    "de,x,spot,0.1,,,2026-06-18T12:00:00",
    "as_of",
    "2026-06-18T12:00:00",
    "12:00:00Z"
)]
fn a_bad_field_is_named_with_line_value_and_cure(
    #[case] row: &str,
    #[case] column: &str,
    #[case] value: &str,
    #[case] cure: &str,
) {
    let refusal = refusal(&format!("{TEXT}{row}\n"));
    assert!(refusal.starts_with(&format!("line 5: `{column}` is `{value}`: put ")), "{refusal}");
    assert!(refusal.contains(cure), "{refusal}");
}

#[rstest]
#[case::too_short("de,x,spot,0.1", "line 5: there are 4 fields under a header of 7")]
#[case::too_long("de,x,spot,0,192,,,", "line 5: there are 8 fields under a header of 7")]
#[case::an_open_quote(
    "de,\"x,spot,0.1,,,\nde,y,spot,0.1,,,",
    "line 5: there are 2 fields under a header of 7"
)]
fn a_row_of_another_width_is_refused(#[case] row: &str, #[case] said: &str) {
    let refusal = refusal(&format!("{TEXT}{row}\n"));
    assert!(refusal.starts_with(said), "{refusal}");
}

#[rstest]
#[case::after_blank_lines("\n\n", 7)]
#[case::after_a_blank_windows_line("\r\n", 6)]
#[case::after_a_quoted_line_end("fr,x,spot,0.1,,\"a b\",\nfr,y,spot,0.1,,,\n", 7)]
fn the_line_is_the_files(#[case] between: &str, #[case] line: u64) {
    let refusal = refusal(&format!("{TEXT}{between}de,x,spot,?,,,\n"));
    assert!(refusal.starts_with(&format!("line {line}: ")), "{refusal}");
}

#[rstest]
#[case::empty("", "is empty: begin it with the line `region,instance_type,capacity_type,usd_per_hour`")]
#[case::only_a_mark("\u{feff}", "is empty")]
#[case::blank("\n\n", "is empty")]
#[case::only_a_header("region,instance_type,capacity_type,usd_per_hour\n", "has no prices")]
#[case::no_header("eu-north-1,m5.xlarge,spot,0.1\n", "names `eu-north-1`, which is no column")]
#[case::a_misspelt_column(
    "region,instance_type,capacity_type,usd_per_hour,asof\n",
    "names `asof`, which is no column"
)]
#[case::a_missing_column("region,instance_type,usd_per_hour\n", "has no column `capacity_type`")]
#[case::a_repeated_column("region,region,instance_type,capacity_type,usd_per_hour\n", "names `region` twice")]
#[case::semicolons("region;instance_type;capacity_type;usd_per_hour\n", "which is no column")]
fn a_text_without_its_header_or_prices_is_refused(#[case] text: &str, #[case] said: &str) {
    let refusal = refusal(text);
    assert!(refusal.contains(said), "{refusal}");
}

#[test]
fn the_same_machine_twice_is_refused_with_both_lines() {
    let refusal = refusal(&format!("{TEXT}eu-north-1,m5.xlarge,spot,0.07,,,\n"));
    let said = "line 5: eu-north-1 m5.xlarge spot has a price on line 3 already";
    assert!(refusal.starts_with(said), "{refusal}");
}

#[test]
fn what_is_no_utf_8_is_refused() {
    let mut text = TEXT.as_bytes().to_vec();
    text.extend(b"d\xe9,x,spot,0.1,,,\n");
    assert_eq!(read(&text).unwrap_err(), TableError::NoText { line: 5 });
    let utf_16: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(read(&[&[0xff, 0xfe][..], &utf_16].concat()).is_err());
}

fn any_row() -> impl Strategy<Value = [String; 7]> {
    ("[a-z]{1,9}", "[a-z0-9.,\" ]{0,9}[a-z0-9]", any::<bool>(), 1..1_000_000_u32, "[0-9<>% ,-]{0,8}[%]")
        .prop_map(|(region, kind, spot, micros, band)| {
            let capacity = if spot { CapacityType::Spot } else { CapacityType::OnDemand };
            let price = f64::from(micros) / 1e4;
            let band = if spot { band.trim().to_owned() } else { String::new() };
            let rest = [(price / 2.0).to_string(), band, "2026-06-18".to_owned()];
            let [precision, band, as_of] = rest;
            let kind = kind.trim().to_owned();
            [region, kind, capacity.as_str().to_owned(), price.to_string(), precision, band, as_of]
        })
}

proptest! {
    /// What a spreadsheet writes, whatever order its columns are in, is read as it was meant.
    #[test]
    fn what_was_written_is_read(
        written in prop::collection::vec(any_row(), 1..6),
        order in Just([0_usize, 1, 2, 3, 4, 5, 6]).prop_shuffle(),
        windows in any::<bool>(),
    ) {
        let mut unique = std::collections::HashSet::new();
        let written: Vec<_> =
            written.into_iter().filter(|row| unique.insert([row[0].clone(), row[1].clone(), row[2].clone()])).collect();
        let ends = if windows { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(ends).from_writer(Vec::new());
        let header: Vec<&str> = HEADER.split(',').collect();
        writer.write_record(order.map(|index| header[index])).unwrap();
        for row in &written {
            writer.write_record(order.map(|index| &row[index])).unwrap();
        }
        let rows = read(&writer.into_inner().unwrap()).unwrap();
        prop_assert_eq!(rows.len(), written.len());
        for (read, [region, kind, capacity, price, precision, band, _]) in rows.iter().zip(&written) {
            prop_assert_eq!(&*read.region, region);
            prop_assert_eq!(&*read.instance_type, kind);
            prop_assert_eq!(read.capacity_type.as_str(), capacity);
            prop_assert_eq!(read.per_hour, UsdPerHour(price.parse().unwrap()));
            prop_assert_eq!(read.precision, UsdPerHour(precision.parse().unwrap()));
            prop_assert_eq!(read.interruption.as_deref().unwrap_or_default(), band);
        }
    }

    #[test]
    fn no_bytes_make_it_fail_otherwise_than_by_saying_so(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = [HEADER.as_bytes(), b"\n", &bytes].concat();
        if let Ok(rows) = read(&text) {
            prop_assert!(rows.iter().all(|row| row.per_hour.0 > 0.0 && row.per_hour.0 <= HIGHEST_PRICE));
        }
    }
}
