//! What scans make of lines, good and bad.

use super::*;

fn line(more: &str) -> String {
    format!(
        r#"{{"schema":1,"ts":"2026-06-01T12:00:00Z","replica":"one","seq":1,"decision_id":"1-1","uid":"u","endpoint":"mutate","dry_run":false,"namespace":"shop","owner":{{"kind":"Job","name":"nightly"}},"pod":"nightly-","mode":"steer","outcome":"steer","reason":"net_benefit","demand":{{"cpu_cores":2.0,"hours":3.0,"class":"batch"}},"regions":[{{"name":"a","state":"fresh"}},{{"state":"stale"}},{{"state":"fresh"}}],"projected":{{"usd":0.5,"co2e_g":-2.0,"kwh":1.5}}{more},"prev":"p","hash":"h"}}"#
    )
}

fn june() -> Wanted {
    Wanted {
        from: "2026-06-01T00:00:00Z".parse().unwrap(),
        to: "2026-07-01T00:00:00Z".parse().unwrap(),
        namespace: None,
        projected: true,
    }
}

fn scan_of(lines: &[String], wanted: Wanted) -> Scan {
    let mut scanner = Scanner::new(wanted);
    for line in lines {
        scanner.line(line.as_bytes());
    }
    scanner.finish()
}

#[test]
fn a_decision_is_counted_with_its_readings_and_what_was_projected() {
    let stayed = line("").replace(r#""outcome":"steer""#, r#""outcome":"stay""#);
    let scan = scan_of(&[line(""), line(""), stayed], june());
    assert_eq!((scan.records, scan.unreadable), (3, 0));
    let kinds: Vec<_> = scan.by_reason.iter().map(|(kind, count)| (kind.outcome.as_str(), *count)).collect();
    assert_eq!(kinds, [("stay", 1), ("steer", 2)]);
    assert_eq!(scan.readings, [("fresh".to_owned(), 6), ("stale".to_owned(), 3)].into());
    let (owner, sums) = scan.projected.first_key_value().unwrap();
    assert_eq!(
        (owner.namespace.as_str(), owner.kind.as_str(), owner.name.as_str()),
        ("shop", "Job", "nightly")
    );
    assert_eq!(owner.day, 20_605);
    let expected = ProjectedSums {
        pods: 3,
        steered: 2,
        saved_usd: 1.5,
        avoided_g: -6.0,
        energy_kwh: 4.5,
        hours: 9.0,
        core_hours: 18.0,
    };
    assert_eq!(*sums, expected);
    assert_eq!(scan.projected.len(), 1);
}

#[test]
fn only_the_period_and_the_namespace_count() {
    let at = |ts: &str| line("").replace("2026-06-01T12:00:00Z", ts);
    let lines =
        ["2026-05-31T23:59:59.999Z", "2026-06-01T00:00:00Z", "2026-06-30T23:59:59Z", "2026-07-01T00:00:00Z"]
            .map(at);
    let scan = scan_of(&lines, june());
    assert_eq!(scan.records, 2);
    let elsewhere = Wanted { namespace: Some("bank".to_owned()), ..june() };
    assert_eq!(scan_of(&lines, elsewhere).records, 0);
    let here = Wanted { namespace: Some("shop".to_owned()), ..june() };
    assert_eq!(scan_of(&lines, here).records, 2);
}

#[test]
fn only_what_was_steered_at_admission_is_projected() {
    let lines = [
        line("").replace("mutate", "filter"),
        line("").replace(r#""mode":"steer""#, r#""mode":"shadow""#),
        line("").replace(r#""projected":{"usd":0.5,"co2e_g":-2.0,"kwh":1.5}"#, r#""projected":null"#),
    ];
    let scan = scan_of(&lines, june());
    assert_eq!((scan.records, scan.projected.len()), (3, 0));
}

#[test]
fn what_was_projected_is_added_up_only_where_it_is_asked_for() {
    let scan = scan_of(&[line("")], Wanted { projected: false, ..june() });
    assert_eq!((scan.records, scan.projected.len()), (1, 0));
}

/// They may be as many as there are records.
#[test]
fn pods_that_nobody_owns_are_one_owner_of_their_namespace() {
    let alone = line("").replace(r#"{"kind":"Job","name":"nightly"}"#, "null");
    let lines = [alone.clone(), alone.replace("nightly-", "weekly-"), alone.replace("shop", "bank")];
    let scan = scan_of(&lines, june());
    let owners: Vec<_> =
        scan.projected.iter().map(|(owner, sums)| (owner.namespace.as_str(), sums.pods)).collect();
    assert_eq!(owners, [("bank", 1), ("shop", 2)]);
    let (owner, _) = scan.projected.first_key_value().unwrap();
    assert_eq!((owner.kind.as_str(), owner.name.as_str()), ("Pod", "(unowned)"));
}

/// Whoever can make pods can name them, and a name may look like a record's own text.
#[test]
fn a_name_that_looks_like_a_part_of_a_record_is_a_name() {
    let regions = r#"},\",\"regions\":[{\"state\":\"stale\"}],\"projected\":"#;
    let odd = line("").replacen("nightly", regions, 1);
    let scan = scan_of(&[odd.clone(), odd.replacen("shop", "bank", 1)], june());
    assert_eq!((scan.records, scan.unreadable), (2, 0));
    assert_eq!(scan.readings, [("fresh".to_owned(), 4), ("stale".to_owned(), 2)].into());
    let (owner, _) = scan.projected.first_key_value().unwrap();
    assert_eq!(owner.name, regions.replace('\\', ""));
}

/// However regions are spelt, what is counted are the states of regions.
#[test]
fn states_are_counted_however_they_are_written() {
    let plain = r#"{"name":"a","state":"fresh"}"#;
    for regions in [
        plain,
        r#"{ "state" : "fresh" }"#,
        r#"{"state":"fr\u0065sh"}"#,
        r#"{"\u0073tate":"fresh"}"#,
        r#"{"name":"state","state":"fresh"}"#,
        r#"{"name":"a\"state\":\"stale","state":"fresh"}"#,
        r#"{"a\"state":"stale","state":"fresh"}"#,
        r#"{"state":"fresh","terms_usd":{"price":1e-3},"basis":null}"#,
    ] {
        let scan = scan_of(&[line("").replacen(plain, regions, 1)], june());
        assert_eq!(scan.readings, [("fresh".to_owned(), 2), ("stale".to_owned(), 1)].into(), "{regions}");
    }
    for regions in [r#"{"state":7}"#, r#"{"state": 7}"#, r#"{"name": "state"}"#] {
        let scan = scan_of(&[line("").replacen(plain, regions, 1)], june());
        assert_eq!((scan.records, scan.unreadable, scan.readings.len()), (0, 1, 0), "{regions}");
    }
}

#[test]
fn a_namespace_that_was_not_asked_for_is_known_all_the_same() {
    let wanted = Wanted { namespace: Some("nope".to_owned()), ..june() };
    let scan = scan_of(&[line("")], wanted);
    assert_eq!((scan.records, scan.namespaces.len()), (0, 1));
}

#[test]
fn records_of_another_kind_are_no_decisions() {
    let realised = r#"{"schema":1,"record":"realised","ts":"2026-06-01T12:00:00Z","replica":"one","seq":2}"#;
    let scan = scan_of(&[realised.to_owned()], june());
    assert_eq!((scan.records, scan.unreadable), (0, 0));
}

#[test]
fn what_cannot_be_read_is_counted_and_nothing_else_suffers() {
    let newer = line("").replace(r#""schema":1"#, r#""schema":2"#);
    let more = line("") + ",";
    let bad = [line("")[..100].to_owned(), String::new(), "[]".to_owned(), newer, more];
    let scan = scan_of(&[bad.to_vec(), vec![line("")]].concat(), june());
    assert_eq!((scan.records, scan.unreadable), (1, 5));
}

#[test]
fn names_with_escapes_are_read() {
    let odd = line("").replace("nightly\"", r#"ni\u0067htly\n""#);
    assert_eq!(scan_of(&[odd], june()).projected.first_key_value().unwrap().0.name, "nightly\n");
}
