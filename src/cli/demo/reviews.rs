//! AdmissionReviews as a Kubernetes 1.36.2 API server sent them, recorded on the wire.
//!
//! They were recorded on another cluster than the demo's, so three things are changed before one is sent, each by the
//! function that names it: the region in a node selector, the annotation that says how much data a job moves, and the
//! uid, which is a new one for each request as the API server makes it. All else is sent as it was recorded.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::cluster::BASE;

/// Data that the training job moves: little enough to be worth the way.
pub(super) const SOME_GB: u32 = 20;
/// Data that no region is worth.
pub(super) const MUCH_GB: u32 = 500;

/// A recorded review, ready to be sent.
#[derive(Debug)]
pub struct Review(Value);

/// What the scenes send, each pod once: the workload of the demo.
///
/// # Errors
/// A recording is not what it was.
pub fn workload() -> anyhow::Result<Vec<Review>> {
    Ok(vec![
        Review::training(SOME_GB)?,
        Review::web()?,
        Review::pinned(BASE)?,
        Review::daemonset()?,
        Review::database()?,
        Review::opted_out()?,
        Review::training(MUCH_GB)?,
    ])
}

impl Review {
    fn recorded(text: &str) -> anyhow::Result<Self> {
        serde_json::from_str(text).map(Self).context("recorded review is not JSON")
    }

    /// A training pod of a Job: 8 CPU, 32 GiB and a GPU for 6 h, annotated to move `egress_gb` of data.
    pub(super) fn training(egress_gb: u32) -> anyhow::Result<Self> {
        let mut review = Self::recorded(include_str!("data/training.json"))?;
        let amount = json!(egress_gb.to_string());
        review.replace("/request/object/metadata/annotations/eco-pulse.io~1egress-gb", amount)?;
        Ok(review)
    }

    /// A pod of a web Deployment.
    pub(super) fn web() -> anyhow::Result<Self> {
        Self::recorded(include_str!("data/web.json"))
    }

    /// A pod whose node selector names one region.
    pub(super) fn pinned(region: &str) -> anyhow::Result<Self> {
        let mut review = Self::recorded(include_str!("data/pinned.json"))?;
        review.replace("/request/object/spec/nodeSelector/topology.kubernetes.io~1region", json!(region))?;
        Ok(review)
    }

    /// A pod of a DaemonSet.
    pub(super) fn daemonset() -> anyhow::Result<Self> {
        Self::recorded(include_str!("data/daemonset.json"))
    }

    /// A pod of a StatefulSet with a volume claim.
    pub(super) fn database() -> anyhow::Result<Self> {
        Self::recorded(include_str!("data/database.json"))
    }

    /// A pod of a namespace that has opted out.
    pub(super) fn opted_out() -> anyhow::Result<Self> {
        Self::recorded(include_str!("data/opted_out.json"))
    }

    /// The body of a request of its own, and that request's uid.
    ///
    /// # Errors
    /// The system gives no random numbers, or the recording is not what it was.
    pub fn into_request(mut self) -> anyhow::Result<(String, Vec<u8>)> {
        let uid = random_uid()?;
        self.replace("/request/uid", json!(uid))?;
        Ok((uid, serde_json::to_vec(&self.0)?))
    }

    /// Only what was recorded can be replaced: a pointer that leads nowhere is an error, not an addition.
    fn replace(&mut self, pointer: &str, value: Value) -> anyhow::Result<()> {
        let recorded =
            self.0.pointer_mut(pointer).with_context(|| format!("nothing recorded at {pointer}"))?;
        *recorded = value;
        Ok(())
    }
}

/// A UUID of version 4 (RFC 9562), as the API server's are.
fn random_uid() -> anyhow::Result<String> {
    let random = || getrandom::u64().context("the operating system gives no random numbers");
    let (high, low) = (random()?, random()?);
    Ok(format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_differs_from_the_recording() {
        let recorded: Value = serde_json::from_str(include_str!("data/training.json")).unwrap();
        let (uid, body) = Review::training(500).unwrap().into_request().unwrap();
        let mut sent: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(sent["request"]["uid"], uid.as_str());
        let annotations = &mut sent["request"]["object"]["metadata"]["annotations"];
        assert_eq!(annotations["eco-pulse.io/egress-gb"], "500");
        annotations["eco-pulse.io/egress-gb"] = json!("120");
        sent["request"]["uid"] = recorded["request"]["uid"].clone();
        assert_eq!(sent, recorded);
    }

    #[test]
    fn every_request_has_a_uid_of_its_own_in_the_form_of_uuids() {
        let uid = || Review::web().unwrap().into_request().unwrap().0;
        let (one, other) = (uid(), uid());
        assert_ne!(one, other);
        let lengths: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(one.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&one.as_bytes()[19]), "{one}");
    }

    #[test]
    fn what_was_not_recorded_cannot_be_replaced() {
        let error = Review::web().unwrap().replace("/request/object/spec/nodeSelector/x", json!("y"));
        assert!(error.unwrap_err().to_string().contains("nodeSelector/x"));
    }
}
