//! What the configuration's contract names and this version does not have yet. Whoever builds one deletes its line.

/// `(setting, choice)`.
const CHOICES: &[(&str, &str)] = &[("spot.steer", "interruptible")];

/// Whether `word` is a choice of `setting` that a later version has.
pub(super) fn is_choice(setting: &str, word: &str) -> bool {
    CHOICES.contains(&(setting, word))
}
