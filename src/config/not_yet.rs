//! What the configuration's contract names and this version does not have yet. Whoever builds one deletes its line.

/// `(setting, choice)`.
const CHOICES: &[(&str, &str)] = &[("spot.steer", "interruptible")];

/// `(setting, what happens without it)`.
const SETTINGS: &[(&str, &str)] = &[("ledger.file", "decisions are written to standard output")];

/// Whether `word` is a choice of `setting` that a later version has.
pub(super) fn is_choice(setting: &str, word: &str) -> bool {
    CHOICES.contains(&(setting, word))
}

/// For a setting that a later version has: what happens without it.
pub(super) fn without(setting: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|(name, _)| *name == setting).map(|(_, instead)| *instead)
}
