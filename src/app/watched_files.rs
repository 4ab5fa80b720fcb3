//! Looks whether a configuration file, or a file that it names, has changed: by content, since kubelet swaps a link
//! above the files of a ConfigMap, and nothing happens to the files themselves.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What a look found, to be compared with the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// The configuration's text; what keeps it from being read otherwise.
    pub(super) text: Result<String, String>,
    named: Vec<Option<Traits>>,
}

/// What tells one state of a file that may be large from another: whoever replaces or writes it changes one of these.
type Traits = (u64, u64, u64, i64, i64);

impl Look {
    /// Looks at a configuration file and the files that it names.
    pub(super) fn at(file: &Path, named: &[PathBuf]) -> Self {
        let text = fs::read(file).map_err(|error| error.to_string()).and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| "the file is not text in UTF-8".to_owned())
        });
        Self::of(text, named)
    }

    /// The same where the text has been read already.
    pub(super) fn of(text: Result<String, String>, named: &[PathBuf]) -> Self {
        Self { text, named: named.iter().map(|file| traits(file)).collect() }
    }
}

fn traits(file: &Path) -> Option<Traits> {
    let metadata = fs::metadata(file).ok()?;
    Some((metadata.dev(), metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}
