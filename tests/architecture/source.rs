//! Source files, and what of them is code.

use std::path::{Path, PathBuf};

pub struct SourceFile {
    /// Below its root, with `/`.
    pub path: String,
    pub text: String,
    /// The text without comments and string literals.
    pub code: String,
}

impl SourceFile {
    /// `http` for `http/server/bind.rs` and `http.rs`; the file's own name for `lib.rs` and `main.rs`.
    pub fn room(&self) -> &str {
        self.path.split(['/', '.']).next().unwrap()
    }

    /// The code without unit tests, which may build what they need with anybody's help. Those of the domain may not.
    pub fn judged_code(&self) -> &str {
        let is_test = self.path.split(['/', '.']).any(|part| part == "tests");
        match self.code.find("#[cfg(test)]\nmod tests {") {
            _ if self.room() == "domain" => &self.code,
            _ if is_test => "",
            Some(start) => &self.code[..start],
            None => &self.code,
        }
    }

    /// How many modules it is inside of: 1 for `http.rs`, 2 for `http/server.rs`.
    pub fn depth(&self) -> usize {
        self.path.split('/').count()
    }
}

/// What the program is made of.
pub fn sources() -> Vec<SourceFile> {
    let files = files_below("src");
    assert!(files.len() > 50, "only {} files were found", files.len());
    files
}

/// Every source file below a folder of the package, by its path.
pub fn files_below(root: &str) -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
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

/// On text made to mislead it.
#[test]
fn comments_and_strings_are_not_taken_for_code() {
    let code = code_of(
        r##"use crate::store; // crate::app
            let a = "crate::cli \" crate::cli"; let b = r#"crate::cli"#;
            let c = '"'; fn f<'a>(x: &'a str) { crate::tls }
            let d = '\''; for r in crate::herd {}"##,
    );
    let file = SourceFile { path: "http/x.rs".to_owned(), text: String::new(), code };
    assert_eq!(crate::imports::imports(&file).into_iter().collect::<Vec<_>>(), ["herd", "store", "tls"]);
}
