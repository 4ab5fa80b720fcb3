//! Whatever is changed in files is found.

use std::fs;
use std::path::Path;

use eco_pulse::audit::verify::{Finding, Place};
use proptest::prelude::*;

use crate::rig::{Kept, chains};

/// Three segments of two records or so, over a restart.
fn ledger() -> Kept {
    let kept = Kept::new();
    kept.written(3).written(2);
    assert!(kept.paths().len() >= 2);
    assert!(kept.verify().is_whole());
    kept
}

#[test]
fn every_flipped_byte_is_found() {
    let kept = ledger();
    for path in kept.paths() {
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            // Another bit for each byte: all of them are tried, line ends and hashes too.
            changed[at] ^= 1 << (at % 8);
            fs::write(&path, &changed).unwrap();
            assert!(!kept.verify().is_whole(), "{}, byte {at}", path.display());
        }
        fs::write(&path, &whole).unwrap();
    }
    assert!(kept.verify().is_whole());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn bytes_that_are_changed_put_in_or_taken_out_are_found(
        place: prop::sample::Index,
        length in 1_usize..40,
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let kept = ledger();
        let paths = kept.paths();
        let path = &paths[paths.len() / 2];
        let whole = fs::read(path).unwrap();
        let at = place.index(whole.len());
        let mut changed = whole.clone();
        changed.splice(at..(at + length).min(whole.len()), bytes);
        prop_assume!(changed != whole);
        fs::write(path, &changed).unwrap();
        let verified = kept.verify();
        // What is gone from the end of all, line by line, only a head shows.
        let is_cut = paths.last() == Some(path) && whole.starts_with(&changed) && changed.ends_with(b"\n");
        prop_assert!(is_cut || !verified.is_whole(), "{verified:?}");
    }
}

#[test]
fn a_flipped_byte_is_named_by_file_and_line() {
    let kept = ledger();
    let path = &kept.paths()[1];
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, text.replacen("no_requests", "no_reqvests", 1)).unwrap();
    let verified = kept.verify();
    let broken = verified.chains[0].broken.clone().unwrap();
    assert_eq!(broken.finding, Finding::Changed);
    let place = Place::Line { path: Path::new(path), number: 1 };
    assert_eq!(broken.place, place.to_string());
}

#[test]
fn a_segment_that_is_gone_from_the_middle_is_named_by_its_records() {
    let kept = Kept::new();
    kept.written(8);
    let paths = kept.paths();
    assert!(paths.len() >= 3);
    fs::remove_file(&paths[1]).unwrap();
    let verified = kept.verify();
    let finding = &verified.chains[0].broken.as_ref().unwrap().finding;
    assert!(matches!(finding, Finding::Missing { .. }), "{finding:?}");
}

#[test]
fn a_cut_end_is_found_by_a_head_alone() {
    let kept = ledger();
    let head = kept.verify().chains[0].head.clone();
    assert_eq!(kept.verify_to(Some(&head.hash)).head_found, Some(true));
    let text = fs::read_to_string(&kept.file).unwrap();
    let cut = text.trim_end().rfind('\n').map_or("", |end| &text[..=end]);
    fs::write(&kept.file, cut).unwrap();
    assert_eq!(chains(&kept.verify()), [("one", 4, true)]);
    let verified = kept.verify_to(Some(&head.hash));
    assert!(!verified.is_whole());
    assert_eq!(verified.head_found, Some(false));
    // The file goes on, and the record that was cut off is still missed.
    kept.written(2);
    assert!(kept.verify().is_whole());
    assert!(!kept.verify_to(Some(&head.hash)).is_whole());
}
