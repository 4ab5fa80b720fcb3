//! The feed's JSON. Of its 25,000 entries only those that are asked for are read; one that is odd is one that is not
//! known, and spoils no other.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::catalogue::InterruptionBand;
use crate::providers::FetchError;
use crate::providers::price::answer::unreadable;

/// Whole percents under 100: at 100 the machine would be free, and nobody gives those away.
const HIGHEST_SAVING: u8 = 99;

/// The feed, its regions unread.
#[derive(Debug)]
pub(super) struct Feed<'a> {
    bands: HashMap<u8, InterruptionBand>,
    regions: HashMap<String, &'a RawValue>,
}

/// What the feed says of one region's Linux machines.
#[derive(Debug)]
pub(super) struct Advice<'a> {
    bands: &'a HashMap<u8, InterruptionBand>,
    entries: HashMap<String, &'a RawValue>,
}

/// What the feed says of one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// Percent off the on-demand price.
    pub saving_percent: u8,
    /// How often it is taken away, where the feed says so in words that are known.
    pub interruption: Option<InterruptionBand>,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    spot_advisor: HashMap<String, &'a RawValue>,
    #[serde(borrow)]
    ranges: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Range {
    index: u8,
    label: String,
}

#[derive(Deserialize)]
struct Systems<'a> {
    #[serde(borrow, rename = "Linux", default)]
    linux: HashMap<String, &'a RawValue>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    s: Option<&'a RawValue>,
    #[serde(borrow)]
    r: Option<&'a RawValue>,
}

impl<'a> Feed<'a> {
    /// Reads the outer shape.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, FetchError> {
        let document: Document<'_> =
            serde_json::from_slice(body).map_err(|error| unreadable("the feed", &error))?;
        Ok(Self { bands: bands(document.ranges), regions: document.spot_advisor })
    }

    /// One region; `None` when the feed does not have it.
    pub(super) fn region(&self, name: &str) -> Result<Option<Advice<'_>>, FetchError> {
        let Some(text) = self.regions.get(name) else { return Ok(None) };
        let systems: Systems<'_> =
            serde_json::from_str(text.get()).map_err(|error| unreadable(name, &error))?;
        Ok(Some(Advice { bands: &self.bands, entries: systems.linux }))
    }
}

impl Advice<'_> {
    /// One machine; `None` when the feed states no saving, or one that cannot be: spot that costs more than on-demand
    /// (the feed has had -62) is a mistake of somebody's, not a price.
    pub(super) fn of(&self, instance_type: &str) -> Option<Said> {
        let entry: Entry<'_> = serde_json::from_str(self.entries.get(instance_type)?.get()).ok()?;
        let saving_percent = number(entry.s).filter(|percent| *percent <= HIGHEST_SAVING)?;
        let interruption = number(entry.r).and_then(|index| self.bands.get(&index)).copied();
        Some(Said { saving_percent, interruption })
    }
}

/// What the feed's own numbers mean: it explains them, so a change of theirs is not misread.
fn bands(ranges: Option<&RawValue>) -> HashMap<u8, InterruptionBand> {
    let ranges: Vec<Range> =
        ranges.and_then(|text| serde_json::from_str(text.get()).ok()).unwrap_or_default();
    let known = |range: Range| Some((range.index, InterruptionBand::from_label(&range.label)?));
    ranges.into_iter().filter_map(known).collect()
}

fn number(text: Option<&RawValue>) -> Option<u8> {
    serde_json::from_str(text?.get()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::domain::snapshot::Failure;

    /// The ranges as the feed had them in July 2025.
    const RANGES: &str = r#"[{"index": 0, "label": "<5%", "dots": 0, "max": 5},
        {"index": 1, "label": "5-10%", "dots": 1, "max": 11}, {"index": 2, "label": "10-15%", "dots": 2, "max": 16},
        {"index": 3, "label": "15-20%", "dots": 3, "max": 22}, {"index": 4, "label": ">20%", "dots": 4, "max": 100}]"#;

    fn said(ranges: &str, entry: &str) -> Option<Said> {
        let text = format!(
            r#"{{"instance_types": {{"m5.xlarge": {{"emr": true, "cores": 4, "ram_gb": 16.0}}}}, "ranges": {ranges},
                "spot_advisor": {{"eu-north-1": {{"Windows": {{"m5.xlarge": {{"s": 1, "r": 1}}}},
                "Linux": {{"m5.xlarge": {entry}}}}}}}, "global_rate": "<10%"}}"#
        );
        let feed = Feed::read(text.as_bytes()).unwrap();
        feed.region("eu-north-1").unwrap().unwrap().of("m5.xlarge")
    }

    #[rstest]
    #[case(0, InterruptionBand::Under5)]
    #[case(1, InterruptionBand::From5To10)]
    #[case(2, InterruptionBand::From10To15)]
    #[case(3, InterruptionBand::From15To20)]
    #[case(4, InterruptionBand::Over20)]
    fn bands_are_as_the_feed_explains_them(#[case] index: u8, #[case] band: InterruptionBand) {
        let entry = format!(r#"{{"s": 70, "r": {index}}}"#);
        assert_eq!(said(RANGES, &entry), Some(Said { saving_percent: 70, interruption: Some(band) }));
    }

    #[test]
    fn numbers_that_change_their_meaning_are_not_misread() {
        let turned = r#"[{"index": 0, "label": ">20%"}, {"index": 4, "label": "<5 %"}]"#;
        let band =
            |index| said(turned, &format!(r#"{{"s": 70, "r": {index}}}"#)).and_then(|said| said.interruption);
        assert_eq!(band(0), Some(InterruptionBand::Over20));
        assert_eq!(band(4), Some(InterruptionBand::Under5));
        assert_eq!(band(1), None, "not explained");
    }

    #[rstest]
    #[case::unknown_index(RANGES, r#"{"s": 70, "r": 5}"#)]
    #[case::missing_index(RANGES, r#"{"s": 70}"#)]
    #[case::null_index(RANGES, r#"{"s": 70, "r": null}"#)]
    #[case::index_in_words(RANGES, r#"{"s": 70, "r": "often"}"#)]
    #[case::other_words(r#"[{"index": 4, "label": "25-30%"}]"#, r#"{"s": 70, "r": 4}"#)]
    #[case::ranges_of_another_shape(r#"{"4": ">20%"}"#, r#"{"s": 70, "r": 4}"#)]
    #[case::no_ranges("null", r#"{"s": 70, "r": 4}"#)]
    fn without_a_band_the_saving_still_counts(#[case] ranges: &str, #[case] entry: &str) {
        assert_eq!(said(ranges, entry), Some(Said { saving_percent: 70, interruption: None }));
    }

    #[rstest]
    #[case::dearer_than_on_demand(r#"{"s": -62, "r": 0}"#)]
    #[case::free(r#"{"s": 100, "r": 0}"#)]
    #[case::more_than_free(r#"{"s": 300, "r": 0}"#)]
    #[case::no_whole_percent(r#"{"s": 66.5, "r": 0}"#)]
    #[case::in_quotes(r#"{"s": "66", "r": 0}"#)]
    #[case::null(r#"{"s": null, "r": 0}"#)]
    #[case::missing(r#"{"r": 0}"#)]
    #[case::empty("{}")]
    #[case::no_object("66")]
    fn a_saving_that_is_none_is_no_price_and_never_zero(#[case] entry: &str) {
        assert_eq!(said(RANGES, entry), None);
    }

    #[rstest]
    #[case::nothing_saved(0)]
    #[case::nearly_free(99)]
    fn the_ends_of_the_scale_are_on_it(#[case] saving_percent: u8) {
        let entry = format!(r#"{{"s": {saving_percent}, "r": 0}}"#);
        assert_eq!(said(RANGES, &entry).map(|said| said.saving_percent), Some(saving_percent));
    }

    #[test]
    fn a_region_without_linux_machines_has_none() {
        let feed = Feed::read(br#"{"spot_advisor": {"eu-north-1": {"Windows": {}}}}"#).unwrap();
        assert_eq!(feed.region("eu-north-1").unwrap().unwrap().of("m5.xlarge"), None);
        assert!(feed.region("us-east-1").unwrap().is_none());
    }

    #[rstest]
    #[case::empty("")]
    #[case::a_web_page("<html>Access Denied</html>")]
    #[case::cut_off(r#"{"ranges": [], "spot_advisor": {"eu-north-1": {"Linux": {"m5.xl"#)]
    #[case::no_advice(r#"{"ranges": []}"#)]
    #[case::advice_of_another_shape(r#"{"spot_advisor": ["eu-north-1"]}"#)]
    #[case::not_text("{\"spot_advisor\": {\"\u{0}\": 1}}")]
    fn what_is_no_feed_is_unreadable(#[case] body: &str) {
        assert_eq!(Feed::read(body.as_bytes()).unwrap_err().failure, Failure::Unreadable);
    }

    #[test]
    fn a_region_of_another_shape_is_named() {
        let feed = Feed::read(br#"{"spot_advisor": {"eu-north-1": 7}}"#).unwrap();
        let error = feed.region("eu-north-1").unwrap_err();
        assert_eq!(error.failure, Failure::Unreadable);
        assert!(error.detail.contains("eu-north-1"), "{error}");
    }

    proptest! {
        #[test]
        fn any_whole_number_is_a_saving_or_none(s in any::<i64>(), r in any::<i64>()) {
            let said = said(RANGES, &format!(r#"{{"s": {s}, "r": {r}}}"#));
            prop_assert_eq!(said.map(|said| i64::from(said.saving_percent)), Some(s).filter(|s| (0..=99).contains(s)));
            if let Some(said) = said {
                prop_assert_eq!(said.interruption.is_some(), (0..=4).contains(&r));
            }
        }
    }
}
