//! Traces that are wrong, and what is said of them: where, what, and what to put there.

use rstest::rstest;

use super::*;

fn fault(text: &str) -> String {
    parse::parse(text.as_bytes()).unwrap_err().to_string()
}

const COLUMNS: &str = "they must be a time (`datetime_utc`) and then one column a zone (`DE`, `SE-SE3`), or those of a \
    download from Electricity Maps with `Datetime (UTC)`, `Zone Id`, `Carbon Intensity gCO₂eq/kWh (LCA)` and \
    `Data Estimated`";

#[rstest]
#[case::an_empty_file("", "")]
#[case::other_columns("a,b\n1,2\n", "a,b")]
#[case::semicolons("datetime_utc;DE\n2022-01-01T00:00:00Z;1\n", "datetime_utc;DE")]
#[case::no_zone("datetime_utc\n2022-01-01T00:00:00Z\n", "datetime_utc")]
#[case::no_header("2022-01-01T00:00:00Z,1\n", "2022-01-01T00:00:00Z,1")]
#[case::names_for_zones("datetime_utc,Germany\n2022-01-01T00:00:00Z,1\n", "datetime_utc,Germany")]
#[case::no_time("DE,FR\n1,2\n", "DE,FR")]
#[case::no_word_of_estimates(
    "Datetime (UTC),Zone Id,Carbon Intensity gCO₂eq/kWh (LCA)\n",
    "Datetime (UTC),Zone Id,Carbon Intensity gCO₂eq/kWh (LCA)"
)]
#[case::direct_only(
    "Datetime (UTC),Zone Id,Carbon Intensity gCO₂eq/kWh (direct),Data Estimated\n",
    "Datetime (UTC),Zone Id,Carbon Intensity gCO₂eq/kWh (direct),Data Estimated"
)]
fn a_wrong_header_is_shown_with_the_right_one(#[case] text: &str, #[case] found: &str) {
    assert_eq!(fault(text), format!("the columns are `{found}`: {COLUMNS}"));
}

#[test]
fn a_long_header_is_cut() {
    let text = fault(&"long,".repeat(1000));
    assert!(
        text.starts_with("the columns are `long,long,") && text.contains("…`: ") && text.len() < 800,
        "{text}"
    );
}

#[rstest]
#[case::zones("datetime_utc,DE,FR,DE\n", "DE")]
#[case::the_portals("Datetime (UTC),Zone Id,Zone Id,Carbon Intensity (LCA),Data Estimated\n", "Zone Id")]
fn two_columns_of_one_name_are_refused(#[case] text: &str, #[case] column: &str) {
    assert_eq!(fault(text), format!("the header has two columns `{column}`: remove one"));
}

const INTENSITY: &str =
    "an intensity above 0 and up to 2000 g/kWh: leave the cell empty where it is not known";

#[rstest]
#[case::a_word("high")]
#[case::a_decimal_comma_in_quotes("\"12,5\"")]
#[case::negative("-0.5")]
#[case::zero_is_no_word_for_unknown("0")]
#[case::zero_of_another_sign("-0.0")]
#[case::more_than_any_grid("2000.5")]
#[case::infinite("inf")]
#[case::no_number_of_another_sign("-NaN")]
fn a_cell_that_is_no_intensity_is_refused_with_its_place(#[case] cell: &str) {
    let text = format!("datetime_utc,FR,DE\n2022-01-01T00:00:00Z,1,2\n2022-01-01T01:00:00Z,3,{cell}\n");
    let value = cell.trim_matches('"');
    assert_eq!(fault(&text), format!("line 3, column `DE`: `{value}` is not {INTENSITY}"));
}

#[rstest]
#[case::no_time("noon")]
#[case::nothing("")]
#[case::no_such_day("2022-02-30T00:00:00Z")]
#[case::within_an_hour("2022-01-01T00:30:00Z")]
#[case::a_fraction_within_it("2022-01-01T00:00:00.5Z")]
#[case::american("1/2/2022 0:00")]
#[case::seconds_since_1970("1640995200")]
fn a_time_that_starts_no_hour_is_refused_with_its_place(#[case] cell: &str) {
    let text = format!("datetime_utc,DE\n2022-01-01T00:00:00Z,1\n{cell},2\n");
    let expected = "the start of an hour in UTC, such as 2022-01-01T00:00:00Z";
    assert_eq!(fault(&text), format!("line 3, column `datetime_utc`: `{cell}` is not {expected}"));
}

#[rstest]
#[case::zone(
    "2023-01-01 00:00:00,Spain,1,false",
    "line 2, column `Zone Id`: `Spain` is not the key of a grid zone, such as DE or SE-SE3"
)]
#[case::flag(
    "2023-01-01 00:00:00,ES,1,maybe",
    "line 2, column `Data Estimated`: `maybe` is not true or false"
)]
#[case::no_flag("2023-01-01 00:00:00,ES,1,", "line 2, column `Data Estimated`: `` is not true or false")]
fn a_wrong_row_of_the_portals_form_is_refused_with_its_place(#[case] row: &str, #[case] expected: &str) {
    let header = "Datetime (UTC),Zone Id,Carbon Intensity gCO₂eq/kWh (LCA),Data Estimated";
    assert_eq!(fault(&format!("{header}\n{row}\n")), expected);
}

#[test]
fn an_endless_cell_is_cut() {
    let text = fault(&format!("datetime_utc,DE\n2022-01-01T00:00:00Z,{}\n", "é".repeat(5000)));
    assert!(text.contains(&format!("`{}…` is not", "é".repeat(60))), "{text}");
}

#[rstest]
#[case::too_short("2022-01-01T01:00:00Z,3", 2)]
#[case::too_long("2022-01-01T01:00:00Z,3,4,5", 4)]
fn a_row_of_another_length_is_refused(#[case] row: &str, #[case] found: usize) {
    let text = format!("datetime_utc,FR,DE\n2022-01-01T00:00:00Z,1,2\n{row}\n");
    assert_eq!(fault(&text), format!("line 3 has {found} fields: it must have 3, as the header"));
}

#[test]
fn an_hour_with_two_values_is_refused_with_both_lines() {
    let text = "datetime_utc,DE\n2022-01-01T02:00:00Z,5\n2022-01-01T00:00:00Z,1\n2022-01-01T01:00:00Z,3\n\n\
        2022-01-01T02:00:00Z,5\n2022-01-01T02:00:00Z,6\n";
    assert_eq!(
        fault(text),
        "lines 6 and 7 give zone DE different values for 2022-01-01T02:00:00Z: 5 and 6; remove one of them"
    );
}

#[rstest]
#[case::a_header_alone("datetime_utc,DE\n")]
#[case::gaps_alone("datetime_utc,DE\n2022-01-01T00:00:00Z,\n2022-01-01T01:00:00Z,NA\n")]
fn a_trace_without_values_is_none(#[case] text: &str) {
    assert_eq!(fault(text), "there is no value in it: give a trace with rows");
}

#[test]
fn a_trace_by_the_day_is_refused() {
    let text = "datetime_utc,DE\n2022-01-01,1\n2022-01-02,2\n2022-01-03,3\n";
    assert_eq!(fault(text), "all its rows are at midnight: give a trace by the hour");
}

#[test]
fn text_that_is_not_utf_8_is_refused_with_its_line() {
    let refused =
        parse::parse(b"datetime_utc,DE\n2022-01-01T00:00:00Z,1\n2022-01-01T01:00:00Z,\xff\n").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "line 3: it is not UTF-8: save the file as CSV, divided by commas, in UTF-8"
    );
}

#[test]
fn more_values_than_there_is_room_for_are_refused() {
    // One row of a zone a column repeated: the same hour and value every time, which would be sound otherwise.
    let columns = 2000;
    let zones: Vec<String> = (0..columns).map(|zone| format!("Z{zone}")).collect();
    let row = format!("2022-01-01T00:00:00Z{}\n", ",1".repeat(columns));
    let text = format!("datetime_utc,{}\n{}", zones.join(","), row.repeat(1001));
    assert_eq!(fault(&text), "it has more than 2000000 values: keep the zones and years needed");
}
