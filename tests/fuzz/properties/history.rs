//! Past readings as they are kept in Redis: what is read is what would be written, and never less than nothing.

use eco_pulse::domain::RegionName;
use eco_pulse::store::past::{from_text, to_text};

pub fn holds(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let region = RegionName::from("eu-north-1");
    let Some(reading) = from_text(&region, text) else { return };
    assert!(reading.intensity.0.is_finite() && reading.intensity.0 >= 0.0);
    assert_eq!(reading.region, region);
    let written = to_text(&reading);
    assert_eq!(from_text(&region, &written), Some(reading), "{written}");
    // Word by word the same, but for other spellings of times and numbers.
    let (words, expected): (Vec<&str>, Vec<&str>) = (text.split(' ').collect(), written.split(' ').collect());
    assert_eq!((words[0], &words[4..7]), (expected[0], &expected[4..7]));
    assert_eq!(words[3].parse::<f64>(), expected[3].parse::<f64>());
}
