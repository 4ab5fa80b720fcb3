//! A decision's line read at a glance: from key to key in the order in which this program writes them, without a look at what
//! lies between. Reading all of it as JSON takes several times as long, and a report goes through a million lines.
//!
//! Without a backslash a quote always begins or ends a string, so a key with the punctuation around it is never a part of
//! somebody's name; and without a brace on the way to it, it is of the same object. Whatever is not as it is always written is
//! left to whoever reads any JSON. Whether what lies between is as it was written, `--verify` tells.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::{memchr, memchr2, memrchr};

use super::{Demand, Owner, Projected, Record, StateCounts};

/// How a decision begins; another schema is read as any JSON.
const BEGIN: &[u8] = br#"{"schema":1,"ts":""#;
/// How every sealed line ends.
const END: &[u8] = b"\"}";
/// How every region begins.
const REGION: &[u8] = br#"{"name":""#;

/// Keys in their order, prepared once.
struct Keys {
    endpoint: Finder<'static>,
    namespace: Finder<'static>,
    owner: Finder<'static>,
    mode: Finder<'static>,
    outcome: Finder<'static>,
    reason: Finder<'static>,
    demand: Finder<'static>,
    hours: Finder<'static>,
    regions: Finder<'static>,
    projected: Finder<'static>,
    state: Finder<'static>,
    /// What only records of another kind have.
    kind: Finder<'static>,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    endpoint: Finder::new(r#","endpoint":""#),
    namespace: Finder::new(r#","namespace":""#),
    owner: Finder::new(r#","owner":"#),
    mode: Finder::new(r#","mode":""#),
    outcome: Finder::new(r#","outcome":""#),
    reason: Finder::new(r#","reason":""#),
    demand: Finder::new(r#","demand":"#),
    hours: Finder::new(r#","hours":"#),
    regions: Finder::new(r#","regions":["#),
    projected: Finder::new(r#"],"projected":"#),
    state: Finder::new(r#""state""#),
    kind: Finder::new(r#""record""#),
});

/// A decision; `None` where a line is not as one is always written.
pub(super) fn decision(line: &[u8]) -> Option<Record<'_>> {
    let rest =
        line.strip_prefix(BEGIN).filter(|rest| rest.ends_with(END) && memchr(b'\\', rest).is_none())?;
    let keys = &*KEYS;
    if keys.kind.find(rest).is_some() {
        return None;
    }
    let mut ahead = Ahead(rest);
    let ts = ahead.string()?.parse().ok()?;
    ahead.skip(&keys.endpoint)?;
    let endpoint = Cow::Borrowed(ahead.string()?);
    ahead.skip(&keys.namespace)?;
    let namespace = Cow::Borrowed(ahead.string()?);
    ahead.skip(&keys.owner)?;
    let owner = if ahead.is_null()? {
        None
    } else {
        let kind = Cow::Borrowed(ahead.after(br#"{"kind":""#)?.string()?);
        let name = Cow::Borrowed(ahead.after(br#","name":""#)?.string()?);
        ahead.after(b"}")?;
        Some(Owner { kind, name })
    };
    ahead.skip(&keys.mode)?;
    let mode = Cow::Borrowed(ahead.string()?);
    ahead.skip(&keys.outcome)?;
    let outcome = Cow::Borrowed(ahead.string()?);
    ahead.skip(&keys.reason)?;
    let reason = Cow::Borrowed(ahead.string()?);
    ahead.skip(&keys.demand)?;
    let demand = if ahead.is_null()? {
        None
    } else {
        let cpu_cores = ahead.after(br#"{"cpu_cores":"#)?.number()?;
        ahead.skip(&keys.hours)?;
        let hours = ahead.number()?;
        ahead.skip_to_end_of_object()?;
        Some(Demand { cpu_cores, hours })
    };
    ahead.skip(&keys.regions)?;
    let states = states(ahead.before(&keys.projected)?, &keys.state)?;
    let projected = if ahead.is_null()? {
        None
    } else {
        Some(Projected {
            usd: ahead.after(br#"{"usd":"#)?.number()?,
            co2e_g: ahead.after(br#","co2e_g":"#)?.number()?,
            kwh: ahead.after(br#","kwh":"#)?.number()?,
        })
    };
    let kind = None;
    Some(Record {
        schema: 1,
        ts,
        kind,
        endpoint,
        namespace,
        owner,
        mode,
        outcome,
        reason,
        demand,
        states,
        projected,
    })
}

/// The states of regions: what stands behind `"state":"` in the object that begins with a region's name. A key or a text of that
/// spelling elsewhere, or one that is followed by something else, asks for a closer look.
fn states<'l>(regions: &'l [u8], state: &Finder<'_>) -> Option<StateCounts<'l>> {
    // Regions hold no lists, so that all objects with a comma before them are regions.
    if memchr(b'[', regions).is_some() {
        return None;
    }
    let mut states = StateCounts::default();
    let mut ahead = Ahead(regions);
    while let Some(before) = ahead.before(state) {
        let (others, own) = before.split_at(memrchr(b'{', before)?);
        let is_first = others.is_empty() && states.0.is_empty();
        let is_of_region = own.starts_with(REGION) && (is_first || others.ends_with(b"},"));
        if !is_of_region || memchr(b'}', own).is_some() {
            return None;
        }
        states.add(Cow::Borrowed(ahead.after(b":\"")?.string()?));
    }
    Some(states)
}

/// What of a line has not been read yet.
struct Ahead<'l>(&'l [u8]);

impl<'l> Ahead<'l> {
    /// Goes on behind a key of the same object.
    fn skip(&mut self, key: &Finder<'_>) -> Option<()> {
        self.before(key).filter(|before| memchr2(b'{', b'}', before).is_none()).map(drop)
    }

    /// Goes on behind an object of which something was read, if it holds no other one.
    fn skip_to_end_of_object(&mut self) -> Option<()> {
        let at = memchr2(b'{', b'}', self.0)?;
        self.0 = &self.0[at..];
        self.after(b"}").map(drop)
    }

    /// What comes before a key, behind which it goes on.
    fn before(&mut self, key: &Finder<'_>) -> Option<&'l [u8]> {
        let at = key.find(self.0)?;
        let before = &self.0[..at];
        self.0 = &self.0[at + key.needle().len()..];
        Some(before)
    }

    /// Goes on behind what has to come next.
    fn after(&mut self, next: &[u8]) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(next)?;
        Some(self)
    }

    /// Whether `null` comes next, behind which it then goes on. `None` where nothing comes.
    fn is_null(&mut self) -> Option<bool> {
        self.0.first()?;
        Some(self.after(b"null").is_some())
    }

    /// The rest of a string, of which the first quote has been read.
    fn string(&mut self) -> Option<&'l str> {
        let (string, rest) = self.0.split_at(memchr(b'"', self.0)?);
        self.0 = &rest[1..];
        std::str::from_utf8(string).ok()
    }

    /// A number.
    fn number(&mut self) -> Option<f64> {
        let end = self.0.iter().position(|byte| matches!(byte, b',' | b'}'))?;
        let (number, rest) = self.0.split_at(end);
        self.0 = rest;
        // What Rust takes for a number and JSON does not: `inf`, `NaN`, a sign in front.
        let is_plain = number.first().is_some_and(|byte| matches!(byte, b'-' | b'0'..=b'9'));
        std::str::from_utf8(number)
            .ok()
            .filter(|_| is_plain)?
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::audit::chain::{FIRST_PREV, seal};
    use crate::audit::entry::{DecisionIds, Endpoint, Entry, Subject};
    use crate::audit::record::DecisionRecord;
    use crate::config::Mode;
    use crate::domain::demand::WorkloadClass;
    use crate::domain::units::{Cores, Gibibytes, Gigabytes, Hours};
    use crate::domain::{BypassReason, Decision, PodDemand};

    /// A record as it is written, of a pod of this name and these, with these regions and what was projected.
    fn line([namespace, kind, name, pod]: [&str; 4], regions: &[Value], projected: &str) -> String {
        let demand = PodDemand {
            cpu: Cores(2.5),
            memory: Gibibytes(4.0),
            gpus: 0,
            hours: Hours(1.0 / 3.0),
            egress: Gigabytes(0.0),
            data_region: None,
            traffic_region: None,
            class: WorkloadClass::Batch,
            max_latency: None,
            owner_hash: 7,
            defaults: Vec::new(),
        };
        let entry = Entry {
            at: "2026-06-01T12:00:00.25Z".parse().unwrap(),
            id: DecisionIds::new(1).next(),
            endpoint: Endpoint::Mutate,
            subject: Subject {
                uid: "u".to_owned(),
                namespace: namespace.to_owned(),
                pod: pod.to_owned(),
                owner: (!kind.is_empty()).then(|| (kind.to_owned(), name.to_owned())),
            },
            dry_run: false,
            mode: Mode::Steer,
            policies: vec![pod.to_owned()],
            decision: Decision::bypass(BypassReason::NoRequests),
            demand: Some(demand),
            snapshot: None,
            duration: std::time::Duration::ZERO,
        };
        let mut open = serde_json::to_string(&DecisionRecord::new(&entry, "one", 1)).unwrap();
        open.pop();
        let (plain, with) = (r#""regions":[],"projected":null"#, json!(regions));
        assert!(open.contains(plain), "{open}");
        seal(open.replace(plain, &format!(r#""regions":{with},"projected":{projected}"#)), FIRST_PREV).line
    }

    fn usual() -> String {
        let regions = [json!({ "name": "a", "state": "fresh" }), json!({ "name": "b", "state": "stale" })];
        let projected = r#"{"usd":-0.5,"co2e_g":1e-7,"kwh":1.5}"#;
        line(["shop", "Job", "nightly", "nightly-1"], &regions, projected)
    }

    #[test]
    fn what_this_program_writes_is_read_at_a_glance() {
        for line in [usual(), line(["shop", "", "", "x"], &[], "null")] {
            let read = decision(line.as_bytes()).unwrap();
            assert_eq!(read, serde_json::from_str(&line).unwrap(), "{line}");
        }
    }

    #[test]
    fn whatever_else_it_is_is_left_to_others() {
        for (from, to) in [
            (r#""schema":1"#, r#""schema":2"#),
            (r#""ts":"#, r#""ts": "#),
            ("nightly-1", r"n\u0069ghtly"),
            (r#""state":"fresh""#, r#""state": "fresh""#),
            (r#""usd":-0.5"#, r#""usd":NaN"#),
            (r#""usd":-0.5"#, r#""usd":+1"#),
            (r#""outcome""#, r#""result""#),
        ] {
            let other = usual().replacen(from, to, 1);
            assert_ne!(other, usual(), "{from}");
            assert_eq!(decision(other.as_bytes()), None, "{other}");
        }
        let whole = usual();
        for end in 0..whole.len() {
            assert_eq!(decision(&whole.as_bytes()[..end]), None, "cut at {end}");
        }
    }

    proptest! {
        /// Whoever can make pods can name them.
        #[test]
        fn no_name_makes_it_say_what_the_record_does_not(
            names in prop::array::uniform4("[\\PC\"\\\\]{0,12}|.{0,3}\",\"(mode|outcome|reason|namespace)\":\".{0,3}"),
            states in prop::collection::vec("fresh|stale|missing|state|\"state\":\"x", 0..4),
        ) {
            let [namespace, kind, name, pod] = &names;
            let regions: Vec<Value> = states.iter().map(|state| json!({ "name": name, "state": state })).collect();
            let line = line([namespace, kind, name, pod], &regions, "null");
            if let Some(read) = decision(line.as_bytes()) {
                prop_assert_eq!(read, serde_json::from_str(&line).unwrap());
            }
        }

        #[test]
        fn a_changed_byte_makes_it_say_nothing_that_json_does_not(at in any::<prop::sample::Index>(), to: u8) {
            let mut line = usual().into_bytes();
            let at = at.index(line.len());
            line[at] = to;
            if let (Some(read), Ok(other)) = (decision(&line), serde_json::from_slice::<Record<'_>>(&line)) {
                prop_assert_eq!(read, other);
            }
        }
    }
}
