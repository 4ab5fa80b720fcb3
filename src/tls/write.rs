//! Writes a generated authority and leaf to files, without ever replacing one.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::{CERTIFICATE_FILE, Issued, KEY_FILE, TlsError};

/// The authority's file name.
pub const AUTHORITY_FILE: &str = "ca.crt";

/// The files of one `certs generate`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The authority's certificate, for clients to trust.
    pub authority: PathBuf,
    /// The leaf's certificate.
    pub certificate: PathBuf,
    /// The leaf's key, mode 0600.
    pub key: PathBuf,
}

impl Written {
    fn in_dir(dir: &Path) -> Self {
        Self {
            authority: dir.join(AUTHORITY_FILE),
            certificate: dir.join(CERTIFICATE_FILE),
            key: dir.join(KEY_FILE),
        }
    }
}

/// Writes `ca.crt`, `tls.crt` and `tls.key` into `dir`, which is made if need be. All three or none.
///
/// # Errors
/// One of the files is there already (nothing is overwritten), or `dir` cannot be written to.
pub fn write_issued(dir: &Path, issued: &Issued) -> Result<Written, TlsError> {
    let files = Written::in_dir(dir);
    let contents = [
        (&files.key, issued.key_pem(), Mode::OwnerOnly),
        (&files.certificate, issued.certificate_pem(), Mode::Public),
        (&files.authority, issued.authority_pem(), Mode::Public),
    ];
    // Look at all of them first, so that the usual mistake leaves the directory exactly as it was.
    for (path, ..) in contents {
        if path.symlink_metadata().is_ok() {
            return Err(TlsError::Exists { path: path.clone() });
        }
    }
    fs::create_dir_all(dir).map_err(|source| TlsError::Write { path: dir.to_owned(), source })?;

    write_together(&contents)?;
    Ok(files)
}

/// Writes all files, or takes back the ones it wrote.
fn write_together(contents: &[(&PathBuf, &str, Mode)]) -> Result<(), TlsError> {
    let mut done = Vec::new();
    for (path, pem, mode) in contents {
        if let Err(error) = write_new(path, pem, *mode, &mut done) {
            for ours in done {
                // Half a pair is worse than none; if even this fails, the first error is the one to report.
                let _ = fs::remove_file(ours);
            }
            return Err(error);
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Mode {
    Public,
    OwnerOnly,
}

fn write_new<'a>(path: &'a Path, pem: &str, mode: Mode, done: &mut Vec<&'a Path>) -> Result<(), TlsError> {
    let refused = |source: io::Error| match source.kind() {
        io::ErrorKind::AlreadyExists => TlsError::Exists { path: path.to_owned() },
        _ => TlsError::Write { path: path.to_owned(), source },
    };
    let mut options = OpenOptions::new();
    // `create_new` holds even against another process that writes the same file at this moment, and follows no link.
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // Given at creation: a mode that is set afterwards leaves a moment in which others may read the key.
        options.mode(match mode {
            Mode::Public => 0o644,
            Mode::OwnerOnly => 0o600,
        });
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path).map_err(refused)?;
    done.push(path);
    file.write_all(pem.as_bytes()).and_then(|()| file.sync_all()).map_err(refused)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::tls::{Certificate, issue};

    fn issued() -> Issued {
        issue(&["localhost".parse().unwrap()], Timestamp::UNIX_EPOCH).unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_the_key() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let written = write_issued(dir.path(), &issued()).unwrap();
        assert_eq!(fs::metadata(written.key).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn makes_the_directory_and_a_pair_that_loads() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        write_issued(&inner, &issued()).unwrap();
        assert_eq!(Certificate::load(&inner).unwrap().names(), ["localhost"]);
    }

    #[test]
    fn any_file_in_the_way_stops_it_before_it_writes_one() {
        for name in [AUTHORITY_FILE, CERTIFICATE_FILE, KEY_FILE] {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(name), "precious").unwrap();
            let error = write_issued(dir.path(), &issued()).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("not overwritten"), "{error}");
            assert_eq!(fs::read_to_string(dir.path().join(name)).unwrap(), "precious");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = write_issued(&file.join("sub"), &issued()).unwrap_err();
        assert!(matches!(error, TlsError::Write { .. }), "{error}");
        assert!(error.to_string().contains("file/sub"), "{error}");
    }

    #[test]
    fn a_failure_half_way_takes_back_what_was_written_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let (key, theirs) = (dir.path().join(KEY_FILE), dir.path().join(CERTIFICATE_FILE));
        // As if another process had written it after the first look.
        fs::write(&theirs, "precious").unwrap();
        let contents = [(&key, "key", Mode::OwnerOnly), (&theirs, "certificate", Mode::Public)];
        assert!(matches!(write_together(&contents), Err(TlsError::Exists { path }) if path == theirs));
        assert!(!key.exists());
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "precious");
    }
}
