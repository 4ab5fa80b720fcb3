//! A ConfigMap as kubelet mounts it: the file is a link through `..data`, itself a link to a folder with a time in its
//! name. A change makes another folder, and swaps the link above the file.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

const DATA: &str = "..data";
const FILE: &str = "eco-pulse.yaml";

/// A mounted configuration.
pub struct Mount {
    folder: PathBuf,
    versions: AtomicUsize,
}

impl Mount {
    pub fn new(folder: &Path, text: &str) -> Self {
        fs::create_dir(folder).unwrap();
        let mount = Self { folder: folder.to_owned(), versions: AtomicUsize::new(0) };
        mount.change(text);
        symlink(Path::new(DATA).join(FILE), mount.file()).unwrap();
        mount
    }

    pub fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Changes the text as kubelet does.
    pub fn change(&self, text: &str) {
        let version = self.versions.fetch_add(1, Ordering::SeqCst);
        let name = |version: usize| format!("..2026_11_25_12_00_00.{version}");
        let next = self.folder.join(name(version));
        fs::create_dir(&next).unwrap();
        fs::write(next.join(FILE), text).unwrap();
        let link = self.folder.join("..data_tmp");
        symlink(name(version), &link).unwrap();
        fs::rename(link, self.folder.join(DATA)).unwrap();
        if let Some(before) = version.checked_sub(1) {
            fs::remove_dir_all(self.folder.join(name(before))).unwrap();
        }
    }
}
