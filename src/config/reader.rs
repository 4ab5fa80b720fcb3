//! Reads a tree of values field by field and goes on after an error, so that all of them are reported together.
//!
//! A field that cannot be taken is reported and read as its default; the caller builds the whole configuration and
//! throws it away when the [`Report`] holds an error. Which fields there are is said by reading them: what nobody
//! asked for is unknown.

use serde_json::{Map, Value};

use super::error::ConfigError;
use super::nearest::nearest;
use super::value::Fault;

/// What was found while reading.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub errors: Vec<ConfigError>,
    pub warnings: Vec<String>,
}

impl Report {
    /// Notes what is wrong at `path`.
    pub fn fault(&mut self, path: impl Into<String>, fault: Fault) {
        let Fault { shown, problem, cure } = fault;
        self.errors.push(ConfigError { path: path.into(), value: shown, problem, cure });
    }

    /// Whether anything is wrong in the list under `path`, so that entries of it may be lacking.
    pub fn has_errors_below(&self, path: &str) -> bool {
        self.errors.iter().any(|error| error.path.starts_with(path))
    }

    /// Notes what is legal at `path` and hardly meant.
    pub fn warn(&mut self, path: &str, text: &str) {
        self.warnings.push(format!("{path}: {text}"));
    }
}

/// One map of the file, read by key.
#[derive(Debug)]
pub(super) struct Section<'a> {
    path: String,
    fields: Option<&'a Map<String, Value>>,
    known: Vec<&'static str>,
    report: &'a mut Report,
}

impl Section<'_> {
    /// Reads the top-level map with `read`, then reports the keys `read` did not ask for.
    pub fn root<T>(
        fields: &Map<String, Value>,
        report: &mut Report,
        read: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        Section { path: String::new(), fields: Some(fields), known: Vec::new(), report }.run(read)
    }

    /// Whether the file says anything under `key`.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| !value.is_null())
    }

    /// The value under `key`, or `default` when the key is absent.
    pub fn read<T>(
        &mut self,
        key: &'static str,
        default: T,
        parse: impl FnOnce(&Value) -> Result<T, Fault>,
    ) -> T {
        let Some(value) = self.take(key) else { return default };
        let parsed = if value.is_null() { Err(Fault::no_value()) } else { parse(value) };
        parsed.unwrap_or_else(|fault| {
            self.fault(key, fault);
            default
        })
    }

    /// The value under `key`; `None` when the key is absent or its value is null.
    pub fn optional<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, Fault>,
    ) -> Option<T> {
        self.nullable(key, None, parse)
    }

    /// The value under `key`, `default` when the key is absent, `None` when its value is null.
    pub fn nullable<T>(
        &mut self,
        key: &'static str,
        default: Option<T>,
        parse: impl FnOnce(&Value) -> Result<T, Fault>,
    ) -> Option<T> {
        let Some(value) = self.take(key) else { return default };
        if value.is_null() {
            return None;
        }
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(fault) => {
                self.fault(key, fault);
                default
            }
        }
    }

    /// As [`Self::optional`] for a key that must be there; `cure` says what to give.
    pub fn required<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, Fault>,
        cure: &str,
    ) -> Option<T> {
        let value = self.optional(key, parse);
        self.missing(key, cure);
        value
    }

    /// Reports that `key` is missing, unless the file says something there, which then has an error of its own.
    pub fn missing(&mut self, key: &str, cure: &str) {
        if !self.has(key) {
            self.fault(key, Fault::silent("is missing", cure));
        }
    }

    /// The map under `key`, read with `read`; an absent one reads as an empty one.
    pub fn section<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        let path = self.path_of(key);
        let value = self.take(key);
        child(path, value, self.report).run(read)
    }

    /// Each value of the list under `key`; an absent key is an empty list. Items that cannot be taken are reported.
    pub fn list<T>(
        &mut self,
        key: &'static str,
        mut parse: impl FnMut(&Value) -> Result<T, Fault>,
    ) -> Vec<T> {
        let mut taken = Vec::new();
        for (index, item) in self.items(key).iter().enumerate() {
            match parse(item) {
                Ok(parsed) => taken.push(parsed),
                Err(fault) => self.report.fault(format!("{}[{index}]", self.path_of(key)), fault),
            }
        }
        taken
    }

    /// Each map of the list under `key`, read with `read`. The list must not be empty. Other items are reported.
    pub fn sections<T>(&mut self, key: &'static str, mut read: impl FnMut(&mut Section<'_>) -> T) -> Vec<T> {
        let errors_before = self.report.errors.len();
        let items = self.items(key);
        if items.is_empty() && self.report.errors.len() == errors_before {
            self.fault(
                key,
                Fault::silent("is empty", "give at least one entry, or leave the key out for its default"),
            );
        }
        let mut taken = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{index}]", self.path_of(key));
            if item.is_object() {
                taken.push(child(path, Some(item), self.report).run(&mut read));
            } else {
                self.report
                    .fault(path, Fault::shape(item, "a map", "write keys and values, as in `{name: this}`"));
            }
        }
        taken
    }

    /// Each entry of the map under `key`, whatever its keys are.
    pub fn entries<T>(
        &mut self,
        key: &'static str,
        mut parse: impl FnMut(&Value) -> Result<T, Fault>,
    ) -> Vec<(String, T)> {
        let mut taken = Vec::new();
        let map = map_of(self.take(key)).unwrap_or_else(|fault| {
            self.fault(key, fault);
            None
        });
        for (name, value) in map.into_iter().flatten() {
            match parse(value) {
                Ok(parsed) => taken.push((name.clone(), parsed)),
                Err(fault) => self.report.fault(format!("{}.{name}", self.path_of(key)), fault),
            }
        }
        taken
    }

    /// Refuses `key`, whose value would be a secret, without looking at the value.
    pub fn forbid_secret(&mut self, key: &'static str, instead: &str) {
        if self.take(key).is_some_and(|value| !value.is_null()) {
            let cure = format!(
                "put it into a Secret, mount that, and name the file: {}; \
                 and replace the secret that was written here",
                self.path_of(instead)
            );
            self.fault(
                key,
                Fault::silent("holds a secret, which has no place in a configuration file", cure),
            );
        }
    }

    /// Notes what is wrong with the value under `key`.
    pub fn fault(&mut self, key: &str, fault: Fault) {
        self.report.fault(self.path_of(key), fault);
    }

    /// Notes what is legal under `key` and hardly meant.
    pub fn warn(&mut self, key: &str, text: &str) {
        self.report.warn(&self.path_of(key), text);
    }

    /// Where to note what is wrong elsewhere in the file.
    pub fn report(&mut self) -> &mut Report {
        self.report
    }

    /// The path of this map itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    fn get(&self, key: &str) -> Option<&Value> {
        self.fields.and_then(|fields| fields.get(key))
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn run<T>(mut self, read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        let result = read(&mut self);
        self.report_unknown_keys();
        result
    }

    /// Names the keys only: what stands under a key nobody knows may be anything, also a secret.
    fn report_unknown_keys(&mut self) {
        for key in self.fields.into_iter().flat_map(Map::keys) {
            if self.known.contains(&key.as_str()) {
                continue;
            }
            let known = self.known.iter().copied();
            let cure = match nearest(key, known, 1).first() {
                _ if is_named_like_a_secret(key) => SECRETS_ELSEWHERE.to_owned(),
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", self.known.join(", ")),
            };
            self.report.fault(self.path_of(key), Fault::silent("is not a known key", cure));
        }
    }
}

impl<'a> Section<'a> {
    fn take(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.fields.and_then(|fields| fields.get(key))
    }

    /// The list under `key`; absent and null are empty lists.
    fn items(&mut self, key: &'static str) -> &'a [Value] {
        match self.take(key) {
            Some(Value::Array(items)) => items,
            None | Some(Value::Null) => &[],
            Some(other) => {
                self.fault(key, Fault::shape(other, "a list", "write `[one, another]`"));
                &[]
            }
        }
    }
}

const SECRETS_ELSEWHERE: &str =
    "take it out; secrets come from files mounted from a Secret, see tokenFile and passwordFile";

fn is_named_like_a_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["token", "password", "secret", "apikey", "api_key"].iter().any(|word| key.contains(word))
        && !key.ends_with("file")
}

/// A map below another.
fn child<'a>(path: String, value: Option<&'a Value>, report: &'a mut Report) -> Section<'a> {
    let fields = map_of(value).unwrap_or_else(|fault| {
        report.fault(path.as_str(), fault);
        None
    });
    Section { path, fields, known: Vec::new(), report }
}

/// Null is an empty map: it is what is left of a section whose lines are all commented out.
fn map_of(value: Option<&Value>) -> Result<Option<&Map<String, Value>>, Fault> {
    match value {
        Some(Value::Object(fields)) => Ok(Some(fields)),
        None | Some(Value::Null) => Ok(None),
        Some(other) => Err(Fault::shape(other, "a map", "write keys and values below it")),
    }
}
