//! What an address asks of a report.

use jiff::Timestamp;

use crate::report::{Asked, Form, Period, ReportError, Scope};

/// Of a namespace.
const LONGEST_NAME: usize = 63;

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) scope: Scope,
    pub(super) form: Form,
}

/// A query that cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum QueryError {
    #[error("parameter \"{0}\" is not known: there are from, to, namespace and output")]
    Unknown(String),
    #[error("parameter {0} is given twice: give it once")]
    Twice(String),
    #[error("parameter {0} is not text in UTF-8: write a percent sign as %25")]
    NotText(String),
    #[error(
        "namespace={0:?} is no namespace's name: write at most 63 lower-case letters, digits and hyphens, as kubectl get \
         namespaces does"
    )]
    NoName(String),
    #[error(transparent)]
    Asked(#[from] ReportError),
}

impl Request {
    pub(super) fn read(query: &str, accept: &str, now: Timestamp) -> Result<Self, QueryError> {
        let [mut from, mut to, mut namespace, mut output] = [const { None::<String> }; 4];
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match name {
                "from" => &mut from,
                "to" => &mut to,
                "namespace" => &mut namespace,
                "output" => &mut output,
                _ => return Err(QueryError::Unknown(name.to_owned())),
            };
            let value = decoded(value).ok_or_else(|| QueryError::NotText(name.to_owned()))?;
            // Empty is what a form, or a dashboard's variable, sends for nothing.
            if !value.is_empty() && place.replace(value).is_some() {
                return Err(QueryError::Twice(name.to_owned()));
            }
        }
        if let Some(name) = namespace.take_if(|name| !is_name(name)) {
            return Err(QueryError::NoName(name));
        }
        let period = Period::read(from.as_deref(), to.as_deref(), now, Asked::Query)?;
        let form = output.map_or_else(|| Ok(wanted(accept)), |name| Form::named(&name))?;
        Ok(Self { scope: Scope { period, namespace }, form })
    }
}

/// What a namespace can be called (RFC 1123 label): anything else is in no file's name or header either.
fn is_name(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= LONGEST_NAME && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// A browser asks for pages; programs ask for anything.
fn wanted(accept: &str) -> Form {
    let mut types = accept.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    let is_browser = types.any(|kind| kind == "text/html" || kind == "application/pdf");
    if is_browser { Form::Pdf } else { Form::Table }
}

/// Percent signs resolved. A plus stays one: no argument has spaces, and times have offsets.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = after.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits)
            .ok()
            .filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, accept: &str) -> Result<Request, String> {
        let now = "2026-11-28T10:41:03Z".parse().unwrap();
        Request::read(query, accept, now).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_what_the_command_reads() {
        let asked =
            read("from=2026-11-01T02%3A00%3A00+02:00&to=2026-11-08&namespace=shop&output=csv", "").unwrap();
        assert_eq!(asked.form, Form::Csv);
        assert_eq!(asked.scope.namespace.as_deref(), Some("shop"));
        assert_eq!(asked.scope.period.hours(), 7 * 24);
    }

    #[test]
    fn without_arguments_it_is_a_week_as_pdf_for_browsers_and_as_table_for_others() {
        let browser = read("", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8").unwrap();
        assert_eq!((browser.form, browser.scope.period.hours()), (Form::Pdf, 7 * 24));
        assert_eq!(read("namespace=&from=&to=", "*/*").unwrap().form, Form::Table);
        assert_eq!(read("", "application/pdf").unwrap().form, Form::Pdf);
        assert_eq!(read("output=json", "text/html").unwrap().form, Form::Json);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_the_cure() {
        for (query, words) in [
            ("form=csv", "\"form\" is not known: there are from, to, namespace and output"),
            ("to=2026-11-01&to=2026-11-02", "to is given twice"),
            ("namespace=%zz", "namespace is not text"),
            ("namespace=%e", "namespace is not text"),
            ("namespace=shop%0Aset-cookie:%20a", "namespace=\"shop\\nset-cookie: a\" is no namespace's name"),
            ("namespace=Shop", "lower-case letters"),
            ("namespace=-shop", "no namespace's name"),
            ("output=xml", "\"xml\" is not known: choose table, csv, json or pdf"),
            ("from=2026-11-01", "to is missing"),
            ("from=2026-11-08&to=2026-11-01", "to=2026-11-01 is not after from=2026-11-08"),
        ] {
            let error = read(query, "").unwrap_err();
            assert!(error.contains(words), "{query}: {error}");
        }
    }
}
