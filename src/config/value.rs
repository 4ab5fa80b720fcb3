//! Single values: each function reads one `Value` as one type, or says what is wrong and what to write instead.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;

use super::nearest::nearest;
use super::not_yet;
use crate::domain::duration::{format_duration, parse_duration};

/// Longest text quoted in an error, in characters.
const MAX_SHOWN: usize = 60;

/// What is wrong with a value. Becomes a [`super::ConfigError`] once the path is known.
#[derive(Debug)]
pub(super) struct Fault {
    pub shown: Option<String>,
    pub problem: String,
    pub cure: String,
}

impl Fault {
    /// Quotes the value. Not for values that may hold a secret.
    pub fn of(value: &Value, problem: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { shown: Some(show(value)), ..Self::silent(problem, cure) }
    }

    /// As [`Self::of`], for a text that came from the file.
    pub fn of_text(text: &str, problem: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { shown: Some(show_text(text)), ..Self::silent(problem, cure) }
    }

    /// Says nothing of the value.
    pub fn silent(problem: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { shown: None, problem: problem.into(), cure: cure.into() }
    }

    /// A value of the wrong kind. Only its kind is named: a text in place of a map may be a secret.
    pub fn shape(value: &Value, wanted: &str, cure: &str) -> Self {
        Self::silent(format!("is {}, not {wanted}", kind(value)), cure)
    }

    pub fn no_value() -> Self {
        Self::silent("has no value", "give one, or leave the key out for its default")
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::String(text) => show_text(text),
        Value::Array(_) | Value::Object(_) => kind(value).to_owned(),
        scalar => scalar.to_string(),
    }
}

fn show_text(text: &str) -> String {
    if text.contains('@') {
        return "a text that may hold a password".to_owned();
    }
    let mut shown: String = text.chars().take(MAX_SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A finite number within `range`; `wanted` says so in words, with the unit.
pub(super) fn number(range: RangeInclusive<f64>, wanted: &str) -> impl FnOnce(&Value) -> Result<f64, Fault> {
    move |value| {
        let fault = |problem: &str| Fault::of(value, problem, format!("give {wanted}"));
        let number = match value {
            Value::Number(number) => number.as_f64().filter(|number| number.is_finite()),
            Value::String(text) if text.parse::<f64>().is_ok_and(f64::is_finite) => {
                return Err(Fault::of(value, "is text", format!("give {wanted}, without quotes")));
            }
            Value::String(text) if matches!(text.as_str(), ".nan" | ".inf" | "-.inf") => None,
            _ => return Err(fault("is not a number")),
        };
        let number = number.ok_or_else(|| fault("is not a finite number"))?;
        within(number, &range).map_err(|problem| fault(&problem))?;
        Ok(number)
    }
}

fn within(number: f64, range: &RangeInclusive<f64>) -> Result<(), String> {
    if number < 0.0 && *range.start() >= 0.0 {
        Err("is negative".to_owned())
    } else if number < *range.start() {
        Err(format!("is below {}", range.start()))
    } else if number > *range.end() {
        Err(format!("is above {}", range.end()))
    } else {
        Ok(())
    }
}

/// A share.
pub(super) fn share(value: &Value) -> Result<f64, Fault> {
    number(0.0..=1.0, "a share from 0 to 1")(value)
}

/// A whole number within `range`, counted in `unit`. `1e3` is one: templating tools write large integers so.
pub(super) fn integer<T>(range: RangeInclusive<T>, unit: &str) -> impl FnOnce(&Value) -> Result<T, Fault>
where
    T: Copy + Display + FromStr + Into<f64>,
{
    let (least, most) = (*range.start(), *range.end());
    let wanted = format!("a whole number of {unit} from {least} to {most}");
    move |value| {
        let number = number(least.into()..=most.into(), &wanted)(value)?;
        let whole = format!("{number}").parse();
        whole.map_err(|_| Fault::of(value, "is not a whole number", format!("give {wanted}")))
    }
}

/// `true` or `false`.
pub(super) fn boolean(value: &Value) -> Result<bool, Fault> {
    value.as_bool().ok_or_else(|| Fault::of(value, "is not true or false", "give true or false"))
}

/// A length of time within `range`.
pub(super) fn duration(range: RangeInclusive<Duration>) -> impl FnOnce(&Value) -> Result<Duration, Fault> {
    move |value| {
        let (shortest, longest) = (format_duration(*range.start()), format_duration(*range.end()));
        let cure =
            format!("give a length of time such as 190ms, 5m, 1h30m or 7d, from {shortest} to {longest}");
        let text = match value {
            Value::String(text) => text,
            Value::Number(_) => return Err(Fault::of(value, "has no unit", cure)),
            other => return Err(Fault::of(other, "is not a length of time", cure)),
        };
        let duration =
            parse_duration(text).map_err(|error| Fault::of(value, error.to_string(), cure.clone()))?;
        if duration.is_zero() && !range.start().is_zero() {
            Err(Fault::of(value, "is zero", cure))
        } else if duration < *range.start() {
            Err(Fault::of(value, format!("is shorter than {shortest}"), cure))
        } else if duration > *range.end() {
            Err(Fault::of(value, format!("is longer than {longest}"), cure))
        } else {
            Ok(duration)
        }
    }
}

/// Any text that is not empty.
pub(super) fn text(value: &Value) -> Result<String, Fault> {
    match value {
        Value::String(text) if text.is_empty() => Err(Fault::silent("is empty", "give a text")),
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => {
            Err(Fault::of(value, format!("is {}, not text", kind(value)), "put it in quotes"))
        }
        other => Err(Fault::shape(other, "text", "give a text")),
    }
}

/// The path of a file. It need not exist yet: who opens it says when it does not.
pub(super) fn path(value: &Value) -> Result<PathBuf, Fault> {
    text(value).map(PathBuf::from)
}

/// The path of a file that holds a secret. Never quoted: people put the secret itself there.
pub(super) fn secret_path(value: &Value) -> Result<PathBuf, Fault> {
    match value {
        Value::String(text) if text.starts_with('/') => Ok(PathBuf::from(text)),
        _ => Err(Fault::silent(
            "is not an absolute path",
            "give the path of a file mounted from a Secret, such as /var/run/secrets/eco-pulse/token; \
             never the secret itself",
        )),
    }
}

/// One of `choices`, the words of `setting`.
pub(super) fn choice<T: Copy>(
    setting: &'static str,
    choices: &'static [(&'static str, T)],
) -> impl Fn(&Value) -> Result<T, Fault> {
    move |value| {
        let words = || choices.iter().map(|(word, _)| *word);
        let offer = format!("choose one of: {}", words().collect::<Vec<_>>().join(", "));
        let Value::String(text) = value else {
            let mut cure = offer;
            if *value == Value::Bool(false) && words().any(|word| word == "off") {
                cure.push_str(" (some tools turn a bare off into false: write \"off\" in quotes)");
            }
            return Err(Fault::of(value, "is not text", cure));
        };
        if let Some((_, choice)) = choices.iter().find(|(word, _)| word == text) {
            return Ok(*choice);
        }
        if not_yet::is_choice(setting, text) {
            return Err(Fault::of(value, "is not in this version", offer));
        }
        Err(Fault::of(value, "is not known", offer + &did_you_mean(text, words())))
    }
}

fn did_you_mean<'k>(text: &str, words: impl Iterator<Item = &'k str>) -> String {
    nearest(text, words, 1).first().map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"))
}
