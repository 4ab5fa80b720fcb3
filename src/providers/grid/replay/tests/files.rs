//! Files as editors, spreadsheets and people leave them: read soundly, or refused with their path.

use rstest::rstest;

use super::*;

const PLAIN: &str =
    "datetime_utc,DE,FR\n2022-01-01T00:00:00Z,1.5,2\n2022-01-01T01:00:00Z,3,\n2022-01-01T02:00:00Z,5,6\n";

#[rstest]
#[case::with_a_byte_order_mark(&format!("\u{feff}{PLAIN}"))]
#[case::with_one_and_quotes(
    "\u{feff}\"datetime_utc\",\"DE\",\"FR\"\n\"2022-01-01T00:00:00Z\",\"1.5\",\"2\"\n2022-01-01T01:00:00Z,3,\"\"\n2022-01-01T02:00:00Z,5,6\n"
)]
#[case::with_crlf(&PLAIN.replace('\n', "\r\n"))]
#[case::with_cr_alone(&PLAIN.replace('\n', "\r"))]
#[case::without_a_last_line_break(PLAIN.trim_end())]
#[case::with_blank_lines_after_it(&format!("{PLAIN}\n\r\n   \n,,\n , ,\n"))]
#[case::with_spaces(&PLAIN.replace(',', " , "))]
#[case::with_other_words_for_a_gap(&PLAIN.replace("3,\n", "3,NaN\n"))]
#[case::with_na_for_a_gap(&PLAIN.replace("3,\n", "3,n/a\n"))]
#[case::with_null_for_a_gap(&PLAIN.replace("3,\n", "3,NULL\n"))]
#[case::with_times_without_an_offset(&PLAIN.replace('T', " ").replace('Z', ""))]
#[case::with_times_of_another_offset(&PLAIN.replace("00:00:00Z", "02:00:00+02:00").replace("01:00:00Z", "03:00:00+02:00").replace("02:00:00Z", "04:00:00+02:00"))]
#[case::unsorted(
    "datetime_utc,DE,FR\n2022-01-01T02:00:00Z,5,6\n2022-01-01T00:00:00Z,1.5,2\n2022-01-01T01:00:00Z,3,\n"
)]
#[case::with_an_hour_twice(&format!("{PLAIN}2022-01-01T01:00:00Z,3.0,NA\n"))]
#[case::with_an_hour_in_two_halves(
    "datetime_utc,DE,FR\n2022-01-01T00:00:00Z,1.5,\n2022-01-01T00:00:00Z,,2\n2022-01-01T01:00:00Z,3,\n2022-01-01T02:00:00Z,5,6\n"
)]
#[case::with_another_name_for_the_time(&PLAIN.replace("datetime_utc", "Timestamp"))]
fn it_reads_as_the_plain_file_does(#[case] text: &str) {
    assert_eq!(parse::parse(text.as_bytes()).unwrap(), parse::parse(PLAIN.as_bytes()).unwrap());
}

#[test]
fn lines_are_counted_as_an_editor_does_whatever_ends_them() {
    for line_break in ["\n", "\r\n"] {
        let text = format!("{PLAIN}\n\n2022-01-01T03:00:00Z,\"1\",x\n").replace('\n', line_break);
        let refused = parse::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(refused.starts_with("line 7, column `FR`: `x` is not "), "{refused}");
    }
}

#[test]
fn of_two_rows_of_one_value_an_estimate_is_one() {
    let header =
        "Datetime (UTC),Zone Id,Carbon Intensity gCO₂eq/kWh (LCA),Data Estimated,Data Estimation Method";
    let measured = "2023-01-01 00:00:00,DE,114.42,false,";
    let estimated = "2023-01-01 00:00:00,DE,114.42,True,SLICED";
    for rows in [[measured, estimated], [estimated, measured]] {
        let said = reading(&grid(&format!("{header}\n{}\n", rows.join("\n")), 1.0), "2026-01-01T00:00:00Z");
        assert_eq!((said.estimated, said.estimation_method.as_deref()), (true, Some("SLICED")));
    }
}

#[test]
fn a_file_is_read_once_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.csv");
    std::fs::write(&file, PLAIN).unwrap();
    let grid = ReplayGrid::load(&file, 1.0).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(reading(&grid, "2026-01-01T02:00:00Z").intensity, GramsPerKwh(5.0));
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let file = tempfile::tempdir().unwrap().path().join("gone.csv");
    let refused = ReplayGrid::load(&file, 1.0).unwrap_err();
    let path = file.display();
    assert_eq!(
        refused.to_string(),
        format!("cannot read the trace {path}: make it a file this process may read")
    );
    assert!(std::error::Error::source(&refused).is_some());
}

#[test]
fn a_folder_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let refused = ReplayGrid::load(folder.path(), 1.0).unwrap_err().to_string();
    assert_eq!(refused, format!("the trace {} is no file: name a CSV file", folder.path().display()));
}

#[test]
fn a_file_larger_than_any_trace_is_refused_without_being_parsed() {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(MOST_BYTES + 1).unwrap();
    let refused = ReplayGrid::load(file.path(), 1.0).unwrap_err().to_string();
    let path = file.path().display();
    assert_eq!(refused, format!("the trace {path} has more than 64 MiB: keep the zones and years needed"));
}

#[test]
fn a_fault_in_a_file_names_the_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "datetime_utc,DE\n").unwrap();
    let refused = ReplayGrid::load(file.path(), 1.0).unwrap_err().to_string();
    let path = file.path().display();
    assert_eq!(refused, format!("the trace {path}: there is no value in it: give a trace with rows"));
}

#[test]
fn the_debug_text_of_a_trace_is_short() {
    let text = format!("{:?}", grid(&hours("2022-01-01T00:00:00Z", &[Some(1.0); 1000]), 1.0));
    assert!(text.len() < 300, "{text}");
}
