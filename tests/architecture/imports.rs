//! Who may import whom, and who does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::source::{SourceFile, sources};

/// What each room may import of its siblings. Imports point inwards: the domain knows nobody, webhook and extender know
/// neither providers nor store, and only `app` sees everything. A room that is not here does not exist.
const MAY_IMPORT: [(&str, &[&str]); 23] = [
    ("domain", &[]),
    ("accounts", &["domain"]),
    ("clock", &[]),
    ("liveness", &[]),
    ("readiness", &[]),
    ("telemetry", &[]),
    ("tls", &[]),
    ("catalogue", &["domain"]),
    ("config", &["catalogue", "domain"]),
    ("herd", &["domain"]),
    ("kubernetes", &["domain"]),
    ("store", &["accounts", "domain", "tls"]),
    ("audit", &["clock", "config", "domain"]),
    ("report", &["accounts", "catalogue", "config", "domain"]),
    ("metrics", &["accounts", "audit", "config", "domain"]),
    ("cluster", &["clock", "domain", "kubernetes", "metrics", "readiness", "tls"]),
    ("decider", &["audit", "config", "domain", "herd", "kubernetes"]),
    ("providers", &["catalogue", "clock", "domain", "metrics", "store"]),
    ("webhook", &["audit", "config", "decider", "domain", "http", "kubernetes"]),
    ("extender", &["audit", "config", "decider", "domain", "http", "kubernetes"]),
    (
        "http",
        &[
            "audit",
            "clock",
            "config",
            "decider",
            "domain",
            "extender",
            "liveness",
            "metrics",
            "providers",
            "readiness",
            "report",
            "webhook",
        ],
    ),
    ("cli", EVERYTHING),
    ("app", EVERYTHING),
];

const EVERYTHING: &[&str] = &["*"];

/// The siblings a file names, by `crate::` and by as many `super::` as lead out of its room.
pub fn imports(file: &SourceFile) -> BTreeSet<String> {
    let from_root = "super::".repeat(file.depth());
    let code = file.judged_code();
    let mut found = BTreeSet::new();
    for start in ["crate::", from_root.as_str()] {
        for (position, _) in code.match_indices(start) {
            let preceded = code[..position].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            if preceded {
                continue;
            }
            let rest = &code[position + start.len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(heads_of_group(group)),
                None => found.extend(Some(head(rest)).filter(|name| !name.is_empty())),
            }
        }
    }
    // An inline module is one level deeper: there as many `super::` lead to the room itself.
    found.retain(|name| name != file.room() && rooms().contains(name.as_str()));
    found
}

fn head(path: &str) -> String {
    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first names of `a::b, c::{d, e}, f}`.
fn heads_of_group(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut item) = (0, Vec::new(), String::new());
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(head(std::mem::take(&mut item).trim())),
            c if depth == 0 => item.push(c),
            _ => {}
        }
    }
    heads.push(head(item.trim()));
    heads
}

fn rooms() -> BTreeSet<&'static str> {
    MAY_IMPORT.iter().map(|(room, _)| *room).collect()
}

fn may_import(room: &str, sibling: &str) -> bool {
    let (_, allowed) = MAY_IMPORT.iter().find(|(name, _)| *name == room).unwrap();
    *allowed == EVERYTHING || allowed.contains(&sibling)
}

#[test]
fn every_room_is_in_the_table_and_every_row_is_a_room() {
    let declared: BTreeSet<String> = sources()
        .iter()
        .filter(|file| file.path == "lib.rs")
        .flat_map(|file| file.code.lines())
        .filter_map(|line| Some(line.strip_prefix("pub mod ")?.trim_end_matches(';').to_owned()))
        .collect();
    let listed: BTreeSet<String> = rooms().into_iter().map(str::to_owned).collect();
    assert_eq!(declared, listed);
}

#[test]
fn rooms_import_only_the_siblings_they_may() {
    let mut wrong = String::new();
    for file in sources().iter().filter(|file| rooms().contains(file.room())) {
        for sibling in imports(file) {
            if !may_import(file.room(), &sibling) {
                writeln!(wrong, "src/{}: {} may not import {sibling}", file.path, file.room()).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// A permission nobody uses is a door left open.
#[test]
fn every_import_the_table_allows_is_there() {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in sources() {
        used.entry(file.room().to_owned()).or_default().extend(imports(&file));
    }
    for (room, allowed) in MAY_IMPORT.iter().filter(|(_, allowed)| *allowed != EVERYTHING) {
        for sibling in *allowed {
            assert!(
                used[*room].contains(*sibling),
                "{room} does not import {sibling} any more: take it off the table"
            );
        }
    }
}

/// The rules that no edit of the table may soften.
#[test]
fn the_table_itself_keeps_the_rules() {
    for sibling in rooms() {
        assert!(sibling == "domain" || !may_import("domain", sibling), "the domain is pure");
    }
    for room in ["webhook", "extender", "decider", "kubernetes", "audit", "metrics"] {
        for outer in ["providers", "store", "app", "cli"] {
            assert!(!may_import(room, outer), "{room} may not import {outer}");
        }
    }
    for (room, _) in MAY_IMPORT {
        assert!(["app", "cli"].contains(&room) || !may_import(room, "app"), "only cli may import app");
        assert!(["app", "cli"].contains(&room) || !may_import(room, "cli"), "nobody may import cli");
    }
}

#[test]
fn unit_tests_are_not_judged_but_in_the_domain() {
    let code = "use crate::store;\n#[cfg(test)]\nmod tests {\n    use crate::config::Config;\n}\n";
    let file = |path: &str| SourceFile { path: path.to_owned(), text: String::new(), code: code.to_owned() };
    let names = |path: &str| imports(&file(path)).into_iter().collect::<Vec<_>>();
    assert_eq!(names("http/admin.rs"), ["store"]);
    assert_eq!(names("http/admin/tests.rs"), Vec::<String>::new());
    assert_eq!(names("domain/units.rs"), ["config", "store"]);
    assert_eq!(names("domain/units/tests.rs"), ["config", "store"]);
}

#[test]
fn groups_and_ways_over_super_are_imports_too() {
    let file = |path: &str, code: &str| SourceFile {
        path: path.to_owned(),
        text: String::new(),
        code: code.to_owned(),
    };
    let names = |file: &SourceFile| imports(file).into_iter().collect::<Vec<_>>();
    assert_eq!(
        names(&file("http.rs", "use crate::{audit::{entry::Entry, ledger}, store, domain::Region};")),
        ["audit", "domain", "store"]
    );
    assert_eq!(names(&file("herd.rs", "use super::store::X;")), ["store"]);
    assert_eq!(names(&file("http/admin.rs", "super::super::domain::Region; super::router;")), ["domain"]);
    assert_eq!(
        names(&file("http/admin.rs", "use super::server; use crate::http::router;")),
        Vec::<String>::new()
    );
}
