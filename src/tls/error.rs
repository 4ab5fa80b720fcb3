//! Everything that can be wrong with certificates, each with the file, the cause and the cure.

use std::{io, path::PathBuf};

use rustls::pki_types::pem;

/// Why a certificate, a key or a TLS configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The file does not exist.
    #[error(
        "{}: no such file, the {role} is missing; mount the TLS Secret there, or for development run \
         `eco-pulse certs generate --dir {} --host NAME`",
        .path.display(), .dir.display()
    )]
    Missing {
        /// What the file should hold.
        role: &'static str,
        /// The file looked for.
        path: PathBuf,
        /// The directory to generate into.
        dir: PathBuf,
    },

    /// The file exists but cannot be read.
    #[error("{}: cannot read the {role} ({source}); let the user that runs eco-pulse read this file", .path.display())]
    Unreadable {
        /// What the file should hold.
        role: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },

    /// The file has no content.
    #[error("{}: the file is empty; write the {role} to it in PEM form", .path.display())]
    Empty {
        /// What the file should hold.
        role: &'static str,
        /// The file.
        path: PathBuf,
    },

    /// A PEM section is broken.
    #[error("{}: the {role} is damaged PEM ({source}); write the file again from its source", .path.display())]
    DamagedPem {
        /// What the file should hold.
        role: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: pem::Error,
    },

    /// The file holds no PEM section of the kind that is needed.
    #[error("{}: holds no {role} in PEM form (no `{expected}` section); {cure}", .path.display())]
    NoSection {
        /// What the file should hold.
        role: &'static str,
        /// The file.
        path: PathBuf,
        /// The PEM label that was looked for.
        expected: &'static str,
        /// What to do.
        cure: &'static str,
    },

    /// The PEM section does not hold an X.509 certificate.
    #[error("{}: not a valid X.509 certificate ({reason}); write the file again from its source", .path.display())]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        reason: String,
    },

    /// The key is of a kind that TLS here cannot use.
    #[error(
        "{}: the private key cannot be used ({source}); use an ECDSA P-256 or P-384, Ed25519 or RSA (2048 bits or more) key",
        .path.display()
    )]
    UnsupportedKey {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: rustls::Error,
    },

    /// Certificate and key are not a pair.
    #[error(
        "{}: the private key does not match the certificate in {}; take both files from the same issue (while a \
         Secret is being replaced this may last a moment)",
        .key.display(), .certificate.display()
    )]
    KeyMismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },

    /// The client authority (`server.clientCaFile`) cannot be used to verify clients.
    #[error("server.clientCaFile: {}: cannot verify clients with it ({reason}); name a file of CA certificates in PEM form", .path.display())]
    ClientAuthority {
        /// The file.
        path: PathBuf,
        /// What was wrong.
        reason: String,
    },

    /// A certificate could not be made.
    #[error("cannot generate a certificate: {0}")]
    Generate(#[from] rcgen::Error),

    /// No name was given to put into a certificate.
    #[error(
        "a certificate needs at least one host name; pass --host NAME (or `tls.hosts` in the configuration)"
    )]
    NoHost,

    /// A file that must not be lost is in the way.
    #[error("{}: already exists and is not overwritten; move it away or choose another --dir", .path.display())]
    Exists {
        /// The file in the way.
        path: PathBuf,
    },

    /// A file or directory could not be written.
    #[error("{}: cannot write ({source}); choose a --dir that you may write to", .path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },

    /// rustls refused the configuration.
    #[error("cannot set up TLS: {0}")]
    Configuration(#[from] rustls::Error),
}
