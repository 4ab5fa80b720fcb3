//! Commands, flags, files and links that the documents name are there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::DOCUMENTS;
use crate::markdown::table;

fn help(subcommands: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_eco-pulse")).args(subcommands).arg("--help").output().unwrap();
    assert!(output.status.success(), "eco-pulse {} is no command", subcommands.join(" "));
    String::from_utf8(output.stdout).unwrap()
}

/// The commands printed in code, each as its words behind `eco-pulse`.
fn printed_commands() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut commands = Vec::new();
    for (path, document) in DOCUMENTS {
        for line in document.lines().filter(|line| line.starts_with("    ")) {
            let code = line.split(" #").next().unwrap().trim().trim_start_matches("$ ");
            let run = code.strip_prefix("cargo run").and_then(|rest| Some(rest.split_once(" -- ")?.1));
            let piped = code.split(" | ").last().unwrap();
            if let Some(words) = run.or_else(|| piped.strip_prefix("eco-pulse ")) {
                commands.push((path, words.split_whitespace().collect()));
            }
        }
    }
    commands
}

#[test]
fn every_printed_command_and_flag_exists() {
    let commands = printed_commands();
    assert!(commands.len() >= 7, "{commands:?}");
    for (path, words) in commands {
        let end = words.iter().position(|word| word.starts_with('-')).unwrap_or(words.len());
        let help = help(&words[..end]);
        for flag in words.iter().filter(|word| word.starts_with('-')) {
            let known = help.split([' ', ',', '\n']).any(|word| word == *flag);
            assert!(known, "{path}: {} has no {flag}", words[..end].join(" "));
        }
    }
}

#[test]
fn the_flags_of_serve_are_as_described() {
    let help = help(&["serve"]);
    let flags = table(crate::CONFIGURATION, &["Flag", "Variable", "Default"]);
    for row in &flags.rows {
        let flag = row[0].trim_matches('`').split(' ').next().unwrap();
        assert!(help.contains(&format!("{flag} <")), "serve has no {flag}");
        assert!(help.contains(&format!("[env: {}=", row[1].trim_matches('`'))), "{}", row[1]);
        if let Some(default) = row[2].strip_prefix('`').and_then(|cell| cell.split('`').next()) {
            assert!(help.contains(&format!("[default: {default}]")), "{flag}: {default}");
        }
    }
    assert_eq!(flags.rows.len(), help.matches("[env: ECO_PULSE_").count(), "a flag is not described");
}

#[test]
fn every_link_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut checked = 0;
    for (path, document) in DOCUMENTS {
        for link in document.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target =
                if file.is_empty() { PathBuf::from(path) } else { Path::new(path).with_file_name(file) };
            let text = std::fs::read_to_string(root.join(&target));
            let text = text.unwrap_or_else(|error| panic!("{path}: {link}: {error}"));
            let mut headings = text.lines().filter(|line| line.starts_with('#')).map(slug);
            assert!(anchor.is_empty() || headings.any(|heading| heading == anchor), "{path}: {link}");
            checked += 1;
        }
    }
    assert!(checked > 10);
}

/// The anchor of a heading.
fn slug(heading: &str) -> String {
    let title = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = title.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_folder_the_readme_lists_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places =
        crate::markdown::tables(crate::README).into_iter().find(|table| table.header == ["", ""]).unwrap();
    let named: Vec<&str> = places.rows.iter().flat_map(|row| crate::markdown::codes(&row[0])).collect();
    for place in &named {
        assert!(root.join(place).exists(), "{place}");
    }
    for entry in std::fs::read_dir(root.join("src")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            let path = format!("src/{}", entry.file_name().to_str().unwrap());
            let beside = format!("{path}.rs");
            let listed = named.iter().any(|place| *place == path || *place == beside);
            assert!(listed, "README.md does not list {path}");
        }
    }
}

#[test]
fn the_test_command_can_be_run_and_is_what_continuous_integration_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(crate::README.lines().any(|line| line.trim_start().starts_with("scripts/test.sh ")));
    for script in ["scripts/test.sh", ".ci/run"] {
        let mode = std::fs::metadata(root.join(script)).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{script} is not executable");
    }
    let ci = std::fs::read_to_string(root.join(".ci/run")).unwrap();
    assert!(ci.contains("scripts/test.sh"));
}
