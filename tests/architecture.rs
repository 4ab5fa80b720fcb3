//! The shape of the source tree, read from the source itself: who may import whom, where a clock may be read, and how
//! files begin and end.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What each room may import of its siblings. Imports point inwards: the domain knows nobody, webhook and extender know
/// neither providers nor store, and only `app` sees everything. A room that is not here does not exist.
const MAY_IMPORT: [(&str, &[&str]); 22] = [
    ("domain", &[]),
    ("accounts", &["domain"]),
    ("clock", &[]),
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

/// Crates that bring a runtime, a wire or a clock's worth of state: none of them has a place in the domain.
const NOT_IN_THE_DOMAIN: [&str; 15] = [
    "arc_swap",
    "axum",
    "clap",
    "fred",
    "http",
    "hyper",
    "hyper_util",
    "k8s_openapi",
    "kube",
    "prometheus",
    "rustls",
    "tokio",
    "tokio_util",
    "tower",
    "tracing",
];

/// Reads of a clock; time comes in as an argument everywhere but in one file.
const CLOCK_READS: [&str; 6] = [
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "Zoned::now",
    "UNIX_EPOCH.elapsed",
    "SystemTime::UNIX_EPOCH",
];
const CLOCK_FILE: &str = "clock.rs";

/// Lines of one file, its own tests included: above this it is about more than one thing.
const MOST_LINES: usize = 400;

struct SourceFile {
    /// Below `src/`, with `/`.
    path: String,
    text: String,
    /// The text without comments and string literals.
    code: String,
}

impl SourceFile {
    /// `http` for `http/server/bind.rs` and `http.rs`; the file's own name for `lib.rs` and `main.rs`.
    fn room(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap()
    }

    /// The code without unit tests, which may build what they need with anybody's help. Those of the domain may not.
    fn judged_code(&self) -> &str {
        let is_test = self.path.split(['/', '.']).any(|part| part == "tests");
        match self.code.find("#[cfg(test)]\nmod tests {") {
            _ if self.room() == "domain" => &self.code,
            _ if is_test => "",
            Some(start) => &self.code[..start],
            None => &self.code,
        }
    }

    /// How many modules it is inside of: 1 for `http.rs`, 2 for `http/server.rs`.
    fn depth(&self) -> usize {
        self.path.split('/').count()
    }
}

fn sources() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let relative = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                files.push(SourceFile { path: relative, code: code_of(&text), text });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(files.len() > 50, "only {} files were found", files.len());
    files
}

/// A source text without what is no code: line comments, and what stands between quotes.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.find(['/', '"', '\'', 'r']) {
        let (before, at) = rest.split_at(next);
        code.push_str(before);
        let after_word =
            code.ends_with(|c: char| c.is_alphanumeric() || c == '_') || before.is_empty() && code.is_empty();
        rest = if at.starts_with("//") {
            at.find('\n').map_or("", |end| &at[end..])
        } else if let Some(hashes) = raw_string_hashes(at).filter(|_| !after_word) {
            let closing = format!("\"{}", "#".repeat(hashes));
            let body = &at[1 + hashes + 1..];
            body.find(&closing).map_or("", |end| &body[end + closing.len()..])
        } else if let Some(body) = at.strip_prefix('"') {
            after_string(body)
        } else if let Some(end) = char_literal_end(at) {
            &at[end..]
        } else {
            let first = at.chars().next().unwrap();
            code.push(first);
            &at[first.len_utf8()..]
        };
    }
    code.push_str(rest);
    code
}

/// `r"` has 0, `r##"` has 2; anything else is no raw string.
fn raw_string_hashes(text: &str) -> Option<usize> {
    let after_r = text.strip_prefix('r')?;
    let after_hashes = after_r.trim_start_matches('#');
    after_hashes.starts_with('"').then(|| after_r.len() - after_hashes.len())
}

/// What comes after a string literal's closing quote.
fn after_string(body: &str) -> &str {
    let mut escaped = false;
    for (index, c) in body.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return &body[index + 1..],
            _ => {}
        }
    }
    ""
}

/// Where a character literal ends; `None` for a lifetime.
fn char_literal_end(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let mut chars = body.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        return body[2..].find('\'').map(|end| 1 + 2 + end + 1);
    }
    let (index, closing) = chars.next()?;
    (closing == '\'').then_some(1 + index + 1)
}

/// The siblings a file names, by `crate::` and by as many `super::` as lead out of its room.
fn imports(file: &SourceFile) -> BTreeSet<String> {
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
fn the_domain_uses_no_runtime_and_no_wire() {
    for file in sources().iter().filter(|file| file.room() == "domain") {
        for library in NOT_IN_THE_DOMAIN {
            let named = file.code.match_indices(&format!("{library}::")).any(|(position, _)| {
                !file.code[..position].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
            });
            assert!(!named, "src/{} uses {library}", file.path);
        }
        assert!(!file.code.contains("async "), "src/{} waits for something", file.path);
    }
}

#[test]
fn only_one_file_reads_a_clock() {
    for file in sources() {
        for read in CLOCK_READS {
            let reads = file.code.contains(read);
            assert!(
                !reads || file.path == CLOCK_FILE,
                "src/{} has {read}: take the time as an argument",
                file.path
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for file in sources() {
        let first = file.text.lines().next().unwrap_or_default();
        let says = first.strip_prefix("//! ").is_some_and(|purpose| purpose.len() > 10);
        assert!(says, "src/{} begins with {first:?}, not with //! and its purpose", file.path);
    }
}

#[test]
fn no_file_is_about_too_much() {
    for file in sources() {
        let lines = file.text.lines().count();
        assert!(lines <= MOST_LINES, "src/{} has {lines} lines, more than {MOST_LINES}", file.path);
    }
}

#[test]
fn no_module_hides_in_a_mod_rs() {
    assert!(sources().iter().all(|file| !file.path.ends_with("mod.rs")));
}

/// The reader of source text above, on text made to mislead it.
#[test]
fn comments_and_strings_are_not_taken_for_code() {
    let code = code_of(
        r##"use crate::store; // crate::app
            let a = "crate::cli \" crate::cli"; let b = r#"crate::cli"#;
            let c = '"'; fn f<'a>(x: &'a str) { crate::tls }
            let d = '\''; for r in crate::herd {}"##,
    );
    let file = SourceFile { path: "http/x.rs".to_owned(), text: String::new(), code };
    assert_eq!(imports(&file).into_iter().collect::<Vec<_>>(), ["herd", "store", "tls"]);
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
