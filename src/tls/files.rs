//! Watches a certificate's files by their content.
//!
//! A mounted Secret changes by a swap of a symbolic link (`..data`), by hand a file is written in place: what was watched
//! by name, time or notification would miss one of them. So whoever calls [`CertificateFiles::look`] every second gets it
//! from the bytes.
//!
//! What this must not do: wait, or put a certificate to use.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{CERTIFICATE_FILE, Certificate, KEY_FILE, TlsError, load};

/// `tls.crt` and `tls.key` in a directory.
#[derive(Debug)]
pub struct CertificateFiles {
    dir: PathBuf,
    /// What was last said to be new or refused.
    told: Option<Content>,
    /// What was seen and could not be used. It is refused when it is still so at the next look: files are written one
    /// after the other.
    doubtful: Option<Content>,
}

/// What there is to say after a look.
#[derive(Debug)]
pub enum Look {
    /// Nothing that was not said before.
    Same,
    /// There is a new certificate, and it can be used.
    New(Certificate),
    /// What is there now cannot be used; said once for each content.
    Refused(TlsError),
}

/// A digest of both files.
type Content = [u8; 32];

impl CertificateFiles {
    /// Of a directory that nobody has looked into.
    #[must_use]
    pub const fn new(dir: PathBuf) -> Self {
        Self { dir, told: None, doubtful: None }
    }

    /// Where they are.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Reads both files.
    pub fn look(&mut self) -> Look {
        let (certificate, key) = (self.read(CERTIFICATE_FILE), self.read(KEY_FILE));
        let content = digest([&certificate, &key]);
        if self.told == Some(content) {
            self.doubtful = None;
            return Look::Same;
        }
        match self.pair(certificate, key) {
            Ok(certificate) => {
                self.told = Some(content);
                self.doubtful = None;
                Look::New(certificate)
            }
            Err(error) if self.doubtful == Some(content) => {
                self.told = Some(content);
                self.doubtful = None;
                Look::Refused(error)
            }
            Err(_) => {
                self.doubtful = Some(content);
                Look::Same
            }
        }
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, ErrorKind> {
        std::fs::read(self.dir.join(file)).map_err(|error| error.kind())
    }

    /// The bytes that were digested, not those that the files may hold by now; an error is worded as for a start.
    fn pair(
        &self,
        certificate: Result<Vec<u8>, ErrorKind>,
        key: Result<Vec<u8>, ErrorKind>,
    ) -> Result<Certificate, TlsError> {
        let certificate = load::found(&self.dir, CERTIFICATE_FILE, certificate.map_err(Into::into))?;
        let key = load::found(&self.dir, KEY_FILE, key.map_err(Into::into))?;
        Certificate::from_pem(&self.dir, &certificate, &key)
    }
}

fn digest(files: [&Result<Vec<u8>, ErrorKind>; 2]) -> Content {
    let mut digest = Sha256::new();
    for file in files {
        // Each part with its length, so that no byte can move from one file to the other unseen.
        match file {
            Ok(bytes) => {
                digest.update(bytes.len().to_le_bytes());
                digest.update(bytes);
            }
            Err(kind) => digest.update(kind.to_string()),
        }
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use jiff::Timestamp;

    use super::*;
    use crate::tls::{Issued, issue, write_issued};

    fn issued() -> Issued {
        issue(&["localhost".parse().unwrap()], Timestamp::UNIX_EPOCH).unwrap()
    }

    fn files() -> (tempfile::TempDir, CertificateFiles) {
        let dir = tempfile::tempdir().unwrap();
        write_issued(dir.path(), &issued()).unwrap();
        let files = CertificateFiles::new(dir.path().to_owned());
        (dir, files)
    }

    #[test]
    fn a_pair_is_told_once_and_again_when_it_changes() {
        let (dir, mut files) = files();
        assert!(matches!(files.look(), Look::New(_)));
        assert!(matches!(files.look(), Look::Same));
        let next = issued();
        fs::write(dir.path().join(CERTIFICATE_FILE), next.certificate_pem()).unwrap();
        fs::write(dir.path().join(KEY_FILE), next.key_pem()).unwrap();
        let Look::New(certificate) = files.look() else { panic!("it was not seen") };
        assert_eq!(certificate.certified_key().cert, next.certificate().unwrap().certified_key().cert);
    }

    #[test]
    fn half_a_pair_is_refused_once_and_only_when_it_stays() {
        let (dir, mut files) = files();
        files.look();
        let next = issued();
        fs::write(dir.path().join(CERTIFICATE_FILE), next.certificate_pem()).unwrap();
        assert!(matches!(files.look(), Look::Same), "the other half may be on its way");
        let Look::Refused(error) = files.look() else { panic!("it stayed") };
        assert!(matches!(error, TlsError::KeyMismatch { .. }), "{error}");
        assert!(matches!(files.look(), Look::Same));
        fs::write(dir.path().join(KEY_FILE), next.key_pem()).unwrap();
        assert!(matches!(files.look(), Look::New(_)));
    }

    #[test]
    fn a_half_that_is_completed_in_time_is_never_refused() {
        let (dir, mut files) = files();
        files.look();
        let next = issued();
        fs::write(dir.path().join(CERTIFICATE_FILE), next.certificate_pem()).unwrap();
        assert!(matches!(files.look(), Look::Same));
        fs::write(dir.path().join(KEY_FILE), next.key_pem()).unwrap();
        assert!(matches!(files.look(), Look::New(_)));
    }

    #[test]
    fn missing_files_are_refused_by_name_and_seen_when_they_come_back() {
        let (dir, mut files) = files();
        files.look();
        let key = fs::read(dir.path().join(KEY_FILE)).unwrap();
        fs::remove_file(dir.path().join(KEY_FILE)).unwrap();
        files.look();
        let Look::Refused(error) = files.look() else { panic!("it is missing") };
        assert!(error.to_string().contains("tls.key: no such file"), "{error}");
        fs::write(dir.path().join(KEY_FILE), key).unwrap();
        assert!(matches!(files.look(), Look::New(_)));
    }

    #[test]
    fn a_directory_that_is_not_there_yet_can_come() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = CertificateFiles::new(dir.path().join("later"));
        files.look();
        assert!(matches!(files.look(), Look::Refused(TlsError::Missing { .. })));
        write_issued(files.dir(), &issued()).unwrap();
        assert!(matches!(files.look(), Look::New(_)));
    }
}
