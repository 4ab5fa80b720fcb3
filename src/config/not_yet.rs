//! What the configuration's contract names and this version does not have yet. Whoever builds one deletes its line.

/// `(setting, choice)`. `grid.fallback` offers what `grid.provider` offers.
const CHOICES: &[(&str, &str)] = &[
    ("grid.provider", "replay"),
    ("grid.provider", "electricity-maps"),
    ("grid.provider", "gb-carbon-intensity"),
    ("prices.provider", "aws-spot-advisor"),
    ("prices.provider", "azure-retail"),
    ("prices.provider", "file"),
    ("spot.steer", "interruptible"),
    ("tls.mode", "managed"),
];

/// `(setting, what happens without it)`.
const SETTINGS: &[(&str, &str)] = &[
    ("store.redis", "grid data is kept in memory"),
    ("ledger.file", "decisions are written to standard output"),
];

/// Whether `word` is a choice of `setting` that a later version has.
pub(super) fn is_choice(setting: &str, word: &str) -> bool {
    CHOICES.contains(&(setting, word))
}

/// For a setting that a later version has: what happens without it.
pub(super) fn without(setting: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|(name, _)| *name == setting).map(|(_, instead)| *instead)
}
