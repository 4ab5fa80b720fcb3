//! Certificate files: read, decode from PEM, and say exactly what is wrong when that fails.

use std::{fs, io, path::Path};

use rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};

use super::{Certificate, TlsError};

/// The certificate chain's file name, leaf first: the key that a `kubernetes.io/tls` Secret uses.
pub const CERTIFICATE_FILE: &str = "tls.crt";
/// The private key's file name.
pub const KEY_FILE: &str = "tls.key";

const CERTIFICATE: &str = "certificate";
const KEY: &str = "private key";

pub(super) fn load(dir: &Path) -> Result<Certificate, TlsError> {
    let read = |name| found(dir, name, fs::read(dir.join(name)));
    let (certificate_pem, key_pem) = (read(CERTIFICATE_FILE)?, read(KEY_FILE)?);
    from_pem(dir, &certificate_pem, &key_pem)
}

pub(super) fn from_pem(dir: &Path, certificate_pem: &[u8], key_pem: &[u8]) -> Result<Certificate, TlsError> {
    let certificate_path = dir.join(CERTIFICATE_FILE);
    let key_path = dir.join(KEY_FILE);
    let chain = certificates(&certificate_path, certificate_pem)?;
    let key = private_key(&key_path, key_pem)?;
    Certificate::from_der(chain, key, &certificate_path, &key_path)
}

/// All certificates of a PEM file; at least one.
pub(super) fn certificates(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    refuse_empty(path, bytes, CERTIFICATE)?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(bytes)
        .collect::<Result<_, _>>()
        .map_err(|source| TlsError::DamagedPem { role: CERTIFICATE, path: path.to_owned(), source })?;
    if chain.is_empty() {
        return Err(TlsError::NoSection {
            role: CERTIFICATE,
            path: path.to_owned(),
            expected: "BEGIN CERTIFICATE",
            cure: "if the file is DER, convert it with `openssl x509 -inform der`",
        });
    }
    Ok(chain)
}

fn private_key(path: &Path, bytes: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    refuse_empty(path, bytes, KEY)?;
    PrivateKeyDer::from_pem_slice(bytes).map_err(|source| match source {
        pem::Error::NoItemsFound => TlsError::NoSection {
            role: KEY,
            path: path.to_owned(),
            expected: "BEGIN PRIVATE KEY",
            cure: "if the key is encrypted, decrypt it with `openssl pkey`",
        },
        source => TlsError::DamagedPem { role: KEY, path: path.to_owned(), source },
    })
}

/// What came of reading a file of the pair, worded for whoever has to mend it.
pub(super) fn found(dir: &Path, name: &str, read: io::Result<Vec<u8>>) -> Result<Vec<u8>, TlsError> {
    let path = dir.join(name);
    let role = if name == KEY_FILE { KEY } else { CERTIFICATE };
    read.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => TlsError::Missing { role, path, dir: dir.to_owned() },
        _ => TlsError::Unreadable { role, path, source },
    })
}

fn refuse_empty(path: &Path, bytes: &[u8], role: &'static str) -> Result<(), TlsError> {
    if bytes.trim_ascii().is_empty() {
        return Err(TlsError::Empty { role, path: path.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, ToSpan as _};
    use rstest::rstest;

    use super::*;
    use crate::tls::{ValidityState, issue, write_issued};

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn write_for(dir: &Path, names: &[&str]) {
        let hosts: Vec<_> = names.iter().map(|name| name.parse().unwrap()).collect();
        write_issued(dir, &issue(&hosts, now()).unwrap()).unwrap();
    }

    /// A directory with a pair for `localhost` in it.
    fn pair() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        write_for(dir.path(), &["localhost"]);
        dir
    }

    fn refusal(dir: &Path) -> String {
        Certificate::load(dir).unwrap_err().to_string()
    }

    #[rstest]
    #[case("tls.crt", "no such file, the certificate is missing")]
    #[case("tls.key", "no such file, the private key is missing")]
    fn a_missing_file_is_named_with_the_command_that_makes_it(#[case] file: &str, #[case] cause: &str) {
        let dir = pair();
        fs::remove_file(dir.path().join(file)).unwrap();
        let text = refusal(dir.path());
        let cure = format!("eco-pulse certs generate --dir {} --host NAME", dir.path().display());
        assert!(text.contains(file) && text.contains(cause) && text.contains(&cure), "{text}");
    }

    const DAMAGED: &str = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n";
    const DAMAGED_KEY: &str = "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n";
    const CUT: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n";
    const NOT_X509: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    const NOT_A_KEY: &str = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    const ENCRYPTED: &str =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";

    #[rstest]
    #[case("tls.crt", "", "the file is empty; write the certificate")]
    #[case("tls.crt", " \n\t\n", "the file is empty")]
    #[case("tls.key", "", "the file is empty; write the private key")]
    #[case("tls.crt", "garbage", "holds no certificate in PEM form")]
    #[case("tls.key", "garbage", "holds no private key in PEM form")]
    #[case("tls.crt", DAMAGED, "the certificate is damaged PEM")]
    #[case("tls.key", DAMAGED_KEY, "the private key is damaged PEM")]
    #[case("tls.crt", CUT, "the certificate is damaged PEM")]
    #[case("tls.crt", NOT_X509, "not a valid X.509 certificate")]
    #[case("tls.key", NOT_A_KEY, "the private key cannot be used")]
    #[case("tls.key", ENCRYPTED, "if the key is encrypted, decrypt it with `openssl pkey`")]
    fn bad_content_is_named(#[case] file: &str, #[case] content: &str, #[case] cause: &str) {
        let dir = pair();
        fs::write(dir.path().join(file), content).unwrap();
        let text = refusal(dir.path());
        assert!(text.starts_with(&dir.path().join(file).display().to_string()), "{text}");
        assert!(text.contains(cause), "{text}");
    }

    #[test]
    fn binary_garbage_is_refused_and_does_not_panic() {
        let dir = pair();
        fs::write(dir.path().join("tls.crt"), [0xff, 0x00, 0x80, 0x30]).unwrap();
        assert!(refusal(dir.path()).contains("if the file is DER"));
    }

    #[test]
    fn an_unreadable_file_is_named() {
        let dir = pair();
        // A directory cannot be read as a file, whoever runs the test.
        fs::remove_file(dir.path().join("tls.key")).unwrap();
        fs::create_dir(dir.path().join("tls.key")).unwrap();
        let text = refusal(dir.path());
        assert!(text.contains("tls.key: cannot read the private key"), "{text}");
    }

    #[test]
    fn rejects_a_key_that_does_not_match() {
        let (dir, other) = (pair(), pair());
        fs::copy(other.path().join("tls.key"), dir.path().join("tls.key")).unwrap();
        let text = refusal(dir.path());
        assert!(text.contains("tls.key: the private key does not match the certificate in"), "{text}");
        assert!(text.contains("tls.crt"), "{text}");
    }

    #[test]
    fn an_expired_certificate_still_loads_with_a_warning() {
        let dir = tempfile::tempdir().unwrap();
        write_for(dir.path(), &["localhost", "10.0.0.7"]);
        let certificate = Certificate::load(dir.path()).unwrap();
        assert_eq!(certificate.warning(now()), None);

        let later = now() + (366 * 24).hours();
        assert_eq!(certificate.validity().state(later), ValidityState::Expired);
        let warning = certificate.warning(later).unwrap();
        assert!(warning.contains("localhost, 10.0.0.7 expired at 2027-03-01T11:55:00Z"), "{warning}");

        let warning = certificate.warning(now() - 1.hour()).unwrap();
        assert!(warning.contains("valid only from 2026-03-01T11:55:00Z"), "{warning}");
    }
}
