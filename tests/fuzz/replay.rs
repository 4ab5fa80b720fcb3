//! Every kept file through its property.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::changes;
use crate::properties::TARGETS;

/// Kept for each target, so that it begins where others have been, and stays small.
const MOST_FILES: usize = 60;
const MOST_BYTES: u64 = 256 * 1024;

/// The files of a target below `fuzz/corpus` or `fuzz/regressions`, in order.
fn files(folder: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder).join(target);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => panic!("{}: {error}", folder.display()),
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Whether the property holds for all of these; the file that breaks it is named.
fn hold(target: &str, property: fn(&[u8]), file: &Path, bodies: impl Iterator<Item = Vec<u8>>) {
    for (nth, body) in bodies.enumerate() {
        if let Err(cause) = std::panic::catch_unwind(|| property(&body)) {
            eprintln!("{target} does not hold for {}, change {nth}", file.display());
            std::panic::resume_unwind(cause);
        }
    }
}

#[test]
fn what_was_kept_breaks_nothing() {
    for (target, property) in TARGETS {
        let corpus = files("corpus", target);
        assert!(!corpus.is_empty(), "{target} has no corpus: see docs/fuzzing.md");
        for file in corpus.iter().chain(&files("regressions", target)) {
            hold(target, property, file, std::iter::once(fs::read(file).unwrap()));
        }
    }
}

#[test]
fn what_was_kept_breaks_nothing_when_it_is_changed_a_little() {
    for (target, property) in TARGETS {
        for file in files("corpus", target) {
            hold(target, property, &file, changes::of(&fs::read(&file).unwrap()));
        }
    }
}

#[test]
fn recorded_traffic_breaks_nothing_as_it_is_nor_changed_a_little() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/kubernetes-1.36");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut tried = BTreeSet::new();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        for (kind, target) in [
            (".admission.json", "admission"),
            ("-names.json", "extender_names"),
            ("-names.json", "extender_nodes"),
            ("-nodes.json", "extender_nodes"),
        ] {
            if !name.ends_with(kind) {
                continue;
            }
            let (target, property) = TARGETS.into_iter().find(|(name, _)| *name == target).unwrap();
            let recorded = fs::read(&file).unwrap();
            hold(target, property, &file, std::iter::once(recorded.clone()));
            hold(target, property, &file, changes::of(&recorded));
            tried.insert((kind, target));
        }
    }
    assert_eq!(tried.len(), 4, "{tried:?}");
}

#[test]
fn corpora_stay_small() {
    for (target, _) in TARGETS {
        let files = files("corpus", target);
        let bytes: u64 = files.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
        assert!(files.len() <= MOST_FILES, "{target} has {} files: minimise them", files.len());
        assert!(bytes <= MOST_BYTES, "{target} has {bytes} bytes: minimise them");
    }
}

/// A property without a program is never searched, and a corpus without a property is never replayed.
#[test]
fn every_target_has_a_program_and_every_corpus_a_target() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz.join(folder)).into_iter().flatten();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    let targets: BTreeSet<String> = TARGETS.into_iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
    assert!(names("regressions").is_subset(&targets));
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for target in targets {
        assert!(manifest.contains(&format!("name = \"{target}\"\n")), "{target} is not built");
    }
}
